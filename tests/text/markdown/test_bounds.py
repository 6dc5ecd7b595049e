"""Texts made to take long: what is read at a time is bounded, and nothing is lost."""

import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline

from lfgtui.text.markdown import StreamingMarkdown, bounds, is_parted
from lfgtui.text.markdown.parser import make_parser
from tests.text.markdown.rendering import html_of

if TYPE_CHECKING:
    from _typeshed import TraceFunction

HOSTILE = (
    *("[", "![", "[a][", "[[a]", "![a][", "*a_ ", "`a``", "<a ", "<!--", "&", "http://a.", "://"),
    *("http://[", "a@", "> ", "- ", "\t", "é(", "a|b\n", "a|b\n-|-\n", "> a\n", "[a]: b 'c\n"),
    *("[a\n", "\n", ">\n", "  \n", "a\n", "<div>\n", "    a\n", "    \ta\n\n"),
)


def streamed(text: str, size: int) -> StreamingMarkdown:
    """Feed the text in pieces of a size, each of them read by itself."""
    document = StreamingMarkdown()
    for begin in range(0, len(text), size):
        document.feed(text[begin : begin + size])
        document.read()
    document.close()
    return document


@pytest.mark.parametrize("unit", HOSTILE)
def test_what_is_read_at_a_time_is_bounded(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = 0

    def noting(rule: Callable[..., object]) -> Callable[..., object]:
        def parse(self: object, source: str, *rest: object) -> object:
            nonlocal longest
            longest = max(longest, len(source))
            return rule(self, source, *rest)

        return parse

    for parser in (ParserBlock, ParserInline):
        monkeypatch.setattr(parser, "parse", noting(parser.parse))
    streamed(unit * (4_000 if "\n" in unit else 60_000 // len(unit)), 3_000)
    most = len(unit) * bounds.MOST_LINES if "\n" in unit else bounds.LONGEST_BLOCK
    assert longest <= most + 2 * (3_000 if "\n" in unit else bounds.LONGEST_LINE)


def steps(text: str) -> int:
    """Count the lines of Python that run until the text is read and rendered."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> "TraceFunction":
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        html_of(streamed(text, len(text)))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("unit", ["[", "![", "http://a.", "*a_ ", "[a]["])
def test_a_line_without_end_takes_work_in_proportion(unit: str) -> None:
    assert steps(unit * 8_000) < 8 * steps(unit * 2_000)  # in the square of it: 16 times


@given(st.data())
def test_a_line_that_is_too_long_is_read_the_same_however_it_arrives(data: st.DataObject) -> None:
    parts = ("a", " ", "> ", "- ", "*b*", "`", "\n", "```\n", "| ", "\t", "[x]", "字", "    ")
    text = "".join(data.draw(st.lists(st.sampled_from(parts), min_size=8, max_size=60)))
    with patch.object(bounds, "LONGEST_LINE", 20):
        whole = streamed(text, len(text))
        assert html_of(streamed(text, 1)) == html_of(whole)
        assert "\0" not in html_of(whole)
        assert all("\0" not in whole.source_of(block) for block in whole.blocks)


def test_a_long_line_of_prose_is_one_paragraph_and_copied_as_written() -> None:
    text = "word *em* or so " * 1_000 + "end"
    document = streamed(text, len(text))
    (block,) = document.blocks
    assert document.source_of(block) == text
    assert html_of(document) == make_parser().render(text)


def test_of_a_paragraph_with_too_many_signs_the_rest_is_plain_text() -> None:
    html = html_of(streamed("*a* " * 2_000, 8_000))
    assert html.count("<em>") == 1_250
    assert "*a* *a*" in html


@pytest.mark.parametrize(
    ("head", "line", "kind"),
    [
        ("```py\n", "x = 1\n", "fence"),
        ("a | b\n--|--\n", "1 | 2\n", "table"),
        ("", "a\n", "paragraph"),
        ("", "    a\n", "code_block"),
        ("<div>\n", "a\n", "html_block"),
    ],
)
def test_a_long_block_goes_on_in_another_copied_whole(head: str, line: str, kind: str) -> None:
    text = head + line * 3_000
    document = streamed(text, 700)
    blocks = document.blocks
    assert len(blocks) > 2
    assert blocks[0].kind == kind
    assert "".join(document.source_of(block) for block in blocks) == text
    assert not any(is_parted(one, other) for one, other in pairwise(blocks))


@pytest.mark.parametrize(
    ("columns", "cells", "kinds"), [(40, 35, ["table", "paragraph"]), (100, 100, ["paragraph"])]
)
def test_a_table_ends_where_cells_are_missing_and_is_no_wider_than_anyone_can_read(
    columns: int, cells: int, kinds: list[str]
) -> None:
    table = "a|" * columns + "\n" + "-|" * columns + "\n" + "1|" * cells + "\n" + "1\n" * 500
    assert [block.kind for block in streamed(table, len(table)).blocks] == kinds
