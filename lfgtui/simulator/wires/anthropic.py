"""Anthropic's wire: `POST /v1/messages`, streamed as named events.

https://docs.claude.com/en/docs/build-with-claude/streaming
"""

import json
from collections.abc import Mapping

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Ended, Ping, Reply, Segment, Started, Stop, WireStep
from lfgtui.simulator.request import RefusalKind, Refused, Request
from lfgtui.simulator.wires.anthropic_request import check
from lfgtui.simulator.wires.base import Fault, Json, bearer, dump, record

STOP_REASONS: dict[Stop, str] = {
    "end": "end_turn",
    "tool_use": "tool_use",
    "length": "max_tokens",
}

_ERRORS: dict[RefusalKind, tuple[int, str, str]] = {
    "invalid": (400, "invalid_request_error", "Invalid request"),
    "json": (400, "invalid_request_error", "The request body is not valid JSON"),
    "auth": (401, "authentication_error", "invalid x-api-key"),
    "not_found": (404, "not_found_error", "Not found"),
    "rate_limit": (
        429,
        "rate_limit_error",
        "This request would exceed the rate limit for your organization. Please reduce the prompt"
        " length or the maximum tokens requested, or try again later.",
    ),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "server": (500, "api_error", "Internal server error"),
}


class AnthropicWire:
    """The Messages API."""

    path = "/v1/messages"
    params = "anthropic.types.message_create_params:MessageCreateParamsBase"
    id_header = "request-id"

    def authorise(self, headers: Mapping[str, str], key: str) -> None:
        given = headers.get("x-api-key") or bearer(headers)
        if given != key:
            raise Refused("auth", "" if given else "x-api-key header is required")

    def read(self, body: Json, headers: Mapping[str, str], ids: IdFactory) -> Request:
        if "anthropic-version" not in headers:
            raise Refused("invalid", "anthropic-version: header is required")
        return check(body, ids)

    def writer(self, reply: Reply, ids: IdFactory, body: Json) -> "AnthropicWriter":
        return AnthropicWriter(reply, ids, body)

    def misshapen(self, fault: Fault) -> Refused:
        return Refused("invalid", f"{'.'.join(map(str, fault.path))}: {fault.message}")

    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        status, kind, message = _ERRORS[refused.kind]
        error = {"type": kind, "message": refused.message or message}
        return status, {"type": "error", "error": error, "request_id": request_id}


class AnthropicWriter:
    """Writes one message."""

    def __init__(self, reply: Reply, ids: IdFactory, body: Json) -> None:
        self._reply = reply
        self._ids = ids
        # Thinking is signed then, but not shown.
        self._omits = body.get("thinking", {}).get("display") == "omitted"
        self._pinged = False

    def open(self) -> bytes:
        message = self._message([], None, {**self._input_usage(), "output_tokens": 1})
        return record({"type": "message_start", "message": message}, "message_start")

    def write(self, step: WireStep) -> bytes:
        if isinstance(step, Ping):
            return record({"type": "ping"}, "ping")
        segment = step.segment
        at: Json = {"index": segment.index}
        if isinstance(step, Started):
            return self._start(segment, at)
        if isinstance(step, Ended):
            return self._sign(segment, at) + self._event("content_block_stop", at)
        if segment.kind == "reasoning":
            if self._omits:
                return b""
            return self._delta(at, {"type": "thinking_delta", "thinking": step.text})
        if segment.kind == "text":
            return self._delta(at, {"type": "text_delta", "text": step.text})
        return self._delta(at, {"type": "input_json_delta", "partial_json": step.text})

    def close(self) -> bytes:
        reason = STOP_REASONS[self._reply.stop]
        usage = {**self._input_usage(), "output_tokens": self._reply.output_tokens}
        delta = {"stop_reason": reason, "stop_sequence": None}
        return self._event("message_delta", {"delta": delta, "usage": usage}) + self._event(
            "message_stop", {}
        )

    def broken(self) -> bytes:
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return self._event("error", {"error": error})

    def body(self) -> bytes:
        content = [self._block(segment) for segment in self._reply.segments]
        usage = {**self._input_usage(), "output_tokens": self._reply.output_tokens}
        return dump(self._message(content, STOP_REASONS[self._reply.stop], usage))

    def _start(self, segment: Segment, at: Json) -> bytes:
        block: Json
        if segment.kind == "reasoning":
            block = {"type": "thinking", "thinking": "", "signature": ""}
        elif segment.kind == "text":
            block = {"type": "text", "text": ""}
        else:
            block = {"type": "tool_use", **self._call(segment), "input": {}}
        started = self._event("content_block_start", {**at, "content_block": block})
        if segment.kind == "call":
            started += self._delta(at, {"type": "input_json_delta", "partial_json": ""})
        if self._pinged:
            return started
        self._pinged = True
        return started + record({"type": "ping"}, "ping")

    def _sign(self, segment: Segment, at: Json) -> bytes:
        if segment.kind != "reasoning":
            return b""
        return self._delta(at, {"type": "signature_delta", "signature": self._signature(segment)})

    def _signature(self, segment: Segment) -> str:
        return self._ids.signature("" if self._omits else segment.text)

    def _block(self, segment: Segment) -> Json:
        if segment.kind == "reasoning":
            thinking = "" if self._omits else segment.text
            signature = self._signature(segment)
            return {"type": "thinking", "thinking": thinking, "signature": signature}
        if segment.kind == "text":
            return {"type": "text", "text": segment.text}
        given = decode_arguments(segment)
        return {"type": "tool_use", **self._call(segment), "input": given}

    def _call(self, segment: Segment) -> Json:
        reply = self._reply
        call_id = self._ids.call("anthropic", reply.nonce, segment.place, reply.reasoning)
        return {"id": call_id, "name": segment.name}

    def _message(self, content: list[Json], stop_reason: str | None, usage: Json) -> Json:
        return {
            "model": self._reply.model,
            "id": self._ids.item("msg_01", self._reply.nonce, length=22),
            "type": "message",
            "role": "assistant",
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {**usage, "service_tier": "standard"},
        }

    def _input_usage(self) -> Json:
        reply = self._reply
        return {
            "input_tokens": reply.input_tokens - reply.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": reply.cached_tokens,
        }

    def _delta(self, at: Json, delta: Json) -> bytes:
        return self._event("content_block_delta", {**at, "delta": delta})

    def _event(self, name: str, fields: Json) -> bytes:
        return record({"type": name, **fields}, name)


def decode_arguments(segment: Segment) -> object:
    """A call's arguments as an object; an empty one where `max_tokens` cut them short."""
    return json.loads(segment.text) if segment.complete else {}
