"""Anthropic's requests: the fields that are read, and the rules of a conversation.

The error texts are the service's own, as people have reported them:
https://docs.claude.com/en/api/errors and the issues of its SDKs.
"""

from collections.abc import Iterator, Sequence

import msgspec

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import UNKNOWN_MODEL, Refused, Request, ToolResult
from lfgtui.simulator.wires.base import dump, prompt_tokens, token_count

_HELP = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


class Block(msgspec.Struct, frozen=True):
    """A content block of any type; fields of other types are empty."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    id: str = ""
    input: object = None
    tool_use_id: str = ""
    content: "str | tuple[Block, ...] | None" = None
    is_error: bool = False

    @property
    def output(self) -> str:
        """The text of a `tool_result`."""
        if isinstance(self.content, tuple):
            return "".join(block.text for block in self.content)
        return self.content or ""


class Message(msgspec.Struct, frozen=True):
    """One message; a string is one text block."""

    role: str
    content: str | tuple[Block, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        if isinstance(self.content, str):
            return (Block("text", text=self.content),) if self.content else ()
        return self.content

    def of_type(self, type_: str) -> tuple[Block, ...]:
        """Return the blocks of this type, in order."""
        return tuple(block for block in self.blocks if block.type == type_)

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.of_type("text"))


class Thinking(msgspec.Struct, frozen=True):
    """Whether and how much to think."""

    type: str = "disabled"
    budget_tokens: int = 0
    display: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """A tool on offer."""

    name: str = ""


class Body(msgspec.Struct, frozen=True):
    """`POST /v1/messages`: https://docs.claude.com/en/api/messages."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    system: str | tuple[Block, ...] = ""
    stream: bool = False
    thinking: Thinking = Thinking()
    tools: tuple[Tool, ...] = ()

    @property
    def thinks(self) -> bool:
        return self.thinking.type != "disabled"


def check(body: Body, raw: dict[str, object], ids: IdFactory) -> Request:
    """Return the request in no wire's terms; raises `Refused` with the service's own text."""
    if body.model == UNKNOWN_MODEL:
        raise Refused("not_found", f"model: {body.model}")
    if body.thinking.budget_tokens >= body.max_tokens:
        raise _invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our"
            f" documentation at {_HELP}#max-tokens-and-context-window-size"
        )
    _check_order(body.messages)
    _check_results(body.messages)
    _check_signatures(body.messages, ids)
    start = _last_plain_user(body.messages)
    if body.thinks:
        _check_thinking_returned(body.messages, start, ids)
    return _request(body, raw, start, ids)


def _request(body: Body, raw: dict[str, object], start: int, ids: IdFactory) -> Request:
    messages = body.messages
    turns = [
        index
        for index in range(start + 1, len(messages))
        if messages[index].role == "assistant" and messages[index - 1].role != "assistant"
    ]
    after = messages[turns[-1] :] if turns else ()
    # The texts alone: where a client marks what to cache moves from turn to turn.
    system = Message("system", body.system).text
    said = [system, *(f"{m.role}: {m.text}" for m in messages[: start + 1])]
    total = prompt_tokens(raw)
    caches = b'"cache_control":{' in dump(raw)
    return Request(
        model=body.model,
        stream=body.stream,
        prompt=messages[start].text,
        conversation=ids.digest(body.model, *said),
        turn=len(turns),
        results=tuple(
            ToolResult(block.output, block.is_error)
            for message in after
            for block in message.of_type("tool_result")
        ),
        max_tokens=body.max_tokens,
        reasoning=body.thinks,
        tools=frozenset(tool.name for tool in body.tools),
        input_tokens=total,
        cached_tokens=max(0, total - token_count(after)) if caches and turns else 0,
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
        if any(not block.text for block in message.of_type("text")):
            raise _invalid("messages: text content blocks must be non-empty")
    if messages[0].role != "user":
        raise _invalid('messages: first message must use the "user" role')
    if messages[-1].role != "user":
        raise _invalid(
            "This model does not support assistant message prefill."
            " The conversation must end with a user message."
        )


def _check_results(messages: Sequence[Message]) -> None:
    for index, message in enumerate(messages):
        called = [block.id for block in message.of_type("tool_use")]
        if len(set(called)) < len(called):
            raise _invalid(f"messages.{index}: `tool_use` ids must be unique")
        following = messages[index + 1] if index + 1 < len(messages) else None
        answered = {block.tool_use_id for block in _leading_results(following)}
        if missing := [call_id for call_id in called if call_id not in answered]:
            raise _invalid(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {', '.join(missing)}. Each `tool_use` block must have a"
                " corresponding `tool_result` block in the next message."
            )
        before = messages[index - 1].of_type("tool_use") if index else ()
        known = {block.id for block in before}
        for at, block in enumerate(message.blocks):
            if block.type == "tool_result" and block.tool_use_id not in known:
                raise _invalid(
                    f"messages.{index}.content.{at}: unexpected `tool_use_id` found in"
                    f" `tool_result` blocks: {block.tool_use_id}. Each `tool_result` block must"
                    " have a corresponding `tool_use` block in the previous message."
                )


def _leading_results(message: Message | None) -> Iterator[Block]:
    """Yield the results a message begins with: those after other content do not count."""
    for block in message.blocks if message is not None and message.role == "user" else ():
        if block.type != "tool_result":
            return
        yield block


def _last_plain_user(messages: Sequence[Message]) -> int:
    """Return the message that began the running loop; text beside tool results is not one."""
    for index in range(len(messages) - 1, 0, -1):
        message, before = messages[index], messages[index - 1]
        if (
            message.role == "user"
            and not message.of_type("tool_result")
            and not (before.role == "user" and before.of_type("tool_result"))
        ):
            return index
    return 0


def _check_signatures(messages: Sequence[Message], ids: IdFactory) -> None:
    for index, message in enumerate(messages):
        for at, block in enumerate(message.blocks):
            if block.type == "thinking" and block.signature != ids.signature(block.thinking):
                raise _invalid(
                    f"messages.{index}.content.{at}: Invalid `signature` in `thinking` block"
                )


def _check_thinking_returned(messages: Sequence[Message], start: int, ids: IdFactory) -> None:
    for index in range(start + 1, len(messages)):
        message = messages[index]
        issued = [ids.read_call("anthropic", block.id) for block in message.of_type("tool_use")]
        if not any(call is not None and call.reasoned for call in issued):
            continue
        first = message.blocks[0].type
        if first not in ("thinking", "redacted_thinking"):
            raise _invalid(
                f"messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`,"
                f" but found `{first}`. When `thinking` is enabled, a final `assistant` message"
                " must start with a thinking block (preceeding the lastmost set of `tool_use`"
                " and `tool_result` blocks). We recommend you include thinking blocks from"
                " previous turns. To avoid this requirement, disable `thinking`. Please consult"
                " our documentation at"
                f" {_HELP}"
            )
