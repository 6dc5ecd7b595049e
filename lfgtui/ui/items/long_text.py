"""Plain text of any length below one line: thinking, prompts.

The text is divided into chunks of whole lines, so that only the visible part of a
long one is wrapped. The last chunk grows; its wrapped rows are kept.
"""

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from functools import partial

from rich.style import Style

from lfgtui.ui.items.base import Context, ItemView, LineChunk
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Flow, Row, Span

_CHUNK = 4000
"""Characters after which a chunk ends, with the line."""


class LongText:
    """The chunks of a text that may grow at its end, in one style."""

    def __init__(self, width: int, prefix: Span, style: Style) -> None:
        self.chunks: list[LineChunk] = []
        self._width = width
        self._prefix = (prefix,)
        self._style = style
        self._text = ""
        self._begin = self._end = 0  # of the last chunk, in characters of the text
        self._parts: list[tuple[int, int]] = []  # begin and end of each chunk
        self._flow: Flow | None = None  # the last chunk's, while it is drawn

    def grow(self, text: str) -> int:
        """Take the text, which only ever grows; return the index of the first changed chunk.

        Blanks around the text are left out; those at its end only until it goes on.
        """
        self._text = text
        new = text[self._end :]
        if not self.chunks:
            self._begin = self._end = self._end + len(new) - len(new.lstrip())
            new = text[self._end :]
        end = self._end + len(new.rstrip())
        first = len(self.chunks)
        if end > self._end:
            first = max(0, first - 1)
            while (edge := self._edge(end)) is not None:
                self._reach(edge)
                is_parted = text[edge] == "\n"
                self._begin = self._end = edge + is_parted
                self._open(continues_line=not is_parted)
            self._reach(end)
        return first

    def _edge(self, end: int) -> int | None:
        """Return where the open chunk ends: at a newline, or anywhere in an endless line."""
        least, most = self._begin + _CHUNK, self._begin + 2 * _CHUNK
        edge = self._text.find("\n", max(self._end, least), min(end, most))
        if edge >= 0:
            return edge
        return most if end > most else None

    def _open(self, *, continues_line: bool = False) -> None:
        self._flow = None
        index = len(self.chunks)
        self._parts.append((self._begin, self._begin))
        chunk = LineChunk(partial(self._wrapped, index), 1, source=partial(self._source, index))
        chunk.continues_line = continues_line
        self.chunks.append(chunk)

    def _reach(self, end: int) -> None:
        """Extend the open chunk up to `end`."""
        if not self.chunks:
            self._open()
        chunk, new = self.chunks[-1], self._text[self._end : end]
        self._end = end
        self._parts[-1] = (self._begin, end)
        if chunk.is_drawn and self._flow is not None:
            self._flow.settle([(new, self._style)])
            first = self._flow.show(())
            chunk.show(self._flow.rows, first)
        else:
            self._flow = None
            lines = self._text.count("\n", self._begin, end) + 1
            chunk.undraw(lines + (end - self._begin) // max(1, self._width))

    def _source(self, index: int) -> str:
        begin, end = self._parts[index]
        return self._text[begin:end]

    def _wrapped(self, index: int) -> Sequence[Row]:
        flow = Flow(self._width, self._prefix, self._prefix)
        flow.settle([(self._source(index), self._style)])
        flow.show(())
        if index == len(self.chunks) - 1:
            self._flow = flow
        return flow.rows


class UnfoldingView(ItemView):
    """One line, `head`, and below it, if unfolded, the whole text.

    All is made anew if the width, colours or folding change; else the text grows.
    """

    is_foldable = True

    def __init__(self) -> None:
        super().__init__()
        self._look: Hashable = None  # what the rows depend on besides the item, and the item's
        self._key: Hashable = None  # `key`, as of the last update
        self._body: LongText | None = None

    def update(self, context: Context) -> int | None:
        look, key = self.look_of(context), self.key()
        if (look, key) == (self._look, self._key):
            return None
        if look != self._look:
            self._begin(context)
        self._look, self._key = look, key
        text = self.text()
        if not self.is_shown(text):
            self.chunks = []
            return 0
        source = self.source(text) if self._body is None else ""
        head = LineChunk(partial(self._head, context), 1, is_exact=True, source=source)
        if self._body is None:
            self.chunks = [head]
        else:
            first = self._body.grow(text)
            self.chunks[:1] = [head]
            self.chunks[1 + first :] = self._body.chunks[first:]
        return 0

    def redraw(self, context: Context) -> None:
        self._look = None
        self.update(context)

    def _begin(self, context: Context) -> None:
        self.chunks, self._body = [], None
        if self.is_unfolded(context):
            palette = self.palette(context)
            self._body = LongText(context.width, *self.look(palette))

    def _head(self, context: Context) -> Sequence[Row]:
        return [self.head(context, self.text())]

    def is_shown(self, text: str) -> bool:
        """Return True if there is anything to show."""
        return True

    def source(self, text: str) -> str | None:
        """Return the text copied for the folded line; None for the line itself."""
        return None

    @abstractmethod
    def key(self) -> Hashable:
        """Return a key that changes with the item."""

    @abstractmethod
    def text(self) -> str:
        """Return the unfolded text. It only grows."""

    @abstractmethod
    def head(self, context: Context, text: str) -> Row:
        """Return the one line."""

    @abstractmethod
    def look(self, palette: Palette) -> tuple[Span, Style]:
        """Return the prefix of each line of the text, and its style."""
