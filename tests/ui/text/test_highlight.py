"""Code is coloured a line at a time, and as if it had been seen whole."""

import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from lfgtui.text.syntax import lexer_of
from lfgtui.ui.text.highlight import Highlighter, styles_of
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Span
from tests.ui.stand import palette

PALETTE = palette()
SAMPLES: dict[str, str] = dict(
    re.findall(
        r"^~~~~(\w+)\n(.*?)\n~~~~$",
        Path(__file__).with_name("code.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
TEXT = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cc", "Cs"]))
PIECES = st.sampled_from(re.findall(r"\w+|[^\w\n]", "\n".join(SAMPLES.values())))
LINES = st.lists(TEXT | st.lists(PIECES, max_size=30).map("".join), max_size=8)


def role(style: Style) -> str:
    return next(name for name in Palette.__struct_fields__ if getattr(PALETTE, name) == style)


def roles(spans: list[Span]) -> list[tuple[str, str]]:
    return [(text, role(style)) for text, style in spans]


def one(line: str, language: str) -> dict[str, str]:
    """The role of each stretch of the line, blanks left off."""
    return {text.strip(): name for text, name in roles(Highlighter(language, PALETTE).line(line))}


def streamed(code: str, language: str) -> list[list[Span]]:
    highlighter = Highlighter(language, PALETTE)
    return [highlighter.line(line) for line in code.split("\n")]


def at_once(code: str, language: str) -> list[list[Span]]:
    """What Pygments makes of the whole text."""
    lexer = lexer_of(language)
    assert lexer is not None
    styles = styles_of(PALETTE)
    lines: list[list[Span]] = [[]]
    for kind, text in lexer.get_tokens(f"{code}\n"):
        for part in text.splitlines(keepends=True):
            if line := part.removesuffix("\n"):
                lines[-1].append((line, styles[kind]))
            if part != line:
                lines.append([])
    return [list(merged(line)) for line in lines[:-1]]


def merged(spans: list[Span]) -> Iterator[Span]:
    for style, run in groupby(spans, lambda span: span[1]):
        yield "".join(text for text, _ in run), style


@pytest.mark.parametrize("language", SAMPLES)
def test_line_by_line_is_what_pygments_makes_of_the_whole(language: str) -> None:
    code = SAMPLES[language]
    assert streamed(code, language) == at_once(code, language)


@pytest.mark.parametrize("language", SAMPLES)
@settings(max_examples=15)
@given(lines=LINES)
def test_the_spans_of_a_line_join_to_the_line(language: str, lines: list[str]) -> None:
    highlighter = Highlighter(language, PALETTE)
    for line in lines:
        for spans in (highlighter.peek(line), highlighter.line(line)):
            assert "".join(text for text, _ in spans) == line
            assert all(text for text, _ in spans)
            assert all(before[1] != after[1] for before, after in pairwise(spans))


@pytest.mark.parametrize("language", SAMPLES)
def test_a_peek_changes_nothing_and_shows_a_whole_line_as_it_will_be(language: str) -> None:
    peeking, plain = Highlighter(language, PALETTE), Highlighter(language, PALETTE)
    for line in SAMPLES[language].split("\n"):
        for size in range(len(line)):
            peeking.peek(line[:size])
        peeked = peeking.peek(line)
        assert peeked == peeking.line(line) == plain.line(line)


@pytest.mark.parametrize("language", ["python", "js", "yaml", "html", "php", "markdown", "ruby"])
def test_what_a_peek_shows_depends_on_the_line_alone(language: str) -> None:
    line = " ".join(SAMPLES[language].split())[:700]
    growing = Highlighter(language, PALETTE)
    for size in range(0, len(line), 7):
        assert growing.peek(line[:size]) == Highlighter(language, PALETTE).peek(line[:size])


def test_a_comment_is_one_from_its_first_line_on_though_its_end_is_not_known_yet() -> None:
    highlighter = Highlighter("js", PALETTE)
    assert roles(highlighter.line("a(); /* return 1")) == [
        ("a(); ", "block"),
        ("/* return 1", "comment"),
    ]
    assert roles(highlighter.peek("for let")) == [("for let", "comment")]
    assert roles(highlighter.line("*/ return 2")) == [
        ("*/", "comment"),
        (" ", "block"),
        ("return", "keyword"),
        (" ", "block"),
        ("2", "number"),
    ]


def test_a_heredoc_ends_at_its_word() -> None:
    lines = streamed("cat <<'EOF' > x\nfor $a\nEOF\nfor a in b", "bash")
    assert [roles(line)[-1][1] for line in lines[1:3]] == ["string", "string"]
    assert ("for", "keyword") in roles(lines[3])


def test_an_apostrophe_in_a_word_opens_no_string_in_a_shell() -> None:
    lines = streamed("echo don't\nfor a in b", "bash")
    assert ("for", "keyword") in roles(lines[1])


def test_a_script_is_lexed_as_one_and_ends_with_its_tag() -> None:
    lines = streamed("<script>\nconst a = `x\n y`;\n</script><p>const</p>", "html")
    assert ("const", "keyword") in roles(lines[1])
    assert roles(lines[2])[0][1] == "string"
    assert ("const", "block") in [(text.strip("<>/"), name) for text, name in roles(lines[3])]


def test_code_in_markdown_in_a_fence_has_its_own_colours() -> None:
    lines = streamed("```python\ndef f():\n```\ndef f():", "markdown")
    assert ("def", "keyword") in roles(lines[1])
    assert ("def", "keyword") not in roles(lines[3])


def test_markdown_within_markdown_within_markdown_does_not_nest_for_ever() -> None:
    streamed("```markdown\n" * 2_000, "markdown")


def test_a_diff_shows_what_came_what_went_and_where() -> None:
    assert one("+new", "diff") == {"+new": "string"}
    assert one("-old", "patch") == {"-old": "removed"}
    assert one("@@ -1 +1 @@", "diff") == {"@@ -1 +1 @@": "name"}
    assert one(" same", "diff") == {"same": "block"}


def test_php_needs_no_opening_tag() -> None:
    assert one('return "x";', "php")["return"] == "keyword"
    assert one("<p>return</p>", "php") == {"<p>return</p>": "block"}


def test_types_of_the_c_library_are_types() -> None:
    assert one("uint32_t n;", "c")["uint32_t"] == "keyword"


@pytest.mark.parametrize("language", ["", "nosuchlanguage", "{}", ",", "text"])
def test_code_of_no_known_language_is_plain_and_not_guessed(language: str) -> None:
    code = "#!/usr/bin/python\nimport os  # comment"
    assert [[name for _, name in roles(line)] for line in streamed(code, language)] == [
        ["block"],
        ["block"],
    ]


NAMES = """
py:Python python3:Python Python:Python {.python}:Python {.python:Python {r,:S rust,ignore:Rust
python{1,3}:Python js:JavaScript ts:TypeScript tsx:TSX sh:Bash zsh:Bash jsonc:JSON c++:C++ c#:C#
f#:F# html+php:HTML+PHP objective-c:Objective-C patch:Diff Dockerfile:Docker
"""


@pytest.mark.parametrize(("written", "lexer"), [pair.split(":") for pair in NAMES.split()])
def test_languages_go_by_the_names_people_write(written: str, lexer: str) -> None:
    found = lexer_of(written)
    assert found is not None
    assert found.name == lexer


def test_json_may_have_comments() -> None:
    lines = streamed('{ // one\n  /* true\n  false */ "a": true', "jsonc")
    assert roles(lines[0])[-1] == ("// one", "comment")
    assert roles(lines[2])[0] == ("  false */", "comment")
    assert roles(lines[2])[-1] == ("true", "keyword")


def test_a_very_long_line_is_plain_and_the_next_one_is_lexed_as_if_it_were_not_there() -> None:
    highlighter = Highlighter("js", PALETTE)
    highlighter.line("/* open")
    long = "return 1; */ " * 1_000
    assert roles(highlighter.line(long)) == [(long, "block")]
    assert roles(highlighter.line("still")) == [("still", "comment")]


def test_an_empty_line_has_no_spans() -> None:
    assert Highlighter("python", PALETTE).line("") == []
    assert Highlighter("", PALETTE).peek("") == []


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("yaml", ["a:", "  - b", " c", "\u2003- d: |", "x"]),
        ("html+php", ["<p><?php", "return 1;", "?></p>", "<b>"]),
        ("pycon", [">>> def f():", "...     return 1", ">>> f()", "1"]),
        ("postgresql", ["AS $$ BEGIN", "RETURN 1; $$ LANGUAGE plpgsql;", "$x$ a $x$"]),
        ("http", ["GET / HTTP/1.1", "Content-Type: text/html", "", "<p>"]),
        ("scala", ["val a = 1", "/* two", "lines */ def f = 2"]),
    ],
)
def test_other_kinds_of_lexer_keep_the_text_too(language: str, lines: list[str]) -> None:
    for line, spans in zip(lines, streamed("\n".join(lines), language), strict=True):
        assert "".join(text for text, _ in spans) == line


def test_an_open_line_is_lexed_in_steps_once_it_is_long() -> None:
    highlighter = Highlighter("python", PALETTE)
    start = "total = 1 + 2  # ".ljust(160, "x")
    assert roles(highlighter.peek(start))[-1][1] == "comment"
    assert roles(highlighter.peek(f"{start} more"))[-1] == (" more", "block")


def test_a_line_of_one_character_over_and_over_stays_plain() -> None:
    line = "<a " + " " * 900
    assert roles(Highlighter("systemd", PALETTE).line(line)) == [(line, "block")]
