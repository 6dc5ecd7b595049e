"""The list of past runs, the preview beside it, and how it takes keys."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.events import Key

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.search.search import SearchHit
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history import preview_pane, run_list
from lfgtui.ui.history.list_rows import hit_row, run_row
from lfgtui.ui.history.preview import RunPreview, around, read_run_preview
from lfgtui.ui.history.screen import HistoryScreen
from lfgtui.ui.text.styled_line import Line, line_width
from tests.ui.fake_live import START, FakeLive
from tests.ui.history.past import begin, keep, play, shown, told
from tests.ui.screen_text import lines, toasts

MakeApp = Callable[..., LfgApp]


def past(make_app: MakeApp, open_reader: Callable[[], Reader]) -> LfgApp:
    """An app that shows past runs and nothing else."""
    return make_app(FakeLive("a"), is_past_only=True, open_reader=open_reader)


async def test_past_runs_alone_are_left_by_esc_or_q_with_0(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    for keys in (("escape",), ("tab", "q")):
        app = past(make_app, open_reader)
        async with app.run_test(size=(80, 24)) as pilot:
            await shown(pilot, "First run")
            await pilot.press(*keys)
            await pilot.pause()
        assert (app.return_value, app.resumes) == (0, None)


async def test_esc_empties_the_search_first(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = past(make_app, open_reader)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"fox")
        await shown(pilot, "2 matches")
        await pilot.press("escape")
        await shown(pilot, "2 runs")
        assert isinstance(app.screen, HistoryScreen)


async def test_letters_are_text_in_the_search_and_deeds_in_the_list(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = past(make_app, open_reader)
    async with app.run_test(size=(100, 24)) as pilot:
        await shown(pilot, "First run")
        assert "tab keys" in lines(app)[-1]
        await pilot.press("tab")
        await shown(pilot, "x delete")
        await pilot.press("j")
        assert isinstance(app.screen, HistoryScreen)
        assert app.screen.rows.cursor == 1
        await pilot.press("slash", *"jq")
        await shown(pilot, "no matches")
        assert "tab keys" in lines(app)[-1]


async def test_a_filter_that_cannot_be_is_said_in_place_and_not_shouted(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    app = past(make_app, open_reader)
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await pilot.press(*"after:nonsense")
        await shown(pilot, "history   after")
        assert toasts(app) == []


def fail(store: Recorder) -> str:
    """A run whose only ticket fails."""
    run = begin(store, "Third run", "alpha")
    play(
        store,
        run,
        "alpha",
        e.TicketQueued(),
        e.AttemptStarted("xai", "grok-4"),
        e.RequestSent(1),
        e.TicketFailed("server", "the server \x1b[31mcaught fire", False),
    )
    store.finish_run(run, "failed")
    return run


async def test_the_preview_tells_of_the_run_under_the_cursor(
    make_app: MakeApp, open_reader: Callable[[], Reader], store: Recorder, history: Path
) -> None:
    run = await asyncio.to_thread(fail, store)
    app = past(make_app, open_reader)
    async with app.run_test(size=(120, 24)) as pilot:
        await shown(pilot, "the server ␛[31mcaught fire")
        text = "\n".join(lines(app))
        assert "✗ alpha failed" in text
        assert "grok-4" in text
        assert run in text
        await pilot.press("down", "down")
        await shown(pilot, "The quick brown fox.")
        await shown(pilot, "jumps over")


async def test_the_preview_of_a_hit_shows_what_stands_around_it(
    make_app: MakeApp, open_reader: Callable[[], Reader], store: Recorder
) -> None:
    story = "".join(f"line {number}\n" for number in range(100)) + "a fox at last\nand more\n"
    await asyncio.to_thread(keep, store, "Long", {"alpha": story})
    app = past(make_app, open_reader)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press(*"fox")
        await shown(pilot, "and more")
        await shown(pilot, "line 97")
        assert not any("line 50" in line for line in lines(app))


@pytest.mark.parametrize(
    ("size", "has_preview"), [((80, 24), False), ((80, 50), True), ((100, 24), True)]
)
async def test_there_is_a_preview_where_there_is_room(
    make_app: MakeApp,
    open_reader: Callable[[], Reader],
    history: Path,
    size: tuple[int, int],
    has_preview: bool,
) -> None:
    app = past(make_app, open_reader)
    async with app.run_test(size=size) as pilot:
        await shown(pilot, "First run")
        if has_preview:
            await shown(pilot, "and a foxglove.")
        else:
            await pilot.pause(0.3)
            assert not any("and a foxglove." in line for line in lines(app))
        await pilot.resize_terminal(120, 30)
        await shown(pilot, "and a foxglove.")


async def test_a_history_that_breaks_meanwhile_is_told_of_in_the_preview(
    make_app: MakeApp, history: Path
) -> None:
    broken = False

    def open_reader() -> Reader:
        if broken:
            raise HistoryError("history.db: it is gone")
        return Reader(history)

    app = past(make_app, open_reader)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await shown(pilot, "and a foxglove.")
        broken = True
        await pilot.press("down")
        await shown(pilot, "history.db: it is gone")
        assert toasts(app) == []
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert toasts(app) == ["history.db: it is gone"]
        broken = False
        await pilot.press("enter")
        await shown(pilot, "The quick brown fox.")


async def test_what_was_passed_over_is_not_read(
    make_app: MakeApp,
    open_reader: Callable[[], Reader],
    store: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(4):
        await asyncio.to_thread(keep, store, f"Run {number}", {"alpha": f"said {number}"})
    read: list[str] = []
    rested = asyncio.Event()

    def read_preview(reader: Reader, run: str) -> RunPreview:
        found = read_run_preview(reader, run)
        read.append(found.summary.title)
        return found

    async def rest(_: float) -> None:
        await rested.wait()

    monkeypatch.setattr(preview_pane, "read_run_preview", read_preview)
    monkeypatch.setattr(preview_pane, "asyncio", SimpleNamespace(sleep=rest))
    app = past(make_app, open_reader)
    async with app.run_test(size=(120, 24)) as pilot:
        await shown(pilot, "4 runs")
        await pilot.press("down", "down", "up", "down", "down")
        rested.set()
        await shown(pilot, "said 0")
        assert read == ["Run 0"]
        await pilot.press("up")
        await shown(pilot, "said 1")
        await pilot.press("down")
        await shown(pilot, "said 0")
        assert read == ["Run 0", "Run 1"]


def ten_thousand(path: Path) -> None:
    """Runs of which only the rows are there."""
    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO runs (id, title, state, started_at, ended_at) VALUES (?, ?, ?, ?, ?)",
            (
                (f"r{number:05}", f"Run {number:05}", "done", START + number, START + number + 9)
                for number in range(10_000)
            ),
        )
    database.close()


async def test_ten_thousand_runs_come_page_by_page_and_only_those_in_sight_are_drawn(
    make_app: MakeApp,
    open_reader: Callable[[], Reader],
    store: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await asyncio.to_thread(ten_thousand, store.path)
    drawn = 0

    def counted(*args: Any, **options: Any) -> Line:  # as `run_row` takes them
        nonlocal drawn
        drawn += 1
        return run_row(*args, **options)

    monkeypatch.setattr(run_list, "run_row", counted)
    app = past(make_app, open_reader)
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(pilot, "200+ runs")
        while not any("1000+ runs" in line for line in lines(app)):
            app.screen.post_message(Key("pagedown", None))  # held down: nothing waits for it
            await pilot.pause(0.02)
        app.screen.post_message(Key("tab", None))
        await shown(pilot, "x delete")
        before = drawn
        app.screen.post_message(Key("end", None))
        await shown(pilot, "Run 00000")
        await shown(pilot, "10000 runs")
        app.screen.post_message(Key("home", None))
        await shown(pilot, "Run 09999")
        assert drawn - before < 2_000


RUN = RunSummary("r", "A title of some length", "done", START, START + 62, 6, 5, 0.5, True, "note")


@pytest.mark.parametrize("width", [30, 44, 55, 66, 80, 120])
def test_a_row_gives_way_to_its_title(width: int) -> None:
    line = run_row(RUN, width, START)
    text = "".join(span.text for span in line)
    assert line_width(line) <= width
    assert "A title" in text
    assert ("$0.50" in text, "1:02" in text, "5/6" in text) == (
        width >= 66,
        width >= 55,
        width >= 55,
    )
    assert ("note" in text) == (width >= 80)


def test_a_narrow_row_has_the_year_where_it_is_another_one() -> None:
    now = START + 400 * 86400
    assert "2026-03-04" in "".join(span.text for span in run_row(RUN, 60, now))
    assert "2026" not in "".join(span.text for span in run_row(RUN, 60, START))


@pytest.mark.parametrize("width", [10, 30, 80])
def test_a_hits_line_fits_and_shows_the_match(width: int) -> None:
    snippet = "before " * 10 + "the fox\x1b[2J " + "after " * 30
    start = snippet.index("fox")
    hit = SearchHit("r", "api", 1, 3, "text", START, snippet, [(start, start + 3)])
    _, line = hit_row(hit, "Title", width)
    assert line_width(line) <= width
    assert "\x1b" not in "".join(span.text for span in line)
    assert ("fox" in [span.text for span in line]) == (width >= 80)


def test_what_stands_around_a_hit_is_marked_where_it_is() -> None:
    whole = "one fox\n" * 3 + "x\n" * 50 + "The Fox, the foxglove and the fox.\nend"
    snippet = "…x x x The Fox, the foxglove and the fox.…".replace(" x", "\nx").replace(
        "x The", "x\nThe"
    )
    start = snippet.index("Fox")
    hit = SearchHit("r", "api", 1, 3, "text", START, snippet, [(start, start + 3)])
    text, matches = around(hit, whole)
    assert text.endswith("The Fox, the foxglove and the fox.\nend")
    assert "one fox" not in text
    assert [text[a:b] for a, b in matches] == ["Fox", "fox"]


async def test_what_begins_and_ends_meanwhile_is_seen_and_the_cursor_stays_on_its_run(
    make_app: MakeApp,
    open_reader: Callable[[], Reader],
    history: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lfgtui.ui.history.screen._EVERY", 0.05)
    app = past(make_app, open_reader)
    async with app.run_test(size=(100, 30)) as pilot:
        await shown(pilot, "First run")
        await pilot.press("tab", "down")
        assert isinstance(app.screen, HistoryScreen)
        was = app.screen.here
        store = await asyncio.to_thread(Recorder, history)
        ticket = Ticket(id="x", prompt="p", workspace="/")
        run = await asyncio.to_thread(store.start_run, "Begun meanwhile", [ticket], None)
        await shown(pilot, "Begun meanwhile")
        assert app.screen.here == was
        await asyncio.to_thread(store.finish_run, run, "failed")
        await shown(pilot, "✗   ")
        await asyncio.to_thread(store.close)
        assert app.screen.rows.cursor == 2


async def test_who_asks_while_one_looks_elsewhere_says_so(
    make_app: MakeApp, open_reader: Callable[[], Reader], history: Path
) -> None:
    live = FakeLive("a")
    app = make_app(live, open_reader=open_reader)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        live.begin("a")
        await pilot.press("H")
        await shown(pilot, "First run")
        assert toasts(app) == []
        live.ask("a")
        await told(pilot, app, "a needs approval: $ pytest -q")
