"""Exported Markdown, read as GitHub would: folds hold what belongs in them and nothing else."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from lfgtui.export.escaping import literally, self_contained
from lfgtui.export.figures import RunDocument
from lfgtui.export.markdown import DOCUMENT, run_markdown
from lfgtui.history.reader import Reader
from lfgtui.text.markdown.parser import make_parser
from tests.export.stories import life, stored
from tests.export.test_html import NASTY

FOLD = re.compile(r"<details>\n<summary><b>[^<>]*</b>[^<>]*</summary>\n|</details>\n")
OPENERS = (
    *("```", "~~~\n", "````py\n", "- ```\n", "> ~~~\n", "<!--", "<div>\n", "<pre>", "<details>"),
    *("</details>", "<summary>", "<script>\n", "`", "``", "\\", "\\<b>", "\n\n", "\n", "    "),
    *("<https://a.b>", "<b>", "</b>", "`<b>`", "<?x", "<![CDATA[", "<a href='`'>`", "word ", "|a|"),
)


def parsed(source: str) -> list[Token]:
    return make_parser().parse(source)


def html_in(tokens: list[Token]) -> list[str]:
    return [
        token.content
        for block in tokens
        for token in (block, *(block.children or ()))
        if token.type in ("html_block", "html_inline")
    ]


def exported(file: Path, text: str, answer: str) -> str:
    run = stored(file, life(text, answer), life("fine"), title=text)
    with Reader(file) as reader:
        return "".join(run_markdown(RunDocument(reader, run), DOCUMENT))


def assert_folds(source: str) -> None:
    """Each fold is closed before the next one begins, and no other HTML is there."""
    found = html_in(parsed(source))
    assert all(FOLD.fullmatch(html) for html in found), found
    kinds = [html.startswith("</") for html in found]
    assert kinds == [False, True] * (len(kinds) // 2)
    # A reasoning, three calls and a hosted one in each of the two tickets.
    assert len(kinds) == 2 * 5 * 2


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_nothing_breaks_out(tmp_path: Path, text: str) -> None:
    assert_folds(exported(tmp_path / "history.db", text, text))


@settings(max_examples=40)
@example("\t<!--")
@given(st.lists(st.sampled_from(OPENERS) | st.text(max_size=5), max_size=6).map("".join))
def test_nothing_breaks_out_whatever_it_is(text: str) -> None:
    with TemporaryDirectory() as folder:
        assert_folds(exported(Path(folder) / "history.db", text, text))


def test_answers_stand_at_the_top_and_whole(tmp_path: Path) -> None:
    source = exported(tmp_path / "history.db", "Say.", "# Big\n\nAn *answer*.\n\n```py\nx = 1\n```")
    tokens = parsed(source)
    headings = [
        tokens[index + 1].content for index, token in enumerate(tokens) if token.tag == "h1"
    ]
    assert headings[::2] == ["Say.", "Big"]
    assert any(token.type == "fence" and token.info == "py" for token in tokens)
    assert "An *answer*." in source


@given(st.lists(st.sampled_from(OPENERS) | st.text(max_size=5), max_size=8).map("".join))
def test_an_answer_keeps_to_itself(source: str) -> None:
    told = self_contained(source)
    tokens = parsed(f"before\n\n{told}\n\nafter\n")
    assert not html_in(tokens)
    assert (tokens[1].content, tokens[-2].content) == ("before", "after")
    assert tokens[-2].level == tokens[1].level == 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_a_title_is_text(text: str) -> None:
    tokens = parsed(f"# {literally(text)}")
    words = "".join(child.content for child in tokens[1].children or ())
    assert " ".join(words.split()) == " ".join(text.replace("\0", "").split())


@pytest.mark.parametrize(
    "text",
    [
        *("plain *words*", "`<b>` in code", "<https://a.b>", "    <i>", "```\n<b>\n```", "1 < 2"),
        "a\\<b",
    ],
)
def test_what_is_harmless_stays_as_it_was_written(text: str) -> None:
    assert self_contained(text) == text
