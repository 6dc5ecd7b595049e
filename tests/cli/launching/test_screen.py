"""A run that starts behind the first frame, and what becomes of its errors."""

import asyncio
from types import SimpleNamespace
from typing import cast

from lfgtui.cli.launching.screen import DeferredRun
from lfgtui.engine.engine import Engine
from lfgtui.errors import HistoryError
from lfgtui.model.events import Sink
from lfgtui.model.fold.metrics import Health


class FullDisk:
    """An engine that runs, and whose end cannot be saved."""

    run = "20260304-0513-a1b2"
    delivery = SimpleNamespace(place=0)
    health = Health()
    tickets = unfinished = ()

    def subscribe(self, _: Sink) -> None:
        pass

    def start(self) -> None:
        pass

    async def shutdown(self) -> None:
        raise HistoryError("no room")


async def test_an_end_that_cannot_be_saved_is_kept_to_be_told() -> None:
    run = DeferredRun("t", (), lambda: cast(Engine, FullDisk()), lambda: None)
    run.start()
    await run.shutdown()
    assert str(run.failure) == "no room"


async def test_an_engine_that_cannot_be_built_gives_up_and_says_why() -> None:
    gone = asyncio.Event()

    def build() -> Engine:
        raise HistoryError("no folder")

    run = DeferredRun("t", (), build, gone.set)
    run.start()
    await gone.wait()
    assert str(run.failure) == "no folder"
    await run.shutdown()
