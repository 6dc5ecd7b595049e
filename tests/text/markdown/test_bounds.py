"""Texts made to take long: what is read at a time is bounded, and nothing is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline

from lfgtui.text.markdown import StreamingMarkdown, bounds, is_parted
from lfgtui.text.markdown.parser import make_parser

HOSTILE = (
    *("[", "![", "[a][", "[[a]", "![a][", "*a_ ", "`a``", "<a ", "<!--", "&", "http://a.", "://"),
    *("http://[", "a@", "> ", "- ", "\t", "é(", "a|b\n", "a|b\n-|-\n", "> a\n", "[a]: b 'c\n"),
    *("[a\n", "\n", ">\n", "  \n", "a\n", "<div>\n", "    a\n", "    \ta\n\n"),
)


@contextmanager
def longest_read() -> Iterator[list[int]]:
    """The longest text that markdown-it was given to read, blocks or inlines."""
    longest = [0]

    def noting(rule: Callable[..., object]) -> Callable[..., object]:
        def parse(self: object, source: str, *rest: object) -> object:
            longest[0] = max(longest[0], len(source))
            return rule(self, source, *rest)

        return parse

    with (
        patch.object(ParserBlock, "parse", noting(ParserBlock.parse)),
        patch.object(ParserInline, "parse", noting(ParserInline.parse)),
    ):
        yield longest


@pytest.mark.parametrize("unit", HOSTILE)
def test_what_is_read_at_a_time_is_bounded_however_much_is_open(unit: str) -> None:
    text = unit * (4_000 if "\n" in unit else 60_000 // len(unit))
    document = StreamingMarkdown()
    with longest_read() as longest:
        for begin in range(0, len(text), 3_000):
            document.feed(text[begin : begin + 3_000])
            assert document.blocks is not None
        document.close()
    most = len(unit) * bounds.MOST_LINES if "\n" in unit else bounds.LONGEST_BLOCK
    most += 2 * (3_000 if "\n" in unit else bounds.LONGEST_LINE)
    assert longest[0] <= most


def seconds(text: str) -> float:
    began = time.process_time()
    document = StreamingMarkdown()
    document.feed(text)
    document.close()
    document.html()
    return time.process_time() - began


@pytest.mark.parametrize("unit", ["[", "![", "http://a.", "*a_ ", "[a]["])
def test_a_line_without_end_costs_what_it_is_long(unit: str) -> None:
    short, long = (min(seconds(unit * n) for _ in range(2)) for n in (5_000, 20_000))
    assert long < 8 * short + 0.05  # in the square of it: 16 times


@given(st.data())
def test_a_line_that_is_too_long_is_read_the_same_however_it_arrives(data: st.DataObject) -> None:
    parts = ("a", " ", "> ", "- ", "*b*", "`", "\n", "```\n", "| ", "\t", "[x]", "字", "    ")
    text = "".join(data.draw(st.lists(st.sampled_from(parts), min_size=8, max_size=60)))
    with patch.object(bounds, "LONGEST_LINE", 20):
        whole, streamed = StreamingMarkdown(), StreamingMarkdown()
        whole.feed(text)
        for character in text:
            streamed.feed(character)
            assert streamed.blocks is not None
        whole.close()
        streamed.close()
        assert streamed.html() == whole.html()
        assert "\0" not in whole.html()
        assert all("\0" not in whole.source_of(block) for block in whole.blocks)


def test_a_long_line_of_prose_is_one_paragraph_and_copied_as_written() -> None:
    text = "word *em* or so " * 1_000 + "end"
    document = StreamingMarkdown()
    document.feed(text)
    document.close()
    (block,) = document.blocks
    assert document.source_of(block) == text
    assert document.html() == make_parser().render(text)


def test_of_a_paragraph_with_too_many_signs_the_rest_is_plain_text() -> None:
    document = StreamingMarkdown()
    document.feed("*a* " * 2_000)
    said = document.html()
    assert said.count("<em>") == 1_250
    assert "*a* *a*" in said


@pytest.mark.parametrize(
    ("head", "line", "kind"),
    [
        ("```py\n", "x = 1\n", "fence"),
        ("a | b\n--|--\n", "1 | 2\n", "table"),
        ("", "a\n", "paragraph"),
    ],
)
def test_a_block_that_is_too_long_goes_on_in_another_and_is_copied_as_written(
    head: str, line: str, kind: str
) -> None:
    text = head + line * 3_000
    document = StreamingMarkdown()
    for begin in range(0, len(text), 700):
        document.feed(text[begin : begin + 700])
        assert document.blocks is not None
    document.close()
    blocks = document.blocks
    assert len(blocks) > 2
    assert {block.kind for block in blocks} == {kind}
    assert "".join(document.source_of(block) for block in blocks).strip() == text.strip()
    assert not any(is_parted(one, other) for one, other in pairwise(blocks))


def test_a_line_that_lacks_most_cells_of_a_wide_table_ends_it() -> None:
    document = StreamingMarkdown()
    document.feed("a|" * 40 + "\n" + "-|" * 40 + "\n" + "1|" * 35 + "\n" + "1\n" * 500)
    assert [block.kind for block in document.blocks] == ["table", "paragraph"]


def test_a_table_of_more_columns_than_anyone_can_read_is_text() -> None:
    document = StreamingMarkdown()
    document.feed("a|" * 100 + "\n" + "-|" * 100 + "\n" + "1|" * 100 + "\n")
    assert [block.kind for block in document.blocks] == ["paragraph"]
