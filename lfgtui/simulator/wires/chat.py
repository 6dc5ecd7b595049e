"""OpenAI's older wire: `POST /v1/chat/completions`, streamed as chunks without names.

https://platform.openai.com/docs/api-reference/chat-streaming, with
`reasoning_content` as DeepSeek and those who follow it send it.
"""

from collections.abc import Mapping

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Ended, Ping, Reply, Segment, Started, Stop, WireStep
from lfgtui.simulator.request import Refused, Request
from lfgtui.simulator.wires.base import Json, dump, record
from lfgtui.simulator.wires.chat_request import check
from lfgtui.simulator.wires.openai import OpenAIWire, error_body

FINISH_REASONS: dict[Stop, str] = {"end": "stop", "tool_use": "tool_calls", "length": "length"}


class ChatWire(OpenAIWire):
    """The chat completions API."""

    path = "/v1/chat/completions"
    params = "openai.types.chat.completion_create_params:CompletionCreateParamsBase"

    def read(self, body: Json, headers: Mapping[str, str], ids: IdFactory) -> Request:
        return check(body, ids)

    def writer(self, reply: Reply, ids: IdFactory, body: Json) -> "ChatWriter":
        return ChatWriter(reply, ids, body)


class ChatWriter:
    """Writes one completion."""

    def __init__(self, reply: Reply, ids: IdFactory, body: Json) -> None:
        self._reply = reply
        self._ids = ids
        self._options = body.get("stream_options") or {}
        self._chunks = 0

    def open(self) -> bytes:
        delta: Json = {"role": "assistant", "content": "", "refusal": None}
        if self._reply.reasoning:
            delta = {"role": "assistant", "content": None, "reasoning_content": ""}
        return self._chunk(delta)

    def write(self, step: WireStep) -> bytes:
        if isinstance(step, Ping):
            return b": keep-alive\n\n"
        segment = step.segment
        if isinstance(step, Started):
            if segment.kind != "call":
                return b""
            function = {"name": segment.name, "arguments": ""}
            call = {"index": segment.place, **self._call(segment), "function": function}
            return self._chunk({"tool_calls": [call]})
        if isinstance(step, Ended):
            return b""
        if segment.kind == "reasoning":
            return self._chunk({"reasoning_content": step.text})
        if segment.kind == "text":
            return self._chunk({"content": step.text})
        part = {"index": segment.place, "function": {"arguments": step.text}}
        return self._chunk({"tool_calls": [part]})

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
        calls = [part for part in reply.segments if part.kind == "call"]
        if calls:
            message["tool_calls"] = [
                {**self._call(part), "function": {"name": part.name, "arguments": part.text}}
                for part in calls
            ]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": FINISH_REASONS[reply.stop],
        }
        head = {**self._head(), "object": "chat.completion"}
        return dump({**head, "choices": [choice], "usage": self._usage()})

    def _call(self, segment: Segment) -> Json:
        reply = self._reply
        call_id = self._ids.call("chat", reply.nonce, segment.place, reply.reasoning)
        return {"id": call_id, "type": "function"}

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
