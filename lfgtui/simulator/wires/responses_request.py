"""Responses requests: their form and the checks they must pass.

The input is a flat list of items. Of one earlier response it holds a run of
items (reasoning, message, function calls); as clients may put each call's
output right behind the call, runs are told apart by the nonce in the call
ids first and by their neighbours second.
"""

from collections.abc import Sequence

import msgspec

from lfgtui.simulator.asked import Asked, Refused, ToolAnswer, tokens
from lfgtui.simulator.ids import Mint
from lfgtui.simulator.wires import openai_errors as errors
from lfgtui.simulator.wires.base import dump

_OUTPUTS = frozenset({"reasoning", "function_call"})


class Part(msgspec.Struct, frozen=True):
    """A content part; only text is read."""

    type: str
    text: str = ""


class Item(msgspec.Struct, frozen=True):
    """An input item of any type; a message may leave its type out."""

    type: str = "message"
    role: str = ""
    content: str | tuple[Part, ...] | None = None
    id: str | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | tuple[Part, ...] = ""
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
        return self.type in _OUTPUTS or (self.type == "message" and self.role == "assistant")

    @property
    def by_user(self) -> bool:
        return self.type == "message" and self.role == "user"


class Reasoning(msgspec.Struct, frozen=True):
    """How much to reason, and whether to tell."""

    effort: str | None = None
    summary: str | None = None


class Tool(msgspec.Struct, frozen=True, omit_defaults=False):
    """A tool on offer."""

    type: str = ""
    name: str = ""
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class Body(msgspec.Struct, frozen=True):
    """`POST /v1/responses`: https://platform.openai.com/docs/api-reference/responses."""

    model: str | None = None
    input: str | tuple[Item, ...] | None = None
    instructions: str | None = None
    stream: bool | None = None
    store: bool | None = None
    include: tuple[str, ...] | None = None
    max_output_tokens: int | None = None
    reasoning: Reasoning | None = None
    tools: tuple[Tool, ...] | None = None
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
        return self.input or ()

    @property
    def reasons(self) -> bool:
        asked = self.reasoning
        return asked is not None and asked.effort != "none" and asked != Reasoning()

    @property
    def stores(self) -> bool:
        return self.store is not False


def check(body: Body, mint: Mint) -> Asked:
    """The request in no wire's terms; raises `Refused` with the service's own text."""
    if not body.model:
        raise errors.missing("model")
    errors.check_model(body.model)
    if body.previous_response_id is not None:
        raise Refused(
            400,
            "invalid",
            f"Previous response with id '{body.previous_response_id}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    if not body.items:
        raise Refused(
            400,
            "invalid",
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must"
            " be provided.",
            param="input",
            code="missing_required_parameter",
        )
    if body.max_output_tokens is not None and body.max_output_tokens < 16:
        raise errors.too_small("max_output_tokens", 16, body.max_output_tokens)
    _check_tools(body.tools or ())
    _check_outputs(body.items)
    start = _last_plain_user(body.items)
    _check_encrypted(body, mint)
    if body.reasons:
        _check_reasoning_returned(body.items, start, mint)
    return _asked(body, body.model, body.items, start, mint)


def _asked(body: Body, model: str, items: tuple[Item, ...], start: int, mint: Mint) -> Asked:
    loop = items[start + 1 :]
    begins = _responses(loop, mint)
    after = loop[begins[-1] :] if begins else ()
    said = [body.instructions or "", *(f"{i.role}: {i.text}" for i in items[: start + 1])]
    total = tokens(len(dump([body.instructions, body.tools, items])))
    return Asked(
        model=model,
        stream=bool(body.stream),
        prompt=items[start].text,
        conversation=mint.digest(model, *said),
        turn=len(begins),
        answers=tuple(
            ToolAnswer(item.call_id, item.text)
            for item in after
            if item.type == "function_call_output"
        ),
        max_tokens=body.max_output_tokens,
        reasoning=body.reasons,
        tools=frozenset(tool.name for tool in body.tools or ()),
        input_tokens=total,
        cached_tokens=errors.cached_part(total, tokens(len(dump(after or items)))),
    )


def _responses(loop: Sequence[Item], mint: Mint) -> list[int]:
    """Where each earlier response of the running loop begins."""
    begins: list[int] = []
    nonce = ""
    run = False
    for index, item in enumerate(loop):
        if not item.by_model:
            run = False
            continue
        issued = mint.read_call("responses", item.call_id) if item.type == "function_call" else None
        is_same = issued is not None and issued.nonce == nonce
        if not run and not is_same:
            begins.append(index)
        if issued is not None:
            nonce = issued.nonce
        run = True
    return begins


def _check_tools(tools: Sequence[Tool]) -> None:
    for index, tool in enumerate(tools):
        if not tool.type:
            raise errors.missing(f"tools[{index}].type")
        if tool.type != "function":
            continue
        errors.check_tool_name(tool.name, f"tools[{index}].name")
        if tool.parameters is not None and tool.parameters.get("type") != "object":
            raise Refused(
                400,
                "invalid",
                f"Invalid schema for function '{tool.name}': schema must be a JSON Schema of"
                f" 'type: \"object\"', got 'type: \"{tool.parameters.get('type')}\"'.",
                param=f"tools[{index}].parameters",
                code="invalid_function_parameters",
            )


def _check_outputs(items: Sequence[Item]) -> None:
    called: set[str] = set()
    answered: set[str] = set()
    for index, item in enumerate(items):
        if item.type == "function_call":
            for name in ("call_id", "name"):
                if not getattr(item, name):
                    raise errors.missing(f"input[{index}].{name}")
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
    """The item that began the running loop; one right after tool outputs is not it."""
    for index in range(len(items) - 1, 0, -1):
        if items[index].by_user and items[index - 1].type != "function_call_output":
            return index
    return 0


def _check_encrypted(body: Body, mint: Mint) -> None:
    for index, item in enumerate(body.items):
        if item.type != "reasoning":
            continue
        item_id, content = item.id or "", item.encrypted_content
        if content is None and not body.stores:
            raise Refused(
                404,
                "not_found",
                f"Item with id '{item_id}' not found. Items are not persisted when `store` is set"
                " to false. Try again with `store` set to true, or remove this item from your"
                " input.",
                param="input",
            )
        if content is not None and content != mint.encrypted(item_id):
            raise Refused(
                400,
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


def _check_reasoning_returned(items: Sequence[Item], start: int, mint: Mint) -> None:
    seen: set[str | None] = set()
    for index, item in enumerate(items):
        if item.type == "reasoning":
            seen.add(item.id)
        # A call sent back without its item id is let through outside the running loop.
        if item.type != "function_call" or not (item.id or index > start):
            continue
        issued = mint.read_call("responses", item.call_id)
        if issued is None or not issued.reasoned:
            continue
        needed = mint.item("rs_", issued.nonce)
        if needed not in seen:
            raise _input(
                f"Item '{item.id or item.call_id}' of type 'function_call' was provided without"
                f" its required 'reasoning' item: '{needed}'."
            )


def _input(message: str) -> Refused:
    return Refused(400, "invalid", message, param="input")
