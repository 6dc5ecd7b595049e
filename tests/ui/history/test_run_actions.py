"""What a person does to past runs, with the file that it is done to."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot

from lfgtui.cli.launching.past_runs import FileHistoryActions
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.recording.recorder import Recorder
from lfgtui.settings.config import PRESETS, Config
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history.screen import HistoryScreen
from lfgtui.ui.screens.confirm import Question
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.widgets.line_input import Prompt
from tests.ui.fake_live import FakeLive
from tests.ui.history.past import begin, keep, shown, told
from tests.ui.screen_text import lines

MakeApp = Callable[..., LfgApp]
CONFIG = Config(model="simulator/generic", providers=dict(PRESETS))


@pytest.fixture
def past(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> Callable[[FakeLive | None], LfgApp]:
    """An app over the two past runs, alone or from a run that is live."""

    def make(live: FakeLive | None = None) -> LfgApp:
        return make_app(
            live or FakeLive("a"),
            is_past_only=live is None,
            history_actions=FileHistoryActions(CONFIG),
            open_reader=open_reader,
        )

    return make


async def left(pilot: Pilot[int], app: LfgApp) -> None:
    """Wait until the app ends to go on with a run."""
    for _ in range(100):
        await pilot.pause(0.02)
        if app.resumes:
            return


async def kept(path: Path) -> list[RunSummary]:
    """What the file says."""

    def read() -> list[RunSummary]:
        with Reader(path) as reader:
            return reader.runs()

    return await asyncio.to_thread(read)


async def test_a_run_is_deleted_once_one_said_so(
    past: Callable[..., LfgApp], history: Path
) -> None:
    app = past()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "First run")
        await pilot.press("tab", "down", "x")
        assert isinstance(app.screen, Question)
        await shown(pilot, "with 2 tickets and all output.")
        await pilot.press("n", "up", "x")
        await shown(pilot, "with 1 ticket and all output.")
        await pilot.press("n", "down")
        await pilot.press("x")
        await shown(pilot, "Delete “First run” for good?")
        await pilot.press("y")
        await shown(pilot, "First run", away=True)
        await shown(pilot, "history   1 run")
    assert [run.title for run in await kept(history)] == ["Second \x1b[31mrun"]


async def test_a_run_is_played_again_from_its_row(past: Callable[..., LfgApp]) -> None:
    app = past()
    async with app.run_test(size=(100, 30)) as pilot:
        await shown(pilot, "First run")
        await pilot.press("tab", "down", "p")
        await shown(pilot, "REPLAY")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run.title == "First run"
        await pilot.press("escape")
        await shown(pilot, "history   2 runs")


async def test_the_run_of_a_hit_is_deleted_with_all_its_hits(
    past: Callable[..., LfgApp], history: Path
) -> None:
    app = past()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "First run")
        await pilot.press(*"log")
        await shown(pilot, "3 matches")
        await pilot.press("end", "tab", "end", "x")
        await shown(pilot, "Delete “First run” for good?")
        await pilot.press("y")
        await shown(pilot, "1 match")
    assert len(await kept(history)) == 1


async def test_a_run_that_is_going_on_is_not_deleted(
    past: Callable[..., LfgApp], store: Recorder
) -> None:
    run = await asyncio.to_thread(begin, store, "Going on", "a")
    app = past()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await shown(pilot, "Going on")
        await pilot.press("tab", "x", "y")
        await told(pilot, app, f"run {run} is still running; stop it first")
        assert any("Going on" in line for line in lines(app))
    assert len(await kept(store.path)) == 3


async def test_a_pin_and_a_note_are_kept_and_shown(
    past: Callable[..., LfgApp], history: Path
) -> None:
    app = past()
    async with app.run_test(size=(120, 24)) as pilot:
        await shown(pilot, "First run")
        await pilot.press("tab", "down", "i")
        await shown(pilot, "◆ pinned")
        await pilot.press("n")
        await pilot.press(*"xin good")
        await pilot.press("enter")
        await shown(pilot, "First run  xin good")
        assert ((await kept(history))[1].pinned, (await kept(history))[1].note) == (
            True,
            "xin good",
        )
        await pilot.press("n", *["backspace"] * 4, *"bad", "enter")
        await shown(pilot, "xin bad")
        await pilot.press("n", "z", "escape", "i")
        await shown(pilot, "◆", away=True)
        assert not app.screen.query(Prompt)
    assert ((await kept(history))[1].pinned, (await kept(history))[1].note) == (False, "xin bad")


async def test_the_note_stands_above_the_opened_run(
    past: Callable[..., LfgApp], history: Path
) -> None:
    run = (await kept(history))[0].run
    await asyncio.to_thread(FileHistoryActions(CONFIG).annotate, run, "keep an eye on it")
    app = past()
    async with app.run_test(size=(120, 24)) as pilot:
        await shown(pilot, "keep an eye on it")
        await pilot.press("enter")
        await shown(pilot, "PAST RUN")
        assert "keep an eye on it" in lines(app)[0]


async def test_without_a_keeper_it_can_only_be_read(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = make_app(FakeLive("a"), is_past_only=True, open_reader=open_reader)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await shown(pilot, "First run")
        await pilot.press("tab", "x")
        await told(pilot, app, "the history is read-only here")
        await pilot.press("r")
        await told(pilot, app, "cannot resume from here; run: lfg resume")
        assert isinstance(app.screen, HistoryScreen)


# Going on with a run


async def test_an_unfinished_run_is_asked_for_and_the_screen_left(
    past: Callable[..., LfgApp], store: Recorder
) -> None:
    run = await asyncio.to_thread(keep, store, "Broken off", {"a": "half"}, "interrupted")
    app = past()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "Broken off")
        await pilot.press("tab", "r")
        await left(pilot, app)
    assert (app.resumes, app.return_value) == (run, 0)


async def test_an_opened_run_is_gone_on_with_by_the_key_that_retries(
    past: Callable[..., LfgApp], store: Recorder
) -> None:
    run = await asyncio.to_thread(keep, store, "Broken off", {"a": "half a word"}, "interrupted")
    app = past()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, "Broken off")
        await pilot.press("enter")
        await shown(pilot, "half a word")
        await shown(pilot, "r resume")
        await pilot.press("r")
        await left(pilot, app)
    assert app.resumes == run


@pytest.mark.parametrize("title", ["Done", "Held", "Homeless"])
async def test_what_cannot_be_gone_on_with_is_said_and_the_screen_stays(
    past: Callable[..., LfgApp], store: Recorder, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = {
        "Done": "is already finished",
        "Held": "is running in another lfg",
        "Homeless": "workspace / does not exist",
    }
    if title == "Done":
        await asyncio.to_thread(keep, store, title, {"a": "all of it"})
    elif title == "Held":
        await asyncio.to_thread(begin, store, title, "a")
    else:
        await asyncio.to_thread(keep, store, title, {"a": "half"}, "interrupted")
        monkeypatch.setattr(Path, "is_dir", lambda path: False)
    app = past()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await shown(pilot, title)
        await pilot.press("tab", "r")
        await told(pilot, app, why[title])
        assert (app.resumes, isinstance(app.screen, HistoryScreen)) == (None, True)


async def test_while_a_run_goes_on_another_one_is_left_to_another_terminal(
    past: Callable[..., LfgApp], store: Recorder
) -> None:
    run = await asyncio.to_thread(keep, store, "Broken off", {"a": "half"}, "interrupted")
    live = FakeLive("a")
    app = past(live)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        live.begin("a")
        await pilot.press("H")
        await shown(pilot, "Broken off")
        await pilot.press("tab", "r")
        await told(pilot, app, f"in another terminal: lfg resume {run}")
        assert not app.resumes
        live.finish("a")
        await pilot.press("r")
        await left(pilot, app)
    assert (app.resumes, live.closed) == (run, 1)


async def test_what_is_typed_before_the_line_is_there_is_meant_for_it(
    past: Callable[..., LfgApp], history: Path
) -> None:
    app = past()
    async with app.run_test(size=(120, 24)) as pilot:
        await shown(pilot, "First run")
        await pilot.press("tab", "down")
        for letter in "nxi":  # in one piece, as a terminal may deliver it
            app.post_message(Key(letter, letter))
        app.post_message(Key("enter", "\r"))
        await shown(pilot, "xi")
        assert isinstance(app.screen, HistoryScreen)
    assert [run.note for run in await kept(history)] == ["", "xi"]
