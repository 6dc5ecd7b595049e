from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.text.growing_text import Growing
from lfgtui.ui.items.clipping import clipped, last_rows
from lfgtui.ui.text.wrapping import cut
from tests.ui.stand import PALETTES

PALETTE = PALETTES[0]
STYLE = PALETTE.text

LINES = st.text("ab ", max_size=300) | st.text("ab 語\u0301\t", max_size=8)
TEXTS = st.lists(LINES, max_size=12).map("\n".join)


def texts(text: str, count: int, width: int = 10) -> list[str]:
    rows = last_rows(Growing(text), text.count("\n"), STYLE, PALETTE, width, count)
    return [row.text for row in rows]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(8, 40), st.integers(1, 5))
def test_the_last_rows_are_those_of_the_whole_text(text: str, width: int, count: int) -> None:
    rows = last_rows(Growing(text), text.count("\n"), STYLE, PALETTE, width, count)
    whole = cut([(text.strip("\n"), STYLE)], width)
    assert list(rows[-count:]) == whole[-count:]
    assert len(rows) == min(len(whole), count + 1)


def test_what_stands_above_is_counted() -> None:
    assert texts("a\nb\nc\nd\n", 2) == ["… 2 more lines", "c", "d"]
    assert texts("a\nb\nc\n", 2) == ["a", "b", "c"]
    assert texts("\n\na\nb\nc\nd", 3) == ["a", "b", "c", "d"]
    assert texts("x" * 45, 2) == ["… 30 more characters", "x" * 10, "x" * 5]
    many = "".join(f"{number}\n" for number in range(1, 1001))
    assert texts(many, 2) == ["… 998 more lines", "999", "1000"]


def test_a_long_text_is_its_beginning_and_its_end() -> None:
    text = "".join(f"{number}\n" for number in range(1, 1001))
    rows = [row.text for row in clipped(text, STYLE, PALETTE, 10, 2, 1)]
    assert rows == ["1", "2", "… 997 more lines", "1000"]
    rows = [row.text for row in clipped("1\n2\n3\n4", STYLE, PALETTE, 10, 2, 1)]
    assert rows == ["1", "2", "3", "4"]


def test_so_is_a_long_line() -> None:
    rows = [row.text for row in clipped("a" * 500 + "b" * 500, STYLE, PALETTE, 10, 9, 9)]
    assert rows == ["a" * 10] * 12 + ["… 760 more characters"] + ["b" * 10] * 12
