"""Streamed Markdown equals Markdown read at once."""

import itertools
import os
import random
from unittest.mock import Mock, patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.text.markdown import Item, StreamingMarkdown, is_parted
from lfgtui.text.markdown.parser import read_blocks, read_inlines
from tests.helpers.effort import times
from tests.text.markdown.documents import DOCUMENTS, examples
from tests.text.markdown.rendering import PARSER, html_of

WORDS = "word " * 60
AWKWARD = (
    *("para\n#hashtag\n", "para\n***bold***\n", "a | b\n---|---\nx | y\n", "a\0b\n"),
    *("Title\n=====\ntext\n-----\n", "- a\n- b\n\n- c\n\ntext\n", "> quote\nlazy\n\n> another\n"),
    *("```python\nprint(1)\n\n# not a heading\n```\nafter\n", "````\n```\n````\n"),
    *("see [x] and [y][x]\n\n[x]: /url\n'title'\n", "[x]: /first\n\n[x]\n\n[x]: /second\n"),
    *("one\r\ntwo\r\n\r\nthree\r", "line\u2028separator\x0cfeed\x85next\n\nend"),
    *("    code\n\n    more\n\ntext\n", "<div>\n*a*\n\n</div>\n"),
    *("~~gone~~ https://example.org/a.b. main.py\n", "- a\n\n  b\n\n      code\n- c\n\n\nend\n"),
    *("[foo]: /url\n===\n[foo]\n", "see http://a.a and me@x.org. or http://b. end\n"),
    *("[foo]:/\n[foo](a [foo] (b\n", "> é\n> \u00a0foo\n", "> [a]: u\n'x\ny'\n"),
    "*em* more, **strong** more, `code` more, ~~gone~~more [x](/u) more\n",
    *(
        "- one\n- [foo]: /url\n  'title\n- two [foo] words\n",
        '- [foo]: /url\n"a title\nthat ends"\n',
    ),
    *("-\n  [foo]: /url\n  text [foo] words\n", f"see a@b.cd {WORDS}</a> http://a.b\n"),
    *(f"see q@b.co {WORDS}`c`//host.xyzzy and so on\n", f"see *\u2028 {WORDS}x*\n"),
    "**https://x.y/z**.Next one two\n",
    """http://a.b/"*x*c" and http://a.b/'`x`c' and *http://a.b/c*.html\n""",
    *("- ```\n\n- b\n", "- a\n  1. ```\n\n  text\n", ">]\n    >\n    x\n\n\n    >\n>\n"),
)


def at_once(source: str) -> str | None:
    """Return the rendering of one parse; None where the parser itself breaks."""
    try:
        return str(PARSER.render(source))
    except (IndexError, ValueError, RecursionError):
        return None


def assert_streams(source: str, pieces: list[str]) -> None:
    document, so_far = StreamingMarkdown(), ""
    for piece in pieces:
        document.feed(piece)
        so_far += piece
        if not so_far.endswith("\r"):
            assert at_once(so_far) in (None, html_of(document))
    document.close()
    assert at_once(source) in (None, html_of(document))
    assert all(block.is_frozen for block in document.blocks)


def document_of(*texts: str) -> StreamingMarkdown:
    """A document that was read after each of the texts, its changes taken."""
    document = StreamingMarkdown()
    for text in texts:
        document.feed(text)
        document.take_changes()
    return document


SOURCES = DOCUMENTS | st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=3).map("".join)


@st.composite
def chunked(draw: st.DrawFn) -> list[str]:
    source = draw(SOURCES)
    cuts = sorted(draw(st.sets(st.integers(0, len(source)), max_size=12)) | {0, len(source)})
    return [source[a:b] for a, b in itertools.pairwise(cuts)]


@settings(max_examples=times(80))
@given(chunked())
def test_at_every_moment_shows_what_one_parse_of_the_text_so_far_shows(pieces: list[str]) -> None:
    assert_streams("".join(pieces), pieces)


@pytest.mark.parametrize("source", AWKWARD)
def test_character_by_character_and_line_by_line_changes_nothing(source: str) -> None:
    assert_streams(source, list(source))
    assert_streams(source, source.splitlines(keepends=True))


@pytest.mark.skipif("LFG_RECORDINGS" not in os.environ, reason="LFG_RECORDINGS is not set")
def test_every_example_of_the_specifications_streams() -> None:
    chance = random.Random(7)
    for source in examples():
        cuts = sorted({0, len(source), *chance.choices(range(len(source)), k=len(source) // 5)})
        assert_streams(source, [source[a:b] for a, b in itertools.pairwise(cuts)])


def test_a_frozen_block_is_left_alone_and_nothing_new_is_no_change() -> None:
    document = document_of("# Title\n\nfirst paragraph\n\nsecond")
    title, first, second = document.blocks
    revisions = (title.revision, first.revision)
    assert document.take_changes() == 3
    document.feed(" paragraph grows")
    assert document.take_changes() == 2
    assert list(document.blocks) == [title, first, second]
    assert title.is_frozen and first.is_frozen and not second.is_frozen
    assert (title.revision, first.revision) == revisions


@pytest.mark.parametrize("rest", ["", "\nend\n", "1. x\n\n~~~\n"])
def test_a_list_made_loose_changes_from_its_first_item_on_also_where_it_ends(rest: str) -> None:
    document = document_of("Before.\n\n* a\n* b\n")
    document.feed("* c\n\n  d\n" + rest)
    assert document.take_changes() == 1


def test_a_late_definition_reaches_back_and_moves_the_revision() -> None:
    document = document_of("see [here]\n\nnothing else\n\n")
    before, other = (block.revision for block in document.blocks)
    document.feed("[here]: https://example.org\n\nend")
    assert document.take_changes() == 0
    blocks = document.blocks
    assert blocks[0].revision > before and blocks[1].revision == other
    assert 'href="https://example.org"' in html_of(document)


def test_a_definition_that_goes_on_growing_reaches_back_again() -> None:
    document = document_of("- see [here]\n\ntext\n\n[here]: /a")
    assert 'href="/a"' in html_of(document)
    document.feed("bc\n'title'\n")
    assert 'href="/abc" title="title"' in html_of(document)


def test_blocks_are_leaves_in_their_places() -> None:
    document = document_of("> intro\n>\n> 3. one\n>    - deep\n> 4. [x] two\n>\n>    more\n\nend")
    found = [
        (block.kind, [type(container).__name__ for container in block.containers], block.opens)
        for block in document.blocks
    ]
    assert found == [
        ("paragraph", ["Quote"], 1),
        ("paragraph", ["Quote", "Item"], 1),
        ("paragraph", ["Quote", "Item", "Item"], 1),
        ("paragraph", ["Quote", "Item"], 1),
        ("paragraph", ["Quote", "Item"], 0),
        ("paragraph", [], 0),
    ]
    first, same, item, again = (block.containers[1] for block in document.blocks[1:5])
    assert first is same and item is again and first is not item
    assert isinstance(item, Item)
    assert (item.list_block.start + item.index, item.is_checked) == (4, True)


def test_a_blank_line_parts_all_items_of_its_list() -> None:
    document = document_of("- a\n- b\n", "- c\n")
    assert not is_parted(document.blocks[0], document.blocks[1])
    document.feed("\n- d\n")
    assert document.take_changes() == 0
    assert all(is_parted(one, other) for one, other in itertools.pairwise(document.blocks))


def test_the_sources_of_all_blocks_are_the_text() -> None:
    source = (
        "# Title\n\n- a\n  - b\n\n  c\n\n> q\n\n[x]: /u\n\n"
        "```py\nx = 1\n```\n| a |\n|---|\n| 1 |\ntail\n\n[y]: /z"
    )
    document = document_of(*source)
    document.close()
    assert "".join(map(document.source_of, document.blocks)) == source


@pytest.mark.parametrize(
    "line",
    [
        *("x = 1 # code\n", "    indented\n", "<p>html\n", "| a | b |\n", "some words of prose\n"),
        "a hard break  \n",
    ],
)
@pytest.mark.parametrize("around", ["", "> ", "1. ", "> - "], ids=["", "quote", "item", "both"])
def test_a_long_leaf_sheds_its_lines_and_loses_none(line: str, around: str) -> None:
    heads = {"x": "```py\n", "|": "| h | i |\n|---|--:|\n"}
    hang = around.replace("1.", "  ").replace("-", " ")
    lines = [*heads.get(line[0], "").splitlines(keepends=True), *[line] * 40, "end"]
    pieces = [(hang if number else around) + text for number, text in enumerate(lines)]
    assert_streams("".join(pieces), pieces)


@pytest.mark.parametrize(
    "line", ["x = 1\n", "| a | b |\n", "- item\n", "> quote\n", "words\n", "[l{}]: /u\n"]
)
def test_what_is_read_at_a_time_does_not_grow_with_the_document(line: str) -> None:
    """However long a leaf or a list: the tail that is read again stays short."""
    document = document_of({"x": "```\n", "|": "| a | b |\n|---|---|\n"}.get(line[0], ""))
    blocks = Mock(wraps=read_blocks)
    with patch("lfgtui.text.markdown.open_tail.read_blocks", blocks):
        for number in range(300):
            document.feed(line.format(number))
            document.take_changes()
    assert max((len(call.args[1]) for call in blocks.mock_calls), default=0) < 400


def test_what_follows_a_slice_of_a_large_delta_is_shown_at_once() -> None:
    for length in range(3_990, 4_010):
        source = "a" * length + "\nbbb"
        assert html_of(document_of(source)) == at_once(source)


def test_a_file_name_is_not_a_link() -> None:
    assert html_of(document_of("edit main.py, see https://example.org")).count("<a ") == 1


def test_nesting_ends_and_what_lies_deeper_is_text() -> None:
    source = "".join("  " * depth + f"- level {depth}\n" for depth in range(60))
    assert_streams(source, [source[at : at + 50] for at in range(0, len(source), 50)])
    assert "level 59" in html_of(document_of(source))


@pytest.mark.parametrize(
    ("opening", "closing"), [("**", "**"), ("`", "`"), ("[", "](/u)"), ("<b ", ">"), ("~~", "~~")]
)
def test_markup_that_is_still_open_is_never_settled(opening: str, closing: str) -> None:
    source = f"Begin {WORDS}{WORDS}{opening}{WORDS}{WORDS}{closing} end"
    assert_streams(source, [source[at : at + 7] for at in range(0, len(source), 7)])


@pytest.mark.parametrize("before", ["", "text\n\n", "- one\n- ", "> 1. one\n> 2. ", "a `b` *c* "])
def test_the_rest_of_a_line_of_words_is_put_behind_without_reading_it(before: str) -> None:
    document = document_of(before + "Some")
    read, blocks = Mock(wraps=read_inlines), Mock(wraps=read_blocks)
    with (
        patch("lfgtui.text.markdown.inline.read_inlines", read),
        patch("lfgtui.text.markdown.open_tail.read_blocks", blocks),
    ):
        for part in (" wor", "ds") * 200:
            document.feed(part)
            document.take_changes()
    assert not blocks.called
    assert read.call_count <= 200 * 6 / 96 * 3  # to settle what is long, and after
    assert html_of(document) == at_once(before + "Some" + " words" * 200)


def test_a_carriage_return_at_the_end_is_a_line_of_its_own_also_behind_another() -> None:
    document = StreamingMarkdown()
    document.feed("```\na\r\r")
    document.close()
    assert html_of(document) == "<pre><code>a\n\n</code></pre>\n"
