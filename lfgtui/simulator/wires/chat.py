"""OpenAI's older wire: `POST /v1/chat/completions`, streamed as SSE without event names.

https://platform.openai.com/docs/api-reference/chat-streaming, with
`reasoning_content` as DeepSeek and those who follow it send it. The rules of requests:
https://platform.openai.com/docs/api-reference/chat. Error texts are OpenAI's; the one
about `reasoning_content` is DeepSeek's, whose rule it is:
https://api-docs.deepseek.com/guides/thinking_mode.
"""

from collections.abc import Sequence

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Segment, Stop
from lfgtui.simulator.request import Entry, Refused, Request, ToolResult, read_conversation
from lfgtui.simulator.wires.base import Json, Writer, build_request, dump, record, text_of
from lfgtui.simulator.wires.openai import OpenAIWire, cached_part, check_model, error_body, invalid

FINISH_REASONS: dict[Stop, str] = {"end": "stop", "tool_use": "tool_calls", "length": "length"}


class ChatWriter(Writer):
    """Writes one completion."""

    wire = "chat"
    _chunks = 0

    def open(self) -> bytes:
        if self._reply.reasoning:
            return self._chunk({"role": "assistant", "content": None, "reasoning_content": ""})
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def close(self) -> bytes:
        last = self._chunk({}, FINISH_REASONS[self._reply.stop])
        if self._options.get("include_usage"):
            last += record({**self._head(), "choices": [], "usage": self._usage()})
        return last + b"data: [DONE]\n\n"

    def broken(self) -> bytes:
        return record({"error": error_body(Refused("server"))})

    def body(self) -> bytes:
        reply = self._reply
        text = "".join(part.text for part in reply.segments if part.kind == "text")
        message: Json = {"role": "assistant", "content": text or None, "refusal": None}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        if calls := [part for part in reply.segments if part.kind == "call"]:
            message["tool_calls"] = [self._call(part, part.text) for part in calls]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": FINISH_REASONS[reply.stop],
        }
        head = {**self._head(), "object": "chat.completion"}
        return dump({**head, "choices": [choice], "usage": self._usage()})

    def _start(self, segment: Segment) -> bytes:
        if segment.kind != "call":
            return b""
        return self._chunk({"tool_calls": [{"index": segment.place, **self._call(segment, "")}]})

    def _piece(self, segment: Segment, text: str) -> bytes:
        if segment.kind == "reasoning":
            return self._chunk({"reasoning_content": text})
        if segment.kind == "text":
            return self._chunk({"content": text})
        part = {"index": segment.place, "function": {"arguments": text}}
        return self._chunk({"tool_calls": [part]})

    def _end(self, segment: Segment) -> bytes:
        return b""

    def _call(self, segment: Segment, arguments: str) -> Json:
        function = {"name": segment.name, "arguments": arguments}
        return {"id": self._call_id(segment), "type": "function", "function": function}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk: Json = {**self._head(), "choices": [choice]}
        if self._options.get("include_usage"):
            chunk["usage"] = None
        if self._options.get("include_obfuscation", True):
            self._chunks += 1
            chunk["obfuscation"] = self._ids.obfuscation(self._reply.nonce, self._chunks)
        return record(chunk)

    def _head(self) -> Json:
        return {
            "id": self._ids.item("chatcmpl-", self._reply.nonce, length=29),
            "object": "chat.completion.chunk",
            "created": self._reply.created,
            "model": self._reply.model,
            "service_tier": "default",
            "system_fingerprint": "fp_5131a70121",
        }

    def _usage(self) -> Json:
        reply = self._reply
        return {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": reply.reasoning_tokens,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


class ChatWire(OpenAIWire):
    """The chat completions API."""

    path = "/v1/chat/completions"
    params = "openai.types.chat.completion_create_params:CompletionCreateParamsBase"
    writer = ChatWriter

    def read(self, body: Json, ids: IdFactory) -> Request:
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
    """Refuse calls whose results have not come before the message at `index`."""
    if waiting:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding"
            " to each 'tool_call_id'. The following tool_call_ids did not have response messages:"
            f" {', '.join(waiting)}",
            f"messages.[{index}].role",
        )


def _orphan(index: int, messages: Sequence[Json]) -> Refused:
    """Return the refusal of a result without its call, in OpenAI's words and spelling."""
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
    """Refuse a call after `start` whose reasoning is missing or was changed."""
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
