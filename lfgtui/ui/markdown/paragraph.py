"""Paragraphs and headings."""

from collections.abc import Sequence

from markdown_it.token import Token
from rich.style import Style

from lfgtui.text.markdown import Block
from lfgtui.ui.markdown.block_view import BlockView, RenderContext
from lfgtui.ui.markdown.inlines import spans_of
from lfgtui.ui.text.palette import STRONG, UNDERLINE
from lfgtui.ui.text.wrapping import Flow, Row


class ParagraphView(BlockView):
    """Text that wraps. Only what follows the stable prefix is laid out again as it grows."""

    def __init__(self, block: Block, context: RenderContext) -> None:
        super().__init__(block, context)
        self._flow = Flow(context.width, self.first, self.rest)
        self._generation, self._stable = block.generation, 0
        self._last: Token | None = None
        self._length = 0

    @property
    def rows(self) -> Sequence[Row]:
        return self._flow.rows

    def update(self, tokens: Sequence[Token]) -> int:
        block, children = self.block, tokens[1].children or []
        if children and children[-1] is self._last and self._says_more(self._last):
            return len(self.rows) - 1
        is_new = block.generation != self._generation or block.stable_prefix < self._stable
        if is_new:
            self._begin(block)
        style = self._style(tokens[0].tag)
        if block.stable_prefix > self._stable:
            fresh = children[self._stable : block.stable_prefix]
            self._flow.settle(spans_of(fresh, style, self.context))
            self._stable = block.stable_prefix
        first = self._flow.show(spans_of(children[block.stable_prefix :], style, self.context))
        self._last = children[-1] if block.stable_prefix < len(children) else None
        self._length = len(self._last.content) if self._last else 0
        return 0 if is_new else first

    def _says_more(self, last: Token) -> bool:
        """Append to the last text if that is all that changed; return False if it is not."""
        if last.type != "text" or not self._length:
            return False
        more, self._length = last.content[self._length :], len(last.content)
        return self._flow.extend(more)

    def _begin(self, block: Block) -> None:
        self._flow = Flow(self.context.width, self.first, self.rest)
        self._generation, self._stable = block.generation, 0

    def _style(self, tag: str) -> Style:
        palette = self.context.palette
        match tag:
            case "p":
                return palette.text
            case "h1":
                return palette.heading + UNDERLINE
            case "h2":
                return palette.heading
            case _:
                return palette.text + STRONG
