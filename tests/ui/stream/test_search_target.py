"""From a hit to its own place: the same word stands in every turn."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.search import SearchHit
from lfgtui.model import events as e
from lfgtui.model.fold.items import Item, TextItem, ToolItem
from lfgtui.model.tickets import Ticket
from lfgtui.ui.app import LfgApp
from lfgtui.ui.history.stored_run import StoredRun, fold, read_run
from lfgtui.ui.screens.modes import PastRun
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.stream.view import StreamView
from tests.helpers.any_events import entries, lives
from tests.ui.fake_live import FakeLive
from tests.ui.history.past import begin, play
from tests.ui.screen_text import make_app, toasts
from tests.ui.stage import rows_of
from tests.ui.waiting import until

LONG = "".join(f"line {number}\n" for number in range(200))
STORY = (
    e.TicketQueued(),
    e.AttemptStarted("anthropic", "claude"),
    e.UserMessage("Find the needle 1 in the haystack."),
    e.RequestSent(1),
    e.ReasoningDelta("Where might the needle 2 be?"),
    e.TextDelta("I look for it: needlework is no **needle** 3, but this "),
    e.TextDelta("is one.\n\nThen come others.\n\n"),
    e.ToolCallStarted("c", "run_command"),
    e.ToolCallRequested("c", "run_command", {"command": "grep 'needle 4' hay"}),
    e.ResponseFinished(1, "tool_use"),
    e.ToolOutputDelta("c", "stdout", "hay:7: needle 5\n"),
    e.ToolCallFinished("c", "hay:7: needle 5\n", None, 0, 0.1),
    e.RequestSent(2),
    e.TextDelta("- nothing here\n- a needle 6 there\n"),
    e.ResponseFinished(2, "end"),
    e.Retrying("the needle 7 broke", 0.0, 2, "cut"),
    e.AttemptStarted("xai", "grok"),
    e.UserMessage("Find the needle 8 in the haystack."),
    e.RequestSent(1),
    e.TextDelta("Again: the needle 9."),
    e.ToolCallStarted("c", "run_command"),  # the id of the first attempt's call
    e.ToolCallRequested("c", "run_command", {"command": "cat 'needle 10'"}),
    e.ResponseFinished(1, "tool_use"),
    e.ToolCallFinished("c", f"{LONG}the needle 11\n{LONG}", None, 0, 0.1),
    e.RequestSent(2),
    e.TextDelta("The needle 12 at last."),
    e.ResponseFinished(2, "end"),
    e.TicketFailed("server", "no needle 13", False),
)


@pytest.fixture
def hits(store: Recorder) -> list[SearchHit]:
    run = begin(store, "Haystack", "api")
    play(store, run, "api", *STORY)
    store.finish_run(run, "failed")
    with Reader(store.path) as reader:
        return reader.search("needle", 100)


def meant(hit: SearchHit) -> str:
    """Which of the needles the hit is: the number that follows it."""
    number = re.search(r"\d+", hit.snippet[hit.matches[0][1] :])
    assert number is not None
    return number.group()


async def opened(pilot: Pilot[int], app: LfgApp, path: Path, hit: SearchHit) -> RunScreen:
    """The run of the hit, opened at its place."""

    def read() -> StoredRun:
        with Reader(path) as reader:
            return read_run(reader, hit.run, hit)

    stored = await asyncio.to_thread(read)
    screen = RunScreen(stored, app.context, PastRun())
    screen.show_target(hit.ticket, stored.target_of(hit))
    await app.push_screen(screen)
    await until(pilot, lambda: screen.search.is_open)
    return screen


async def row_shown(pilot: Pilot[int], app: LfgApp, path: Path, hit: SearchHit) -> tuple[str, int]:
    """Return the row that opening the hit shows, and the first line in view."""
    screen = await opened(pilot, app, path, hit)
    stream = screen.query_one(StreamView)
    line = stream.finder.current_line()
    row = rows_of(stream)[line].text if line is not None else ""
    window = stream.viewport
    assert line is None or window.top <= line < window.top + window.height
    await app.pop_screen()
    return row, window.top


async def test_a_frame_before_the_first_layout_does_not_lose_the_match(
    store: Recorder, hits: list[SearchHit], monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = RunScreen.on_mount

    def mounted_as_a_frame_is_due(screen: RunScreen) -> None:
        mounted(screen)
        screen.frame()

    monkeypatch.setattr(RunScreen, "on_mount", mounted_as_a_frame_is_due)
    app = make_app(FakeLive("a"))
    async with app.run_test(size=(90, 20)) as pilot:
        hit = next(hit for hit in hits if meant(hit) == "3")
        row, _ = await row_shown(pilot, app, store.path, hit)
    assert "needle 3" in row


async def test_each_hit_shows_its_own_match(store: Recorder, hits: list[SearchHit]) -> None:
    app = make_app(FakeLive("a"))
    async with app.run_test(size=(90, 20)) as pilot:
        found = {}
        for hit in hits:
            found[meant(hit)] = (await row_shown(pilot, app, store.path, hit))[0]
    there = {number: row for number, row in found.items() if number != "11"}
    assert len(there) == 12
    for number, row in there.items():
        assert re.search(rf"needle\W* {number}\b", row), (number, row)


async def test_a_match_left_out_shows_its_card(store: Recorder, hits: list[SearchHit]) -> None:
    app = make_app(FakeLive("a"))
    (hit,) = (hit for hit in hits if meant(hit) == "11")
    async with app.run_test(size=(90, 20), notifications=True) as pilot:
        await row_shown(pilot, app, store.path, hit)
        told = ["the match is in text this pane does not show"]
        await until(pilot, lambda: toasts(app) == told)


async def test_only_the_card_found_is_unfolded(store: Recorder, hits: list[SearchHit]) -> None:
    app = make_app(FakeLive("a"))
    (hit,) = (hit for hit in hits if meant(hit) == "5")
    async with app.run_test(size=(90, 20)) as pilot:
        screen = await opened(pilot, app, store.path, hit)
        views = screen.query_one(StreamView).lines.views
        assert [view.override for view in views if view.is_foldable].count(True) == 1


def items(view_of: Iterator[e.Entry], sought: int) -> Item | None:
    """The item that the entry with that seq was spotted in."""
    folded = fold(Ticket(id="a", prompt="x", workspace="/"), view_of, seq=sought)
    if folded.ref is None:
        return None
    return folded.transcript.attempts[folded.ref.attempt].items[folded.ref.item]


@given(lives(), st.data())
def test_an_entry_is_found_in_its_item(life: list[e.Event], data: st.DataObject) -> None:
    stored = entries(life)
    entry = data.draw(st.sampled_from(stored))
    item = items(iter(stored), entry.seq)
    match entry.event:
        case e.TextDelta(text):
            assert isinstance(item, TextItem)
            assert text in item.text
        case e.ToolCallRequested(call_id) | e.ToolCallStarted(call_id):
            assert isinstance(item, ToolItem)
            assert item.call_id == call_id
        case e.ToolCallFinished(call_id):
            assert item is None or isinstance(item, ToolItem)
            assert item is None or item.call_id == call_id
        case e.TicketQueued() | e.RequestSent() | e.Heartbeat():
            assert item is None
        case _:
            pass
