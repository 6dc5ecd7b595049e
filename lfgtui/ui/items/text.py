"""The visible answer, as Markdown."""

from collections.abc import Hashable, Sequence

from lfgtui.markdown import Block, StreamingMarkdown
from lfgtui.transcript import TextItem
from lfgtui.ui.items.view import Context, ItemView, Piece
from lfgtui.ui.lines import Row
from lfgtui.ui.markdown_rows import markdown_rows


class TextView(ItemView):
    """Draws each block once; only the open tail is drawn again as it grows."""

    kind = "text"

    def __init__(self, item: TextItem) -> None:
        super().__init__()
        self._item = item
        self._document = StreamingMarkdown()
        self._fed = 0
        self._is_closed = False
        self._drawn: list[tuple[Hashable, Piece]] = []

    @property
    def is_settled(self) -> bool:
        return self._is_closed

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision,)

    def draw(self, context: Context) -> Sequence[Piece]:
        text = self._item.text
        self._document.feed(text[self._fed :])
        self._fed = len(text)
        if self._item.closed and not self._is_closed:
            self._document.close()
            self._is_closed = True
        look = (context.width, id(self.palette(context)))
        blocks = self._document.blocks
        del self._drawn[len(blocks) :]
        for number, block in enumerate(blocks):
            key = (block.revision, block.source if not block.frozen else None, look)
            if number < len(self._drawn) and self._drawn[number][0] == key:
                continue
            self._drawn[number : number + 1] = [(key, self._piece(context, block, number))]
        return [piece for _, piece in self._drawn]

    def _piece(self, context: Context, block: Block, number: int) -> Piece:
        rows = markdown_rows(block.tokens, context.width, self.palette(context))
        gap = [Row(())] if number else []
        return self.piece(context, [*gap, *rows], block.source)
