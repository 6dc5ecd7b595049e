"""Anthropic's wire: `POST /v1/messages`, streamed as named events.

https://docs.claude.com/en/docs/build-with-claude/streaming
"""

import json
from collections.abc import Mapping

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Reply, Segment, Stop
from lfgtui.simulator.request import RefusalKind, Refused, Request
from lfgtui.simulator.wires.anthropic_request import check
from lfgtui.simulator.wires.base import Json, Wire, Writer, bearer, dump, record
from lfgtui.simulator.wires.shapes import Fault

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


def _event(name: str, **fields: object) -> bytes:
    return record({"type": name, **fields}, name)


class AnthropicWriter(Writer):
    """Writes one message."""

    wire = "anthropic"
    ping = _event("ping")

    def __init__(self, reply: Reply, ids: IdFactory, body: Json) -> None:
        super().__init__(reply, ids, body)
        # Thinking is signed then, but not shown.
        self._omits = body.get("thinking", {}).get("display") == "omitted"

    def open(self) -> bytes:
        return _event("message_start", message=self._message([], None, output_tokens=1))

    def close(self) -> bytes:
        delta = {"stop_reason": STOP_REASONS[self._reply.stop], "stop_sequence": None}
        usage = self._usage(self._reply.output_tokens)
        return _event("message_delta", delta=delta, usage=usage) + _event("message_stop")

    def broken(self) -> bytes:
        return _event("error", error={"type": "overloaded_error", "message": "Overloaded"})

    def body(self) -> bytes:
        reply = self._reply
        content = [self._block(segment, is_whole=True) for segment in reply.segments]
        stop = STOP_REASONS[reply.stop]
        return dump(self._message(content, stop, output_tokens=reply.output_tokens))

    def _start(self, segment: Segment) -> bytes:
        block = self._block(segment, is_whole=False)
        started = _event("content_block_start", index=segment.index, content_block=block)
        if segment.kind == "call":
            started += self._piece(segment, "")
        return started + (b"" if segment.index else self.ping)

    def _piece(self, segment: Segment, text: str) -> bytes:
        match segment.kind:
            case "reasoning" if self._omits:
                return b""
            case "reasoning":
                return self._delta(segment, type="thinking_delta", thinking=text)
            case "text":
                return self._delta(segment, type="text_delta", text=text)
        return self._delta(segment, type="input_json_delta", partial_json=text)

    def _end(self, segment: Segment) -> bytes:
        signed = b""
        if segment.kind == "reasoning":
            signature = self._block(segment, is_whole=True)["signature"]
            signed = self._delta(segment, type="signature_delta", signature=signature)
        return signed + _event("content_block_stop", index=segment.index)

    def _block(self, segment: Segment, *, is_whole: bool) -> Json:
        text = segment.text if is_whole else ""
        match segment.kind:
            case "reasoning":
                shown = "" if self._omits else text
                signature = self._ids.signature(shown) if is_whole else ""
                return {"type": "thinking", "thinking": shown, "signature": signature}
            case "text":
                return {"type": "text", "text": text}
        # An empty object where `max_tokens` cut the arguments short.
        given = json.loads(text) if is_whole and segment.complete else {}
        call = {"id": self._call_id(segment), "name": segment.name}
        return {"type": "tool_use", **call, "input": given}

    def _message(self, content: list[Json], stop: str | None, *, output_tokens: int) -> Json:
        return {
            "model": self._reply.model,
            "id": self._ids.item("msg_01", self._reply.nonce, length=22),
            "type": "message",
            "role": "assistant",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {**self._usage(output_tokens), "service_tier": "standard"},
        }

    def _usage(self, output_tokens: int) -> Json:
        reply = self._reply
        return {
            "input_tokens": reply.input_tokens - reply.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": reply.cached_tokens,
            "output_tokens": output_tokens,
        }

    def _delta(self, segment: Segment, **delta: str) -> bytes:
        return _event("content_block_delta", index=segment.index, delta=delta)


class AnthropicWire(Wire):
    """The Messages API."""

    path = "/v1/messages"
    params = "anthropic.types.message_create_params:MessageCreateParamsBase"
    id_header = "request-id"
    writer = AnthropicWriter

    def authorise(self, headers: Mapping[str, str], key: str | None) -> None:
        if "anthropic-version" not in headers:
            raise Refused("invalid", "anthropic-version: header is required")
        given = headers.get("x-api-key") or bearer(headers)
        if key not in (None, given):
            raise Refused("auth", "" if given else "x-api-key header is required")

    def read(self, body: Json, ids: IdFactory) -> Request:
        return check(body, ids)

    def misshapen(self, fault: Fault) -> Refused:
        return Refused("invalid", f"{'.'.join(map(str, fault.path))}: {fault.message}")

    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        status, kind, message = _ERRORS[refused.kind]
        error = {"type": kind, "message": refused.message or message}
        return status, {"type": "error", "error": error, "request_id": request_id}
