"""Text to rows: no cluster parted, nothing lost, no row wider than its place."""

from itertools import chain, pairwise
from unittest.mock import patch

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from lfgtui.text.terminal_safe import visible
from lfgtui.ui.text import cell_width, line_breaking
from lfgtui.ui.text.cell_width import MOST_HUNG, drawn, is_loose, is_narrow, measure, stream_safe
from lfgtui.ui.text.wrapping import TAB, Flow, Row, Span, cut, fit, width_of, wrap
from tests.ui.ugly import CLUSTERS, GROUND, HUNG, MARKS, ONE_LINE, SPANS, WIDTHS, A, B


def clusters_of(text: str) -> list[str]:
    return [text[begin:end] for begin, end in pairwise(measure(text).offsets)]


def texts(rows: list[Row]) -> list[str]:
    return [row.text for row in rows]


def unwrapped(rows: list[Row]) -> str:
    return "".join(("\n" if row.glue is None else row.glue) + row.text for row in rows)[1:]


def wrapped(text: str, width: int) -> list[str]:
    return texts(wrap([(text, A)], width))


# Clusters and their width


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_what_is_one_to_the_eye_is_one_cluster_of_one_or_two_cells(cluster: str) -> None:
    assert clusters_of(f"x{cluster}y") == ["x", cluster, "y"]
    assert width_of(cluster) in (1, 2)


@given(ONE_LINE)
def test_a_text_is_as_wide_as_its_clusters_and_as_rich_says(text: str) -> None:
    parts = clusters_of(text)
    assert "".join(parts) == text
    assert sum(map(width_of, parts)) == width_of(text) == cell_len(drawn(text))
    assert max(map(width_of, parts), default=0) <= 2


@given(ONE_LINE, ONE_LINE)
def test_text_that_follows_parts_no_cluster_and_joins_only_the_last(text: str, more: str) -> None:
    certain = clusters_of(text)[:-1]
    assert clusters_of(text + more)[: len(certain)] == certain


@given(ONE_LINE)
def test_every_way_to_measure_a_text_agrees(text: str) -> None:
    with patch.object(cell_width, "is_loose", return_value=False):
        slow = clusters_of(text)
    if is_loose(text):
        assert slow == list(text)
    if is_narrow(text):
        assert is_loose(text)
        assert width_of(text) == len(text)


def test_no_character_that_is_taken_for_narrow_or_loose_is_not() -> None:
    planes = (
        range(0x20, 0x7F),
        range(0xA0, 0xD800),
        range(0xE000, 0x20000),
        range(0xE0000, 0xE1000),
    )
    for code in chain.from_iterable(planes):
        character = chr(code)
        size = get_character_cell_size(character)
        assert not is_narrow(character) or size == 1, hex(code)
        assert not is_loose(character) or size > 0, hex(code)


def test_a_joiner_between_letters_takes_no_letter_s_cell() -> None:
    assert width_of("a\u200db") == width_of("\u200dab") == 2


# Wrapping


def test_a_line_is_broken_after_blanks_which_are_kept_as_glue() -> None:
    rows = wrap([("one  two three", A)], 8)
    assert texts(rows) == ["one  two", "three"]
    assert [row.glue for row in rows] == [None, " "]


def test_a_word_wider_than_the_line_is_broken_where_the_line_is_full() -> None:
    rows = wrap([("see https://example.org/path now", A)], 10)
    assert texts(rows) == ["see", "https://ex", "ample.org/", "path now"]
    assert [row.glue for row in rows] == [None, " ", "", ""]


FAMILY = CLUSTERS["a family"]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        pytest.param("in 10\u00a0km", 6, ["in", "10\u00a0km"], id="a blank that does not break"),
        pytest.param("abc\u200bdef", 4, ["abc\u200b", "def"], id="a zero-width space"),
        pytest.param("ab 字\u2060字", 5, ["ab", "字\u2060字"], id="a word joiner"),
        pytest.param("a\n    b c", 6, ["a", "    b", "c"], id="indentation"),
        pytest.param("    abcdefghij", 6, ["    ab", "cdefgh", "ij"], id="an indented long word"),
        pytest.param("中文字符很多", 5, ["中文", "字符", "很多"], id="Chinese"),
        pytest.param("abc中文def", 5, ["abc中", "文def"], id="Chinese and Latin"),
        pytest.param("中文字。符", 6, ["中文", "字。符"], id="a full stop"),
        pytest.param("中文「字」符", 6, ["中文", "「字」", "符"], id="brackets"),
        pytest.param("中文字, 符", 6, ["中文", "字, 符"], id="a comma"),
        pytest.param(f"{FAMILY}🇩🇪👍🏽", 4, [f"{FAMILY}🇩🇪", "👍🏽"], id="emoji"),
    ],
)
def test_where_a_line_is_broken(text: str, width: int, rows: list[str]) -> None:
    assert wrapped(text, width) == rows


def test_where_indentation_leaves_no_room_the_word_begins_on_the_next_row() -> None:
    rows = wrap([("        abc", A)], 5)
    assert texts(rows) == ["", "abc"]
    assert unwrapped(rows) == "        abc"


@pytest.mark.parametrize("text", ["", " ", "          "])
def test_text_without_words_is_one_empty_row(text: str) -> None:
    assert wrap([(text, A)], 4) == [Row(())]


@pytest.mark.parametrize("text", ["שלום עולם זה מבחן", "مرحبا بالعالم هذا"])
def test_text_from_right_to_left_stays_in_the_order_it_was_written(text: str) -> None:
    rows = wrap([(text, A)], 10)
    assert len(rows) > 1
    assert " ".join(texts(rows)) == text


@pytest.mark.parametrize("width", [20, 6])
def test_tabs_go_to_the_stops_of_the_unbroken_line_counted_in_cells(width: int) -> None:
    row = "  ".join(["a   b", "字  c", "d"])
    assert unwrapped(wrap([("a\tb\t", A), ("字\t", B), ("c", A)], width)) == "a   b   字  c"
    assert row.index("b") % TAB == 0


def test_a_style_that_changes_inside_a_cluster_changes_behind_it() -> None:
    (row,) = wrap([("xe", A), ("\u0301y", B)], 10)
    assert row.spans == (("xe\u0301", A), ("y", B))
    assert cut([("👩", A), ("\u200d", B), ("💻.", B)], 9)[0].spans == (("👩\u200d💻", A), (".", B))


@given(SPANS, WIDTHS)
@example([("a\u3000 \n\t", A)], 1)
def test_no_row_is_wider_than_the_line_or_ends_in_a_blank(spans: list[Span], width: int) -> None:
    for row in wrap(spans, width):
        assert width_of(row.text) <= max(width, len(row.text) and 2 if width == 1 else 0)
        assert not row.text.endswith(" ")
        assert row.glue is None or row.text[:1] != " " or row.text[1:2] in MARKS


@given(ONE_LINE, WIDTHS)
def test_every_character_is_kept_once_but_for_blanks_at_the_end(text: str, width: int) -> None:
    rows = wrap([(text[:5], A), (text[5:], B)], width)
    text = unwrapped(wrap([(text, A)], 10_000))
    assert unwrapped(rows) == text
    assert {row.glue.strip(" ") for row in rows if row.glue is not None} <= {""}
    bounds = {0, *measure(text).offsets}
    at = 0
    for row in rows:
        at += len(row.glue or "")
        assert at in bounds
        at += len(row.text)
        assert at in bounds


@given(st.text("ab    .(é字。😀", max_size=60), WIDTHS)
def test_text_is_broken_the_same_way_however_it_is_counted(text: str, width: int) -> None:
    lines, code = wrapped(text, width), texts(cut([(text, A)], width))
    with patch.object(line_breaking, "is_narrow", lambda text: not text):
        assert wrapped(text, width) == lines
        assert texts(cut([(text, A)], width)) == code
        with patch.object(cell_width, "is_loose", return_value=False):
            assert wrapped(text, width) == lines
            assert texts(cut([(text, A)], width)) == code


@given(SPANS, st.integers(4, 40))
def test_prefixes_stand_before_the_rows_within_the_width(spans: list[Span], width: int) -> None:
    rows = wrap(spans, width, [("> ", B)], [("  ", B)])
    assert [row.spans[0][0] for row in rows] == ["> "] + ["  "] * (len(rows) - 1)
    bare = wrap(spans, width - 2)
    assert rows == [bare[0].indented([("> ", B)]), *(row.indented([("  ", B)]) for row in bare[1:])]


# Cutting


@given(ONE_LINE, WIDTHS)
def test_cut_keeps_every_character(text: str, width: int) -> None:
    rows = cut([(text[:5], A), (text[5:], B)], width)
    assert "".join(texts(rows)) == "".join(texts(cut([(text, A)], 10_000)))
    assert [row.glue for row in rows] == [None, *[""] * (len(rows) - 1)]
    for row, following in pairwise(rows):
        first = clusters_of(following.text)[0]
        assert width_of(row.text) <= max(2, width)
        assert width_of(row.text) + width_of(first) > width


def test_cut_keeps_the_lines_of_its_text() -> None:
    assert texts(cut([("if x:\n\treturn   \n", A)], 8)) == ["if x:", "    retu", "rn   ", ""]


# Text that grows


STEPS = st.lists(st.tuples(st.booleans(), SPANS), max_size=8)
PREFIXES = st.sampled_from([(), (("> ", B),), (("1. ", A), ("字 ", B))])


@settings(max_examples=400)
@given(STEPS, WIDTHS, PREFIXES, PREFIXES)
def test_text_that_grows_gives_the_rows_of_all_of_it_at_once(
    steps: list[tuple[bool, list[Span]]], width: int, first: tuple[Span], rest: tuple[Span]
) -> None:
    flow = Flow(width, first, rest)
    rows = flow.rows
    before: list[Row] = []
    settled: list[Span] = []
    for is_settled, spans in steps:
        if is_settled:
            flow.settle(spans)
            settled += spans
            assert rows == wrap(settled, width, first, rest)
            continue
        changed = flow.show(spans)
        assert rows == wrap([*settled, *spans], width, first, rest)
        assert all(old is new for old, new in zip(before[:changed], rows[:changed], strict=True))
        if changed < min(len(rows), len(before)):
            assert rows[changed] != before[changed]
        before = rows.copy()


PLAIN = st.text("ab .", min_size=1, max_size=6)


@settings(max_examples=400)
@example([("字", A)], [("a", B)], [" b", "c"], 3, (("> ", B),), ())
@given(SPANS, SPANS, st.lists(PLAIN, max_size=6), WIDTHS, PREFIXES, PREFIXES)
def test_what_fits_behind_the_last_row_stands_where_it_would_be_wrapped_to(
    settled: list[Span],
    shown: list[Span],
    more: list[str],
    width: int,
    first: tuple[Span],
    rest: tuple[Span],
) -> None:
    assume(shown and visible(shown[-1][0]).strip(" ") and not shown[-1][0][-1].isspace())
    flow = Flow(width, first, rest)
    flow.settle(settled)
    flow.show(shown)
    (text, style), count = shown[-1], len(flow.rows)
    for piece in more:
        if not flow.extend(piece):
            break
        text += piece
        assert flow.rows == wrap([*settled, *shown[:-1], (text, style)], width, first, rest)
        assert len(flow.rows) == count
    before = flow.rows.copy()
    changed = flow.show([*shown[:-1], (text + "!", style)])
    assert all(old is new for old, new in zip(before[:changed], flow.rows, strict=False))
    assert flow.rows == wrap([*settled, *shown[:-1], (text + "!", style)], width, first, rest)


def test_settled_text_joins_what_follows_in_a_word_and_in_a_cluster() -> None:
    flow = Flow(8)
    flow.settle([("one tw", A)])
    flow.show([("elve", A)])
    assert texts(flow.rows) == ["one", "twelve"]
    flow.settle([("elve 1", A)])
    assert flow.show([("\ufe0f\u20e3", B)]) == 2
    assert flow.rows == [
        Row((("one", A),)),
        Row((("twelve", A),), " "),
        Row((("1\ufe0f\u20e3", A),), " "),
    ]


def test_only_the_last_rows_are_laid_anew() -> None:
    flow = Flow(10)
    flow.settle([("word " * 1000, A)])
    flow.show([("more", A)])
    rows = flow.rows.copy()
    flow.settle([("more ", A)])
    assert flow.show([("and", A)]) >= len(rows) - 1
    assert flow.show([("and", A)]) == len(flow.rows)
    assert all(old is new for old, new in zip(rows[:-1], flow.rows, strict=False))


# One row


@given(SPANS, SPANS, st.integers(1, 40))
def test_a_fitted_row_is_never_wider(left: list[Span], right: list[Span], width: int) -> None:
    assert width_of(fit(left, right, width, GROUND).text) <= width


def test_what_is_shortened_ends_in_an_ellipsis_and_in_no_half_of_a_cluster() -> None:
    flags = "🇩🇪🇫🇷🇮🇹"
    assert fit([(flags, A)], (), 6, GROUND).text == flags
    assert fit([(flags, A)], (), 4, GROUND).text == "🇩🇪…"
    assert fit([("a long name", A)], [("ok", B)], 11, GROUND).text == "a long … ok"


# Clusters that are too long

HEAPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "字", "", "👩", "a\u200d"]), st.sampled_from(HUNG), st.integers(0, 90)
    ),
    max_size=4,
).map(lambda parts: "".join(head + hung * count for head, hung, count in parts))


@given(HEAPS)
def test_no_more_hangs_together_than_unicode_calls_safe(text: str) -> None:
    safe = stream_safe(text)
    assert len(safe) == len(text)
    assert stream_safe(safe) == safe
    assert max(map(len, clusters_of(safe)), default=0) <= 2 * MOST_HUNG + 2


@given(HEAPS, HEAPS)
def test_what_follows_changes_nothing_of_what_hangs_together(text: str, more: str) -> None:
    assert stream_safe(text + more)[: len(text)] == stream_safe(text)


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_what_people_write_hangs_together_as_before(cluster: str) -> None:
    assert stream_safe(f"x{cluster}y" * 40) == f"x{cluster}y" * 40


@given(HEAPS, st.lists(st.integers(0, 200), max_size=3), WIDTHS)
def test_a_heap_of_accents_is_wrapped_as_it_grows(text: str, cuts: list[int], width: int) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    flow = Flow(width)
    for begin, end in pairwise(edges):
        flow.settle([(text[begin:end], A)])
    flow.show(())
    assert flow.rows == wrap([(text, A)], width)


def test_a_cluster_that_goes_through_spans_is_parted_in_them() -> None:
    (row, *_) = wrap([("a" + "\u0301" * 20, A), ("\u0301" * 20, B)], 8)
    assert row.text == "a" + "\u0301" * 30 + "␦" + "\u0301" * 9
    assert [style for _, style in row.spans] == [A, B]
