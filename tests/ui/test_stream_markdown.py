"""Markdown on the screen: what each construct looks like, at any width."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from lfgtui.markdown import StreamingMarkdown
from lfgtui.ui.lines import Row, finish, width_of
from lfgtui.ui.markdown_rows import markdown_rows
from lfgtui.ui.palette import Palette

PALETTE = Palette(
    **{field: Style(color=f"color({n + 20})") for n, field in enumerate(Palette.__struct_fields__)}
)
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


def rows_of(source: str, width: int = 40) -> list[Row]:
    document = StreamingMarkdown()
    document.feed(source)
    document.close()
    return [row for block in document.blocks for row in markdown_rows(block.tokens, width, PALETTE)]


def shown(source: str, width: int = 40) -> list[str]:
    return [row.text.rstrip() for row in rows_of(source, width)]


@settings(max_examples=40)
@given(st.integers(12, 200))
def test_no_row_is_wider_than_the_pane(width: int) -> None:
    assert max(width_of(row.text) for row in rows_of(SOURCE, width)) <= width
    assert {line.strip.cell_length for line in finish(rows_of(SOURCE, width), width, Style())} == {
        width
    }


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


def test_a_link_shows_where_it_leads() -> None:
    assert shown("[docs](https://example.org)") == ["docs (https://example.org)"]
    assert shown("https://example.org") == ["https://example.org"]


def test_a_table_fits_and_its_cells_wrap() -> None:
    assert shown("| a | words |\n|---|---|\n| x | one two three |", 16) == [
        "a   │ words",
        "────┼───────────",
        "x   │ one two",
        "    │ three",
    ]


def test_a_fence_is_coloured_by_its_language() -> None:
    styles = {style for row in rows_of("```python\nreturn 1 # why\n```") for _, style in row.spans}
    assert {PALETTE.keyword, PALETTE.comment} <= styles


@pytest.mark.parametrize("language", ["", "no-such-language"])
def test_an_unnamed_or_unknown_language_is_not_guessed(language: str) -> None:
    rows = rows_of(f"```{language}\nreturn 1 # why\n```")
    assert {style for row in rows for _, style in row.spans} == {PALETTE.block}


def test_wide_characters_wrap_by_their_cells() -> None:
    assert shown("中文字符中文字符", 6) == ["中文字", "符中文", "字符"]


def test_a_diff_is_coloured_to_its_last_line() -> None:
    last = rows_of("```diff\n-a\n+b\n```")[-1]
    assert ("+b", PALETTE.string) in last.spans


def test_markup_inside_code_is_left_alone() -> None:
    assert shown("```\n[bold]*x*\n```") == [" [bold]*x*"]
