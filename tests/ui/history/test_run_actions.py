"""What is done to past runs from the list, and what the file says afterwards."""

import asyncio
from pathlib import Path

import pytest
from textual.events import Key

from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.recording.recorder import Recorder
from lfgtui.ui.history.screen import HistoryScreen
from lfgtui.ui.screens.base import Prompt
from tests.ui.fake_live import FakeLive
from tests.ui.history.conftest import OpenPast
from tests.ui.history.past import begin, keep
from tests.ui.screen_text import lines, run_screen
from tests.ui.waiting import gone, shown, toasted, until


async def kept(path: Path) -> list[RunSummary]:
    """What the file says."""

    def read() -> list[RunSummary]:
        with Reader(path) as reader:
            return reader.runs()

    return await asyncio.to_thread(read)


async def test_a_run_is_deleted_after_a_question(open_past: OpenPast, history: Path) -> None:
    async with open_past() as (_, pilot):
        await pilot.press("tab", "down", "x")
        await shown(pilot, "with 2 tickets and all output.")
        await pilot.press("n", "slash", *"log")
        await shown(pilot, "3 matches")
        await pilot.press("end", "tab", "end", "x")
        await shown(pilot, "Delete “First run” for good?")
        await pilot.press("y")
        await shown(pilot, "1 match")  # its hits are gone as well
        await pilot.press("slash", "escape")
        await shown(pilot, "history   1 run")
        await gone(pilot, "First run")
    assert [run.title for run in await kept(history)] == ["Second \x1b[31mrun"]


async def test_a_run_is_replayed_and_then_not_deleted(open_past: OpenPast, store: Recorder) -> None:
    empty = await asyncio.to_thread(begin, store, "Empty")
    async with open_past((100, 30)) as (app, pilot):
        await pilot.press("tab", "x", "y")
        await toasted(pilot, f"run {empty} is in progress; stop it first")
        await pilot.press("p")
        await toasted(pilot, f"run {empty} has no tickets to replay")
        await pilot.press("down", "down", "p")
        await shown(pilot, "REPLAY")
        assert run_screen(app).run.title == "First run"
        await pilot.press("escape")
        await shown(pilot, "history   3 runs")


async def test_a_pin_and_a_note_are_kept_and_shown(open_past: OpenPast, history: Path) -> None:
    async with open_past((120, 24)) as (app, pilot):
        await pilot.press("tab", "down", "i")
        await shown(pilot, "◆ pinned")
        await pilot.press("n", *"xin good", "enter")
        await shown(pilot, "First run  xin good")
        await pilot.press("enter")
        await shown(pilot, "PAST RUN")
        assert "xin good" in lines(app)[0]
        await pilot.press("escape")
        await shown(pilot, "First run  xin good")
        run = (await kept(history))[1]
        assert (run.pinned, run.note) == (True, "xin good")
        await pilot.press("n", *["backspace"] * 4, *"bad", "enter")
        await shown(pilot, "xin bad")
        await pilot.press("n", "z", "escape", "i")
        await gone(pilot, "◆")
        assert not app.screen.query(Prompt)
    run = (await kept(history))[1]
    assert (run.pinned, run.note) == (False, "xin bad")


async def test_what_is_typed_before_the_line_of_input_is_there_is_meant_for_it(
    open_past: OpenPast, history: Path
) -> None:
    async with open_past((120, 24)) as (app, pilot):
        await pilot.press("tab", "down")
        for letter in "nxi":  # in one piece, as a terminal may deliver it
            app.post_message(Key(letter, letter))
        app.post_message(Key("enter", "\r"))
        await shown(pilot, "xi")
        assert isinstance(app.screen, HistoryScreen)
    assert [run.note for run in await kept(history)] == ["", "xi"]


# Resuming a run


@pytest.mark.parametrize("is_opened", [False, True])
async def test_an_unfinished_run_is_resumed_from_its_row_or_its_screen(
    open_past: OpenPast, store: Recorder, is_opened: bool
) -> None:
    run = await asyncio.to_thread(keep, store, "Broken off", {"a": "half a word"}, "interrupted")
    async with open_past() as (app, pilot):
        await pilot.press("enter" if is_opened else "tab")
        if is_opened:
            await shown(pilot, "half a word")
        await shown(pilot, "r resume")
        await pilot.press("r")
        await until(pilot, lambda: app.resumes)
    assert (app.resumes, app.return_value) == (run, 0)


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Done", "is already finished"),
        ("Held", "is running in another lfg"),
        ("Homeless", "workspace / does not exist"),
    ],
)
async def test_a_run_that_cannot_be_resumed_leaves_the_screen_open(
    open_past: OpenPast, store: Recorder, title: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if title == "Done":
        await asyncio.to_thread(keep, store, title, {"a": "all of it"})
    elif title == "Held":
        await asyncio.to_thread(begin, store, title, "a")
    else:
        await asyncio.to_thread(keep, store, title, {"a": "half"}, "interrupted")
        monkeypatch.setattr(Path, "is_dir", lambda path: False)
    async with open_past() as (app, pilot):
        await pilot.press("tab", "r")
        await toasted(pilot, reason)
        assert (app.resumes, isinstance(app.screen, HistoryScreen)) == (None, True)


async def test_while_a_run_is_in_progress_another_one_is_left_to_another_terminal(
    open_past: OpenPast, store: Recorder
) -> None:
    run = await asyncio.to_thread(keep, store, "Broken off", {"a": "half"}, "interrupted")
    live = FakeLive("a")
    async with open_past(live=live) as (app, pilot):
        live.begin("a")
        await pilot.press("tab", "r")
        await toasted(pilot, f"in another terminal: lfg resume {run}")
        assert not app.resumes
        live.finish("a")
        await pilot.press("r")
        await until(pilot, lambda: app.resumes)
    assert (app.resumes, live.closed) == (run, 1)
