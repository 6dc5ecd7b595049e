"""Markdown on the screen: what each construct looks like, at any width."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.text.markdown import StreamingMarkdown
from lfgtui.ui.markdown import BlockView, RenderContext, block_view_of
from lfgtui.ui.markdown.block_view import gap
from lfgtui.ui.text.wrapping import Row, width_of
from tests.helpers.effort import times
from tests.text.markdown.documents import DOCUMENTS
from tests.ui.stand import Stand, palette
from tests.ui.ugly import UGLY

PALETTE = palette()
SOURCE = """# Title

A *paragraph* with `code`, [a link](https://example.org/x) and 中文字符 🎉.

1. one
2. two
   - deep
     > quoted

- [x] done
- [ ] open

| a | long column |
|---|---|
| x | some words that wrap |

```python
def f():
\treturn 1
```

---
"""


class Page:
    """A document and the drawings of its blocks, kept up to date piece by piece."""

    def __init__(self, width: int, *, has_urls: bool = False) -> None:
        self.document = StreamingMarkdown()
        self.look = RenderContext(width, PALETTE, has_urls)
        self.drawings: list[BlockView] = []

    def feed(self, text: str) -> None:
        self.document.feed(text)
        self.draw()

    def close(self) -> None:
        self.document.close()
        self.draw()

    def draw(self) -> None:
        changed, blocks = self.document.take_changes(), self.document.blocks
        del self.drawings[len(blocks) :]
        for index in range(changed, len(blocks)):
            block = blocks[index]
            if index == len(self.drawings) or self.drawings[index].block is not block:
                self.drawings[index : index + 1] = [block_view_of(block, self.look)]
            drawing = self.drawings[index]
            before = list(drawing.rows)
            first = drawing.update(self.document.tokens(block))
            assert list(drawing.rows[:first]) == before[:first]

    @property
    def rows(self) -> list[Row]:
        rows: list[Row] = []
        blocks = self.document.blocks
        for index, drawing in enumerate(self.drawings):
            above = gap(blocks[index - 1], blocks[index], self.look) if index else None
            rows += [*([above] if above else []), *drawing.rows]
        return rows


def rows_of(source: str, width: int = 40, *, has_urls: bool = False) -> list[Row]:
    page = Page(width, has_urls=has_urls)
    page.feed(source)
    page.close()
    return page.rows


def shown(source: str, width: int = 40) -> list[str]:
    return [row.text.rstrip() for row in rows_of(source, width)]


@settings(max_examples=40)
@given(st.integers(12, 200))
def test_no_row_is_wider_than_the_pane(width: int) -> None:
    assert max(width_of(row.text) for row in rows_of(SOURCE, width)) <= width


def test_lists_nest_and_hang() -> None:
    assert shown("1. one two three four\n   - deep\n2. b", 12) == [
        "1. one two",
        "   three",
        "   four",
        "   ◦ deep",
        "2. b",
    ]


def test_task_boxes() -> None:
    assert shown("- [x] done\n- [ ] open") == ["☑ done", "☐ open"]


def links(source: str) -> list[tuple[str, str | None]]:
    return [(text, style.link) for row in rows_of(source, 80) for text, style in row.spans]


def test_a_link_is_the_terminal_s_own() -> None:
    assert links("[docs](https://example.org)") == [("docs", "https://example.org")]
    assert links("https://example.org") == [("https://example.org", "https://example.org")]


def test_where_a_link_leads_is_written_out_on_request() -> None:
    rows = rows_of("see [docs](https://example.org)", has_urls=True)
    assert rows[0].text == "see docs (https://example.org)"


@pytest.mark.parametrize("label", ["https://bank.example", "www.bank.example"])
def test_a_label_that_claims_another_target_is_told_on(label: str) -> None:
    assert "(https://evil.example)" in shown(f"[{label}](https://evil.example)", 80)[0]


@pytest.mark.parametrize("target", ["vscode://x", "relative/path.md"])
def test_other_targets_are_shown_and_cannot_be_followed(target: str) -> None:
    assert shown(f"[label]({target})", 60) == [f"label ({target})"]
    assert {link for _, link in links(f"[label]({target})")} == {None}


def test_a_quote_s_bar_goes_on_between_its_paragraphs() -> None:
    assert shown("> a\n>\n> b\n\nc") == ["▎ a", "▎", "▎ b", "", "c"]


def test_a_tight_list_has_no_gaps_and_a_loose_one_has() -> None:
    assert shown("- a\n- b\n  - c\n\ntext") == ["• a", "• b", "  ◦ c", "", "text"]
    assert shown("- a\n\n- b") == ["• a", "", "• b"]


def test_containers_leave_room_for_what_is_in_them() -> None:
    source = "".join("  " * depth + f"- word{depth}\n" for depth in range(12))
    assert max(width_of(row.text) for row in rows_of(source, 20)) <= 20
    assert all(f"word{depth}" in "".join(shown(source, 20)) for depth in range(12))


@settings(max_examples=60)
@given(st.integers(12, 120), st.lists(st.integers(1, 30), min_size=1, max_size=80))
def test_streamed_rows_are_the_rows_of_one_reading(width: int, lengths: list[int]) -> None:
    page, at = Page(width), 0
    for length in lengths:
        page.feed(SOURCE[at : at + length])
        at += length
        once = Page(width)
        once.feed(SOURCE[:at])
        assert page.rows == once.rows


def seen(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """Rows as they are seen, however their spans are divided."""
    return [
        (row.text, [str(style) for text, style in row.spans for _ in text], str(row.fill), row.glue)
        for row in rows
    ]


ODD = st.lists(st.tuples(st.integers(0, 600), st.sampled_from([*UGLY, "w" * 70])), max_size=6)
PIECES = st.lists(st.tuples(st.integers(1, 60), st.none() | st.integers(12, 200)), max_size=40)


@settings(max_examples=times(40))
@given(DOCUMENTS, ODD, PIECES, st.integers(12, 200))
def test_an_awkward_answer_that_streams_is_the_answer_drawn_at_once(
    source: str, odd: list[tuple[int, str]], pieces: list[tuple[int, int | None]], width: int
) -> None:
    for at, text in odd:
        source = source[:at] + text + source[at:]
    stand = Stand(width=width)
    for length, resized in [*pieces, (len(source), None)]:
        if source:
            stand.happen(e.TextDelta(source[:length]))
        source = source[length:]
        if resized is not None:
            stand.reflow(resized)
        assert seen(stand.rows()) == seen(stand.drawn_at_once().rows())
    stand.happen(e.ResponseFinished(1, "end"))
    assert seen(stand.rows()) == seen(stand.drawn_at_once().rows())


def test_a_fence_is_coloured_by_its_language() -> None:
    styles = {style for row in rows_of("```python\nreturn 1 # why\n```") for _, style in row.spans}
    assert {PALETTE.keyword, PALETTE.comment} <= styles


@pytest.mark.parametrize("language", ["", "no-such-language"])
def test_an_unnamed_or_unknown_language_is_not_guessed(language: str) -> None:
    rows = rows_of(f"```{language}\nreturn 1 # why\n```")
    assert {style for row in rows for _, style in row.spans} == {PALETTE.block}


def test_a_diff_is_coloured_to_its_last_line() -> None:
    last = rows_of("```diff\n-a\n+b\n```")[-1]
    assert ("+b", PALETTE.string) in last.spans


def test_markup_inside_code_is_left_alone() -> None:
    assert shown("```\n[bold]*x*\n```") == [" [bold]*x*"]


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("x" * 16, ["•  xxxxxxxx", "   xxxxxxxx"]),
        ("<!--" + "x" * 12, ["• <!--xxxxxx", "  xxxxxx"]),
    ],
    ids=["code", "html"],
)
def test_a_long_first_line_of_an_item_has_one_bullet(line: str, rows: list[str]) -> None:
    source = f"- {line}" if line.startswith("<") else f"- ```\n  {line}\n  ```"
    assert shown(source, 12) == rows


@pytest.mark.parametrize(
    "pieces",
    [["| a |\n|---|\n| 1 |\n", "~~", "~\n"], [">9. [ ] <!--\n>", "    >\n"], ["> + <?\n>", "\t"]],
    ids=["a row that becomes a fence", "html that ends", "html that loses a line"],
)
def test_what_a_line_was_taken_for_is_taken_back(pieces: list[str]) -> None:
    page, once = Page(40), Page(40)
    for piece in pieces:
        page.feed(piece)
    once.feed("".join(pieces))
    assert page.rows == once.rows
