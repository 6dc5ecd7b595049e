"""A `Request` as the body of an Anthropic Messages request.

The wire's rules (https://docs.anthropic.com/en/api/messages): roles
alternate, so neighbours of one role become one message; all results of a
turn's calls come first in the user message after it; thinking goes back
with its signature, unchanged and in order, and is never last; text blocks are
never empty.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from lfgtui.model.fold.conversation import (
    CallPart,
    ItemPart,
    Message,
    ModelTurn,
    Part,
    ReasoningPart,
    TextPart,
    ToolResult,
    UserTurn,
    since_the_model,
)
from lfgtui.model.tickets import Reasoning
from lfgtui.providers.anthropic.decoder import WIRE
from lfgtui.providers.base import Request, budget_of, effort_of

Block = dict[str, object]

_CACHE: Block = {"type": "ephemeral"}  # marks the end of a prefix to be cached
_LEAST_BUDGET = 1024
"""Tokens; the API takes no smaller budget for thinking."""

_UNFINISHED = ("thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use")
"""Blocks that must not be the last of a response that was stopped."""

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_-]")
_VERSION = re.compile(r"claude-(?:[a-z]+)-(\d+)(?:[.-](\d{1,2}))?(?!\d)")
"""`claude-sonnet-4-5`, `claude-opus-4.6`; in `claude-opus-4-20250514` the version is 4."""


def request_body(request: Request) -> dict[str, object]:
    """Return the JSON body, `extra` included."""
    body: dict[str, object] = {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "messages": _messages(request.messages, cache=request.cache),
        "stream": request.stream,
    }
    if request.system:
        body["system"] = [_cached({"type": "text", "text": request.system}, request.cache)]
    if request.tools:
        tools: list[Block] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
        # Of the four marks that the API allows, one is left for `extra`. The mark of the system
        # prompt covers the tools, which come before it.
        has_files = any(isinstance(one, UserTurn) and one.files for one in request.messages)
        tools[-1] = _cached(tools[-1], request.cache and not (has_files and request.system))
        body["tools"] = tools
    if request.reasoning is not None:
        body |= _thinking(request, request.reasoning)
    return body | request.extra


def _thinking(request: Request, reasoning: Reasoning) -> dict[str, object]:
    """Return the fields that ask for thinking; {} if the API would refuse it here.

    A fixed budget is part of the output, so a limit that leaves no room for more is raised.
    """
    if _thinks_adaptively(request.model):
        return {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": effort_of(reasoning)},
        }
    if any(isinstance(message, ToolResult) for message in since_the_model(request.messages)):
        # The wire refuses thinking in the middle of a tool loop that began without it.
        turns = [message for message in request.messages if isinstance(message, ModelTurn)]
        thoughts = turns[-1].items(WIRE) if turns else []
        if not any(i.get("type") == "redacted_thinking" or i.get("signature") for i in thoughts):
            return {}
    budget = max(budget_of(reasoning), _LEAST_BUDGET)
    most, bound = request.max_output_tokens, request.output_bound
    total = most if most > budget else most + budget
    if bound is not None and total > bound:
        total, budget = bound, min(budget, bound // 2)
        if budget < _LEAST_BUDGET:
            return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}, "max_tokens": total}


def _thinks_adaptively(model: str) -> bool:
    """Return True for a model that sets its own budget: since 4.6; later ones refuse a fixed one.

    See https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking.
    """
    version = _VERSION.search(model)
    return version is not None and (int(version[1]), int(version[2] or 0)) >= (4, 6)


def _messages(messages: Sequence[Message], *, cache: bool) -> list[Block]:
    """Return the conversation; `cache` marks the files, and the end for the next request."""
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        role = "assistant" if isinstance(message, ModelTurn) else "user"
        blocks = _blocks(message)
        if not blocks:
            continue
        if isinstance(message, UserTurn) and message.files:
            blocks[-1] = _cached(blocks[-1], cache)
        if role == "user":
            _drop_unfinished(turns)
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))
    for role, blocks in turns:
        if role == "user":
            blocks.sort(key=lambda block: block["type"] != "tool_result")
    if cache and turns and turns[-1][0] == "user":
        turns[-1][1][-1] = _cached(turns[-1][1][-1], cache)
    return [{"role": role, "content": blocks} for role, blocks in turns]


def _drop_unfinished(turns: list[tuple[str, list[Block]]]) -> None:
    """Drop blocks at the end of a stopped response, which the API refuses there."""
    while turns and turns[-1][0] == "assistant" and turns[-1][1][-1]["type"] in _UNFINISHED:
        turns[-1][1].pop()
        if not turns[-1][1]:
            turns.pop()


def _blocks(message: Message) -> list[Block]:
    match message:
        case UserTurn(text):
            return [{"type": "text", "text": text}] if text.strip() else []
        case ToolResult(call_id, output, failed):
            block: Block = {"type": "tool_result", "tool_use_id": _id(call_id), "content": output}
            return [block | {"is_error": True} if failed else block]
        case ModelTurn(parts):
            pairs = pairwise((None, *parts))
            return [block for previous, part in pairs if part for block in _part(part, previous)]


def _part(part: Part, previous: Part | None) -> list[Block]:
    """Return the blocks of a part, at most one; `previous` has the text of a thinking block."""
    match part:
        case TextPart(text):
            return [{"type": "text", "text": text}] if text.strip() else []
        case CallPart(call_id, name, arguments):
            given = arguments if isinstance(arguments, dict) else {"invalid_json": arguments}
            return [{"type": "tool_use", "id": _id(call_id), "name": name, "input": given}]
        case ItemPart(wire, item) if wire == WIRE:
            if item.get("type") != "thinking":
                return [item]
            # The text of a thinking block is the part before; it may have none.
            words = previous.text if isinstance(previous, ReasoningPart) else ""
            thinking: Block = {"type": "thinking", "thinking": words}
            signature = item.get("signature")
            return [thinking | {"signature": signature}] if signature else []
        case ItemPart() | ReasoningPart():
            return []


def _id(call_id: str) -> str:
    """Return the id in the characters that this wire allows: it may come from another wire."""
    return _NOT_IN_ID.sub("_", call_id) or "_"


def _cached(block: Block, cache: bool) -> Block:
    return block | {"cache_control": _CACHE} if cache else block
