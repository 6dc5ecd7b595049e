"""Helpers of both agent wires' tests: a request, and its events or failure."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Protocol

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model.conversation import UserTurn
from lfgtui.model.events import ResponseFinished, TextDelta, WireEvent
from lfgtui.providers.base import Request

KEY = "abcDEF-0123456789"
HELLO: list[WireEvent] = [TextDelta("Hello"), ResponseFinished(1, "end")]


class Provider(Protocol):
    """Either wire's provider."""

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]: ...


def request(**more: object) -> Request:
    return Request("m", [UserTurn("Hi")], **more)  # type: ignore[arg-type]  # test shorthand


def text(events: Iterable[WireEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def events_of(provider: Provider, asked: Request | None = None) -> list[WireEvent]:
    async with aclosing(provider.stream(asked or request())) as stream:
        return [event async for event in stream]


async def failure_of(provider: Provider, asked: Request | None = None) -> tuple[ProviderError, str]:
    """Return the failure, and the text that came before."""
    events: list[WireEvent] = []
    with pytest.raises(ProviderError) as failure:
        async for event in provider.stream(asked or request()):
            events.append(event)
    return failure.value, text(events)
