"""Runs and hits as rows, and the text around a hit."""

import pytest

from lfgtui.history.reader import RunSummary
from lfgtui.history.search import SearchHit
from lfgtui.ui.history.preview import around
from lfgtui.ui.history.run_list import hit_row, run_row
from lfgtui.ui.text.styled_line import Line, line_width
from tests.ui.fake_live import START

RUN = RunSummary("r", "A title of some length", "done", START, START + 62, 6, 5, 0.5, True, "note")


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def hit_in(snippet: str, word: str) -> SearchHit:
    start = snippet.index(word)
    return SearchHit("r", "api", 1, 3, "text", START, snippet, [(start, start + len(word))])


@pytest.mark.parametrize("width", [30, 44, 55, 66, 80, 120])
def test_columns_are_left_out_before_the_title(width: int) -> None:
    line = run_row(RUN, width, START)
    assert line_width(line) <= width
    assert "A title" in text(line)
    least = {"$0.50": 66, "1:02": 55, "5/6": 55, "note": 80}
    assert {part: part in text(line) for part in least} == {
        part: width >= needed for part, needed in least.items()
    }


def test_a_narrow_row_has_the_year_where_it_is_another_one() -> None:
    assert "2026-03-04" in text(run_row(RUN, 60, START + 400 * 86400))
    assert "2026" not in text(run_row(RUN, 60, START))


@pytest.mark.parametrize("width", [10, 30, 80])
def test_the_line_of_a_hit_fits_and_shows_the_match(width: int) -> None:
    hit = hit_in("before " * 10 + "the fox\x1b[2J " + "after " * 30, "fox")
    _, line = hit_row(hit, "Title", width)
    assert line_width(line) <= width
    assert "\x1b" not in text(line)
    assert ("fox" in [span.text for span in line]) == (width >= 80)


def test_all_matches_around_a_hit_are_marked() -> None:
    whole = "one fox\n" * 3 + "x\n" * 50 + "The Fox, the foxglove and the fox.\nend"
    shown, matches = around(hit_in("…x\nx\nx\nThe Fox, the foxglove and the fox.…", "Fox"), whole)
    assert shown.endswith("The Fox, the foxglove and the fox.\nend")
    assert "one fox" not in shown
    assert [shown[a:b] for a, b in matches] == ["Fox", "fox"]
