"""Apps over the two runs of `history`: alone on the screen, or opened over a live run."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lfgtui.cli.launching.past_runs import FileHistoryActions
from lfgtui.history.reader import Reader
from lfgtui.settings.config import Config
from lfgtui.settings.providers import PRESETS
from lfgtui.ui.app import LfgApp
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, opened
from tests.ui.waiting import shown

CONFIG = Config(model="simulator/generic", providers=dict(PRESETS))

OpenPast = Callable[..., AbstractAsyncContextManager[tuple[LfgApp, Pilot[int]]]]


@pytest.fixture
def open_past(open_reader: Callable[[], Reader], history: Path) -> OpenPast:
    """Opens the past runs, alone or with `live` from a run; waits until they are listed."""

    @asynccontextmanager
    async def open_past(
        size: tuple[int, int] = (100, 24),
        *,
        live: FakeLive | None = None,
        first: str = "First run",
        reader: Callable[[], Reader] = open_reader,
    ) -> AsyncIterator[tuple[LfgApp, Pilot[int]]]:
        app = make_app(
            live or FakeLive("a"),
            is_past_only=live is None,
            history_actions=FileHistoryActions(CONFIG),
            open_reader=reader,
        )
        async with opened(app, size) as pilot:
            if live is not None:
                await pilot.press("H")
            await shown(pilot, first)
            yield app, pilot

    return open_past
