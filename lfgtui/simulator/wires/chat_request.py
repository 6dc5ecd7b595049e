"""Chat completions requests: their form and the checks they must pass.

Error texts are OpenAI's; the one about `reasoning_content` is DeepSeek's,
whose rule it is: https://api-docs.deepseek.com/guides/thinking_mode.
"""

from collections.abc import Sequence

import msgspec

from lfgtui.simulator.asked import Asked, Refused, ToolAnswer, tokens
from lfgtui.simulator.ids import Mint
from lfgtui.simulator.wires import openai_errors as errors
from lfgtui.simulator.wires.base import dump

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class Part(msgspec.Struct, frozen=True):
    """A content part; only text is read."""

    type: str
    text: str = ""


class Function(msgspec.Struct, frozen=True):
    """The function of a call, or of a tool."""

    name: str = ""
    arguments: str = ""
    description: str | None = None
    parameters: dict[str, object] | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A call as the client sends it back."""

    id: str
    function: Function
    type: str = "function"


class Message(msgspec.Struct, frozen=True):
    """A message of any role; what does not belong to its role is empty."""

    role: str
    content: str | tuple[Part, ...] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, tuple):
            return "".join(part.text for part in self.content)
        return self.content or ""

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return self.tool_calls or ()


class Tool(msgspec.Struct, frozen=True):
    """A tool on offer."""

    type: str = ""
    function: Function | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    """What a stream carries besides."""

    include_usage: bool = False
    include_obfuscation: bool = True


class Body(msgspec.Struct, frozen=True):
    """`POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat."""

    model: str | None = None
    messages: tuple[Message, ...] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: tuple[Tool, ...] | None = None
    reasoning_effort: str | None = None
    reasoning: dict[str, object] | None = None
    thinking: dict[str, object] | None = None

    @property
    def reasons(self) -> bool:
        """Asked for by OpenAI's key, OpenRouter's or DeepSeek's."""
        return (
            self.reasoning_effort not in (None, "none")
            or bool(self.reasoning)
            or (self.thinking is not None and self.thinking.get("type") == "enabled")
        )


def check(body: Body, mint: Mint) -> Asked:
    """The request in no wire's terms; raises `Refused` with the service's own text."""
    if not body.model:
        raise Refused(400, "invalid", "you must provide a model parameter")
    errors.check_model(body.model)
    if body.messages is None:
        raise errors.missing("messages")
    if not body.messages:
        raise errors.empty("messages")
    limit = body.max_completion_tokens or body.max_tokens
    for name, given in (
        ("max_tokens", body.max_tokens),
        ("max_completion_tokens", body.max_completion_tokens),
    ):
        if given is not None and given < 1:
            raise errors.too_small(name, 1, given)
    _check_tools(body.tools)
    _check_messages(body.messages)
    start = _last_plain_user(body.messages)
    if body.reasons:
        _check_reasoning_returned(body.messages, start, mint)
    return _asked(body, body.model, body.messages, start, limit, mint)


def _asked(
    body: Body,
    model: str,
    messages: tuple[Message, ...],
    start: int,
    limit: int | None,
    mint: Mint,
) -> Asked:
    turns = [i for i in range(start + 1, len(messages)) if messages[i].role == "assistant"]
    after = messages[turns[-1] :] if turns else ()
    total = tokens(len(dump([messages, body.tools])))
    fresh = tokens(len(dump(after or messages)))
    return Asked(
        model=model,
        stream=bool(body.stream),
        prompt=messages[start].text,
        conversation=mint.digest(model, *(f"{m.role}: {m.text}" for m in messages[: start + 1])),
        turn=len(turns),
        answers=tuple(
            ToolAnswer(message.tool_call_id or "", message.text)
            for message in after
            if message.role == "tool"
        ),
        max_tokens=limit,
        reasoning=body.reasons,
        tools=frozenset(tool.function.name for tool in body.tools or () if tool.function),
        input_tokens=total,
        cached_tokens=errors.cached_part(total, fresh),
    )


def _check_tools(tools: Sequence[Tool] | None) -> None:
    if tools is not None and not tools:
        raise errors.empty("tools")
    for index, tool in enumerate(tools or ()):
        if not tool.type:
            raise errors.missing(f"tools[{index}].type")
        if tool.type != "function":
            continue
        if tool.function is None:
            raise errors.missing(f"tools[{index}].function")
        errors.check_tool_name(tool.function.name, f"tools[{index}].function.name")
        parameters = tool.function.parameters
        if parameters is not None and parameters.get("type") != "object":
            raise Refused(
                400,
                "invalid",
                f"Invalid schema for function '{tool.function.name}': schema must be a JSON"
                f" Schema of 'type: \"object\"', got 'type: \"{parameters.get('type')}\"'.",
                param=f"tools[{index}].function.parameters",
                code="invalid_function_parameters",
            )


def _check_messages(messages: Sequence[Message]) -> None:
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.role not in _ROLES:
            raise Refused(
                400,
                "invalid",
                f"Invalid value: '{message.role}'. Supported values are: 'system', 'assistant',"
                " 'user', 'function', 'tool', and 'developer'.",
                param=f"messages[{index}].role",
                code="invalid_value",
            )
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                raise _orphan(index, message, messages)
            waiting.remove(message.tool_call_id)
            continue
        _check_answered(waiting, index)
        if message.role == "assistant":
            waiting = [call.id for call in message.calls]
            if message.content is None and not message.calls:
                raise Refused(
                    400,
                    "invalid",
                    "Invalid value for 'content': expected a string, got null.",
                    param=f"messages.[{index}].content",
                )
    _check_answered(waiting, len(messages))


def _check_answered(waiting: Sequence[str], index: int) -> None:
    if waiting:
        raise Refused(
            400,
            "invalid",
            "An assistant message with 'tool_calls' must be followed by tool messages responding"
            " to each 'tool_call_id'. The following tool_call_ids did not have response messages:"
            f" {', '.join(waiting)}",
            param=f"messages.[{index}].role",
        )


def _orphan(index: int, message: Message, messages: Sequence[Message]) -> Refused:
    if message.tool_call_id is None:
        return errors.missing(f"messages[{index}].tool_call_id")
    before = messages[index - 1].role if index else ""
    if before in ("assistant", "tool") and any(m.calls for m in messages[:index]):
        return Refused(
            400,
            "invalid",
            f"Invalid parameter: 'tool_call_id' of '{message.tool_call_id}' not found in"
            " 'tool_calls' of previous message.",
            param=f"messages.[{index}].tool_call_id",
        )
    return Refused(
        400,
        "invalid",
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message"
        " with 'tool_calls'.",
        param=f"messages.[{index}].role",
    )


def _last_plain_user(messages: Sequence[Message]) -> int:
    """The message that began the running loop; one right after tool results is not it."""
    for index in range(len(messages) - 1, 0, -1):
        if messages[index].role == "user" and messages[index - 1].role != "tool":
            return index
    return 0


def _check_reasoning_returned(messages: Sequence[Message], start: int, mint: Mint) -> None:
    for index in range(start + 1, len(messages)):
        message = messages[index]
        for call in message.calls:
            issued = mint.read_call("chat", call.id)
            if issued is None or not issued.reasoned:
                continue
            if message.reasoning_content is None:
                raise Refused(
                    400,
                    "invalid",
                    "Missing `reasoning_content` field in the assistant message at message index"
                    f" {index}. For more information, please refer to"
                    " https://api-docs.deepseek.com/guides/thinking_mode#tool-calls",
                    code="invalid_request_error",
                )
            if mint.reasoning_check(message.reasoning_content) != issued.reasoning_check:
                raise Refused(
                    400,
                    "invalid",
                    "The `reasoning_content` in the thinking mode must be passed back to the API.",
                    code="invalid_request_error",
                )
