"""The reading of a response beside everything else on the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import Request
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.transport import reading
from lfgtui.providers.transport.reading import Reading


async def test_reads_that_complete_nothing_let_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TURN_SECONDS", 0)
    others = asyncio.create_task(asyncio.sleep(0))

    async def arriving() -> AsyncGenerator[Sequence[object], None]:
        for _ in range(100):
            if others.done():
                return
            yield []

    response = Reading(ChatDecoder(), Request("m", [UserTurn("x")]))
    assert [event async for event in response.events(arriving(), lambda _: ())] == []
    assert others.done()
