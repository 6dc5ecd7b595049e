"""The base of item views: chunks that are drawn when looked at, and folding.

`LineIndex` (`ui/stream`) makes a view for each item, updates it while the item grows, and
keeps all chunks in one list.
"""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from time import perf_counter
from typing import Literal

import msgspec
from msgspec.structs import replace

from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, fit

Kind = Literal["text", "reasoning", "tool", "prompt", "note", "rule"]
"""The kinds of views: keys fold all of a kind, and `text` has blank lines around it."""

UNCHANGED = sys.maxsize
"""`LineChunk.changed_from` of a chunk that stayed as it was."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Context(msgspec.Struct, frozen=True):
    """The state, besides the item, that rows depend on. `now` moves in steps of a gauge's tick.

    `width` is in cells. `faded` is the palette of superseded attempts. `unfolded` are the kinds
    that a key has unfolded; `has_urls`: links show their URLs. `awaits_slot`: approved calls run
    once the ticket has a slot. `until`: when, by `clock`, a frame has read enough; the rest waits
    for the next frame.
    """

    width: int
    palette: Palette
    faded: Palette
    now: float = 0.0
    unfolded: frozenset[Kind] = frozenset()
    has_urls: bool = False
    awaits_slot: bool = False
    clock: Callable[[], float] = perf_counter
    until: float = math.inf

    @property
    def is_time_up(self) -> bool:
        """True once the frame has read enough."""
        return self.clock() >= self.until

    @property
    def until_half(self) -> "Context":
        """The same context with half of the time left."""
        return replace(self, until=(self.clock() + self.until) / 2)

    @property
    def beat(self) -> int:
        """A count that moves four times a second."""
        return int(self.now * 4)

    @property
    def spinner(self) -> str:
        return _SPINNER[self.beat % len(_SPINNER)]


class LineChunk:
    """Rows of one block or card, drawn when they are first looked at.

    `source` (or a function that returns it) is copied when all of the chunk is selected; None
    copies the text as shown, "" nothing, since a later chunk's source includes it. `height` is
    a guess until the rows have been drawn once (`is_exact`), and is kept when they are dropped.
    `changed_from` is the first row changed since the line index last read it and set it back to
    `UNCHANGED`. `continues_line`: the chunk begins in the middle of a line that the chunk before
    it began.
    """

    __slots__ = (
        "_draw",
        "_rows",
        "_source",
        "changed_from",
        "continues_line",
        "height",
        "is_exact",
    )

    def __init__(
        self,
        draw: Callable[[], Sequence[Row]],
        guess: int,
        *,
        is_exact: bool = False,
        source: str | Callable[[], str] | None = None,
    ) -> None:
        self._draw = draw
        self._rows: Sequence[Row] | None = None
        self.height = guess
        self.is_exact = is_exact
        self.changed_from = 0
        self.continues_line = False
        self._source = source

    @property
    def source(self) -> str | None:
        return self._source() if callable(self._source) else self._source

    @property
    def is_drawn(self) -> bool:
        """True while the rows are in memory."""
        return self._rows is not None

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, drawn if need be."""
        rows = self._rows
        if rows is None:
            rows = self._rows = self._draw()
            self.height, self.is_exact = len(rows), True
        return rows

    def show(self, rows: Sequence[Row], changed_from: int) -> None:
        """Set the rows; those before `changed_from` are the same objects as before."""
        self._rows = rows
        self.height, self.is_exact = len(rows), True
        self.changed_from = min(self.changed_from, changed_from)

    def release(self) -> None:
        """Release the rows; they are drawn again when looked at."""
        self._rows = None

    def undraw(self, guess: int | None = None) -> None:
        """Drop the drawing. The height is kept, or replaced by a guess."""
        self._rows = None
        self.changed_from = 0
        if guess is not None:
            self.height, self.is_exact = max(1, guess), False


class ItemView(ABC):
    """Draws one item. `is_settled` once it cannot change any more; `is_foldable` by key or click.

    `override` is True or False once a person unfolded or folded this item, None while its kind
    decides. `is_faded`: its attempt is superseded. Both are set by `ui/stream`, which then calls
    `update` or `redraw`. `chunks` has the item's rows; both methods replace its contents.
    """

    kind: Kind
    is_foldable = False

    def __init__(self) -> None:
        self.override: bool | None = None
        self.is_faded = False
        self.chunks: list[LineChunk] = []

    @property
    def is_settled(self) -> bool:
        return True

    @property
    def is_behind(self) -> bool:
        """True while the item has more text than the frames so far have read."""
        return False

    def is_unfolded(self, context: Context) -> bool:
        """Return True if unfolded: by the user's choice, else by the setting of its kind."""
        return self.kind in context.unfolded if self.override is None else self.override

    def palette(self, context: Context) -> Palette:
        return context.faded if self.is_faded else context.palette

    def look_of(self, context: Context) -> tuple[Hashable, ...]:
        """Return the values, besides the item, that its rows depend on."""
        return context.width, id(self.palette(context)), self.is_unfolded(context)

    @abstractmethod
    def update(self, context: Context) -> int | None:
        """Draw the item as it is now, in an unchanged width and colours.

        Return the index of the first chunk that is new or changed since the last call, or the
        old end if chunks are gone; None if nothing changed.
        """

    @abstractmethod
    def redraw(self, context: Context) -> None:
        """Draw all chunks anew in another width or other colours; heights become guesses."""

    def fold_row(self, context: Context, left: Sequence[Span], right: Sequence[Span] = ()) -> Row:
        """Return the one line of a foldable item, its marker first."""
        palette = self.palette(context)
        marker = "▾ " if self.is_unfolded(context) else "▸ "
        return fit([(marker, palette.faint), *left], right, context.width, palette.text)


class BriefView(ItemView):
    """An item of a few rows, all made again when something that they depend on changes."""

    known_height: int | None = None
    """The number of its rows, if known without drawing them."""

    def __init__(self) -> None:
        super().__init__()
        self._key: Hashable = None

    def update(self, context: Context) -> int | None:
        if (key := self._key_of(context)) == self._key:
            return None
        self._key = key
        self.chunks = [chunk := self._chunk(context)]
        if not chunk.is_exact:
            _ = chunk.rows
        return 0

    def redraw(self, context: Context) -> None:
        before, self._key = self.chunks, self._key_of(context)
        self.chunks = [chunk := self._chunk(context)]
        if before and not chunk.is_exact:
            chunk.height = before[0].height

    def _chunk(self, context: Context) -> LineChunk:
        is_unfolded = self.is_unfolded(context)
        known = 1 if self.is_foldable and not is_unfolded else self.known_height
        draw = partial(self.drawn, context, is_unfolded)
        return LineChunk(draw, known or 1, is_exact=known is not None, source=self.source)

    def _key_of(self, context: Context) -> Hashable:
        return (*self.look_of(context), *self.key(context))

    @property
    def source(self) -> str | None:
        """Text that is copied for the whole item; None for the rows shown."""
        return None

    def key(self, context: Context) -> tuple[Hashable, ...]:
        """Return the rest of the state that the rows depend on."""
        return ()

    @abstractmethod
    def drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        """Return the rows."""
