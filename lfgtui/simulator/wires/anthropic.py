"""Anthropic's wire: `POST /v1/messages`, streamed as named events.

https://docs.claude.com/en/docs/build-with-claude/streaming, and for requests and the
rules of their conversations https://docs.claude.com/en/api/messages. The error texts are
the service's own, as people have reported them, so they keep its spelling; the kinds of
errors: https://docs.claude.com/en/api/errors.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Reply, Segment, Stop
from lfgtui.simulator.request import (
    UNKNOWN_MODEL,
    Entry,
    RefusalKind,
    Refused,
    Request,
    ToolResult,
    read_conversation,
)
from lfgtui.simulator.wires.base import (
    Json,
    Wire,
    Writer,
    bearer,
    build_request,
    dump,
    record,
    text_of,
)
from lfgtui.simulator.wires.shapes import Fault

_HELP = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"

STOP_REASONS: dict[Stop, str] = {
    "end": "end_turn",
    "tool_use": "tool_use",
    "length": "max_tokens",
}

# Status, type and message of each kind of error.
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
        # Thinking blocks then have a signature, but no text.
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
        """Return a segment's content block, as it begins or complete."""
        text = segment.text if is_whole else ""
        match segment.kind:
            case "reasoning":
                shown = "" if self._omits else text
                signature = self._ids.signature(shown) if is_whole else ""
                return {"type": "thinking", "thinking": shown, "signature": signature}
            case "text":
                return {"type": "text", "text": text}
        # Arguments that `max_tokens` cut are no JSON: they become an empty object.
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
            "input_tokens": reply.input_tokens - reply.cached_tokens - reply.written_tokens,
            "cache_creation_input_tokens": reply.written_tokens,
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
    keeps_marked = True

    def authorise(self, headers: Mapping[str, str], key: str | None) -> None:
        if "anthropic-version" not in headers:
            raise Refused("invalid", "anthropic-version: header is required")
        given = headers.get("x-api-key") or bearer(headers)
        if key not in (None, given):
            raise Refused("auth", "" if given else "x-api-key header is required")

    def read(self, body: Json, ids: IdFactory) -> Request:
        if body["model"] == UNKNOWN_MODEL:
            raise Refused("not_found", f"model: {body['model']}")
        thinking = body.get("thinking", {"type": "disabled"})
        if thinking.get("budget_tokens", 0) >= body["max_tokens"]:
            raise _invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our"
                f" documentation at {_HELP}#max-tokens-and-context-window-size"
            )
        messages = [_Message(one["role"], _blocks(one["content"])) for one in body["messages"]]
        _check_order(messages)
        _check_results(messages)
        _check_signatures(messages, ids)
        parts = (body["model"], text_of(body.get("system")))
        entries = [_entry(message) for message in messages]
        conversation = read_conversation(entries, "anthropic", ids, *parts)
        reasons = thinking["type"] != "disabled"
        if reasons:
            _check_thinking_returned(messages, conversation.start, ids)
        return build_request(
            body,
            body["messages"],
            conversation,
            max_tokens=body["max_tokens"],
            reasoning=reasons,
            cached=lambda _, __: 0,  # see `PromptCache`
        )

    def misshapen(self, fault: Fault) -> Refused:
        return Refused("invalid", f"{'.'.join(map(str, fault.path))}: {fault.message}")

    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        status, kind, message = _ERRORS[refused.kind]
        error = {"type": kind, "message": refused.message or message}
        return status, {"type": "error", "error": error, "request_id": request_id}


class _Message(NamedTuple):
    """A message; if its content was a string, it has one text block, or none for ""."""

    role: str
    blocks: Sequence[Json]

    def of_type(self, kind: str) -> list[Json]:
        """Return the blocks of this type, in order."""
        return [block for block in self.blocks if block["type"] == kind]

    @property
    def leading_results(self) -> list[Json]:
        """The tool results that it begins with; the service ignores those after other content."""
        ends = (i for i, block in enumerate(self.blocks) if block["type"] != "tool_result")
        return list(self.blocks[: next(ends, None)]) if self.role == "user" else []


def _blocks(content: str | list[Json]) -> Sequence[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _entry(message: _Message) -> Entry:
    return Entry(
        message.role,
        text_of(message.of_type("text")),
        [block["id"] for block in message.of_type("tool_use")],
        [
            ToolResult(text_of(block.get("content")), block.get("is_error", False))
            for block in message.of_type("tool_result")
        ],
    )


def _invalid(message: str) -> Refused:
    return Refused("invalid", message)


def _check_order(messages: Sequence[_Message]) -> None:
    """Refuse a conversation without messages, with empty ones, or not from user to user."""
    if not messages:
        raise _invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        if not message.blocks:
            who = "user" if message.role == "user" else "all"
            raise _invalid(f"messages.{index}: {who} messages must have non-empty content")
        if any(not block["text"] for block in message.of_type("text")):
            raise _invalid("messages: text content blocks must be non-empty")
    if messages[0].role != "user":
        raise _invalid('messages: first message must use the "user" role')
    if messages[-1].role == "assistant":
        raise _invalid(
            "This model does not support assistant message prefill."
            " The conversation must end with a user message."
        )


def _check_results(messages: Sequence[_Message]) -> None:
    """Refuse a call without its result in the next message, and a result without its call."""
    nothing = _Message("", [])
    for index, (message, following) in enumerate(pairwise([nothing, *messages, nothing]), -1):
        called = [block["id"] for block in message.of_type("tool_use")]
        if len(set(called)) < len(called):
            raise _invalid(f"messages.{index}: `tool_use` ids must be unique")
        answered = {block["tool_use_id"] for block in following.leading_results}
        if missing := [call_id for call_id in called if call_id not in answered]:
            raise _invalid(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {', '.join(missing)}. Each `tool_use` block must have a"
                " corresponding `tool_result` block in the next message."
            )
        for at, block in enumerate(following.blocks):
            if block["type"] == "tool_result" and block["tool_use_id"] not in called:
                raise _invalid(
                    f"messages.{index + 1}.content.{at}: unexpected `tool_use_id` found in"
                    f" `tool_result` blocks: {block['tool_use_id']}. Each `tool_result` block"
                    " must have a corresponding `tool_use` block in the previous message."
                )


def _check_signatures(messages: Sequence[_Message], ids: IdFactory) -> None:
    """Refuse a thinking block that was changed."""
    for index, message in enumerate(messages):
        for at, block in enumerate(message.blocks):
            if block["type"] == "thinking" and block["signature"] != ids.signature(
                block["thinking"]
            ):
                raise _invalid(
                    f"messages.{index}.content.{at}: Invalid `signature` in `thinking` block"
                )


def _check_thinking_returned(messages: Sequence[_Message], start: int, ids: IdFactory) -> None:
    """Refuse a call after `start` that had thinking before it and comes back without."""
    for index, message in enumerate(messages[start + 1 :], start + 1):
        issued = [ids.read_call("anthropic", block["id"]) for block in message.of_type("tool_use")]
        first = message.blocks[0]["type"]
        if first in ("thinking", "redacted_thinking"):
            continue
        if any(call is not None and call.reasoned for call in issued):
            raise _invalid(
                f"messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`,"
                f" but found `{first}`. When `thinking` is enabled, a final `assistant` message"
                " must start with a thinking block (preceeding the lastmost set of `tool_use`"
                " and `tool_result` blocks). We recommend you include thinking blocks from"
                " previous turns. To avoid this requirement, disable `thinking`. Please consult"
                f" our documentation at {_HELP}"
            )
