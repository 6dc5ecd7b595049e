"""Streamed Markdown equals Markdown read at once."""

import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.markdown import StreamingMarkdown
from lfgtui.markdown.parser import make_parser

AWKWARD = (
    "para\n#hashtag\n",
    "para\n***bold***\n",
    "a | b\n---|---\nx | y\n",
    "Title\n=====\ntext\n-----\n",
    "- a\n- b\n\n- c\n\ntext\n",
    "> quote\nlazy\n\n> another\n",
    "```python\nprint(1)\n\n# not a heading\n```\nafter\n",
    "````\n```\n````\n",
    "see [x] and [y][x]\n\n[x]: /url\n'title'\n",
    "[x]: /first\n\n[x]\n\n[x]: /second\n",
    "one\r\ntwo\r\n\r\nthree\r",
    "line\u2028separator\x0cfeed\x85next\n\nend",
    "    code\n\n    more\n\ntext\n",
    "<div>\n*a*\n\n</div>\n",
    "~~gone~~ https://example.org/a.b. main.py\n",
    "a\0b\n",
    "- a\n\n  b\n\n      code\n- c\n\n\nend\n",
    "[foo]: /url\n===\n[foo]\n",
)


def at_once(source: str) -> str:
    return str(make_parser().render(source))


def assert_streams(source: str, pieces: list[str]) -> None:
    document, so_far = StreamingMarkdown(), ""
    for piece in pieces:
        document.feed(piece)
        so_far += piece
        if not so_far.endswith("\r"):
            assert document.html() == at_once(so_far)
    document.close()
    assert document.html() == at_once(source)
    assert all(block.frozen for block in document.blocks)


@st.composite
def chunked(draw: st.DrawFn) -> list[str]:
    source = "".join(draw(st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=3)))
    cuts = sorted(draw(st.sets(st.integers(0, len(source)), max_size=12)) | {0, len(source)})
    return [source[a:b] for a, b in itertools.pairwise(cuts)]


@given(chunked())
def test_at_every_moment_shows_what_one_parse_of_the_text_so_far_shows(pieces: list[str]) -> None:
    assert_streams("".join(pieces), pieces)


@pytest.mark.parametrize("source", AWKWARD)
def test_character_by_character_changes_nothing(source: str) -> None:
    assert_streams(source, list(source))


def examples() -> Iterator[str]:
    folder = os.environ.get("LFG_RECORDINGS")
    if folder is None:
        return
    for name in ("commonmark.json", "gfm_extensions.json"):
        for example in json.loads((Path(folder) / name).read_text()):
            yield example["markdown"]


@pytest.mark.skipif("LFG_RECORDINGS" not in os.environ, reason="LFG_RECORDINGS is not set")
def test_every_example_of_the_specifications_streams() -> None:
    chance = random.Random(7)
    for source in examples():
        pieces, rest = [], source
        while rest:
            length = chance.randint(1, 9)
            pieces.append(rest[:length])
            rest = rest[length:]
        assert_streams(source, pieces)


def test_a_frozen_block_is_never_parsed_again() -> None:
    document = StreamingMarkdown()
    document.feed("# Title\n\nfirst paragraph\n\nsecond")
    title, first, second = document.blocks
    document.feed(" paragraph grows")
    again = document.blocks
    assert again[0] is title and again[1] is first
    assert title.frozen and first.frozen and not second.frozen
    assert again[2].revision > second.revision


def test_a_late_definition_reaches_back_and_moves_the_revision() -> None:
    document = StreamingMarkdown()
    document.feed("see [here]\n\nnothing else\n\n")
    before, other = (block.revision for block in document.blocks)
    document.feed("[here]: https://example.org\n\nend")
    blocks = document.blocks
    assert blocks[0].revision > before and blocks[1].revision == other
    assert 'href="https://example.org"' in document.html()


def test_a_block_knows_its_own_source() -> None:
    document = StreamingMarkdown()
    document.feed("# Title\n\n- a\n- b\n\n```py\nx = 1\n```\ntail")
    assert [block.source for block in document.blocks] == [
        "# Title",
        "- a\n- b",
        "```py\nx = 1\n```",
        "tail",
    ]


def test_a_file_name_is_not_a_link() -> None:
    document = StreamingMarkdown()
    document.feed("edit main.py, see https://example.org")
    assert document.html().count("<a ") == 1
