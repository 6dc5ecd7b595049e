"""Fences, indented code and HTML: line by line, as written."""

from collections.abc import Sequence

from markdown_it.token import Token

from lfgtui.text.markdown import Block
from lfgtui.text.terminal_safe import visible
from lfgtui.ui.markdown.block_view import BlockView, RenderContext
from lfgtui.ui.text.highlight import Highlighter
from lfgtui.ui.text.wrapping import Row, Span, cut


class CodeView(BlockView):
    """Code. A complete line is coloured and laid out once; the last one while it grows."""

    def __init__(self, block: Block, context: RenderContext) -> None:
        super().__init__(block, context)
        self._is_html = block.kind == "html_block"
        self._rows: list[Row] = []
        self._info: str | None = None
        self._html = ""
        self._generation = block.generation
        self._drawn = 0  # characters of the code in complete lines
        self._complete = 0  # rows of complete lines
        self._highlighter = Highlighter("", context.palette)

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def update(self, tokens: Sequence[Token]) -> int:
        block = self.block
        token = tokens[0]
        is_grown = token.content.startswith(self._html) and block.stable_prefix >= self._drawn
        is_new = not is_grown or block.generation != self._generation or token.info != self._info
        if is_new:
            self._begin(block, token.info)
        first = 0 if is_new else self._complete
        del self._rows[self._complete :]
        code = token.content
        *complete, _ = code[self._drawn : block.stable_prefix].split("\n")
        for line in complete:
            self._rows += self._rows_of(self._highlighter.line(visible(line)))
        self._drawn = max(self._drawn, block.stable_prefix)
        if self._is_html:  # its drawn lines may still change: the next `update` compares them
            self._html = code[: self._drawn]
        self._complete = len(self._rows)
        if growing := code[self._drawn :].removesuffix("\n"):
            for line in growing.split("\n"):
                self._rows += self._rows_of(self._highlighter.peek(visible(line)))
        if not self._rows:
            self._rows += self._rows_of([])
        return first

    def _begin(self, block: Block, info: str) -> None:
        self._generation, self._info = block.generation, info
        self._drawn = self._complete = 0
        self._html = ""
        self._rows.clear()
        language = info.split(maxsplit=1)[0] if info.strip() else ""
        self._highlighter = Highlighter(language, self.context.palette)

    def _rows_of(self, spans: Sequence[Span]) -> list[Row]:
        """Return the rows of one line; code has its background and a free cell on both sides.

        To be called before the rows are added: the first of all gets the block's first prefix.
        """
        palette = self.context.palette
        if self._is_html:
            quiet = [(text, palette.muted) for text, _ in spans]
            return [self._indented(row) for row in cut(quiet, self.width)]
        margin: Span = (" ", palette.block)
        return [
            self._indented(Row((margin, *row.spans), row.glue, palette.block, len(margin[0])))
            for row in cut(spans, max(1, self.width - 2))
        ]

    def _indented(self, row: Row) -> Row:
        is_first = not self._rows and row.glue is None  # a wrapped first line has more rows
        prefix = self.first if is_first else self.rest
        return row.indented(prefix) if prefix else row
