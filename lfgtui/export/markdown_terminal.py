"""Markdown drawn by Rich for a terminal, in the terminal's own colours."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import ClassVar

from markdown_it.token import Token
from rich import markdown as rich
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lfgtui.export.reading import code_spans, tokens_of
from lfgtui.text.terminal_safe import visible

MARKDOWN_STYLES = {
    **dict.fromkeys(("markdown.h1", "markdown.h2"), "bold blue"),
    **dict.fromkeys(("markdown.h3", "markdown.h4", "markdown.h5", "markdown.h6"), "bold"),
    **dict.fromkeys(("markdown.code", "markdown.code_block"), "cyan"),
    **{"markdown.h1": "bold underline blue", "markdown.block_quote": "dim"},
    **dict.fromkeys(("markdown.item.bullet", "markdown.item.number"), "blue"),
    **{"markdown.link": "underline magenta", "markdown.link_url": "dim"},
    **{"markdown.table.border": "dim", "markdown.table.header": "bold"},
    # roles of code
    **{"block": "none", "keyword": "blue", "string": "green", "number": "yellow"},
    **{"name": "magenta", "comment": "dim italic", "removed": "red"},
}

_CELL = 5
"""Least cells of a table's column; a wider table is written as lines with `|` between cells."""

_INDENT, _LEAST = 4, 20
"""Cells by which a list or a quote indents, and least cells that must be left for its content."""


class _Heading(rich.Heading):
    """A heading that is never centred."""

    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class _Code(rich.CodeBlock):
    """A code block in the roles' colours, indented, without background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        spans = code_spans(self.text.plain.removesuffix("\n"), self.lexer_name)
        code = Text.assemble(*((text, role) for role, text in spans), overflow="fold", tab_size=4)
        yield Padding(code, (0, 0, 0, 2))


class _Table(rich.TableElement):
    """A table without an edge, or lines if it is too wide."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = [self.header.row] if self.header and self.header.row else []
        rows = [*heads, *(self.body.rows if self.body else ())]
        if len(rows[0].cells) * _CELL > options.max_width:
            yield Text("\n").join(Text(" | ").join(c.content for c in row.cells) for row in rows)
            return
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                table.show_edge = False  # an edge would be drawn as blank lines
            yield table


class _Rule(rich.HorizontalRule):
    """A rule with a blank line after it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="faint")
        yield Text()


class Answer(rich.Markdown):
    """An answer with the same Markdown as on the screen, and with the addresses of links.

    If it is nested too deeply for the width, its source is printed instead.
    """

    elements: ClassVar[dict[str, type[rich.MarkdownElement]]] = {
        **rich.Markdown.elements,
        **{"heading_open": _Heading, "fence": _Code, "code_block": _Code},
        **{"table_open": _Table, "hr": _Rule},
    }

    def __init__(self, source: str) -> None:
        super().__init__("", hyperlinks=False)
        tokens = tokens_of(source)
        self._source = source
        self._depth = max(accumulate(map(_descent, tokens)), default=0)
        self.parsed = list(_drawable(tokens))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width - self._depth * _INDENT < _LEAST:
            yield Text(visible(self._source))
        else:
            yield from super().__rich_console__(console, options)


def _descent(token: Token) -> int:
    """Return 1 for the beginning of an item or a quote, -1 for its end."""
    is_container = token.type.startswith(("list_item", "blockquote"))
    return token.nesting if is_container else 0


def _drawable(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the tokens, with words instead of pictures and signs instead of task boxes."""
    box = ""
    for token in tokens:
        if token.type == "list_item_open":
            box = {None: "", True: "☑ ", False: "☐ "}[token.meta.get("checked")]
        elif token.type == "inline":
            children = [_words(c) for c in token.children or () if not _is_bare_link(c)]
            token.children = [Token("text", "", 0, content=box), *children]
            box = ""
        yield token


def _is_bare_link(token: Token) -> bool:
    """Return True for either end of a link whose label is its address."""
    return token.type in ("link_open", "link_close") and token.info == "auto"


def _words(token: Token) -> Token:
    """Return the inline, or words if it is a picture."""
    if token.type != "image":
        return token
    where = f" ({token.attrs.get('src', '')})"
    return Token("text", "", 0, content=f"[image: {token.content}]{where}")
