"""The visible answer, as Markdown."""

from collections.abc import Hashable, Sequence

from lfgtui.markdown import StreamingMarkdown
from lfgtui.transcript import TextItem
from lfgtui.ui.blocks import Drawing, Look, drawing_of
from lfgtui.ui.blocks.drawing import gap
from lfgtui.ui.items.view import Context, ItemView, Piece


class TextView(ItemView):
    """Draws each block once; only the open tail is drawn again as it grows."""

    kind = "text"

    def __init__(self, item: TextItem) -> None:
        super().__init__()
        self._item = item
        self._document = StreamingMarkdown()
        self._fed = 0
        self._is_closed = False
        self._drawings: list[Drawing] = []
        self._look: Look | None = None

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
        look = Look(context.width, self.palette(context))
        changed = self._document.take_changes()
        if look != self._look:
            self._look, changed = look, 0
            self._drawings.clear()
        pieces = list(self.pieces[:changed])
        blocks = self._document.blocks
        del self._drawings[len(blocks) :]
        for index in range(changed, len(blocks)):
            block = blocks[index]
            if index == len(self._drawings):
                self._drawings.append(drawing_of(block, look))
            elif self._drawings[index].block is not block:
                self._drawings[index] = drawing_of(block, look)
            drawing = self._drawings[index]
            drawing.update(self._document.tokens(block))
            above = gap(blocks[index - 1], block, look) if index else None
            rows = [*([above] if above else []), *drawing.rows]
            source = self._document.source_of(block)
            pieces.append(self.piece(context, rows, source.strip("\n")))
        return pieces
