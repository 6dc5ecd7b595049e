"""The visible answer, as Markdown: a chunk for each block."""

from collections.abc import Sequence

from lfgtui.model.fold.items import TextItem
from lfgtui.text.markdown import Block, StreamingMarkdown
from lfgtui.ui.items.base import Context, ItemView, LineChunk
from lfgtui.ui.items.long_text import LongText
from lfgtui.ui.markdown import BlockView, RenderContext, block_view_of, gap
from lfgtui.ui.text.wrapping import Row

_SLICE = 1_000
"""Characters read before the clock is read: 5 ms for ordinary text, 50 ms for hostile text."""

MOST_BLOCKS = 20_000
"""Most blocks of a document, a kilobyte each in memory; the rest is plain text."""


class TextView(ItemView):
    """Draws the blocks that the document reports as changed; the others keep their rows."""

    kind = "text"

    def __init__(self, item: TextItem) -> None:
        super().__init__()
        self._item = item
        self._document = StreamingMarkdown()
        self._blocks: list[BlockChunk] = []
        self._fed = self._frozen = 0  # characters read; blocks that cannot change any more
        self._revision = -1
        self._is_closed = self._is_behind = False
        self._look: RenderContext | None = None
        self._plain: LongText | None = None  # the text after `MOST_BLOCKS`
        self._plain_from = 0

    @property
    def is_settled(self) -> bool:
        return self._is_closed

    @property
    def is_behind(self) -> bool:
        return self._is_behind

    def update(self, context: Context) -> int | None:
        if self._look is None:
            self._look = self._look_of(context)
        if self._item.revision == self._revision and not self._is_behind:
            return None
        self._revision = self._item.revision
        self._read(context)
        if self._item.closed and not self._is_closed and not self._is_behind:
            self._document.close()
            self._is_closed = True
        first = self._take_changes(self._look)
        return first if self._plain is None else self._grow_plain(self._plain, first)

    def _long_text(self, context: Context) -> LongText:
        palette = self.palette(context)
        return LongText(context.width, ("", palette.text), palette.text)

    def _grow_plain(self, plain: LongText, first: int | None) -> int:
        """Add plain text after a document with too many blocks; return the first changed chunk."""
        count = len(self._blocks)
        changed = plain.grow(self._item.source.since(self._plain_from))
        self.chunks[count:] = plain.chunks
        return count + changed if first is None else min(first, count + changed)

    def _read(self, context: Context) -> None:
        """Read on while there is time in this frame, but at least a slice."""
        while self._plain is None and (text := self._item.source.piece(self._fed, _SLICE)):
            self._document.feed(text)
            self._fed += len(text)
            self._is_behind = len(text) == _SLICE
            if not self._is_behind:
                return
            if self._document.frozen_count > MOST_BLOCKS:
                line, newline, _ = self._item.source.piece(self._fed, _SLICE).partition("\n")
                self._document.feed(line + newline)
                self._document.close()
                self._plain_from = self._fed + len(line + newline)
                self._plain = self._long_text(context)
            if context.is_time_up:
                return
        self._is_behind = False

    def redraw(self, context: Context) -> None:
        before, look = self._look or self._look_of(context), self._look_of(context)
        self._look = look
        keeps_heights = (before.width, before.has_urls) == (look.width, look.has_urls)
        for chunk in self._blocks:
            guess = chunk.height * before.width // max(1, look.width)
            chunk.restyle(look, None if keeps_heights else guess)
        if self._plain is not None:
            self._plain = self._long_text(context)
            self._grow_plain(self._plain, None)

    def _look_of(self, context: Context) -> RenderContext:
        return RenderContext(context.width, self.palette(context), context.has_urls)

    def _take_changes(self, look: RenderContext) -> int | None:
        """Bring the chunks in line with the blocks; return the first that changed, if any."""
        first, blocks = self._document.take_changes(), self._document.blocks
        chunks = self._blocks
        if first == len(blocks) == len(chunks):
            return None
        for index in range(first, len(blocks)):
            block, before = blocks[index], blocks[index - 1] if index else None
            if index == len(chunks) or chunks[index].block is not block:
                chunks[index : index + 1] = [BlockChunk(self._document, before, block, look)]
            else:
                chunks[index].grow(before)
        del chunks[len(blocks) :]
        frozen = self._document.frozen_count
        for index in range(self._frozen, frozen):
            chunks[index].release_view()
        self._frozen = frozen
        self.chunks[first:] = chunks[first:]
        return first


class BlockChunk(LineChunk):
    """One block, and the blank row above it. Its view is kept as long as the block can grow."""

    __slots__ = ("_before", "_document", "_gap", "_look", "_revision", "_view", "block")

    def __init__(
        self, document: StreamingMarkdown, before: Block | None, block: Block, look: RenderContext
    ) -> None:
        source = document.source_of(block) if block.is_frozen else ""
        guess = 1 + source.count("\n") + len(source) // max(1, look.width)
        super().__init__(self._drawn, guess, source=self._written)
        self.block = block
        self._document = document
        self._before = before
        self._look = look
        self._view: BlockView | None = None
        self._gap: Row | None = None
        self._revision = -1

    def _written(self) -> str:
        return self._document.source_of(self.block).strip("\n")

    def restyle(self, look: RenderContext, guess: int | None) -> None:
        """Take another width or other colours."""
        self._look, self._view = look, None
        self.undraw(guess)

    def release_view(self) -> None:
        """Drop the view: the block cannot grow any more."""
        self._view = None

    def grow(self, before: Block | None) -> None:
        """Note that the block grew, or that the blank line above it came or went."""
        self._before = before
        above = self._above()
        is_same = self.block.revision == self._revision
        if is_same and above == self._gap:
            return
        view = self._view
        if view is None or above != self._gap or not self.is_drawn:
            self.undraw(self.height)
        else:
            first = self._update(view)
            self.show(self._with_gap(view), first + (above is not None))

    def _above(self) -> Row | None:
        return gap(self._before, self.block, self._look) if self._before else None

    def _drawn(self) -> Sequence[Row]:
        view = self._view = block_view_of(self.block, self._look)
        self._gap = self._above()
        self._update(view)
        return self._with_gap(view)

    def _update(self, view: BlockView) -> int:
        self._revision = self.block.revision
        first = view.update(self._document.tokens(self.block))
        if self.block.is_frozen:
            self._view = None
        return first

    def _with_gap(self, view: BlockView) -> Sequence[Row]:
        return view.rows if self._gap is None else [self._gap, *view.rows]
