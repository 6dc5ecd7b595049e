"""Paragraphs and headings."""

from collections.abc import Sequence

from markdown_it.token import Token
from rich.style import Style

from lfgtui.markdown import Block
from lfgtui.ui.blocks.drawing import Drawing, Look
from lfgtui.ui.blocks.inlines import spans_of
from lfgtui.ui.lines import Flow, Row
from lfgtui.ui.palette import STRONG, UNDERLINE


class ProseDrawing(Drawing):
    """Text that wraps. Only what is not settled is laid out again as it grows."""

    def __init__(self, block: Block, look: Look) -> None:
        super().__init__(block, look)
        self._flow = Flow(look.width, self.first, self.rest)
        self._era, self._settled = block.era, 0

    @property
    def rows(self) -> Sequence[Row]:
        return self._flow.rows

    def update(self, tokens: Sequence[Token]) -> int:
        block = self.block
        is_new = block.era != self._era or block.settled < self._settled
        if is_new:
            self._begin(block)
        children = tokens[1].children or []
        style = self._style(tokens[0].tag)
        if block.settled > self._settled:
            fresh = children[self._settled : block.settled]
            self._flow.settle(spans_of(fresh, style, self.look))
            self._settled = block.settled
        first = self._flow.show(spans_of(children[block.settled :], style, self.look))
        return 0 if is_new else first

    def _begin(self, block: Block) -> None:
        self._flow = Flow(self.look.width, self.first, self.rest)
        self._era, self._settled = block.era, 0

    def _style(self, tag: str) -> Style:
        palette = self.look.palette
        match tag:
            case "p":
                return palette.text
            case "h1":
                return palette.heading + UNDERLINE
            case "h2":
                return palette.heading
            case _:
                return palette.text + STRONG
