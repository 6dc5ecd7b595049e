"""A table that grows: always what it would be if it had come at once, in columns that fit."""

import gc
import sys
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.style import Style

from lfgtui.ui.markdown.table_layout import Alignment, TableLayout
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, width_of

PALETTE = Palette(
    **{field: Style(color=f"color({n + 20})") for n, field in enumerate(Palette.__struct_fields__)}
)

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
STEPS = st.lists(st.tuples(st.sampled_from(["settle", "show", "look"]), LINES), max_size=12)
ALIGNMENTS = st.lists(st.sampled_from(["left", "right", "center", None]), max_size=4)
WIDTHS = st.integers(1, 120)


def cells(words: Words) -> list[list[tuple[str, Style]]]:
    return [[(word, PALETTE.text)] for word in words]


def drawn(*lines: Words, width: int = 80, align: Sequence[Alignment | None] = ()) -> TableLayout:
    drawing = TableLayout(width, PALETTE, align)
    for line in lines:
        drawing.settle(cells(line))
    return drawing


def shown(*lines: Words, width: int = 80, align: Sequence[Alignment | None] = ()) -> list[str]:
    return texts(drawn(*lines, width=width, align=align).rows)


def texts(rows: Sequence[Row]) -> list[str]:
    return [row.text.rstrip() for row in rows]


def columns(rows: Sequence[Row], count: int) -> list[str]:
    """What each column says, without blanks: wherever its cells were broken, nothing is lost."""
    split = [row.text.split("│") for row in rows if not set(row.text) & set("─┄┼")]
    return ["".join("".join(row[at : at + 1]) for row in split) for at in range(count)]


def at_once(lines: Sequence[Words], width: int, align: Sequence[Alignment | None]) -> list[Row]:
    return list(drawn(*lines, width=width, align=align).rows)


def first_difference(before: Sequence[Row], after: Sequence[Row]) -> int:
    pairs = zip(before, after, strict=False)
    same = [row == old for row, old in pairs]
    return same.index(False) if False in same else len(same)


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_head_a_rule_and_the_lines() -> None:
    assert shown(["name", "calls"], ["list", "12"]) == [
        "name │ calls",
        "─────┼─────────",
        "list │ 12",
    ]


def test_rule_and_bars_are_faint_and_cells_keep_their_styles() -> None:
    drawing = TableLayout(80, PALETTE, ())
    drawing.settle([[("name", PALETTE.heading)], [("calls", PALETTE.heading)]])
    head, rule = drawing.rows
    assert head.spans == (
        ("name", PALETTE.heading),
        (" │ ", PALETTE.faint),
        ("calls", PALETTE.heading),
    )
    assert [style for _, style in rule.spans] == [PALETTE.faint]


def test_cells_stand_where_the_delimiter_row_says() -> None:
    lines = ["name", "calls", "mean"], ["a", "1", "2"]
    assert shown(*lines, align=["right", "center", "left"]) == [
        "name │  calls   │ mean",
        "─────┼──────────┼─────",
        "   a │    1     │ 2",
    ]


def test_alignment_counts_terminal_cells() -> None:
    assert shown(["status", "n"], ["好", "1"], ["🎉", "2"], align=["right"]) == [
        "  status │ n",
        "─────────┼─────",
        "      好 │ 1",
        "      🎉 │ 2",
    ]


def test_columns_are_rounded_up_where_there_is_room_so_that_typing_does_not_move_them() -> None:
    drawing = drawn(["a", "b"])
    before = drawing.show(cells(["12345", "x"])), list(drawing.rows)
    assert drawing.show(cells(["12345678", "x"])) == len(before[1]) - 1
    assert drawing.rows[:2] == before[1][:2]


def test_the_widest_column_gives_way_first_and_what_fits_is_not_shrunk() -> None:
    assert shown(["key", "words"], ["name", "one two three four"], width=18) == [
        "key  │ words",
        "─────┼────────────",
        "name │ one two",
        "     │ three four",
    ]


def test_a_table_that_has_to_wrap_takes_the_pane_to_its_last_cell() -> None:
    assert shown(["a " * 9, "b " * 9], width=20)[-1] == "─" * 10 + "┼" + "─" * 9


def test_a_column_keeps_its_longest_word_in_one_piece_if_the_others_can_wrap() -> None:
    assert shown(
        ["what", "identifier"], ["one two three four five", "a_quite_long_name"], width=25
    ) == [
        "what  │ identifier",
        "──────┼──────────────────",
        "one   │ a_quite_long_name",
        "two   │",
        "three │",
        "four  │",
        "five  │",
    ]


def test_an_address_is_broken_before_ordinary_words_are() -> None:
    address = "https://example.org/" + "path/" * 20
    rows = shown(["what", "where"], ["identifiers", address], width=40)
    assert rows[2] == f"identifiers │ {address[:26]}"


def test_east_asian_text_is_no_long_word() -> None:
    assert shown(["k", "v"], ["identifiers", "中文字符中文字符"], width=22) == [
        "k           │ v",
        "────────────┼─────────",
        "identifiers │ 中文字符",
        "            │ 中文字符",
    ]


def test_a_first_cell_that_wraps_is_parted_by_a_rule_from_its_neighbours() -> None:
    lines = ["k", "v"], ["a", "b"], ["one two", "x"], ["c", "d"], ["e", "f"]
    assert shown(*lines, width=11) == [
        "k     │ v",
        "──────┼────",
        "a     │ b",
        "┄┄┄┄┄┄┼┄┄┄┄",
        "one   │ x",
        "two   │",
        "┄┄┄┄┄┄┼┄┄┄┄",
        "c     │ d",
        "e     │ f",
    ]


def test_a_line_without_a_first_cell_is_parted_by_a_rule_from_one_that_wraps() -> None:
    lines = ["k", "v"], ["a", "one two"], ["", "b"], ["", "c"]
    assert shown(*lines, width=11) == [
        "k   │ v",
        "────┼──────",
        "a   │ one",
        "    │ two",
        "┄┄┄┄┼┄┄┄┄┄┄",
        "    │ b",
        "    │ c",
    ]


def test_no_rule_where_the_first_cell_tells_where_a_line_begins() -> None:
    lines = ["k", "v"], ["a", "one two"], ["b", "one two"]
    assert "┄" not in "".join(shown(*lines, width=11))


def test_a_table_that_cannot_fit_is_wider_than_the_pane_on_one_row_a_line() -> None:
    head = ["identifier", "description", "owner", "count"]
    drawing = drawn(head, ["one", "two", "three", "4"], width=24)
    assert drawing.width == 12 + 12 + 8 + 8 + 3 * 3
    assert texts(drawing.rows)[::2] == [
        "identifier   │ description  │ owner    │ count",
        "one          │ two          │ three    │ 4",
    ]


def test_no_column_of_a_table_that_cannot_fit_is_wider_than_the_pane() -> None:
    drawing = drawn(["identifier"] * 4, ["word " * 30] * 4, width=24)
    assert drawing.width == 4 * 24 + 3 * 3


def test_lines_may_have_fewer_cells_than_the_head_or_more() -> None:
    assert shown(["a", "b"], ["x"], ["1", "2", "3"]) == [
        "a    │ b    │",
        "─────┼──────┼─────",
        "x    │      │",
        "1    │ 2    │ 3",
    ]


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert shown(["a"], ["\x1b]0;title\x07"])[-1] == "␛]0;title␇"


@pytest.mark.parametrize("width", [-3, 0, 1])
def test_no_room_at_all_breaks_nothing(width: int) -> None:
    assert columns(drawn(["ab", "c"], ["de f", "中文"], width=width).rows, 2)[1].split() == [
        "c",
        "中文",
    ]


def test_nothing_is_drawn_of_a_table_without_lines() -> None:
    drawing = drawn()
    assert (drawing.show(None), list(drawing.rows), drawing.width) == (0, [], 0)


def test_the_line_that_is_written_takes_the_place_of_what_was_shown_of_it() -> None:
    drawing = drawn(["name", "calls"])
    drawing.show(cells(["li"]))
    assert texts(drawing.rows)[2:] == ["li   │"]
    drawing.settle(cells(["list", "12"]))
    assert texts(drawing.rows)[2:] == ["list │ 12"]
    assert drawing.show(None) == 2


def test_a_line_settled_as_it_was_shown_changes_nothing() -> None:
    drawing = drawn(["name", "calls"])
    drawing.show(cells(["list", "12"]))
    before = list(drawing.rows)
    drawing.settle(cells(["list", "12"]))
    assert drawing.show(None) == len(before)
    assert all(row is old for row, old in zip(drawing.rows, before, strict=True))


def test_a_line_that_widens_no_column_leaves_every_other_row_alone() -> None:
    drawing = drawn(["name", "calls"], *[["list", "some words that wrap"]] * 50, width=20)
    drawing.show(None)
    before = list(drawing.rows)
    drawing.settle(cells(["get", "some words"]))
    assert drawing.show(cells(["x"])) == len(before)
    assert all(row is old for row, old in zip(drawing.rows, before, strict=False))


def test_a_cell_that_grows_over_rows_changes_only_the_last_of_them() -> None:
    drawing = drawn(["k", "v"], ["a", "words " * 9], width=18)
    drawing.show(cells(["b", "one two three"]))
    before = list(drawing.rows)
    assert drawing.show(cells(["b", "one two three four"])) == len(before) - 1
    assert all(row is old for row, old in zip(drawing.rows, before[:-1], strict=False))


def test_a_line_costs_the_same_whatever_stands_before_it() -> None:
    def calls(lines: int) -> int:
        drawing = drawn(["name", "calls"], *[["list", "some words that wrap"]] * lines, width=20)
        drawing.show(cells(["ge", "some"]))
        counted = 0

        def count(*_: object) -> None:
            nonlocal counted
            counted += 1

        before = sys.getprofile()
        gc.disable()  # what it would call is not ours
        sys.setprofile(count)
        try:
            drawing.settle(cells(["get", "some words"]))
            drawing.show(cells(["li"]))
        finally:
            sys.setprofile(before)
            gc.enable()
        return counted

    calls(1)
    assert calls(10) == calls(1000)


def test_a_line_that_widens_a_column_only_while_it_is_shown_gives_the_room_back() -> None:
    drawing = drawn(["name", "calls"], ["list", "12"])
    before = list(drawing.rows)
    assert drawing.show(cells(["a very long name", "1"])) == 0
    assert drawing.show(None) == 0
    assert drawing.rows == before


@given(STEPS, ALIGNMENTS, WIDTHS)
@example([("settle", ["a", "b"]), ("show", ["x" * 9]), ("settle", ["x"])], [], 12)
def test_a_table_that_grew_is_the_table_drawn_at_once(
    steps: list[tuple[str, Words]], align: list[Alignment | None], width: int
) -> None:
    drawing = TableLayout(width, PALETTE, align)
    settled: list[Words] = []
    written: list[Words] = []
    seen: list[Row] = []
    has_looked = False
    for step, line in [*steps, ("show", [])]:
        if step == "settle":
            drawing.settle(cells(line))
            settled, written = [*settled, line], []
        elif step == "look":
            assert drawing.rows == at_once([*settled, *written], width, align)
            has_looked = True
        else:
            written = [line] if line else []
            changed = drawing.show(cells(line) if line else None)
            rows = list(drawing.rows)
            assert rows == at_once([*settled, *written], width, align)
            assert all(row is old for row, old in zip(rows[:changed], seen, strict=False))
            assert changed == first_difference(seen, rows) or has_looked
            seen, has_looked = rows, False


@given(st.lists(LINES, min_size=1, max_size=6), ALIGNMENTS, WIDTHS)
def test_nothing_is_lost_and_no_row_is_wider_than_the_table(
    lines: list[Words], align: list[Alignment | None], width: int
) -> None:
    drawing = drawn(*lines, width=width, align=align)
    count = max(map(len, lines))
    widest = max(sum(width_of(text) for text, _ in row.spans) for row in drawing.rows)
    assert widest <= drawing.width
    if width >= 6 * count + 3 * (count - 1):
        assert drawing.width <= width
    whole = ["".join("".join(line[at : at + 1]) for line in lines) for at in range(count)]
    visible = [squeezed(text).replace("\x1b", "␛") for text in whole]
    assert [squeezed(text) for text in columns(drawing.rows, count)] == visible
