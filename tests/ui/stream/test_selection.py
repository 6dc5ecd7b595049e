"""What is copied and what is found: never how it happened to be wrapped or kept."""

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from lfgtui.model import events as e
from lfgtui.ui.stream import find
from lfgtui.ui.stream.find import Match, find_matches
from lfgtui.ui.stream.selection import selected_text
from lfgtui.ui.text.wrapping import Row, wrap
from tests.ui.screen_text import plain_text
from tests.ui.stand import PALETTES, Stand

PLAIN = PALETTES[0].text


def answer(text: str, width: int = 30, kept: int = 5000) -> Stand:
    """A stand with nothing but an answer below the prompt and a blank."""
    stand = Stand(width=width, kept=kept)
    stand.happen(e.TextDelta(text))
    return stand


def line_of(stand: Stand, text: str) -> int:
    return next(n for n, row in enumerate(stand.rows()) if text in row.text)


def between(stand: Stand, begin: tuple[int, int], end: tuple[int, int]) -> str:
    """What is copied from a column of a line to another, exclusive."""

    def offset(line: int, x: int) -> Offset:
        return stand.lines.position_at(line)._replace(character=x).offset

    return selected_text(stand.lines, Selection(offset(*begin), offset(*end)))


def numbered(count: int) -> str:
    return "\n\n".join(f"paragraph **{number}** of them" for number in range(count))


# Copying


def test_a_selection_of_all_copies_the_source() -> None:
    source = "# Title\n\nsome **bold** words that are wrapped\n\n- a\n- b"
    stand = answer(source, width=16)
    assert selected_text(stand.lines, Selection(None, None)).endswith("\n" + source)


def test_part_of_a_paragraph_is_copied_without_the_line_breaks() -> None:
    stand = answer("one two three four five six", width=12)
    first = line_of(stand, "one")
    assert between(stand, (first, 4), (first + 2, 0)).strip() == "two three four"
    assert between(stand, (first, 4), (first + 1, 5)) == "two three"


def test_a_selection_reaches_over_what_is_not_in_memory() -> None:
    stand = answer(numbered(200), kept=30)
    while not stand.chunks.is_exact:
        stand.measure(50)
    first, last = 2, stand.chunks.heights.total - 1
    held = stand.chunks.held_rows
    copied = between(stand, (first, 0), (last, 99))
    assert copied == numbered(200)
    assert stand.chunks.held_rows == held


def test_a_selection_stays_on_its_words_while_heights_above_become_known() -> None:
    stand = answer(numbered(200), width=12)
    stand.scroll(-20)
    begin = stand.lines.position_at(stand.viewport.top + 1)
    selection = Selection(begin.offset, begin._replace(character=5).offset)
    words, line = selected_text(stand.lines, selection), stand.lines.line_of(begin)
    while not stand.chunks.is_exact:
        stand.measure(50)
    assert selected_text(stand.lines, selection) == words
    assert stand.lines.line_of(begin) != line


def test_a_folded_prompt_gives_all_of_it() -> None:
    stand = Stand(width=20, prompt="first line\nsecond line")
    assert stand.chunks.heights.total == 1
    assert between(stand, (0, 0), (0, 99)) == "first line\nsecond line"


def test_an_unfolded_prompt_is_not_copied_twice() -> None:
    stand = Stand(width=20)
    stand.fold("prompt")
    assert plain_text(stand.lines) == "▾ prompt: Go\n▎ Go"
    assert selected_text(stand.lines, Selection(None, None)) == "Go"


def test_neither_plain_text_nor_a_search_keeps_rows_in_memory() -> None:
    stand = answer(numbered(200), kept=30)
    held = stand.chunks.held_rows
    assert plain_text(stand.lines).count("paragraph") == stand.find("paragraph") == 200
    assert stand.chunks.held_rows == held


# Finding


def rows(text: str, width: int) -> list[Row]:
    return wrap([(text, PLAIN)], width)


def places(found: list[Match]) -> list[list[tuple[int, int, int]]]:
    return [[tuple(part) for part in match] for match in found]  # type: ignore[misc]  # triples


def test_a_match_may_go_over_a_wrapped_edge() -> None:
    assert places(find_matches(rows("aaa bbb ccc", 8), "bbb ccc")) == [[(0, 4, 7), (1, 0, 3)]]


def test_no_match_goes_over_a_line_of_its_own() -> None:
    assert find_matches(rows("aaa\nbbb", 8), "aaa bbb") == []


def test_cells_are_highlighted_not_characters() -> None:
    stand = answer("語語 x")
    stand.find("x")
    (mark,) = stand.finder.highlights(len(stand.chunks) - 1, 0)
    assert mark == (5, 6, True)


@pytest.mark.parametrize(("pattern", "count"), [("word", 2), ("Word", 1), ("WORD", 0), ("", 0)])
def test_a_pattern_with_upper_case_is_case_sensitive(pattern: str, count: int) -> None:
    assert len(find_matches(rows("word Word", 20), pattern)) == count


def test_only_what_changed_is_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def watched(rows: list[Row], pattern: str, first: int = 0) -> list[Match]:
        searched.append(len(rows) - first)
        return find_matches(rows, pattern, first)

    monkeypatch.setattr(find, "find_matches", watched)
    stand = answer("needle\n\n" + numbered(100) + "\n\n```\n" + "needle\n" * 50, width=40)
    assert stand.find("needle") == 51
    searched.clear()
    stand.happen(e.TextDelta("a needle"))
    assert stand.finder.count == 52
    assert sum(searched) <= 3


def test_the_current_match_stays_the_same_as_more_come() -> None:
    stand = answer("needle one\n\nneedle two\n\n", width=40)
    stand.find("needle", stand.lines.position_at(line_of(stand, "two")))
    assert stand.finder.number == 2
    stand.happen(e.TextDelta("needle three\n\nneedle four"))
    assert (stand.finder.number, stand.finder.count) == (2, 4)


def test_matches_are_where_the_words_are_after_a_resize() -> None:
    stand = answer("some words and a needle in them\n\n" * 40, width=40)
    stand.find("needle")
    stand.reflow(12)
    seen = stand.chunks.rows(stand.viewport.top, stand.chunks.heights.total)
    row = next(one for one in seen if "needle" in one.row.text)
    (mark,) = stand.finder.highlights(row.chunk, row.number)
    assert row.row.text[mark.begin : mark.end] == "needle"
    while stand.finder.is_behind:
        stand.measure(50)
    assert stand.finder.count == 40


ONLY_MATCH = "| a | b |\n|---|---|\n| x | some needle words that stand in one row |\n\n"


@pytest.mark.parametrize("top", [0, 1 << 30])
def test_a_resize_may_take_the_only_match_away(top: int) -> None:
    stand = answer(ONLY_MATCH + numbered(30), width=70)
    assert stand.find("needle words that stand in one row") == 1
    stand.scroll(top - (1 << 29))
    stand.reflow(24)
    assert stand.finder.step(1) is None
    assert (stand.finder.number, stand.finder.count) == (0, 0)


def test_a_match_above_what_grows_is_where_it_is_after_a_resize() -> None:
    stand = answer(numbered(30) + "\n\nsome words and then a needle in them", width=60)
    stand.find("needle")
    stand.scroll(-1000)
    stand.reflow(16)
    while not stand.chunks.is_exact:
        stand.chunks.measure(50)
    stand.happen(e.TextDelta(" and more"))
    last = len(stand.chunks) - 1
    rows = stand.chunks[last].rows
    found = [(n, mark) for n in range(len(rows)) for mark in stand.finder.highlights(last, n)]
    assert [rows[n].text[mark.begin : mark.end] for n, mark in found] == ["needle"]


@pytest.mark.parametrize(
    "events",
    [
        [e.TextDelta("> one two three four five six")],
        [e.TextDelta("- > one two three four five six")],
        [
            e.ToolCallStarted("c", "note"),
            e.ToolCallRequested("c", "note", {"text": "one two three four five six"}),
        ],
    ],
    ids=["quote", "quote in an item", "card"],
)
def test_what_stands_before_a_row_is_neither_found_nor_copied(events: list[e.Event]) -> None:
    stand = Stand(width=20)
    stand.happen(*events)
    stand.fold("tool")
    first = line_of(stand, "one")
    edge = next(row.text for row in stand.rows() if "one" in row.text)
    assert len(edge.split()) < 8
    assert stand.find("one two three four five six") == 1
    begin = edge.index("one")
    assert between(stand, (first, begin), (first + 1, 99)).startswith("one two three four")
    assert " three four" in between(stand, (first, begin), (first + 2, 99))


def test_a_wrapped_line_of_code_keeps_the_blanks_at_its_edge() -> None:
    stand = answer("```\n" + "aaaa " * 8 + "\n```", width=14)
    first = line_of(stand, "aaaa")
    assert between(stand, (first, 1), (first + 2, 99)) == ("aaaa " * 8)[:36]
