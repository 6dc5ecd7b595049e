"""Anthropic's requests and the rules of their conversations.

https://docs.claude.com/en/api/messages; the error texts are the service's own,
as people have reported them: https://docs.claude.com/en/api/errors.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import (
    UNKNOWN_MODEL,
    Entry,
    Refused,
    Request,
    ToolResult,
    read_conversation,
)
from lfgtui.simulator.wires.base import Json, build_request, dump, text_of

_HELP = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


class Message(NamedTuple):
    """A message; a string is one text block."""

    role: str
    blocks: Sequence[Json]

    def of_type(self, kind: str) -> list[Json]:
        """Return the blocks of this type, in order."""
        return [block for block in self.blocks if block["type"] == kind]

    @property
    def leading_results(self) -> list[Json]:
        """The results it begins with: those after other content do not count."""
        ends = (i for i, block in enumerate(self.blocks) if block["type"] != "tool_result")
        return list(self.blocks[: next(ends, None)]) if self.role == "user" else []


def check(body: Json, ids: IdFactory) -> Request:
    """Return the request in no wire's terms; raises `Refused` with the service's own text."""
    if body["model"] == UNKNOWN_MODEL:
        raise Refused("not_found", f"model: {body['model']}")
    thinking = body.get("thinking", {"type": "disabled"})
    if thinking.get("budget_tokens", 0) >= body["max_tokens"]:
        raise _invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our"
            f" documentation at {_HELP}#max-tokens-and-context-window-size"
        )
    messages = [Message(one["role"], _blocks(one["content"])) for one in body["messages"]]
    _check_order(messages)
    _check_results(messages)
    _check_signatures(messages, ids)
    parts = (body["model"], text_of(body.get("system")))
    entries = [_entry(message) for message in messages]
    conversation = read_conversation(entries, "anthropic", ids, *parts)
    reasons = thinking["type"] != "disabled"
    if reasons:
        _check_thinking_returned(messages, conversation.start, ids)
    caches = conversation.turns and b'"cache_control":{' in dump(body)
    return build_request(
        body,
        body["messages"],
        conversation,
        max_tokens=body["max_tokens"],
        reasoning=reasons,
        cached=lambda total, fresh: total - fresh if caches else 0,
    )


def _blocks(content: str | list[Json]) -> Sequence[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content


def _entry(message: Message) -> Entry:
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


def _check_order(messages: Sequence[Message]) -> None:
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
    if messages[-1].role != "user":
        raise _invalid(
            "This model does not support assistant message prefill."
            " The conversation must end with a user message."
        )


def _check_results(messages: Sequence[Message]) -> None:
    nothing = Message("", [])
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


def _check_signatures(messages: Sequence[Message], ids: IdFactory) -> None:
    for index, message in enumerate(messages):
        for at, block in enumerate(message.blocks):
            if block["type"] == "thinking" and block["signature"] != ids.signature(
                block["thinking"]
            ):
                raise _invalid(
                    f"messages.{index}.content.{at}: Invalid `signature` in `thinking` block"
                )


def _check_thinking_returned(messages: Sequence[Message], start: int, ids: IdFactory) -> None:
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
