"""The base of cards: a line, and below it, unfolded, the rest."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial

from lfgtui.model.items import SHOWN
from lfgtui.text.terminal_safe import plain_output
from lfgtui.ui.items.base import BriefView, Context, LineChunk
from lfgtui.ui.items.clipping import clipped, clipped_ends
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span

_HEAD, _TAIL = 12, 36
"""Rows of a long output that an unfolded card shows, from its start and its end."""

_LIVE = 12
"""Rows of live output."""


class CardView(BriefView):
    """A card."""

    kind = "tool"
    is_foldable = True

    def made(self, context: Context) -> list[LineChunk]:
        """Return the one piece; folded it is known to be one row without drawing it."""
        is_unfolded = self.is_unfolded(context)
        draw = partial(self._drawn, context, is_unfolded)
        return [LineChunk(draw, 1, is_exact=not is_unfolded, source=self.source)]

    def _drawn(self, context: Context, is_unfolded: bool) -> Sequence[Row]:
        rows = [self.fold_row(context, self.left(context), self.right(context))]
        if is_unfolded:
            bar = (("  │ ", self.palette(context).faint),)
            rows += [row.indented(bar) for row in self.body(context, context.width - 4)]
        return rows

    @property
    def source(self) -> str | None:
        """Text that is copied for the whole card; None for the rows shown."""
        return None

    @abstractmethod
    def left(self, context: Context) -> Sequence[Span]:
        """Return the line; it is shortened to fit."""

    @abstractmethod
    def right(self, context: Context) -> Sequence[Span]:
        """Return the spans at the line's right edge."""

    @abstractmethod
    def body(self, context: Context, width: int) -> Iterable[Row]:
        """Return the unfolded rows."""


def live_rows(text: str, palette: Palette, width: int) -> Sequence[Row]:
    """Return the last rows of live output."""
    return clipped(text, palette.muted, palette, width, 0, _LIVE)


def output_rows(output: str, live: tuple[str, int], palette: Palette, width: int) -> Sequence[Row]:
    """Return the rows of a tool's output; until it is complete, of the end of its live output.

    `live` is that end, and the number of lines before it.
    """
    if len(output) > 2 * SHOWN:  # of more than that the middle is not even looked at
        between = output.count("\n", SHOWN, len(output) - SHOWN)
        first, last = plain_output(output[:SHOWN]), plain_output(output[-SHOWN:])
        return clipped_ends(first, last, palette, width, _HEAD, _TAIL, between)
    if said := plain_output(output).strip("\n"):
        return clipped(said, palette.text, palette, width, _HEAD, _TAIL)
    text, before = live
    if said := plain_output(text).strip("\n"):
        return clipped(said, palette.text, palette, width, 0, _LIVE, before=before)
    return ()
