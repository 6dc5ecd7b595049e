"""Anthropic's requests: their form and the checks they must pass.

The error texts are the service's own, as people have reported them:
https://docs.claude.com/en/api/errors and the issues of its SDKs.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from lfgtui.simulator.asked import UNKNOWN_MODEL, Asked, Refused, ToolAnswer, tokens
from lfgtui.simulator.ids import Mint
from lfgtui.simulator.wires.base import dump

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_THINKING_HELP = (
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
    "#max-tokens-and-context-window-size"
)


class Block(msgspec.Struct, frozen=True):
    """A content block of any type; what does not belong to its type is empty."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    id: str = ""
    name: str = ""
    tool_use_id: str = ""
    content: "str | tuple[Block, ...] | None" = None
    is_error: bool = False
    cache_control: dict[str, object] | None = None

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

    def of_type(self, *types: str) -> tuple[Block, ...]:
        """The blocks of these types, in order."""
        return tuple(block for block in self.blocks if block.type in types)

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.of_type("text"))


class Thinking(msgspec.Struct, frozen=True):
    """Whether and how much to think."""

    type: str = "disabled"
    budget_tokens: int | None = None
    display: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """A tool; a `type` other than "custom" is one that the service runs itself."""

    name: str = ""
    type: str | None = None
    input_schema: dict[str, object] | None = None
    cache_control: dict[str, object] | None = None


class Body(msgspec.Struct, frozen=True):
    """`POST /v1/messages`: https://docs.claude.com/en/api/messages."""

    model: str | None = None
    messages: tuple[Message, ...] | None = None
    max_tokens: int | None = None
    system: str | tuple[Block, ...] = ""
    stream: bool = False
    thinking: Thinking = Thinking()
    tools: tuple[Tool, ...] = ()
    cache_control: dict[str, object] | None = None

    @property
    def system_text(self) -> str:
        if isinstance(self.system, str):
            return self.system
        return "".join(block.text for block in self.system)

    @property
    def thinks(self) -> bool:
        return self.thinking.type != "disabled"

    @property
    def caches(self) -> bool:
        """Whether any part asks to be cached."""
        return (
            self.cache_control is not None
            or any(tool.cache_control is not None for tool in self.tools)
            or (isinstance(self.system, tuple) and any(b.cache_control for b in self.system))
            or any(b.cache_control for m in self.messages or () for b in m.blocks)
        )


def check(body: Body, mint: Mint) -> Asked:
    """The request in no wire's terms; raises `Refused` with the service's own text."""
    if body.model is None:
        raise _invalid("model: Field required")
    if body.max_tokens is None:
        raise _invalid("max_tokens: Field required")
    if body.messages is None:
        raise _invalid("messages: Field required")
    if body.max_tokens < 1:
        raise _invalid("max_tokens: Input should be greater than or equal to 1")
    if body.model == UNKNOWN_MODEL:
        raise Refused(404, "not_found", f"model: {body.model}")
    _check_thinking(body, body.max_tokens)
    _check_tools(body.tools)
    _check_messages(body.messages)
    _check_results(body.messages)
    start = _last_plain_user(body.messages)
    _check_signatures(body.messages, mint)
    if body.thinks:
        _check_thinking_returned(body.messages, start, mint)
    return _asked(body, body.model, body.messages, start, mint)


def _asked(body: Body, model: str, messages: tuple[Message, ...], start: int, mint: Mint) -> Asked:
    turns = [
        index
        for index in range(start + 1, len(messages))
        if messages[index].role == "assistant" and messages[index - 1].role != "assistant"
    ]
    after = messages[turns[-1] :] if turns else ()
    # The texts alone: where a client marks what to cache moves from turn to turn.
    said = [body.system_text, *(f"{m.role}: {m.text}" for m in messages[: start + 1])]
    total = tokens(len(dump([body.system, body.tools, messages])))
    cached = total - tokens(len(dump(after))) if body.caches and turns else 0
    return Asked(
        model=model,
        stream=body.stream,
        prompt=messages[start].text,
        conversation=mint.digest(model, *said),
        turn=len(turns),
        answers=tuple(
            ToolAnswer(block.tool_use_id, block.output, block.is_error)
            for message in after
            for block in message.of_type("tool_result")
        ),
        max_tokens=body.max_tokens,
        reasoning=body.thinks,
        tools=frozenset(tool.name for tool in body.tools),
        input_tokens=total,
        cached_tokens=cached,
    )


def _invalid(message: str) -> Refused:
    return Refused(400, "invalid", message)


def _check_thinking(body: Body, max_tokens: int) -> None:
    if body.thinking.type != "enabled":
        return
    budget = body.thinking.budget_tokens
    if budget is None:
        raise _invalid("thinking.enabled.budget_tokens: Field required")
    if budget < 1024:
        raise _invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        )
    if budget >= max_tokens:
        raise _invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`."
            f" Please consult our documentation at {_THINKING_HELP}"
        )


def _check_tools(tools: Sequence[Tool]) -> None:
    names: set[str] = set()
    for index, tool in enumerate(tools):
        if tool.type not in (None, "custom"):
            continue
        if not tool.name:
            raise _invalid(f"tools.{index}.custom.name: Field required")
        if not _TOOL_NAME.fullmatch(tool.name):
            raise _invalid(
                f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            )
        if tool.input_schema is None:
            raise _invalid(f"tools.{index}.custom.input_schema: Field required")
        if tool.input_schema.get("type") != "object":
            raise _invalid(f"tools.{index}.custom.input_schema.type: Input should be 'object'")
        if tool.name in names:
            raise _invalid("tools: Tool names must be unique.")
        names.add(tool.name)


def _check_messages(messages: Sequence[Message]) -> None:
    if not messages:
        raise _invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        if message.role == "system":
            raise _invalid(
                'messages: Unexpected role "system". The Messages API accepts a top-level'
                ' `system` parameter, not "system" as an input message role.'
            )
        if message.role not in ("user", "assistant"):
            raise _invalid(f"messages.{index}.role: Input should be 'user' or 'assistant'")
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
    """The results a message begins with: those after other content do not count."""
    for block in message.blocks if message is not None and message.role == "user" else ():
        if block.type != "tool_result":
            return
        yield block


def _last_plain_user(messages: Sequence[Message]) -> int:
    """The message that began the running loop; what is said beside tool results is not one."""
    for index in range(len(messages) - 1, 0, -1):
        message, before = messages[index], messages[index - 1]
        if (
            message.role == "user"
            and not message.of_type("tool_result")
            and not (before.role == "user" and before.of_type("tool_result"))
        ):
            return index
    return 0


def _check_signatures(messages: Sequence[Message], mint: Mint) -> None:
    for index, message in enumerate(messages):
        for at, block in enumerate(message.blocks):
            if block.type == "thinking" and block.signature != mint.signature(block.thinking):
                raise _invalid(
                    f"messages.{index}.content.{at}: Invalid `signature` in `thinking` block"
                )


def _check_thinking_returned(messages: Sequence[Message], start: int, mint: Mint) -> None:
    for index in range(start + 1, len(messages)):
        message = messages[index]
        issued = [mint.read_call("anthropic", block.id) for block in message.of_type("tool_use")]
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
                " https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
            )
