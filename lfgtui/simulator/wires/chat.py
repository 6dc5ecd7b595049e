"""OpenAI's older wire: `POST /v1/chat/completions`, streamed as chunks without names.

https://platform.openai.com/docs/api-reference/chat-streaming, with
`reasoning_content` as DeepSeek and those who follow it send it.
"""

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Segment, Stop
from lfgtui.simulator.request import Refused, Request
from lfgtui.simulator.wires.base import Json, Writer, dump, record
from lfgtui.simulator.wires.chat_request import check
from lfgtui.simulator.wires.openai import OpenAIWire, error_body

FINISH_REASONS: dict[Stop, str] = {"end": "stop", "tool_use": "tool_calls", "length": "length"}


class ChatWriter(Writer):
    """Writes one completion."""

    wire = "chat"
    _chunks = 0

    def open(self) -> bytes:
        if self._reply.reasoning:
            return self._chunk({"role": "assistant", "content": None, "reasoning_content": ""})
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def close(self) -> bytes:
        last = self._chunk({}, FINISH_REASONS[self._reply.stop])
        if self._options.get("include_usage"):
            last += record({**self._head(), "choices": [], "usage": self._usage()})
        return last + b"data: [DONE]\n\n"

    def broken(self) -> bytes:
        return record({"error": error_body(Refused("server"))})

    def body(self) -> bytes:
        reply = self._reply
        text = "".join(part.text for part in reply.segments if part.kind == "text")
        message: Json = {"role": "assistant", "content": text or None, "refusal": None}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        if calls := [part for part in reply.segments if part.kind == "call"]:
            message["tool_calls"] = [self._call(part, part.text) for part in calls]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": FINISH_REASONS[reply.stop],
        }
        head = {**self._head(), "object": "chat.completion"}
        return dump({**head, "choices": [choice], "usage": self._usage()})

    def _start(self, segment: Segment) -> bytes:
        if segment.kind != "call":
            return b""
        return self._chunk({"tool_calls": [{"index": segment.place, **self._call(segment, "")}]})

    def _piece(self, segment: Segment, text: str) -> bytes:
        if segment.kind == "reasoning":
            return self._chunk({"reasoning_content": text})
        if segment.kind == "text":
            return self._chunk({"content": text})
        part = {"index": segment.place, "function": {"arguments": text}}
        return self._chunk({"tool_calls": [part]})

    def _end(self, segment: Segment) -> bytes:
        return b""

    def _call(self, segment: Segment, arguments: str) -> Json:
        function = {"name": segment.name, "arguments": arguments}
        return {"id": self._call_id(segment), "type": "function", "function": function}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk: Json = {**self._head(), "choices": [choice]}
        if self._options.get("include_usage"):
            chunk["usage"] = None
        if self._options.get("include_obfuscation", True):
            self._chunks += 1
            chunk["obfuscation"] = self._ids.obfuscation(self._reply.nonce, self._chunks)
        return record(chunk)

    def _head(self) -> Json:
        return {
            "id": self._ids.item("chatcmpl-", self._reply.nonce, length=29),
            "object": "chat.completion.chunk",
            "created": self._reply.created,
            "model": self._reply.model,
            "service_tier": "default",
            "system_fingerprint": "fp_5131a70121",
        }

    def _usage(self) -> Json:
        reply = self._reply
        return {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": reply.reasoning_tokens,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


class ChatWire(OpenAIWire):
    """The chat completions API."""

    path = "/v1/chat/completions"
    params = "openai.types.chat.completion_create_params:CompletionCreateParamsBase"
    writer = ChatWriter

    def read(self, body: Json, ids: IdFactory) -> Request:
        return check(body, ids)
