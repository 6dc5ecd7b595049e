"""OpenAI's older wire: `POST /v1/chat/completions`, streamed as chunks without names.

https://platform.openai.com/docs/api-reference/chat-streaming, with
`reasoning_content` as DeepSeek and those who follow it send it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lfgtui.simulator.asked import Asked, Refused
from lfgtui.simulator.ids import Mint
from lfgtui.simulator.performance import Ended, Ping, Reply, Segment, Started, Stop, Written
from lfgtui.simulator.wires import chat_request as request
from lfgtui.simulator.wires import openai_errors as errors
from lfgtui.simulator.wires.base import ErrorBody, Json, decode, dump, record

FINISH_REASONS: dict[Stop, str] = {"end": "stop", "tool_use": "tool_calls", "length": "length"}


class ChatWire:
    """The chat completions API."""

    path = "/v1/chat/completions"

    def authorise(self, headers: Mapping[str, str], key: str) -> None:
        errors.authorise(headers, key)

    def read(self, body: bytes, headers: Mapping[str, str], mint: Mint) -> "ChatQuestion":
        parsed = decode(body, request.Body, "We could not parse the JSON body of your request.")
        return ChatQuestion(
            request.check(parsed, mint), mint, parsed.stream_options or request.StreamOptions()
        )

    def refuse(self, refused: Refused, request_id: str) -> ErrorBody:
        return errors.refuse(refused, request_id)

    def headers(self, request_id: str) -> dict[str, str]:
        return {"x-request-id": request_id}


@dataclass(frozen=True, slots=True)
class ChatQuestion:
    """A checked request."""

    asked: Asked
    mint: Mint
    options: request.StreamOptions

    def writer(self, reply: Reply) -> "ChatWriter":
        return ChatWriter(reply, self.mint, self.options)


class ChatWriter:
    """Writes one completion."""

    def __init__(self, reply: Reply, mint: Mint, options: request.StreamOptions) -> None:
        self._reply = reply
        self._mint = mint
        self._options = options
        self._chunks = 0

    def open(self) -> bytes:
        delta: Json = {"role": "assistant", "content": "", "refusal": None}
        if self._reply.reasoning:
            delta = {"role": "assistant", "content": None, "reasoning_content": ""}
        return self._chunk(delta)

    def write(self, beat: Written) -> bytes:
        if isinstance(beat, Ping):
            return b": keep-alive\n\n"
        segment = beat.segment
        if isinstance(beat, Started):
            if segment.kind != "call":
                return b""
            function = {"name": segment.name, "arguments": ""}
            call = {"index": segment.place, **self._call(segment), "function": function}
            return self._chunk({"tool_calls": [call]})
        if isinstance(beat, Ended):
            return b""
        if segment.kind == "reasoning":
            return self._chunk({"reasoning_content": beat.text})
        if segment.kind == "text":
            return self._chunk({"content": beat.text})
        part = {"index": segment.place, "function": {"arguments": beat.text}}
        return self._chunk({"tool_calls": [part]})

    def close(self) -> bytes:
        last = self._chunk({}, FINISH_REASONS[self._reply.stop])
        if self._options.include_usage:
            last += record({**self._head(), "choices": [], "usage": self._usage()})
        return last + b"data: [DONE]\n\n"

    def broken(self) -> bytes:
        return record({"error": errors.error_body(Refused(500, "server"))})

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
        call_id = self._mint.call("chat", reply.nonce, segment.place, reply.reasoning)
        return {"id": call_id, "type": "function"}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk: Json = {**self._head(), "choices": [choice]}
        if self._options.include_usage:
            chunk["usage"] = None
        if self._options.include_obfuscation:
            self._chunks += 1
            chunk["obfuscation"] = self._mint.obfuscation(self._reply.nonce, self._chunks)
        return record(chunk)

    def _head(self) -> Json:
        return {
            "id": self._mint.item("chatcmpl-", self._reply.nonce, length=29),
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
