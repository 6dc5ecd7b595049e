"""Responses requests: the fields that are read, and the rules of a conversation.

The input is a flat list of items. Of one earlier response it holds a run of
items (reasoning, message, function calls); as clients may put each call's
output right behind the call, runs are told apart by the nonce in the call
ids first and by their neighbours second.
"""

from collections.abc import Sequence

import msgspec

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import Refused, Request, ToolResult
from lfgtui.simulator.wires.base import token_count
from lfgtui.simulator.wires.openai import cached_part, check_model, missing


class Part(msgspec.Struct, frozen=True):
    """A content part; only text is read."""

    text: str = ""


class Item(msgspec.Struct, frozen=True):
    """An input item of any type; a message may leave its type out."""

    type: str = "message"
    role: str = ""
    content: str | tuple[Part, ...] | None = None
    id: str | None = None
    call_id: str = ""
    arguments: str = ""
    output: str | tuple[Part, ...] | None = None
    encrypted_content: str | None = None

    @property
    def text(self) -> str:
        """A message's text, or a call's output."""
        value = self.output if self.type == "function_call_output" else self.content
        if isinstance(value, tuple):
            return "".join(part.text for part in value)
        return value or ""

    @property
    def by_model(self) -> bool:
        return self.type in ("reasoning", "function_call") or self.role == "assistant"


class Body(msgspec.Struct, frozen=True):
    """`POST /v1/responses`: https://platform.openai.com/docs/api-reference/responses."""

    model: str = ""
    input: str | tuple[Item, ...] = ()
    instructions: str | None = None
    stream: bool | None = None
    store: bool | None = None
    include: tuple[str, ...] | None = None
    max_output_tokens: int | None = None
    reasoning: dict[str, object] | None = None
    tools: tuple[dict[str, object], ...] | None = None
    previous_response_id: str | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    metadata: dict[str, str] | None = None
    stream_options: dict[str, bool] | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        if isinstance(self.input, str):
            return (Item(role="user", content=self.input),)
        return self.input

    @property
    def reasons(self) -> bool:
        wanted = self.reasoning or {}
        return wanted.get("effort") != "none" and any(wanted.values())

    @property
    def stores(self) -> bool:
        return self.store is not False


def check(body: Body, ids: IdFactory, input_tokens: int) -> Request:
    """Return the request in no wire's terms; raises `Refused` with the service's own text."""
    if not body.model:
        raise missing("model")
    check_model(body.model)
    if body.previous_response_id is not None:
        raise Refused(
            "invalid",
            f"Previous response with id '{body.previous_response_id}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    if not body.items:
        raise Refused(
            "invalid",
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must"
            " be provided.",
            param="input",
            code="missing_required_parameter",
        )
    _check_outputs(body.items)
    start = _last_plain_user(body.items)
    _check_encrypted(body, ids)
    if body.reasons:
        _check_reasoning_returned(body.items, start, ids)
    return _request(body, start, ids, input_tokens)


def _request(body: Body, start: int, ids: IdFactory, input_tokens: int) -> Request:
    items = body.items
    loop = items[start + 1 :]
    begins = _responses(loop, ids)
    after = loop[begins[-1] :] if begins else ()
    said = [body.instructions or "", *(f"{i.role}: {i.text}" for i in items[: start + 1])]
    return Request(
        model=body.model,
        stream=bool(body.stream),
        prompt=items[start].text,
        conversation=ids.digest(body.model, *said),
        turn=len(begins),
        results=tuple(ToolResult(i.text) for i in after if i.type == "function_call_output"),
        max_tokens=body.max_output_tokens,
        reasoning=body.reasons,
        tools=frozenset(str(tool.get("name")) for tool in body.tools or ()),
        input_tokens=input_tokens,
        cached_tokens=cached_part(input_tokens, token_count(after or items)),
    )


def _responses(loop: Sequence[Item], ids: IdFactory) -> list[int]:
    """Return the index at which each earlier response of the running loop begins."""
    begins: list[int] = []
    nonce = ""
    run = False
    for index, item in enumerate(loop):
        if not item.by_model:
            run = False
            continue
        issued = ids.read_call("responses", item.call_id) if item.type == "function_call" else None
        is_same = issued is not None and issued.nonce == nonce
        if not run and not is_same:
            begins.append(index)
        if issued is not None:
            nonce = issued.nonce
        run = True
    return begins


def _check_outputs(items: Sequence[Item]) -> None:
    called: set[str] = set()
    answered: set[str] = set()
    for item in items:
        if item.type == "function_call":
            called.add(item.call_id)
        elif item.type == "function_call_output":
            if item.call_id not in called:
                raise _input(
                    f"No tool call found for function call output with call_id {item.call_id}."
                )
            answered.add(item.call_id)
    for item in items:
        if item.type == "function_call" and item.call_id not in answered:
            raise _input(f"No tool output found for function call {item.call_id}.")


def _last_plain_user(items: Sequence[Item]) -> int:
    """Return the item that began the running loop; one right after tool outputs is not it."""
    for index in range(len(items) - 1, 0, -1):
        if items[index].role == "user" and items[index - 1].type != "function_call_output":
            return index
    return 0


def _check_encrypted(body: Body, ids: IdFactory) -> None:
    for index, item in enumerate(body.items):
        if item.type != "reasoning":
            continue
        item_id, content = item.id or "", item.encrypted_content
        if content is None and not body.stores:
            raise Refused(
                "not_found",
                f"Item with id '{item_id}' not found. Items are not persisted when `store` is set"
                " to false. Try again with `store` set to true, or remove this item from your"
                " input.",
                param="input",
            )
        if content is not None and content != ids.encrypted(item_id):
            raise Refused(
                "invalid",
                f"The encrypted content {content[:4]}...{content[-4:]} could not be verified."
                " Reason: Encrypted content could not be decrypted or parsed.",
                code="invalid_encrypted_content",
            )
        following = body.items[index + 1] if index + 1 < len(body.items) else None
        if following is None or not following.by_model:
            raise _input(
                f"Item '{item_id}' of type 'reasoning' was provided without its required"
                " following item."
            )


def _check_reasoning_returned(items: Sequence[Item], start: int, ids: IdFactory) -> None:
    seen: set[str | None] = set()
    for index, item in enumerate(items):
        if item.type == "reasoning":
            seen.add(item.id)
        # A call sent back without its item id is let through outside the running loop.
        if item.type != "function_call" or not (item.id or index > start):
            continue
        issued = ids.read_call("responses", item.call_id)
        if issued is None or not issued.reasoned:
            continue
        needed = ids.item("rs_", issued.nonce)
        if needed not in seen:
            raise _input(
                f"Item '{item.id or item.call_id}' of type 'function_call' was provided without"
                f" its required 'reasoning' item: '{needed}'."
            )


def _input(message: str) -> Refused:
    return Refused("invalid", message, param="input")
