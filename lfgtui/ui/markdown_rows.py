"""Markdown blocks to rows of styled text."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from rich.style import Style

from lfgtui.ui.highlight import highlight
from lfgtui.ui.lines import Row, Span, cut, width_of, wrap
from lfgtui.ui.markdown_table import table_rows
from lfgtui.ui.palette import EM, STRIKE, STRONG, UNDERLINE, Palette

_BULLETS = "•◦▪"
_TASK = re.compile(r"\[([ xX])\]\s")
_DEEPEST = 12
"""Nesting beyond this is drawn flat: a pane has no room for it."""

_BLANK = Row(())


def markdown_rows(tokens: Sequence[Token], width: int, palette: Palette) -> list[Row]:
    """One top-level block's rows, none wider than `width` cells."""
    writer = _Writer(palette)
    return writer.blocks(SyntaxTreeNode(tokens).children, max(4, width))


class _Writer:
    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._depth = 0

    def blocks(
        self, nodes: Sequence[SyntaxTreeNode], width: int, *, tight: bool = False
    ) -> list[Row]:
        rows: list[Row] = []
        for node in nodes:
            if rows and not tight:
                rows.append(_BLANK)
            rows += self.block(node, width)
        return rows

    def block(self, node: SyntaxTreeNode, width: int) -> list[Row]:
        palette = self.palette
        match node.type:
            case "paragraph":
                return wrap(self.inlines(node.children, palette.text), width)
            case "heading":
                return wrap(self.inlines(node.children, self._heading(node.tag)), width)
            case "fence" | "code_block":
                return self._code(node, width)
            case "bullet_list" | "ordered_list":
                return self._list(node, width)
            case "blockquote":
                return self._quote(node, width)
            case "table":
                return table_rows(self._cells(node), width, palette)
            case "hr":
                return [Row((("─" * width, palette.faint),))]
            case "html_block":
                return cut([(node.content.rstrip("\n"), palette.muted)], width)
            case _:
                return self.blocks(node.children, width)

    def inlines(self, nodes: Sequence[SyntaxTreeNode], style: Style) -> list[Span]:
        return [span for node in nodes for span in self._inline(node, style)]

    def _inline(self, node: SyntaxTreeNode, style: Style) -> Iterator[Span]:
        match node.type:
            case "text":
                yield node.content, style
            case "softbreak":
                yield " ", style
            case "hardbreak":
                yield "\n", style
            case "code_inline":
                yield node.content, style + self.palette.code
            case "em":
                yield from self.inlines(node.children, style + EM)
            case "strong":
                yield from self.inlines(node.children, style + STRONG)
            case "s":
                yield from self.inlines(node.children, style + STRIKE)
            case "link":
                yield from self._link(node, style)
            case "image":
                yield f"[image: {node.content}]", style + self.palette.muted
                yield f" ({node.attrs.get('src', '')})", style + self.palette.muted
            case "html_inline":
                yield node.content, style + self.palette.muted
            case _:
                yield from self.inlines(node.children, style)

    def _link(self, node: SyntaxTreeNode, style: Style) -> Iterator[Span]:
        """The label, and where it leads: a label alone can lie."""
        label = self.inlines(node.children, style + self.palette.link)
        yield from label
        href = str(node.attrs.get("href", ""))
        if "".join(text for text, _ in label) not in (href, href.removeprefix("mailto:")):
            yield f" ({href})", style + self.palette.muted

    def _heading(self, tag: str) -> Style:
        style = self.palette.heading
        if tag == "h1":
            return style + UNDERLINE
        return style if tag == "h2" else self.palette.text + STRONG

    def _code(self, node: SyntaxTreeNode, width: int) -> list[Row]:
        language = node.info.split(maxsplit=1)[0] if node.info.strip() else ""
        block = self.palette.block
        spans = highlight(node.content.removesuffix("\n"), language, self.palette)
        return [
            Row(
                ((" ", block), *row.spans, (" " * (width - 1 - width_of(row.text)), block)),
                row.glue,
            )
            for row in cut(spans, width - 2)
        ]

    def _quote(self, node: SyntaxTreeNode, width: int) -> list[Row]:
        bar = (("▎ ", self.palette.marker),)
        return [row.indented(bar) for row in self._nested(node, width - 2, tight=False)]

    def _list(self, node: SyntaxTreeNode, width: int) -> list[Row]:
        rows: list[Row] = []
        tight = _is_tight(node)
        first = int(str(node.attrs.get("start", 1))) if node.type == "ordered_list" else 0
        last = first + len(node.children) - 1
        bullet = _BULLETS[min(self._depth, len(_BULLETS) - 1)]
        for number, item in enumerate(node.children, first):
            mark = bullet if node.type == "bullet_list" else f"{number:>{len(str(last))}}."
            if rows and not tight:
                rows.append(_BLANK)
            rows += self._item(item, f"{mark} ", width, tight)
        return rows

    def _item(self, item: SyntaxTreeNode, mark: str, width: int, tight: bool) -> list[Row]:
        if self._depth > _DEEPEST:
            return self.blocks(item.children, width, tight=tight)
        style = self.palette.marker
        body = self._nested(item, width - len(mark), tight=tight) or [_BLANK]
        if body[0].spans and (task := _TASK.match(body[0].text)):
            mark = mark[:-2] + ("☐ " if task[1] == " " else "☑ ")
            body[0] = Row(tuple(_without_start(body[0].spans, task.end())), body[0].glue)
        hang = ((" " * len(mark), style),)
        return [body[0].indented(((mark, style),)), *(row.indented(hang) for row in body[1:])]

    def _nested(self, node: SyntaxTreeNode, width: int, *, tight: bool) -> list[Row]:
        self._depth += 1
        rows = self.blocks(node.children, max(4, width), tight=tight)
        self._depth -= 1
        return rows

    def _cells(self, table: SyntaxTreeNode) -> list[list[list[Span]]]:
        head = self.palette.heading
        return [
            [
                self.inlines(cell.children, head if cell.type == "th" else self.palette.text)
                for cell in row.children
            ]
            for part in table.children
            for row in part.children
        ]


def _is_tight(node: SyntaxTreeNode) -> bool:
    return all(
        child.hidden
        for item in node.children
        for child in item.children
        if child.type == "paragraph"
    )


def _without_start(spans: Sequence[Span], count: int) -> Iterator[Span]:
    for text, style in spans:
        if len(text) > count:
            yield text[count:], style
        count = max(0, count - len(text))
