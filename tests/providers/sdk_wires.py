"""The three wires that an SDK sends: how to open each, and one answer on each."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model.events import ResponseFinished, TextDelta, WireEvent
from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import Provider, Request
from lfgtui.providers.sdk import anthropic, openai
from lfgtui.providers.sdk.provider import SdkProvider
from tests.providers.decoding import anthropic_stream, chat_stream, responses_stream, sse

CONNECT: dict[str, Callable[..., SdkProvider]] = {
    "anthropic": anthropic.connect,
    "openai-chat": openai.connect_chat,
    "openai-responses": openai.connect_responses,
}
WIRES = list(CONNECT)
KEY = "sk-test-0123456789"


STREAMS = {
    "anthropic": anthropic_stream,
    "openai-chat": chat_stream,
    "openai-responses": responses_stream,
}
FIRST: dict[str, list[bytes]] = {}
"""The records of an answer as far as its text."""
LAST: dict[str, list[bytes]] = {}
"""The rest of them."""
for _wire, _stream in STREAMS.items():
    _records = sse(*_stream("Hello"), *(["[DONE]"] if _wire == "openai-chat" else []))
    _text = next(at for at, record in enumerate(_records) if b"Hello" in record)
    FIRST[_wire], LAST[_wire] = _records[: _text + 1], _records[_text + 1 :]

WHOLE: dict[str, dict[str, object]] = {
    "anthropic": {
        "type": "message",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
    "openai-chat": {
        "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    },
    "openai-responses": {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
}
HELLO: list[WireEvent] = [TextDelta("Hello"), ResponseFinished(1, "end")]


async def open_wire(
    wire: str, url: str, key: str | None = KEY, headers: dict[str, str] | None = None
) -> SdkProvider:
    """Open the wire at a server's root; OpenAI's SDK wants the version in its base URL."""
    base_url = url if wire == "anthropic" else f"{url}/v1"
    return await asyncio.to_thread(
        lambda: CONNECT[wire](base_url=base_url, api_key=key, headers=headers or {})
    )


def request(**more: object) -> Request:
    return Request("m", [UserTurn("Hi")], **more)  # type: ignore[arg-type]  # test shorthand


async def events_of(provider: Provider, sent: Request | None = None) -> list[WireEvent]:
    async with aclosing(provider.stream(sent or request())) as stream:
        return [event async for event in stream]


async def failure_of(
    provider: Provider, sent: Request | None = None, *, after: list[WireEvent] | None = None
) -> ProviderError:
    """The failure of a response, which comes after these events."""
    events: list[WireEvent] = []
    with pytest.raises(ProviderError) as failure:
        async for event in provider.stream(sent or request()):
            events.append(event)
    assert after is None or events == after
    return failure.value
