"""Past runs: the list, the search, the preview, and opening what was found."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.events import Key
from textual.widgets import Input

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history import preview, run_list
from lfgtui.ui.history.preview import RunPreview, read_run_preview
from lfgtui.ui.history.run_list import RunList, run_row
from lfgtui.ui.history.screen import HistoryScreen
from lfgtui.ui.history.stored_run import StoredRun
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.text.styled_line import Line
from tests.ui.fake_live import START, FakeLive
from tests.ui.history.conftest import OpenPast
from tests.ui.history.past import answered, begin, keep, play
from tests.ui.screen_text import MakeApp, lines, make_app, opened, run_screen, text_of, toasts
from tests.ui.waiting import shown, toasted, until


async def test_runs_are_listed_newest_first_without_control_characters(open_past: OpenPast) -> None:
    async with open_past(live=FakeLive("a")) as (app, pilot):
        text = text_of(app)
        assert text.index("Second") < text.index("First run")
        assert "\x1b" not in text
        assert "2/2" in text
        await pilot.press("escape")
        assert run_screen(app).mode.is_live


@pytest.mark.parametrize("keys", [("escape",), ("tab", "q")])
async def test_past_runs_alone_are_left_with_0(open_past: OpenPast, keys: tuple[str, ...]) -> None:
    async with open_past() as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause()
    assert (app.return_value, app.resumes) == (0, None)


async def test_a_past_run_opens_read_only_in_the_same_panes(open_past: OpenPast) -> None:
    live = FakeLive("a")
    async with open_past(live=live) as (app, pilot):
        for _ in range(2):  # a click moves the cursor, another one opens
            await pilot.click(RunList, offset=(30, 1))
        await until(pilot, lambda: isinstance(app.screen, RunScreen))  # the preview has it too
        await shown(pilot, "The quick brown fox.")
        assert [pane.ticket_id for pane in run_screen(app).panes] == ["alpha", "beta"]
        await pilot.press("c", "p", "a")
        assert live.sent == []
        await toasted(pilot, "this is a past run: read-only")
        await pilot.press("escape")
        assert isinstance(app.screen, HistoryScreen)


async def test_a_run_at_work_elsewhere_says_so_and_how_to_approve(
    make_app: MakeApp, open_reader: Callable[[], Reader], store: Recorder
) -> None:
    run = await asyncio.to_thread(begin, store, "Goes on", "api")
    asked = e.ApprovalRequested("1", "run_command", "run_command $ make")
    await asyncio.to_thread(play, store, run, "api", *answered("api", "")[:6], asked)
    app = make_app(FakeLive("a"), is_past_only=True, open_reader=open_reader)
    async with opened(app, (120, 30)) as pilot:
        await shown(pilot, "Goes on")
        await pilot.press("enter")
        await shown(pilot, "IN PROGRESS IN ANOTHER LFG")
        assert "1 to approve" in text_of(app) and "r resume" not in text_of(app)
        await pilot.press("a")
        await toasted(pilot, f"lfg approve {run}/api")
        await pilot.press("d")
        await toasted(pilot, "read-only here")


async def test_searching_while_typing_and_opening_the_hit(open_past: OpenPast) -> None:
    async with open_past(live=FakeLive("a")) as (app, pilot):
        await pilot.press(*"brow")
        await shown(pilot, "1 match")
        await shown(pilot, "alpha text")
        await pilot.press("enter")
        await shown(pilot, "“brown” 1/1")
        assert (run_screen(app).current, run_screen(app).is_zoomed) == ("alpha", True)
        await pilot.press("escape", "escape", "escape")
        assert isinstance(app.screen, HistoryScreen)
        assert app.screen.query_one(Input).value == "brow"


async def test_an_emptied_search_shows_the_runs_again(open_past: OpenPast) -> None:
    async with open_past() as (app, pilot):
        await pilot.press(*"after:x")
        await shown(pilot, "history   after")  # why it is no filter
        assert toasts(app) == []
        await pilot.press("escape")
        await pilot.press(*"zz")
        await shown(pilot, "no matches; use title:… to search titles and notes")
        await pilot.press("backspace", "backspace")
        await shown(pilot, "2 runs")
        assert isinstance(app.screen, HistoryScreen)
        assert app.screen.rows.count == 2
        await pilot.press(*"fox")
        await shown(pilot, "2 matches")
        await pilot.press("escape")
        await shown(pilot, "2 runs")


async def test_letters_are_text_in_the_search_and_commands_in_the_list(open_past: OpenPast) -> None:
    async with open_past() as (app, pilot):
        assert "tab keys" in lines(app)[-1]
        await pilot.press("tab")
        await shown(pilot, "x delete")
        await pilot.press("j")
        assert isinstance(app.screen, HistoryScreen)
        assert app.screen.rows.cursor == 1
        await pilot.press("slash", *"jq")
        await shown(pilot, "no matches")
        assert "tab keys" in lines(app)[-1]


async def test_the_live_run_goes_on_and_its_requests_are_announced(open_past: OpenPast) -> None:
    live = FakeLive("a")
    async with open_past(live=live) as (app, pilot):
        live.begin("a")
        live.stream("a", "said while nobody looked")
        assert toasts(app) == []
        live.ask("a")
        await toasted(pilot, "“a” needs approval: $ pytest -q")
        await pilot.press("escape")
        await shown(pilot, "said while nobody looked")


def test_a_stored_run_folds_to_what_was_live(stored: StoredRun) -> None:
    assert [ticket.id for ticket in stored.tickets] == ["gamma"]
    attempt = stored.transcript("gamma").attempt
    assert attempt is not None
    assert attempt.text == "A lazy dog\nand a foxglove."
    assert stored.meter("gamma").output_tokens() == (20, False)


async def test_a_past_run_alone_is_left_with_its_own_code(stored: StoredRun) -> None:
    app = make_app(FakeLive("a"), run=stored)
    async with opened(app) as pilot:
        await shown(pilot, "A lazy dog")
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0


# The preview


async def test_the_preview_follows_the_cursor(open_past: OpenPast, store: Recorder) -> None:
    def fail() -> str:
        run = begin(store, "Third run", "alpha")
        started = (e.TicketQueued(), e.AttemptStarted("xai", "grok-4"), e.RequestSent(1))
        failed = e.TicketFailed("server", "the server \x1b[31mcaught fire", False)
        play(store, run, "alpha", *started, failed)
        store.finish_run(run, "failed")
        return run

    run = await asyncio.to_thread(fail)
    async with open_past((120, 24)) as (app, pilot):
        await shown(pilot, "the server ␛[31mcaught fire")
        for part in ("✗ alpha failed", "grok-4", run):
            assert part in text_of(app)
        await pilot.press("down", "down")
        await shown(pilot, "The quick brown fox.", "jumps over")
        await pilot.press(*"lazy")
        await shown(pilot, "text · attempt 1", "and a foxglove.")


@pytest.mark.parametrize(
    ("size", "has_preview"), [((80, 24), False), ((80, 50), True), ((100, 24), True)]
)
async def test_there_is_a_preview_where_there_is_room(
    open_past: OpenPast, size: tuple[int, int], has_preview: bool
) -> None:
    async with open_past(size) as (app, pilot):
        assert app.screen.query_one(preview.PreviewPane).display is has_preview
        await pilot.resize_terminal(120, 30)
        await shown(pilot, "and a foxglove.")


async def test_a_broken_history_is_reported_in_preview(open_past: OpenPast, history: Path) -> None:
    broken = False

    def reader() -> Reader:
        if broken:
            raise HistoryError("history.db: it is gone")
        return Reader(history)

    async with open_past((120, 24), reader=reader) as (app, pilot):
        await shown(pilot, "and a foxglove.")
        broken = True
        await pilot.press("down")
        await shown(pilot, "history.db: it is gone")
        assert toasts(app) == []
        await pilot.press("enter")
        await toasted(pilot, "history.db: it is gone")
        broken = False
        await pilot.press("enter")
        await shown(pilot, "The quick brown fox.")


async def test_runs_that_the_cursor_passes_over_are_not_read(
    open_past: OpenPast, store: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        await asyncio.to_thread(keep, store, f"Run {number}", {"alpha": f"said {number}"})
    read: list[str] = []
    rested = asyncio.Event()

    def read_preview(reader: Reader, run: str) -> RunPreview:
        found = read_run_preview(reader, run)
        read.append(found.summary.title)
        return found

    async def rest(_: float) -> None:
        await rested.wait()

    monkeypatch.setattr(preview, "read_run_preview", read_preview)
    monkeypatch.setattr(
        preview, "asyncio", SimpleNamespace(sleep=rest, to_thread=asyncio.to_thread)
    )
    async with open_past((120, 24)) as (_, pilot):
        await pilot.press("down", "down", "up", "down", "down")
        rested.set()
        await shown(pilot, "jumps over")
        assert read == ["First run"]


# Many runs, and runs that go on


def ten_thousand(path: Path) -> None:
    """Runs of which only the rows are there."""
    numbers = range(10_000)
    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO runs (id, title, state, started_at, ended_at) VALUES (?, ?, 'done', ?, ?)",
            ((f"r{n:05}", f"Run {n:05}", START + n, START + n + 9) for n in numbers),
        )
    database.close()


def known_runs(app: LfgApp) -> int:
    """The number of runs that the list says it knows of."""
    found = re.search(r"(\d+)\+? runs", text_of(app))
    return 0 if found is None else int(found[1])


async def test_ten_thousand_runs_come_page_by_page_and_only_those_in_sight_are_drawn(
    open_reader: Callable[[], Reader], store: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(ten_thousand, store.path)
    drawn = 0

    def counted(*args: Any, **options: Any) -> Line:  # as `run_row` takes them
        nonlocal drawn
        drawn += 1
        return run_row(*args, **options)

    monkeypatch.setattr(run_list, "run_row", counted)
    app = make_app(FakeLive("a"), is_past_only=True, open_reader=open_reader)
    async with opened(app, (120, 40)) as pilot:
        await shown(pilot, "200+ runs")
        while known_runs(app) < 1_000:
            app.screen.post_message(Key("pagedown", None))  # held down: nothing waits for it
            await pilot.pause()
        app.screen.post_message(Key("tab", None))
        await shown(pilot, "x delete")
        before = drawn
        app.screen.post_message(Key("end", None))
        await shown(pilot, "Run 00000")
        await shown(pilot, "10000 runs")
        app.screen.post_message(Key("home", None))
        await shown(pilot, "Run 09999")
        assert drawn - before < 2_000
        await pilot.press("G", "ctrl+u")
        rows = app.screen.query_one(RunList)
        half = rows.page // 2
        assert rows.cursor == 9_999 - half
        await pilot.press("ctrl+d", "g", "ctrl+d")
        assert rows.cursor == half


async def test_the_next_page_comes_if_the_end_is_reached_while_the_newest_are_read(
    open_reader: Callable[[], Reader], store: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfgtui.ui.history.screen.REFRESH", 0.05)
    await asyncio.to_thread(ten_thousand, store.path)
    is_held, may_go_on = threading.Event(), threading.Event()
    read_runs = Reader.runs

    def slow(reader: Reader, limit: int, offset: int = 0) -> list[RunSummary]:
        if limit < 200 and not may_go_on.is_set():
            is_held.set()
            may_go_on.wait()
        return read_runs(reader, limit, offset)

    monkeypatch.setattr(Reader, "runs", slow)
    app = make_app(FakeLive("a"), is_past_only=True, open_reader=open_reader)
    async with opened(app, (120, 40)) as pilot:
        await until(pilot, is_held.is_set)
        rows = app.screen.query_one(RunList)
        while rows.cursor < 199:
            await pilot.press("pagedown")
        may_go_on.set()
        await shown(pilot, "400+ runs")


async def test_runs_that_begin_and_end_are_updated_and_the_cursor_stays_on_its_run(
    open_past: OpenPast, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfgtui.ui.history.screen.REFRESH", 0.05)
    async with open_past() as (app, pilot):
        await pilot.press("tab", "down")
        assert isinstance(app.screen, HistoryScreen)
        was = app.screen.rows.here
        store = await asyncio.to_thread(Recorder, history)
        ticket = Ticket(id="x", prompt="p", workspace="/")
        run = await asyncio.to_thread(store.start_run, "Begun meanwhile", [ticket], None)
        await shown(pilot, "Begun meanwhile")
        assert app.screen.rows.here == was
        await asyncio.to_thread(store.finish_run, run, "failed")
        await shown(pilot, "✗   ")
        await asyncio.to_thread(store.close)
        assert app.screen.rows.cursor == 2


@pytest.fixture
def many(history: Path, store: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A history of 62 runs, looked at often."""
    assert history == store.path
    monkeypatch.setattr("lfgtui.ui.history.screen.REFRESH", 0.05)
    for number in range(60):
        begin(store, f"Run {number:02}", "a")
    return store


def listed(app: LfgApp) -> list[str]:
    """The list's rows, without the scrollbar and the preview beside it."""
    return [line[:50] for line in lines(app)[4:]]


async def test_a_list_that_was_scrolled_stays_where_it_is_while_runs_begin_and_end(
    open_past: OpenPast, many: Recorder
) -> None:
    async with open_past(first="Run 59") as (app, pilot):
        assert isinstance(app.screen, HistoryScreen)
        rows = app.screen.rows
        rows.scroll_to(y=15, animate=False, immediate=True)
        await shown(pilot, "Run 44")
        before = listed(app)
        run = await asyncio.to_thread(begin, many, "Begun meanwhile", "x")
        await until(pilot, lambda: rows.runs[0].run == run)
        await asyncio.to_thread(many.finish_run, run, "failed")
        await until(pilot, lambda: rows.runs[0].state == "failed")
        await pilot.pause()
        assert listed(app) == before
        assert (rows.cursor, rows.here and rows.here.title) == (1, "Run 59")
        await pilot.press("tab", "home")
        await shown(pilot, "Begun meanwhile")


@pytest.mark.parametrize("is_in_view", [True, False])
async def test_the_run_under_the_cursor_stays_in_view_if_it_was(
    open_past: OpenPast, many: Recorder, is_in_view: bool
) -> None:
    async with open_past(first="Run 59") as (app, pilot):
        assert isinstance(app.screen, HistoryScreen)
        rows = app.screen.rows
        rows.move_to(rows.size.height - is_in_view)
        rows.scroll_to(y=0, animate=False, immediate=True)
        assert rows.here is not None
        await asyncio.to_thread(begin, many, "Begun meanwhile", "x")
        await until(pilot, lambda: len(rows.runs) == 63)
        await pilot.pause()
        assert any(rows.here.title in row for row in listed(app)) is is_in_view
