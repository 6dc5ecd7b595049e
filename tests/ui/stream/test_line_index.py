"""The flat list of lines: lazy, bounded, and always what drawing all of it would give."""

import json
import re
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lfgtui.model import events as e
from lfgtui.ui.stream.chunk_list import PrefixSums
from lfgtui.ui.stream.visible_rows import Strips
from lfgtui.ui.text.strips import strip_of
from tests.ui.stand import Stand, said


def paragraphs(first: int, last: int) -> str:
    return "".join(f"paragraph {number} of them all\n\n" for number in range(first, last + 1))


def call(name: str) -> list[e.Event]:
    return [e.ToolCallStarted(name, "run"), e.ToolCallRequested(name, "run", {"command": "make"})]


def searches(first: int, last: int) -> list[e.Event]:
    return [e.HostedTool("search", f"query {number}", "") for number in range(first, last)]


# What is drawn, and when


def long_stand(count: int = 300, width: int = 30, kept: int = 5000) -> Stand:
    stand = Stand(width=width, kept=kept)
    stand.happen(e.TextDelta(paragraphs(1, count)))
    return stand


def drawn(stand: Stand) -> list[int]:
    return [index for index, chunk in enumerate(stand.chunks) if chunk.is_drawn]


def measure_all(stand: Stand) -> None:
    while not stand.chunks.is_exact or stand.finder.is_behind:
        stand.measure(50)


def test_much_text_at_once_is_drawn_only_where_it_is_in_view() -> None:
    stand = long_stand()
    assert len(stand.chunks) > 300
    assert drawn(stand) == [0, *in_view(stand)]  # the prompt was in sight before


def test_cards_that_may_still_change_leave_time_for_new_ones() -> None:
    stand = Stand()
    stand.happen(*searches(0, 1000))
    before, looks = len(stand.lines.views), count()
    stand.apply(*searches(1000, 1200))
    frames = 0
    while len(stand.lines.views) < before + 200:
        until = float(next(looks)) + 20
        stand.look = replace(stand.look, clock=lambda: float(next(looks)), until=until)
        stand.frame()
        frames += 1
    assert frames < 40


def test_the_rest_is_drawn_bit_by_bit_and_the_rows_in_view_stay() -> None:
    stand = long_stand(width=14)
    stand.scroll(-30)
    before, guessed = list(stand.screen), stand.chunks.heights.total
    steps = 0
    while not stand.chunks.is_exact:
        stand.measure(10)
        steps += 1
        assert stand.screen[:-1] == before[:-1]
        assert stand.painted <= {stand.viewport.height - 1}  # the hint counts lines
    assert steps > 20
    assert stand.chunks.heights.total == stand.drawn_at_once().chunks.heights.total != guessed


def test_no_more_rows_stay_in_memory_than_are_allowed() -> None:
    stand = long_stand(kept=50)
    measure_all(stand)
    assert stand.chunks.held_rows <= 50
    assert stand.chunks.heights.total > 500


def test_rows_near_the_window_are_the_last_to_go() -> None:
    stand = long_stand(kept=80)
    measure_all(stand)
    stand.scroll(-100_000)
    for _ in range(40):
        stand.scroll(5)
    lines = [stand.chunks.heights.start(index) for index in drawn(stand)]
    assert stand.viewport.top - 80 < min(lines) and max(lines) < stand.viewport.top + 80


def test_scrolling_by_lines_never_rests_on_a_guess() -> None:
    stand = long_stand(width=14)
    shown: list[str] = []
    while stand.viewport.top > 0:
        shown.append(stand.screen[0])
        stand.scroll(-1)
    shown.append(stand.screen[0])
    rows = [said(strip_of(row, 14, stand.look.palette.text)) for row in stand.rows()]
    assert shown[::-1] == rows[: 1 - stand.viewport.height]


@pytest.mark.parametrize(("width", "colours"), [(20, 0), (30, 1)])
def test_a_new_width_or_new_colours_draw_only_the_lines_in_view(width: int, colours: int) -> None:
    stand = long_stand()
    measure_all(stand)
    total = stand.chunks.heights.total
    stand.reflow(width, colours)
    assert width != 30 or stand.chunks.heights.total == total
    assert drawn(stand) == list(in_view(stand))
    assert stand.viewport.is_at_end
    check(stand)


WORDS = " ".join(f"w{number:04}" for number in range(2400))
LINES = [WORDS[at : at + 72] for at in range(0, len(WORDS), 72)]  # of twelve words


@pytest.mark.parametrize(("width", "then"), [(30, 110), (110, 30), (30, 37)])
@pytest.mark.parametrize(
    "text",
    [
        WORDS,
        "> > > " + WORDS,
        "- a\n  - b\n    - " + WORDS,
        "```\n" + "\n\n\n\n".join(LINES) + "\n```",
        "> ```\n> " + "\n> ".join(LINES) + "\n> ```",
        "> | a | b |\n> |-|-|\n" + "\n".join(f"> | {line[:5]} | {line[5:]} |" for line in LINES),
    ],
    ids=["paragraph", "quote", "list", "code", "code in a quote", "table in a quote"],
)
def test_a_new_width_keeps_the_text_at_the_top(text: str, width: int, then: int) -> None:
    stand = Stand(width=width)
    stand.happen(e.TextDelta(text))
    measure_all(stand)
    for _ in range(3):
        stand.scroll(-stand.chunks.heights.total // 4)
        word = re.findall(r"w\d{4}", top(stand))[0]
        stand.reflow(then)
        assert word in top(stand)
        stand.reflow(width)


def top(stand: Stand) -> str:
    """The first rows in view that are not blank: one may begin within a word."""
    begin = stand.viewport.top
    rows = [seen.row.text for seen in stand.chunks.rows(begin, begin + stand.viewport.height)]
    return " ".join(list(filter(str.strip, rows))[:2])


def test_blank_lines_at_the_top_stay_there() -> None:
    stand = Stand(width=30)
    stand.happen(e.TextDelta("```\nfirst line, which is wrapped here\n" + "\n" * 50 + "end\n```"))
    stand.scroll(-20)
    before = stand.viewport.below
    stand.reflow(110)
    assert stand.viewport.below == before


def test_a_token_changes_the_rows_it_stands_in_and_no_others() -> None:
    stand = long_stand(width=40)
    stand.happen(e.TextDelta("the last paragraph"))
    untouched = stand.rows()[:-1]
    stand.happen(e.TextDelta(" grows"))
    assert stand.painted == {stand.viewport.height - 1}
    assert all(new is old for new, old in zip(stand.rows(), untouched, strict=False))


def test_a_card_that_spins_above_leaves_what_follows_alone() -> None:
    stand = Stand(width=40, height=12)
    stand.happen(e.TextDelta("before"), *call("c1"), *call("c2"))
    stand.happen(e.ResponseFinished(1, "tool_use"), e.ToolOutputDelta("c1", "stdout", "a\n"))
    stand.happen(e.Status("one"), e.Status("two"))
    row = next(y for y, text in enumerate(stand.screen) if "run" in text)
    stand.frame(2000.25)
    assert stand.painted == {row, row + 1} or stand.painted == {row}


def test_a_long_thought_grows_where_it_ends() -> None:
    stand = Stand(width=40, height=6)
    stand.fold("reasoning")
    stand.happen(e.ReasoningDelta("some thought that goes on " * 600))
    stand.happen(e.ReasoningDelta("\nand "))
    before = stand.rows()
    stand.happen(e.ReasoningDelta("on"))
    after = stand.rows()
    assert stand.painted == {stand.viewport.height - 1}
    kept = sum(new is old for new, old in zip(after[1:], before[1:], strict=False))
    assert kept >= len(before) - 3
    check(stand)


def test_a_thought_unfolded_late_is_drawn_where_it_is_in_view() -> None:
    stand = Stand(width=40, height=6)
    stand.happen(e.ReasoningDelta("a line of thought\n" * 3000), e.TextDelta("So."))
    stand.fold("reasoning")
    assert stand.chunks.held_rows < 500
    measure_all(stand)
    assert stand.chunks.heights.total > 3000


# Prefix sums


@given(st.lists(st.tuples(st.sampled_from("asc"), st.integers(0, 40), st.integers(0, 9))))
def test_prefix_sums_find_the_lines_that_a_walk_would(steps: list[tuple[str, int, int]]) -> None:
    heights, naive = PrefixSums([2, 0, 1]), [2, 0, 1]
    for what, where, height in steps:
        if what == "a":
            heights.replace(len(naive), len(naive), (height,))
            naive.append(height)
        elif what == "c":
            heights.replace(where % (len(naive) + 1), len(naive), ())
            del naive[where % (len(naive) + 1) :]
        elif naive:
            heights.replace(where % len(naive), where % len(naive) + 1, (height,))
            naive[where % len(naive)] = height
    assert heights.total == sum(naive)
    assert [heights.start(n) for n in range(len(naive) + 1)] == [
        sum(naive[:n]) for n in range(len(naive) + 1)
    ]
    owners = [(n, row) for n, height in enumerate(naive) for row in range(height)]
    assert [heights.find(line) for line in range(heights.total)] == owners
    assert heights.find(heights.total + 2) == (len(naive), 2)


# The whole, against drawing all of it at once


class Story:
    """An agent's deeds, in an order that is legal."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.calls = 0
        self.arrives = False

    def events(self, what: str, text: str) -> list[e.Event]:
        match what:
            case "text" if not self.running:
                return [e.TextDelta(text)]
            case "thought" if not self.running:
                return [e.ReasoningDelta(text)]
            case "calls" if not self.running:
                self.running = [f"c{self.calls}", f"d{self.calls}"]
                self.calls += 1
                self.arrives = False
                begun = [event for name in self.running for event in call(name)]
                return [*begun, e.ResponseFinished(1, "tool_use")]
            case "arguments" if not self.running:
                name = f"a{self.calls}"
                begun = [e.ToolCallStarted(name, "write", "text"),
                         e.ToolArgumentsDelta(name, '{"path": "a.py", "content": "')]  # fmt: skip
                more = e.ToolArgumentsDelta(name, json.dumps(text)[1:-1])
                begins, self.arrives = not self.arrives, True
                return [*begun, more] if begins else [more]
            case "hosted" if not self.running:
                name = f"h{self.calls}"
                return [e.HostedTool("search", call_id=name), e.HostedOutputDelta(name, text),
                        e.Citation("https://e.org", text)]  # fmt: skip
            case "output" if self.running:
                return [e.ToolOutputDelta(self.running[0], "stdout", text + "\n")]
            case "finish" if self.running:
                name = self.running.pop(0)
                again = [] if self.running else [e.RequestSent(2)]
                return [e.ToolCallFinished(name, text, None, 0, 1.0), *again]
            case "retry" if not self.running:
                self.calls += 1
                self.arrives = False
                return [e.Retrying("cut", 1.0, 2, "cut"), e.AttemptStarted("p", "m"),
                        e.RequestSent(1)]  # fmt: skip
            case _:
                return [e.Status(text.strip() or "well")]


TEXTS = st.sampled_from(
    (
        "word ", "a longer run of words that has to be wrapped ", "\n", "\n\n", "- item\n",
        "> quote\n", "```\ncode\n", "# Head\n", "| a | b |\n|---|---|\n| c | d |\n", "needle ",
        "語の語 ", "e\u0301 ", "\t", "  ", paragraphs(1, 7), "- a\n- b\n\n- c\n",
    )
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.sampled_from(("text", "text", "text", "thought", "calls", "output", "finish",
                               "arguments", "arguments", "hosted")), TEXTS),
    st.tuples(st.just("retry"), TEXTS),
    st.tuples(st.just("scroll"), st.sampled_from((-100_000, -30, -3, -1, 1, 3, 30, 100_000))),
    st.tuples(st.just("settle"), st.integers(1, 40)),
    st.tuples(st.just("width"), st.integers(8, 60)),
    st.tuples(st.just("height"), st.integers(1, 20)),
    st.tuples(st.just("colours"), st.integers(0, 1)),
    st.tuples(st.just("fold"), st.sampled_from(("tool", "reasoning", "prompt"))),
    st.tuples(st.just("toggle"), st.integers(0, 30)),
    st.tuples(st.just("time"), st.integers(0, 50)),
    st.tuples(st.just("find"), st.sampled_from(("", "needle", "word a", "a", "Head"))),
)  # fmt: skip


def take(stand: Stand, story: Story, what: str, how: object) -> None:
    match what, how:
        case "scroll", int(lines):
            stand.scroll(lines)
        case "settle", int(rows):
            stand.measure(rows)
        case "width", int(width):
            stand.reflow(width)
        case "height", int(height):
            stand.reflow(stand.look.width, height=height)
        case "colours", int(colours):
            stand.reflow(stand.look.width, colours)
        case "fold", ("tool" | "reasoning" | "prompt") as kind:
            stand.fold(kind)
        case "toggle", int(number):
            view = stand.lines.views[number % len(stand.lines.views)]
            view.override = not view.is_unfolded(stand.look)
            anchor = stand.viewport.anchor()
            stand.lines.refold(view, stand.look)
            stand.paint(anchor)
        case "time", int(quarters):
            stand.frame(2000 + quarters / 4)
        case "find", str(pattern):
            stand.find(pattern)
        case _, str(text):
            stand.happen(*story.events(what, text))


def check(stand: Stand) -> None:
    """What is on the screen is what drawing all of it would show there."""
    chunks, window, other = stand.chunks, stand.viewport, stand.drawn_at_once()
    rows = other.rows()
    top = other.lines.line_of(stand.lines.position_at(window.top)) if rows else 0
    due = rows[top : top + window.height]
    if window.is_at_end:
        assert due == rows[-window.height :]
    strips = Strips(stand.look.width, stand.look.palette)
    whole = [said(strips.of(row)) for row in due]
    if not stand.finder.is_active:
        whole += [said(strips.blank)] * (window.height - len(whole))
        last = window.height - stand.visible.is_hinted
        assert stand.screen[:last] == whole[:last]
    bound = max(stand.kept, sum(len(chunks[n].rows) for n in in_view(stand)))
    assert chunks.held_rows == sum(len(p.rows) for p in chunks if p.is_drawn) <= bound


def in_view(stand: Stand) -> Iterator[int]:
    first = stand.chunks.find(stand.viewport.top)[0]
    last = stand.chunks.find(stand.viewport.top + stand.viewport.height - 1)[0]
    yield from range(first, min(last + 1, len(stand.chunks)))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_the_screen_shows_what_drawing_all_lines_would(steps: list[tuple[str, object]]) -> None:
    stand, story = Stand(kept=40), Story()
    for what, how in steps:
        take(stand, story, what, how)
        check(stand)
    while not stand.chunks.is_exact or stand.finder.is_behind:
        stand.measure(100)
    check(stand)
    assert stand.chunks.heights.total == stand.drawn_at_once().chunks.heights.total
    pattern = next((how for what, how in reversed(steps) if what == "find"), "")
    before, count = marks(stand), stand.finder.count
    assert count == stand.find(str(pattern))
    assert before == marks(stand)


def marks(stand: Stand) -> list[tuple[int, int, int, int]]:
    return [
        (index, row, mark.begin, mark.end)
        for index, chunk in enumerate(stand.chunks)
        for row in range(chunk.height)
        for mark in (stand.finder.highlights(index, row) if stand.finder.is_active else ())
    ]
