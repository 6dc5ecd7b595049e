"""What is handed on to a run goes no faster than the run takes it."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.server.control import watching
from lfgtui.server.control.client import BrokenError
from lfgtui.server.control.watching import watch
from tests.server.control.slow_run import LARGE, slow
from tests.server.control.test_listening import at_work


async def test_a_command_is_handed_on_once_the_run_takes_it(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r, slow(r) as run:
        with closing(await watch(r.engine.run, 0, "ann@here")) as watched:
            handing = asyncio.create_task(watched.hand_on(LARGE))
            await asyncio.sleep(0)
            assert not handing.done()
            await run.take()
            await handing


async def test_a_run_that_takes_nothing_for_long_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "STALLED", 0.05)
    async with at_work(tmp_path) as r, slow(r):
        watched = await watch(r.engine.run, 0, "ann@here")
        with closing(watched), pytest.raises(BrokenError, match="is not responding to commands"):
            await watched.hand_on(LARGE)


async def test_nothing_is_handed_on_to_a_run_that_has_left(tmp_path: Path) -> None:
    async with at_work(tmp_path) as r, slow(r) as run:
        with closing(await watch(r.engine.run, 0, "ann@here")) as watched:
            handing = asyncio.create_task(watched.hand_on(LARGE))
            await asyncio.sleep(0)
            run.leave()
            await handing
            await watched.hand_on(LARGE)
