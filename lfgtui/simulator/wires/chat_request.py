"""Chat completions requests and the rules of their conversations.

https://platform.openai.com/docs/api-reference/chat. Error texts are OpenAI's; the one
about `reasoning_content` is DeepSeek's, whose rule it is:
https://api-docs.deepseek.com/guides/thinking_mode.
"""

from collections.abc import Sequence

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import Entry, Refused, Request, ToolResult, read_conversation
from lfgtui.simulator.wires.base import Json, build_request, text_of
from lfgtui.simulator.wires.openai import cached_part, check_model, invalid


def check(body: Json, ids: IdFactory) -> Request:
    """Return the request in no wire's terms; raises `Refused` with the service's own text."""
    check_model(body["model"])
    for name in ("messages", "tools"):
        if body.get(name) == []:
            raise invalid(
                f"Invalid '{name}': empty array. Expected an array with minimum length 1,"
                " but got an empty array instead.",
                name,
                "empty_array",
            )
    messages = body["messages"]
    _check_order(messages)
    entries = [_entry(message) for message in messages]
    conversation = read_conversation(entries, "chat", ids, body["model"])
    if reasons := _reasons(body):
        _check_reasoning_returned(messages, conversation.start, ids)
    return build_request(
        body,
        messages,
        conversation,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        reasoning=reasons,
        cached=cached_part,
    )


def _reasons(body: Json) -> bool:
    """Return True if reasoning is wanted, by OpenAI's key, OpenRouter's or DeepSeek's."""
    thinking = body.get("thinking") or {}
    return (
        body.get("reasoning_effort") not in (None, "none")
        or bool(body.get("reasoning"))
        or thinking.get("type") == "enabled"
    )


def _entry(message: Json) -> Entry:
    text = text_of(message.get("content"))
    if message["role"] == "tool":
        return Entry("tool", text, results=[ToolResult(text)])
    return Entry(message["role"], text, _calls(message))


def _calls(message: Json) -> list[str]:
    return [call["id"] for call in message.get("tool_calls") or ()]


def _check_order(messages: Sequence[Json]) -> None:
    """Refuse a call without its result, and a result without its call."""
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise _orphan(index, messages)
            waiting.remove(message["tool_call_id"])
            continue
        _check_answered(waiting, index)
        if message["role"] == "assistant":
            waiting = _calls(message)
            if message.get("content") is None and not waiting:
                raise invalid(
                    "Invalid value for 'content': expected a string, got null.",
                    f"messages.[{index}].content",
                )
    _check_answered(waiting, len(messages))


def _check_answered(waiting: Sequence[str], index: int) -> None:
    if waiting:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding"
            " to each 'tool_call_id'. The following tool_call_ids did not have response messages:"
            f" {', '.join(waiting)}",
            f"messages.[{index}].role",
        )


def _orphan(index: int, messages: Sequence[Json]) -> Refused:
    before = messages[index - 1]["role"] if index else ""
    if before in ("assistant", "tool") and any(map(_calls, messages[:index])):
        return invalid(
            f"Invalid parameter: 'tool_call_id' of '{messages[index]['tool_call_id']}' not found"
            " in 'tool_calls' of previous message.",
            f"messages.[{index}].tool_call_id",
        )
    return invalid(
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message"
        " with 'tool_calls'.",
        f"messages.[{index}].role",
    )


def _check_reasoning_returned(messages: Sequence[Json], start: int, ids: IdFactory) -> None:
    for index, message in enumerate(messages[start + 1 :], start + 1):
        reasoning = message.get("reasoning_content")
        for issued in (ids.read_call("chat", call_id) for call_id in _calls(message)):
            if issued is None or not issued.reasoned:
                continue
            wrong = "The `reasoning_content` in the thinking mode must be passed back to the API."
            if reasoning is None:
                wrong = (
                    "Missing `reasoning_content` field in the assistant message at message index"
                    f" {index}. For more information, please refer to"
                    " https://api-docs.deepseek.com/guides/thinking_mode#tool-calls"
                )
            elif ids.reasoning_check(reasoning) == issued.reasoning_check:
                continue
            raise invalid(wrong, None, "invalid_request_error")
