"""Rows to strips: as wide as asked, nothing in them that a terminal obeys."""

import gc
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import Row, Span, width_of, wrap
from tests.ui.ugly import FILL, GROUND, HUNG, SPANS, WIDTHS, A, B


def test_a_strip_is_padded_in_the_fill_of_its_row_or_of_the_ground() -> None:
    assert list(strip_of(Row((("ab", A),)), 4, GROUND)) == [Segment("ab", A), Segment("  ", GROUND)]
    assert list(strip_of(Row((("ab", A),), fill=FILL), 3, GROUND))[-1] == Segment(" ", FILL)
    assert list(strip_of(Row(()), 3, GROUND)) == [Segment("   ", GROUND)]


def test_neighbours_of_one_style_are_one_segment_and_the_padding_too() -> None:
    row = Row((("a", A), ("b", Style(color="red")), ("c", B), ("", A), ("d", GROUND)))
    assert list(strip_of(row, 6, GROUND)) == [
        Segment("ab", A),
        Segment("c", B),
        Segment("d  ", GROUND),
    ]


def test_a_wide_character_that_an_edge_cuts_in_half_leaves_a_blank() -> None:
    row = Row((("a字字b", A),))
    assert strip_of(row, 4, GROUND).text == "a字 "
    assert strip_of(row, 3, GROUND, left=2).text == " 字"
    assert strip_of(row, 1, GROUND, left=2).text == " "
    assert strip_of(row, 4, GROUND, left=5).text == "b   "
    assert strip_of(row, 2, GROUND, left=9).text == "  "


def test_a_flag_is_cut_whole() -> None:
    assert strip_of(Row((("a🇩🇪", A),)), 2, GROUND).text == "a "


def test_nothing_that_a_terminal_obeys_gets_into_a_strip() -> None:
    assert strip_of(Row((("a\x1b[31m\tb\n\u202e", A),)), 12, GROUND).text == "a␛[31m b ␦  "


@given(SPANS, st.integers(1, 60), st.integers(0, 20))
def test_a_strip_is_as_wide_as_asked(spans: list[Span], width: int, left: int) -> None:
    strip = strip_of(Row(tuple(spans)), width, GROUND, left)
    assert strip.cell_length == width == sum(cell_len(segment.text) for segment in strip)
    styles = [segment.style for segment in strip]
    assert all(one != other for one, other in pairwise(styles))


@given(SPANS, WIDTHS)
def test_rich_counts_the_strip_of_a_row_as_we_count_it(spans: list[Span], width: int) -> None:
    for row in wrap(spans, width):
        taken = width_of(row.text)
        assert taken == sum(width_of(text) for text, _ in row.spans)
        strip = strip_of(row, taken, GROUND)
        assert sum(cell_len(segment.text) for segment in strip) == taken


def test_a_strip_that_the_compositor_divided_leaves_no_garbage() -> None:
    strip = strip_of(Row((("text", A),)), 8, GROUND)
    gc.collect()
    gc.disable()
    try:
        assert strip.divide([8]) == [strip]
        assert [part.text for part in strip.divide([3, 8])] == ["tex", "t    "]
        del strip
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("hung", HUNG)
def test_cutting_a_row_of_heaped_accents_takes_no_square_of_them(hung: str) -> None:
    measured = 0

    def noting(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return cell_len(text)

    rows = wrap([("a" + hung * 4_000, A)], 80)
    strips = [strip_of(row, 80, GROUND) for row in rows]
    with patch("rich.segment.cell_len", noting):
        for strip in strips:
            assert strip.crop(0, 41).cell_length == 41
            assert [part.cell_length for part in strip.divide([7, 41, 80])] == [7, 34, 39]
    assert measured < 60 * 4_000 * len(hung)
