"""Apps over small real runs, with a clock that only the test moves."""

from collections.abc import Callable

import pytest

from lfgtui.config import Config
from lfgtui.history.reader import Reader
from lfgtui.looks.themes import load_themes
from lfgtui.tools import summary
from lfgtui.ui.app import LfgApp
from lfgtui.ui.view import RunView
from tests.ui.fake_live import FakeLive


@pytest.fixture
def make_app() -> Callable[..., LfgApp]:
    """An app on a run; its clock is the run's."""

    themes = load_themes()

    def make(
        live: FakeLive,
        *,
        run: RunView | None = None,
        config: Config | None = None,
        open_reader: Callable[[], Reader] | None = None,
        simulated: bool = False,
    ) -> LfgApp:
        return LfgApp(
            run or live,
            config=config or Config(),
            open_reader=open_reader,
            simulated=simulated,
            summarise=summary,
            themes=themes,
            clock=lambda: live.now,
        )

    return make
