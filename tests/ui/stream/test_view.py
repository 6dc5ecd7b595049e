"""The stream under the mouse, and what of it is painted."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.model import events as e
from lfgtui.ui.stream.view import SIDEWAYS, StreamView
from tests.ui.stage import BEGIN, CALL, Stage, numbered, staged

TABLE = "| " + " | ".join(f"column{n:02}" for n in range(24)) + " |\n" + "|---" * 24 + "|\n"


def strips(stage: Stage) -> list[Strip]:
    stream = stage.stream
    return list(stream.render_lines(stream.size.region))


def selected_rows(stage: Stage) -> Iterator[int]:
    """The rows of the pane in which something is marked as selected."""
    colour = stage.screen.get_component_rich_style("screen--selection").bgcolor
    for y, strip in enumerate(strips(stage)):
        is_hint = "f to follow" in strip.text
        if not is_hint and any(part.style and part.style.bgcolor == colour for part in strip):
            yield y


async def mouse(
    stage: Stage, pilot: Pilot[None], kind: type[events.MouseEvent], x: int, y: int, **how: object
) -> None:
    """What the terminal reports, in the stream's coordinates; they may be outside of it."""
    region = stage.stream.region
    screen_x, screen_y = region.x + x, region.y + y
    given: dict[str, object] = {"shift": False, "button": 1, **how}
    button, shift = given["button"], given["shift"]
    assert isinstance(button, int) and isinstance(shift, bool)
    stage.post_message(
        kind(
            None, screen_x, screen_y, 0, 0, button, shift, False, False,
            screen_x=screen_x, screen_y=screen_y,
        )
    )  # fmt: skip
    await pilot.pause()


async def drag(stage: Stage, pilot: Pilot[None], *places: tuple[int, int]) -> None:
    """Press the button on the first place, and move it over the others."""
    await mouse(stage, pilot, events.MouseDown, *places[0])
    for place in places[1:]:
        await mouse(stage, pilot, events.MouseMove, *place)


class Painted:
    """The rows of the stream that were asked to be painted."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: set[int] = set()
        self._stream = stage.stream
        monkeypatch.setattr(stage.canvas, "changed", self._changed)

    def _changed(self, widget: Widget, region: Region) -> None:
        if widget is self._stream:
            self.rows |= set(range(region.y, region.bottom))

    def take(self) -> set[int]:
        rows, self.rows = self.rows, set()
        return rows


# What is painted


async def test_a_row_that_stays_is_the_same_strip_in_every_frame() -> None:
    async with staged(*BEGIN, e.TextDelta("first\n\nsecond")) as (stage, pilot):
        before = strips(stage)
        await stage.play(pilot, e.TextDelta(" grows"))
        after = strips(stage)
        assert [y for y in range(18) if after[y] is not before[y]] == [4]
        await stage.play(pilot, e.TextDelta("\n\n" + numbered(1, 30)))
        before = strips(stage)
        await stage.play(pilot, e.TextDelta(numbered(31, 31)))
        after = strips(stage)  # moved up by two
        assert all(new is old for new, old in zip(after[:-2], before[2:], strict=True))


async def test_only_rows_that_changed_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(*BEGIN, e.TextDelta("some text")) as (stage, pilot):
        painted = Painted(stage, monkeypatch)
        await stage.play(pilot, e.TextDelta(", more"))
        assert painted.take() == {2}
        await stage.play(pilot)
        assert painted.take() == set()
        await stage.play(pilot, *CALL)
        assert min(painted.take()) >= 3


async def test_lines_out_of_view_paint_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 60))) as (stage, pilot):
        stage.stream.scroll_lines(-1_000)
        painted = Painted(stage, monkeypatch)
        await stage.play(pilot, e.TextDelta("and"))
        painted.take()
        await stage.play(pilot, e.TextDelta(" more"))
        assert painted.take() == set()


async def test_pointing_at_a_link_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged() as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta("[docs](https://example.org) and more"))
        painted = Painted(stage, monkeypatch)
        before = strips(stage)
        await mouse(stage, pilot, events.MouseMove, 1, 2, button=0)
        await mouse(stage, pilot, events.MouseMove, 9, 2, button=0)
        assert painted.take() == set()
        assert strips(stage)[2] is before[2]


async def test_a_highlighted_link_stays_one_link() -> None:
    def links(strip: Strip) -> set[tuple[str, str]]:
        styles = [segment.style or Style.null() for segment in strip]
        return {(style.link, style.link_id) for style in styles if style.link}

    async with staged() as (stage, pilot):
        await stage.play(pilot, *BEGIN, e.TextDelta("[the docs](https://example.org) and more"))
        plain = links(strips(stage)[2])
        assert [target for target, _ in plain] == ["https://example.org"]
        assert "\x1b]8;id=" in strips(stage)[2].render(stage.console)
        stage.stream.find("docs")
        marked = links(strips(stage)[2])
        assert {target for target, _ in marked} == {"https://example.org"}
        stage.stream.find("")
        assert links(strips(stage)[2]) == plain
        stage.stream.find("docs")
        assert links(strips(stage)[2]) == marked
        stage.stream.find("")
        await drag(stage, pilot, (0, 2), (9, 2))
        assert list(selected_rows(stage)) == [2]
        assert {target for target, _ in links(strips(stage)[2])} == {"https://example.org"}


async def test_after_a_resize_idle_ticks_draw_the_lines_out_of_view() -> None:
    async with staged() as (stage, pilot):
        text = "some words that have to be wrapped at any width there is\n\n" * 100
        await stage.play(pilot, *BEGIN, e.TextDelta(text))
        stream = stage.stream
        await pilot.resize_terminal(40, 20)
        last = stage.screen_rows()
        ticks = 0
        while not stream.lines.chunks.is_exact:
            stage.pane.tick(stage.now)
            ticks += 1
        assert ticks > 5
        assert stage.screen_rows() == last


# Sideways


async def test_a_table_that_is_too_wide_scrolls_sideways() -> None:
    async with staged(*BEGIN, e.TextDelta("before\n\n" + TABLE), width=40) as (stage, pilot):
        row = next(y for y, text in enumerate(stage.screen_rows()) if "│" in text)
        whole = stage.stream.lines.chunks
        text = next(s.row.text for s in whole.rows(row, row + 1))
        shown = stage.screen_rows()[row]
        assert shown == text[:36] + "›"
        notches = len(text) // SIDEWAYS + 1  # more than there is room for
        stage.stream.scroll_sideways(SIDEWAYS)
        assert stage.screen_rows()[row] == "‹" + text[9:44] + "›"
        assert stage.screen_rows()[2] == "before"
        for _ in range(notches):
            await mouse(stage, pilot, events.MouseScrollRight, 3, 3, button=0)
        assert stage.screen_rows()[row] == "‹" + text[-36:]
        for _ in range(notches):
            await mouse(stage, pilot, events.MouseScrollUp, 3, 3, button=0, shift=True)
        assert stage.screen_rows()[row] == shown


async def test_lines_that_fit_do_not_scroll_sideways() -> None:
    async with staged(*BEGIN, e.TextDelta("words")) as (stage, pilot):
        before = strips(stage)
        await mouse(stage, pilot, events.MouseScrollDown, 3, 3, button=0, shift=True)
        stage.stream.scroll_sideways(3)
        assert strips(stage) == before


async def test_a_selection_copies_what_is_shown_sideways() -> None:
    async with staged(*BEGIN, e.TextDelta(TABLE), width=40) as (stage, pilot):
        stage.stream.scroll_sideways(2 * SIDEWAYS)
        row = next(y for y, text in enumerate(stage.screen_rows()) if "column" in text)
        shown = stage.screen_rows()[row]
        await drag(stage, pilot, (5, row), (12, row))
        assert stage.screen.get_selected_text() == shown[5:13].rstrip()


# Selecting


class HandTimer:
    """A timer that ticks when the test says so."""

    def __init__(self, seconds: float, tick: Callable[[], None]) -> None:
        self.tick, self.is_stopped = tick, False

    def stop(self) -> None:
        self.is_stopped = True


def timers_of(stream: StreamView, monkeypatch: pytest.MonkeyPatch) -> list[HandTimer]:
    """The timers that the stream starts from now on."""
    started: list[HandTimer] = []

    def set_interval(seconds: float, tick: Callable[[], None]) -> HandTimer:
        started.append(HandTimer(seconds, tick))
        return started[-1]

    monkeypatch.setattr(stream, "set_interval", set_interval)
    return started


async def test_a_selection_dragged_over_the_edge_scrolls(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 60))) as (stage, pilot):
        stream = stage.stream
        bottom = stage.screen_rows()[-1]
        timers = timers_of(stream, monkeypatch)
        await drag(stage, pilot, (3, 10), (3, 4), (3, -2))
        while stream.viewport.top > 20:
            timers[0].tick()
        await mouse(stage, pilot, events.MouseMove, 3, 5)
        assert [timer.is_stopped for timer in timers] == [True]
        await mouse(stage, pilot, events.MouseUp, 3, 5)
        copied = stage.screen.get_selected_text()
        assert copied is not None and copied.count("line") > 30
        assert bottom not in stage.screen_rows()


async def test_scrolling_for_a_selection_ends_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        stage.stream.scroll_lines(-9)
        stream = stage.stream
        timers = timers_of(stream, monkeypatch)
        await drag(stage, pilot, (0, 3), (30, 40))
        while stream.viewport.below:
            timers[0].tick()
        await mouse(stage, pilot, events.MouseUp, 30, 40)
        copied = stage.screen.get_selected_text()
        assert copied is not None and copied.endswith("line 30")
        await stage.play(pilot, e.TextDelta(numbered(31, 40)))
        assert "line 40" not in stage.screen_rows()


async def test_the_viewport_holds_still_while_the_button_is_down() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        top = stage.screen_rows()[0]
        await mouse(stage, pilot, events.MouseDown, 2, 5)
        await stage.play(pilot, e.TextDelta(numbered(31, 40)))
        assert stage.screen_rows()[0] == top
        await mouse(stage, pilot, events.MouseUp, 2, 5)
        assert stage.screen_rows()[-1] == "line 40"


async def test_a_selection_stays_in_view_until_it_is_cleared() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        await drag(stage, pilot, (0, 5), (3, 5))
        await mouse(stage, pilot, events.MouseUp, 3, 5)
        rows = list(selected_rows(stage))
        await stage.play(pilot, e.TextDelta(numbered(31, 60)))
        assert list(selected_rows(stage)) == rows == [5]
        assert stage.screen.get_selected_text() == "line"
        stage.screen.clear_selection()
        await pilot.pause()
        assert stage.screen_rows()[-1] == "line 60"


async def test_a_selection_stays_on_its_words_when_cards_above_unfold() -> None:
    async with staged(*BEGIN, *CALL) as (stage, pilot):
        done = e.ToolCallFinished("c1", "out\n" * 9, None, 0, 1.0)
        await stage.play(pilot, done, e.RequestSent(2), e.TextDelta(numbered(1, 4)))
        row = stage.screen_rows().index("line 3")
        await drag(stage, pilot, (0, row), (5, row))
        await mouse(stage, pilot, events.MouseUp, 5, row)
        stage.stream.toggle_kind("tool")
        assert stage.screen.get_selected_text() == "line 3"
        assert [stage.screen_rows()[y] for y in selected_rows(stage)] == ["line 3"]


async def test_losing_the_mouse_ends_the_drag() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        await mouse(stage, pilot, events.MouseDown, 2, 5)
        stage.capture_mouse(None)
        await pilot.pause()
        await stage.play(pilot, e.TextDelta(numbered(31, 32)))
        assert stage.screen_rows()[-1] == "line 32"


# Another transcript in the old one's place


async def retold(stage: Stage, pilot: Pilot[None], *events: e.Event) -> None:
    """What had been said is taken back, and this is said instead."""
    stage.source.begin_anew()
    stage.pane.mark_moved()
    await stage.play(pilot, *BEGIN, *events)


async def read_all(stage: Stage, pilot: Pilot[None]) -> int:
    """Draw frames until all is read; return how many."""
    frames = 0
    while stage.stream.is_behind:
        await stage.play(pilot)
        frames += 1
    return frames


async def test_another_transcript_keeps_the_scrolled_position() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 60))) as (stage, pilot):
        stage.stream.scroll_lines(-1_000)
        stage.stream.scroll_lines(21)
        before = stage.screen_rows()[:-1]
        await retold(stage, pilot, e.TextDelta(numbered(1, 50)))
        assert stage.screen_rows()[:-1] == before
        await stage.play(pilot, e.TextDelta(numbered(51, 70)))
        assert stage.screen_rows()[:-1] == before


async def test_another_transcript_keeps_the_position_though_reading_it_takes_frames() -> None:
    ticks = count()
    async with staged(ticks=lambda: next(ticks) / 100) as (stage, pilot):
        calls = [e.Status(f"note {number}") for number in range(60)]
        await stage.play(pilot, *BEGIN, *calls)
        await read_all(stage, pilot)
        stage.stream.scroll_lines(-10)
        before = stage.screen_rows()[:-1]
        await retold(stage, pilot, *calls)
        assert await read_all(stage, pilot) > 1
        assert stage.screen_rows()[:-1] == before


async def test_another_transcript_without_the_position_is_followed() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 60))) as (stage, pilot):
        stage.stream.scroll_lines(-20)
        await retold(stage, pilot, e.TextDelta(numbered(1, 20)))
        assert stage.screen_rows()[-1] == "line 20"
        await stage.play(pilot, e.TextDelta(numbered(21, 22)))
        assert stage.screen_rows()[-1] == "line 22"


async def test_another_transcript_is_searched_for_the_same_pattern() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        assert stage.stream.find("line 2") == 11
        await retold(stage, pilot, e.TextDelta(numbered(1, 25)))
        assert stage.stream.finder.count == 7
        stage.stream.find_step(1)
        assert stage.stream.finder.number in range(1, 8)
        await stage.play(pilot, e.TextDelta(numbered(26, 29)))
        assert stage.stream.finder.count == 11


async def test_another_transcript_clears_the_selection() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 9))) as (stage, pilot):
        row = stage.screen_rows().index("line 2")
        await drag(stage, pilot, (0, row), (3, row))
        await mouse(stage, pilot, events.MouseUp, 3, row)
        assert list(selected_rows(stage)) == [row]
        await retold(stage, pilot, e.TextDelta("something else\n\nentirely"))
        assert list(selected_rows(stage)) == []
        assert not stage.screen.get_selected_text()


async def test_another_transcript_ends_a_drag() -> None:
    async with staged(*BEGIN, e.TextDelta(numbered(1, 30))) as (stage, pilot):
        await mouse(stage, pilot, events.MouseDown, 2, 5)
        await retold(stage, pilot, e.TextDelta(numbered(1, 31)))
        await mouse(stage, pilot, events.MouseMove, 5, 9)
        await mouse(stage, pilot, events.MouseUp, 5, 9)
        await stage.play(pilot, e.TextDelta(numbered(32, 33)))
        assert stage.screen_rows()[-1] == "line 33"
