"""The page: nothing in it can act, whatever was said, and all that was said is in it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.parser_inline import ParserInline

from lfgtui.export.figures import RunDocument
from lfgtui.export.html import run_html
from lfgtui.export.markdown_html import markdown_html
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings.themes import load_themes
from lfgtui.text.redactor import Redactor
from lfgtui.text.terminal_safe import visible
from tests.export.stories import ANSWER, life, stored
from tests.text.secrets import GITHUB

THEMES = load_themes()
VOID = {"meta", "br", "hr", "input"}
PLAIN = """
head title style body b em strong s code summary br hr h1 h2 h3 h4 h5 h6 blockquote table thead
tbody tr
"""
CLASSED = "header main p span details ul li th td section"
ALLOWED: dict[str, set[str]] = {
    **{tag: set() for tag in PLAIN.split()},
    **{tag: {"class"} for tag in CLASSED.split()},
    "html": {"lang"},
    "article": {"class", "id"},
    "div": {"class", "tabindex"},
    "pre": {"tabindex"},
    "ol": {"start", "class"},
    "a": {"href", "rel", "class"},
    "meta": {"charset", "name", "content", "http-equiv"},
    "input": {"class", "type", "disabled", "checked"},
}
NASTY = (
    "<script>alert(1)</script>",
    "</script></style></title></details></pre><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'\" onmouseover=alert(1) x='",
    "<!-- --!> <![CDATA[ ]]> <?php ?>",
    "[x](javascript:alert(1)) [y](data:text/html,<script>) ![z](http://e.com/p.png)",
    "[x](JaVaScRiPt:alert(1)) <javascript:alert(1)> [q]: javascript:1 'x'",
    '[a](http://x.y/"onclick="alert(1)) ![a"onerror="b](https://x.y/"z "t\\"t")',
    "```html\n<script>alert(1)</script>",
    "<details><summary>x</summary>\n\n</details>\n\n<style>body{display:none}</style>",
    "&lt;script&gt; &#60;script&#62; &amp;",
    "\x1b]0;title\x07 \u202e \x00 \ud800",
    "| <b> | `<i>` |\n|---|---|\n| <u> | 1 |",
    "javascript:alert(1)",
    'https://x.y/?q="><script>alert(1)</script>',
)


class Page(HTMLParser):
    """Reads a page as a browser would, and refuses what is not on the list."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        assert {name for name, _ in attrs} <= ALLOWED[tag], (tag, attrs)
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)

    def refuse(self, data: str) -> None:
        raise AssertionError(data)

    handle_comment = handle_pi = unknown_decl = refuse

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def page_of(
    file: Path, text: str, redactor: Redactor | None = None, answer: str = ANSWER
) -> tuple[str, Page]:
    run = stored(file, life(text, answer), title=text)
    with Reader(file) as reader:
        source = "".join(run_html(RunDocument(reader, run, "", redactor), THEMES, "system"))
    source.encode()
    return source, Page(source)


def assert_harmless(page: Page) -> None:
    for link in page.links:
        assert link.lower().startswith(("http://", "https://", "mailto:", "#")), link


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_nothing_that_was_said_can_act(tmp_path: Path, text: str) -> None:
    _, page = page_of(tmp_path / "history.db", text, answer=text)
    assert_harmless(page)
    assert " ".join(visible(text).split()) in page.words


@settings(max_examples=40)
@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from((*NASTY, "<", ">", '"', "'", "&", "\n", "`", "[", "](")), max_size=5
    ).map("".join)
)
def test_any_text_in_any_place(text: str) -> None:
    with TemporaryDirectory() as folder:
        _, page = page_of(Path(folder) / "history.db", text, answer=text)
    assert_harmless(page)


@given(st.lists(st.sampled_from((*NASTY, "\n\n", "> ", "- ", "1. ", "    ", "**")), max_size=8))
def test_any_markdown_is_harmless(parts: list[str]) -> None:
    assert_harmless(Page(f"<div>{markdown_html(''.join(parts))}</div>"))


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    source, page = page_of(tmp_path / "history.db", "Hello.")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in source
    assert "script" not in page.tags
    style = re.search("<style>(.*)</style>", source, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    for theme in ("dark", "light"):
        assert THEMES[theme].colours.background in style[1]


def test_what_a_pane_shows_is_there(tmp_path: Path) -> None:
    source, page = page_of(tmp_path / "history.db", "Said.")
    assert page.tags.count("article") == 1
    # Two reasonings would be one each; three calls, one hosted, sources, reasoning.
    assert page.tags.count("details") == 6
    for word in ("xai/grok", "attempt 1 · openai/gpt · failed", "exit code 0", "$0.25"):
        assert word in page.words
    assert '<span class="keyword">def</span>' in source
    assert '<td class="right">1</td>' in source
    assert "https://example.com/?a=1&b=2" in page.links


def test_long_prompts_and_outputs_are_whole(tmp_path: Path) -> None:
    text = "\n".join(f"line {number}" for number in range(2000))
    _, page = page_of(tmp_path / "history.db", text)
    assert text in "".join(page.text)


def test_secrets_are_taken_out(tmp_path: Path) -> None:
    text = f"key {GITHUB}"
    source, _ = page_of(tmp_path / "history.db", text, Redactor(), answer=text)
    assert GITHUB not in source
    assert "key [redacted: github token]" in source


def test_a_ticket_that_never_began(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run = stored(file, [e.TicketQueued(), e.TicketBlocked("it needs <b>a</b>")])
    with Reader(file) as reader:
        page = Page("".join(run_html(RunDocument(reader, run), THEMES, "light")))
    assert "blocked: it needs <b>a</b>" in page.words


@pytest.mark.parametrize("sign", ["[", "![", "http://a."])
def test_signs_without_end_are_plain_text(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    parse = ParserInline.parse

    def counted(self: ParserInline, src: str, *others: Any) -> Any:
        lengths.append(len(src))
        return parse(self, src, *others)

    monkeypatch.setattr(ParserInline, "parse", counted)
    assert markdown_html(sign * 5_000).count(sign) >= 5_000
    assert max(lengths, default=0) < 10_000
