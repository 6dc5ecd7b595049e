"""Chat completions requests: the fields that are read, and the rules of a conversation.

Error texts are OpenAI's; the one about `reasoning_content` is DeepSeek's,
whose rule it is: https://api-docs.deepseek.com/guides/thinking_mode.
"""

from collections.abc import Sequence

import msgspec

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import Refused, Request, ToolResult
from lfgtui.simulator.wires.base import token_count
from lfgtui.simulator.wires.openai import cached_part, check_model


class Part(msgspec.Struct, frozen=True):
    """A content part; only text is read."""

    text: str = ""


class Function(msgspec.Struct, frozen=True):
    """The function of a call, or of a tool on offer."""

    name: str = ""
    arguments: str = ""


class Tool(msgspec.Struct, frozen=True):
    """A tool on offer."""

    function: Function | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A call as the client sends it back."""

    id: str
    function: Function | None = None


class Message(msgspec.Struct, frozen=True):
    """A message of any role; fields of other roles are empty."""

    role: str
    content: str | tuple[Part, ...] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str = ""
    reasoning_content: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, tuple):
            return "".join(part.text for part in self.content)
        return self.content or ""

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return self.tool_calls or ()


class StreamOptions(msgspec.Struct, frozen=True):
    """Extras of a stream."""

    include_usage: bool = False
    include_obfuscation: bool = True


class Body(msgspec.Struct, frozen=True):
    """`POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat."""

    model: str
    messages: tuple[Message, ...]
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
        """True if reasoning is wanted, by OpenAI's key, OpenRouter's or DeepSeek's."""
        return (
            self.reasoning_effort not in (None, "none")
            or bool(self.reasoning)
            or (self.thinking is not None and self.thinking.get("type") == "enabled")
        )


def check(body: Body, ids: IdFactory, input_tokens: int) -> Request:
    """Return the request in no wire's terms; raises `Refused` with the service's own text."""
    check_model(body.model)
    for name, value in (("messages", body.messages), ("tools", body.tools)):
        if value == ():
            raise Refused(
                "invalid",
                f"Invalid '{name}': empty array. Expected an array with minimum length 1,"
                " but got an empty array instead.",
                param=name,
                code="empty_array",
            )
    _check_order(body.messages)
    start = _last_plain_user(body.messages)
    if body.reasons:
        _check_reasoning_returned(body.messages, start, ids)
    return _request(body, start, ids, input_tokens)


def _request(body: Body, start: int, ids: IdFactory, input_tokens: int) -> Request:
    messages = body.messages
    turns = [i for i in range(start + 1, len(messages)) if messages[i].role == "assistant"]
    after = messages[turns[-1] :] if turns else ()
    said = (f"{message.role}: {message.text}" for message in messages[: start + 1])
    return Request(
        model=body.model,
        stream=bool(body.stream),
        prompt=messages[start].text,
        conversation=ids.digest(body.model, *said),
        turn=len(turns),
        results=tuple(ToolResult(message.text) for message in after if message.role == "tool"),
        max_tokens=body.max_completion_tokens or body.max_tokens,
        reasoning=body.reasons,
        tools=frozenset(tool.function.name for tool in body.tools or () if tool.function),
        input_tokens=input_tokens,
        cached_tokens=cached_part(input_tokens, token_count(after or messages)),
    )


def _check_order(messages: Sequence[Message]) -> None:
    """Refuse a call without its result, and a result without its call."""
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                raise _orphan(index, messages)
            waiting.remove(message.tool_call_id)
            continue
        _check_answered(waiting, index)
        if message.role == "assistant":
            waiting = [call.id for call in message.calls]
            if message.content is None and not message.calls:
                raise Refused(
                    "invalid",
                    "Invalid value for 'content': expected a string, got null.",
                    param=f"messages.[{index}].content",
                )
    _check_answered(waiting, len(messages))


def _check_answered(waiting: Sequence[str], index: int) -> None:
    if waiting:
        raise Refused(
            "invalid",
            "An assistant message with 'tool_calls' must be followed by tool messages responding"
            " to each 'tool_call_id'. The following tool_call_ids did not have response messages:"
            f" {', '.join(waiting)}",
            param=f"messages.[{index}].role",
        )


def _orphan(index: int, messages: Sequence[Message]) -> Refused:
    before = messages[index - 1].role if index else ""
    if before in ("assistant", "tool") and any(m.calls for m in messages[:index]):
        return Refused(
            "invalid",
            f"Invalid parameter: 'tool_call_id' of '{messages[index].tool_call_id}' not found in"
            " 'tool_calls' of previous message.",
            param=f"messages.[{index}].tool_call_id",
        )
    return Refused(
        "invalid",
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message"
        " with 'tool_calls'.",
        param=f"messages.[{index}].role",
    )


def _last_plain_user(messages: Sequence[Message]) -> int:
    """Return the message that began the running loop; one right after tool results is not it."""
    for index in range(len(messages) - 1, 0, -1):
        if messages[index].role == "user" and messages[index - 1].role != "tool":
            return index
    return 0


def _check_reasoning_returned(messages: Sequence[Message], start: int, ids: IdFactory) -> None:
    for index in range(start + 1, len(messages)):
        message = messages[index]
        for call in message.calls:
            issued = ids.read_call("chat", call.id)
            if issued is None or not issued.reasoned:
                continue
            wrong = "The `reasoning_content` in the thinking mode must be passed back to the API."
            if message.reasoning_content is None:
                wrong = (
                    "Missing `reasoning_content` field in the assistant message at message index"
                    f" {index}. For more information, please refer to"
                    " https://api-docs.deepseek.com/guides/thinking_mode#tool-calls"
                )
            elif ids.reasoning_check(message.reasoning_content) == issued.reasoning_check:
                continue
            raise Refused("invalid", wrong, code="invalid_request_error")
