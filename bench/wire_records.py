"""Records as the providers send them, one an event: what real streams are made of.

Field by field like the real ones, also where a field says nothing: a client pays for
each that it looks at.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from bench.wire_job import WireName

_PADDING = "q7RzK2mWv9XbT4sL"
"""OpenAI pads each record, so that its length does not tell the token's."""


class Records(NamedTuple):
    """How one wire opens a stream, sends a token, closes the stream."""

    path: str
    opening: bytes
    token: Callable[[int, str], bytes]
    closing: Callable[[list[str]], bytes]


def records(wire: WireName) -> Records:
    """The wire's."""
    return _WIRES[wire]


def _event(record: dict[str, object], *, is_named: bool = True) -> bytes:
    data = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    name = f"event: {record['type']}\n" if is_named else ""
    return f"{name}data: {data}\n\n".encode()


def _padding(number: int, text: str) -> str:
    return _PADDING[: 1 + (number * 7 + len(text)) % len(_PADDING)]


# Chat completions


def _chunk(choices: list[object], usage: object, padding: str) -> bytes:
    chunk: dict[str, object] = {
        "id": "chatcmpl-CeXb9Lr2QmV0uTnK5wYzH8sJdPa3G",
        "object": "chat.completion.chunk",
        "created": 1763800000,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_3f58d112f7",
        "choices": choices,
        "usage": usage,
        "obfuscation": padding,
    }
    return _event(chunk, is_named=False)


def _choice(delta: dict[str, object], reason: str | None = None) -> list[object]:
    return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]


def _chat_token(number: int, text: str) -> bytes:
    return _chunk(_choice({"content": text}), None, _padding(number, text))


def chat_call() -> bytes:
    """A whole response that calls a tool which asks first."""
    function = {"name": "run_command", "arguments": '{"command": "make"}'}
    call = {"index": 0, "id": "call_Vd3RzXb9TnLw5YmH", "type": "function", "function": function}
    delta: dict[str, object] = {"role": "assistant", "content": None, "tool_calls": [call]}
    end = _chunk(_choice({}, "tool_calls"), None, "q7RzK")
    return _chunk(_choice(delta), None, "q7") + end + b"data: [DONE]\n\n"


def _chat_closing(tokens: list[str]) -> bytes:
    usage = {
        "prompt_tokens": 20,
        "completion_tokens": len(tokens),
        "total_tokens": 20 + len(tokens),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    end = _chunk(_choice({}, "stop"), None, "q7RzK") + _chunk([], usage, "q7RzK2mWv")
    return end + b"data: [DONE]\n\n"


# Responses

_ITEM = "msg_0a4d81c7b2e95f360069a1b2c3d4e88197a6b5c4d3e2f1a0b9"
_AT: dict[str, object] = {"content_index": 0, "item_id": _ITEM, "output_index": 0}


def _response(status: str, output: list[object], usage: object) -> dict[str, object]:
    return {
        "id": "resp_0a4d81c7b2e95f360069a1b2c3d4e88197",
        "object": "response",
        "created_at": 1763800000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "gpt-4o-2024-08-06",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "metadata": {},
    }


def _numbered(name: str, number: int, **fields: object) -> bytes:
    return _event({"type": f"response.{name}", **fields, "sequence_number": number})


def _message(status: str, content: list[object]) -> dict[str, object]:
    return {
        "id": _ITEM,
        "type": "message",
        "status": status,
        "content": content,
        "role": "assistant",
    }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _responses_opening() -> bytes:
    begun, item = _response("in_progress", [], None), _message("in_progress", [])
    return (
        _numbered("created", 0, response=begun)
        + _numbered("in_progress", 1, response=begun)
        + _numbered("output_item.added", 2, item=item, output_index=0)
        + _numbered("content_part.added", 3, part=_part(""), **_AT)
    )


def _responses_token(number: int, text: str) -> bytes:
    return _numbered(
        "output_text.delta",
        number + 4,
        content_index=0,
        delta=text,
        item_id=_ITEM,
        logprobs=[],
        obfuscation=_padding(number, text),
        output_index=0,
    )


def _responses_closing(tokens: list[str]) -> bytes:
    text, number = "".join(tokens), len(tokens) + 4
    item = _message("completed", [_part(text)])
    usage = {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": len(tokens),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 20 + len(tokens),
    }
    return (
        _numbered("output_text.done", number, logprobs=[], text=text, **_AT)
        + _numbered("content_part.done", number + 1, part=_part(text), **_AT)
        + _numbered("output_item.done", number + 2, item=item, output_index=0)
        + _numbered("completed", number + 3, response=_response("completed", [item], usage))
    )


# Messages


def _messages_opening() -> bytes:
    message: dict[str, object] = {
        "model": "claude-sonnet-4-5-20250929",
        "id": "msg_01Qk7Vd3RzXb9TnLw5YmHs2J",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 20,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        },
    }
    block = {"type": "text", "text": ""}
    return (
        _event({"type": "message_start", "message": message})
        + _event({"type": "content_block_start", "index": 0, "content_block": block})
        + _event({"type": "ping"})
    )


def _messages_token(number: int, text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    record = _event({"type": "content_block_delta", "index": 0, "delta": delta})
    # Anthropic pads with blanks before the last brace.
    return record[:-3] + b" " * (number * 7 % 16) + b"}\n\n"


def _messages_closing(tokens: list[str]) -> bytes:
    stopped = {"stop_reason": "end_turn", "stop_sequence": None}
    usage = {"input_tokens": 20, "output_tokens": len(tokens)}
    return (
        _event({"type": "content_block_stop", "index": 0})
        + _event({"type": "message_delta", "delta": stopped, "usage": usage})
        + _event({"type": "message_stop"})
    )


_WIRES: dict[WireName, Records] = {
    "openai-chat": Records(
        "/v1/chat/completions",
        _chunk(_choice({"role": "assistant", "content": "", "refusal": None}), None, "q7RzK2"),
        _chat_token,
        _chat_closing,
    ),
    "openai-responses": Records(
        "/v1/responses", _responses_opening(), _responses_token, _responses_closing
    ),
    "anthropic": Records("/v1/messages", _messages_opening(), _messages_token, _messages_closing),
}
