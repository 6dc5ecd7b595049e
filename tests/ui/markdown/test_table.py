"""A table that grows: always what it would be if it had come at once, in columns that fit."""

import gc
import re
import sys
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.style import Style

from lfgtui.ui.markdown.table import Alignment, TableLayout
from lfgtui.ui.text.wrapping import Row, width_of
from tests.ui.stand import palette

PALETTE = palette()

Words = Sequence[str]

WORDS = [
    "",
    "a",
    "of",
    "words",
    "identifier",
    "x" * 30,
    "中文字符",
    "한국어",
    "שלום",
    "e\u0301te\u0301",
]
WORDS += ["🎉", "👩‍👩‍👧", "❤️", "🇩🇪", "\t", "\x1b[31m", "a\xa0b"]
CELLS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join).map(str.strip)
LINES = st.lists(CELLS, max_size=4)
STEPS = st.lists(st.tuples(st.lists(LINES, max_size=2), st.none() | LINES), max_size=12)
ALIGNMENTS = st.lists(st.sampled_from(["left", "right", "center", None]), max_size=4)
WIDTHS = st.integers(1, 120)
SIDES: Sequence[Alignment] = ("left", "right", "center")


def cells(words: Words) -> list[list[tuple[str, Style]]]:
    return [[(word, PALETTE.text)] for word in words]


def drawn(*lines: Words, width: int = 80, align: Sequence[Alignment | None] = ()) -> TableLayout:
    layout = TableLayout(width, PALETTE, align)
    layout.show([cells(line) for line in lines])
    return layout


def width_shown(layout: TableLayout) -> int:
    return max((width_of(row.text) for row in layout.rows), default=0)


def texts(rows: Sequence[Row]) -> list[str]:
    return [row.text.rstrip() for row in rows]


def columns(rows: Sequence[Row], count: int) -> list[str]:
    """What each column says, without blanks: wherever its cells were broken, nothing is lost."""
    split = [row.text.split("│") for row in rows if not set(row.text) & set("─┄┼")]
    whole = ["".join("".join(row[at : at + 1]) for row in split) for at in range(count)]
    return ["".join(text.split()) for text in whole]


def first_difference(before: Sequence[Row], after: Sequence[Row]) -> int:
    same = [row == old for row, old in zip(before, after, strict=False)]
    return same.index(False) if False in same else len(same)


def test_rule_and_bars_are_faint_and_cells_keep_their_styles() -> None:
    layout = TableLayout(80, PALETTE)
    layout.show([[[("name", PALETTE.heading)], [("calls", PALETTE.heading)]]])
    head, rule = layout.rows
    assert head.spans == (
        ("name", PALETTE.heading),
        (" │ ", PALETTE.faint),
        ("calls", PALETTE.heading),
    )
    assert [style for _, style in rule.spans] == [PALETTE.faint]


LAYOUTS = """
cells stand where the delimiter row says: 80 right center left
name|calls|mean
a|1|2
  name │  calls   │ mean
  ─────┼──────────┼─────
     a │    1     │ 2
alignment counts terminal cells: 80 right
status|n
好|1
🎉|2
    status │ n
  ─────────┼─────
        好 │ 1
        🎉 │ 2
the widest column gives way first, and what fits is not shrunk: 18
key|words
name|one two three four
  key  │ words
  ─────┼────────────
  name │ one two
       │ three four
a column keeps its longest word in one piece if the others can wrap: 25
what|identifier
one two three|a_quite_long_name
  what  │ identifier
  ──────┼──────────────────
  one   │ a_quite_long_name
  two   │
  three │
East Asian text is no long word: 22
k|v
identifiers|中文字符中文字符
  k           │ v
  ────────────┼─────────
  identifiers │ 中文字符
              │ 中文字符
a first cell that wraps is parted by a rule from its neighbours: 11
k|v
a|b
one two|x
c|d
e|f
  k     │ v
  ──────┼────
  a     │ b
  ┄┄┄┄┄┄┼┄┄┄┄
  one   │ x
  two   │
  ┄┄┄┄┄┄┼┄┄┄┄
  c     │ d
  e     │ f
a line without a first cell is parted by a rule from one that wraps: 11
k|v
a|one two
|b
|c
d|one two
  k   │ v
  ────┼──────
  a   │ one
      │ two
  ┄┄┄┄┼┄┄┄┄┄┄
      │ b
      │ c
  d   │ one
      │ two
a table that cannot fit is wider than the pane, on one row a line: 24
identifier|description|owner|count
one|two|three|4
  identifier   │ description  │ owner    │ count
  ─────────────┼──────────────┼──────────┼─────────
  one          │ two          │ three    │ 4
lines may have fewer cells than the head or more: 80
a|b
x
1|2|3
  a    │ b    │
  ─────┼──────┼─────
  x    │      │
  1    │ 2    │ 3
what a terminal would obey is shown: 80
a
\x1b]0;x\x07
  a
  ────────
  ␛]0;x␇
"""
"""Titles with a width and alignments, the cells of each line, the rows."""


@pytest.mark.parametrize(
    "case", re.findall(r"(?:^.+: \d+.*\n)(?:.+\n)+?(?=.+: \d+|\Z)", LAYOUTS, re.M)
)
def test_layout(case: str) -> None:
    title, *lines = case.splitlines()
    width, *align = title.rpartition(": ")[2].split()
    table = [line.split("|") for line in lines if not line.startswith("  ")]
    rows = [line[2:] for line in lines if line.startswith("  ")]
    sides = [side for word in align for side in SIDES if side == word]
    assert texts(drawn(*table, width=int(width), align=sides).rows) == rows


def test_nothing_is_drawn_of_a_table_without_lines() -> None:
    assert drawn().rows == []


def test_an_address_is_broken_before_ordinary_words_are() -> None:
    address = "https://example.org/" + "path/" * 20
    rows = drawn(["what", "where"], ["identifiers", address], width=40).rows
    assert rows[2].text == f"identifiers │ {address[:26]}"


def test_a_table_that_has_to_wrap_takes_the_pane_to_its_last_cell() -> None:
    assert drawn(["a " * 9, "b " * 9], width=20).rows[-1].text == "─" * 10 + "┼" + "─" * 9


def test_no_column_of_a_table_that_cannot_fit_is_wider_than_the_pane() -> None:
    layout = drawn(["identifier"] * 4, ["word " * 30] * 4, width=24)
    assert width_shown(layout) == 4 * 24 + 3 * 3


def test_columns_are_rounded_up_where_there_is_room_so_that_typing_does_not_move_them() -> None:
    layout = drawn(["a", "b"])
    layout.show((), cells(["12345", "x"]))
    before = list(layout.rows)
    assert layout.show((), cells(["12345678", "x"])) == len(before) - 1
    assert layout.rows[:2] == before[:2]


@pytest.mark.parametrize("width", [-3, 0, 1])
def test_no_room_at_all_breaks_nothing(width: int) -> None:
    assert columns(drawn(["ab", "c"], ["de f", "中文"], width=width).rows, 2)[1] == "c中文"


def test_a_line_settled_as_it_was_shown_changes_nothing() -> None:
    layout = drawn(["name", "calls"])
    layout.show((), cells(["list", "12"]))
    before = list(layout.rows)
    assert layout.show([cells(["list", "12"])]) == len(before)
    assert all(row is old for row, old in zip(layout.rows, before, strict=True))


def test_a_line_that_widens_no_column_leaves_every_other_row_alone() -> None:
    layout = drawn(["name", "calls"], *[["list", "some words that wrap"]] * 50, width=20)
    before = list(layout.rows)
    assert layout.show([cells(["get", "some words"])], cells(["x"])) == len(before)
    assert all(row is old for row, old in zip(layout.rows, before, strict=False))


def test_a_cell_that_grows_over_rows_changes_only_the_last_of_them() -> None:
    layout = drawn(["k", "v"], ["a", "words " * 9], width=18)
    layout.show((), cells(["b", "one two three"]))
    before = list(layout.rows)
    assert layout.show((), cells(["b", "one two three four"])) == len(before) - 1
    assert all(row is old for row, old in zip(layout.rows, before[:-1], strict=False))


def test_a_line_that_widens_a_column_only_while_it_is_shown_gives_the_room_back() -> None:
    layout = drawn(["name", "calls"], ["list", "12"])
    before = list(layout.rows)
    assert layout.show((), cells(["a very long name", "1"])) == 0
    assert layout.show(()) == 0
    assert layout.rows == before


def test_a_line_costs_the_same_whatever_stands_before_it() -> None:
    def calls(lines: int) -> int:
        layout = drawn(["name", "calls"], *[["list", "some words that wrap"]] * lines, width=20)
        layout.show((), cells(["ge", "some"]))
        counted = 0

        def count(*_: object) -> None:
            nonlocal counted
            counted += 1

        before = sys.getprofile()
        gc.disable()  # what it would call is not ours
        sys.setprofile(count)
        try:
            layout.show([cells(["get", "some words"])], cells(["li"]))
        finally:
            sys.setprofile(before)
            gc.enable()
        return counted

    calls(1)
    assert calls(10) == calls(1000)


@given(STEPS, ALIGNMENTS, WIDTHS)
@example([([["a", "b"]], ["x" * 9]), ([["x"]], None)], [], 12)
def test_a_table_that_grew_is_the_table_drawn_at_once(
    steps: list[tuple[list[Words], Words | None]], align: list[Alignment | None], width: int
) -> None:
    layout = TableLayout(width, PALETTE, align)
    settled: list[Words] = []
    seen: list[Row] = []
    for more, last in steps:
        settled += more
        shown = None if last is None else cells(last)
        changed = layout.show([cells(line) for line in more], shown)
        lines = settled if last is None else [*settled, last]
        assert layout.rows == drawn(*lines, width=width, align=align).rows
        assert all(row is old for row, old in zip(layout.rows[:changed], seen, strict=False))
        assert changed == first_difference(seen, layout.rows)
        seen = list(layout.rows)


@given(st.lists(LINES, min_size=1, max_size=6), ALIGNMENTS, WIDTHS)
def test_nothing_is_lost_and_a_table_that_can_fit_does(
    lines: list[Words], align: list[Alignment | None], width: int
) -> None:
    layout = drawn(*lines, width=width, align=align)
    count = max(map(len, lines))
    if width >= 6 * count + 3 * (count - 1):
        assert width_shown(layout) <= width
    whole = ["".join("".join(line[at : at + 1]) for line in lines) for at in range(count)]
    visible = ["".join(text.split()).replace("\x1b", "␛") for text in whole]
    assert columns(layout.rows, count) == visible
