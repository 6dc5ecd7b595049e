"""The list of runs at work, of one machine or several."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from textual.pilot import Pilot

from lfgtui.history.reader import RunSummary
from lfgtui.settings.config import Config
from lfgtui.ui import runs_at_work
from lfgtui.ui.app import LfgApp
from lfgtui.ui.runs_at_work import AttachScreen, ListedRun, RunsAtWork, RunsListed
from tests.ui.fake_live import START
from tests.ui.screen_text import THEMES, opened, text_of

RUNS = [
    ListedRun(
        RunSummary(
            f"2026030{n}-051300-a1b{n}",
            title,
            "running",
            START - 600 * n,
            None,
            6,
            n,
            None,
            note=note,
        ),
        host,
    )
    for n, (title, host, note) in enumerate(
        [
            ("Checkout rewrite", "", "2 waiting for you"),
            ("Docs sweep", "web1", ""),
            ("语 \x1b[31m" * 20, "ann@a-very-long-name.of-a-machine.example", ""),
        ],
        start=2,
    )
]
TROUBLE = "web2: ssh: connect to host web2 port 22: Connection refused"


async def no_news() -> RunsListed:
    await asyncio.Event().wait()
    raise AssertionError("it waits for ever")


def app_of(
    chosen: list[ListedRun],
    theme: str = "dark",
    look: Callable[[], Awaitable[RunsListed]] = no_news,
) -> LfgApp:
    listed = RunsListed(RUNS, [TROUBLE])
    return LfgApp(
        None,
        config=Config(theme=theme),
        open_reader=None,
        simulated=False,
        themes=THEMES,
        clock=lambda: START,
        first_screen=lambda context: AttachScreen(context, listed, look, chosen.append),
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_what_it_looks_like(
    snap_compare: Callable[..., bool], utc: None, size: tuple[int, int]
) -> None:
    async def run_before(pilot: Pilot[int]) -> None:
        await pilot.press("j")

    assert snap_compare(app_of([]), terminal_size=size, run_before=run_before)


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        (("enter",), 0),
        (("j", "enter"), 1),
        (("G", "enter"), 2),
        (("ctrl+d", "enter"), 2),
        (("G", "g", "enter"), 0),
        (("G", "j", "j", "k", "enter"), 1),
        (("?", "escape", "q"), None),
        (("escape",), None),
    ],
)
async def test_one_is_chosen_or_none(keys: tuple[str, ...], index: int | None) -> None:
    chosen: list[ListedRun] = []
    app = app_of(chosen)
    async with opened(app) as pilot:
        assert "2 waiting for you" in text_of(app) and "Connection refused" in text_of(app)
        await pilot.press(*keys)
        await pilot.pause()
    assert chosen == ([] if index is None else [RUNS[index]])
    assert app.return_value == 0


async def test_the_help_is_that_of_a_list() -> None:
    app = app_of([])
    async with opened(app) as pilot:
        await pilot.press("?")
        await pilot.pause()
        text = text_of(app)
        assert "attach to the run under the cursor" in text
        assert "lfg attach" not in text and "asks first" not in text


async def test_a_second_click_chooses() -> None:
    chosen: list[ListedRun] = []
    app = app_of(chosen)
    async with opened(app) as pilot:
        rows = app.screen.query_one(RunsAtWork)
        await pilot.click(rows, offset=(5, 1))
        await pilot.click(rows, offset=(5, 1))
        await pilot.pause()
    assert chosen == [RUNS[1]]


class News:
    """What `look` returns, one after the other."""

    def __init__(self) -> None:
        self._listed: asyncio.Queue[RunsListed] = asyncio.Queue()
        self._was_given = False

    async def look(self) -> RunsListed:
        if self._was_given:
            self._listed.task_done()
        self._was_given = True
        return await self._listed.get()

    async def are(self, *runs: ListedRun) -> None:
        """Have the screen take these."""
        self._listed.put_nowait(RunsListed(runs, []))
        await self._listed.join()


async def test_it_keeps_up_with_the_runs_and_the_cursor_stays_on_its_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs_at_work, "REST", 0.0)
    news, chosen = News(), list[ListedRun]()
    first, second, third = RUNS
    app = app_of(chosen, look=news.look)
    async with opened(app) as pilot:
        rows = app.screen.query_one(RunsAtWork)
        await pilot.press("j")
        assert rows.here == second
        note = msgspec.structs.replace(second.summary, note="1 waiting for you")
        changed = second._replace(summary=note)
        await news.are(third, first, changed)
        assert "1 waiting for you" in text_of(app) and TROUBLE not in text_of(app)
        assert rows.here == changed
        await news.are()
        assert "no run is in progress any more" in text_of(app)
        await pilot.press("j", "k", "enter")
        await news.are(first)
        await pilot.press("enter")
        await pilot.pause()
    assert chosen == [first]
