"""A stream without a screen: transcript, lines, window and what is painted of it."""

from collections.abc import Sequence

from msgspec.structs import replace
from rich.style import Style
from textual.strip import Strip

from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.ui.items import Context, Kind
from lfgtui.ui.stream.chunk_list import ChunkList
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import LineIndex, Position
from lfgtui.ui.stream.viewport import Viewport
from lfgtui.ui.stream.visible_rows import Overlay, VisibleRows
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row


def palette(first: int = 20) -> Palette:
    """A colour of its own for each role."""
    fields = enumerate(Palette.__struct_fields__, first)
    return Palette(**{field: Style(color=f"color({n})", bgcolor="color(0)") for n, field in fields})


PALETTES = (palette(20), palette(120))
FADED = palette(60)
_START = Position(0)


class Stand:
    """Does what a pane does in a frame; `screen` is what a terminal would show."""

    def __init__(
        self,
        *,
        width: int = 30,
        height: int = 8,
        kept: int = 5000,
        prompt: str = "Go",
        workspace: str = "",
    ) -> None:
        self.kept = kept
        self.transcript = Transcript(workspace)
        self.lines = LineIndex(kept)
        self.viewport = Viewport(self.lines)
        self.viewport.height = height
        self.look = Context(width, PALETTES[0], FADED)
        self.finder = Finder(self.lines, "")
        self.visible = self._new_rows()
        self.screen = [""] * height
        self.painted: set[int] = set()
        self._attempt = 0
        self.happen(e.TicketQueued(), e.AttemptStarted("p", "m"))
        self.happen(e.UserMessage(prompt), e.RequestSent(1))

    @property
    def chunks(self) -> ChunkList:
        return self.lines.chunks

    def happen(self, *events: e.Event) -> None:
        """Entries come, and a frame is drawn."""
        self.apply(*events)
        self.frame()

    def apply(self, *events: e.Event) -> None:
        """Entries come."""
        for event in events:
            self._attempt += isinstance(event, e.AttemptStarted)
            seq = self.transcript.last_seq + 1
            self.transcript.apply(e.Entry("r", "t", self._attempt, seq, 1000.0 + seq, event))

    def frame(self, now: float | None = None) -> None:
        if now is not None:
            self.look = replace(self.look, now=now)
        anchor = self.viewport.anchor()
        self.lines.update(self.transcript, self.look)
        self.paint(anchor)

    def reflow(self, width: int, colours: int = 0, height: int | None = None) -> None:
        """Take another size or other colours."""
        self.viewport.height = height or self.viewport.height
        self.look = replace(self.look, width=width, palette=PALETTES[colours])
        anchor = self.lines.redraw(self.look, self.viewport.anchor())
        self.finder.restart()
        self.visible = self._new_rows()
        self.screen = [""] * self.viewport.height
        self.paint(anchor)

    def fold(self, kind: Kind) -> None:
        anchor = self.viewport.anchor()
        self.look = replace(self.look, unfolded=self.look.unfolded ^ {kind})
        self.lines.fold(kind, self.look)
        self.finder.restart()
        self.visible.highlight(self.finder)
        self.paint(anchor)

    def scroll(self, lines: int) -> None:
        self.viewport.scroll(lines)
        self.paint(None)

    def measure(self, rows: int) -> None:
        anchor = self.viewport.anchor()
        if not self.chunks.measure(rows):
            self.finder.catch_up(rows)
        self.paint(anchor)

    def find(self, pattern: str, near: Position = _START) -> int:
        anchor = self.viewport.anchor()
        self.finder = Finder(self.lines, pattern, near)
        self.visible.highlight(self.finder)
        self.paint(anchor)
        return self.finder.count

    def paint(self, anchor: Position | None) -> None:
        """Bring the rows on the screen that are said to have changed, and only those."""
        dirty = self.visible.update(anchor)
        strips = self.visible.strips(Overlay(None, lambda strip: strip))
        self.painted = {y for first, last in dirty for y in range(first, last)}
        for y in self.painted:
            self.screen[y] = said(strips[y])

    def rows(self) -> Sequence[Row]:
        """All rows, drawn if need be."""
        return [seen.row for seen in self.chunks.rows(0, 1 << 30)]

    def drawn_at_once(self) -> "Stand":
        """The same stream, seen for the first time and drawn whole."""
        other = Stand(width=self.look.width, height=self.viewport.height, kept=1 << 30)
        other.transcript, other.look = self.transcript, self.look
        other.lines = LineIndex(1 << 30)
        other.lines.update(self.transcript, self.look)
        for mine, its in zip(self.lines.views, other.lines.views, strict=True):
            its.override = mine.override
            other.lines.refold(its, self.look)
        other.chunks.measure(1 << 30)
        return other

    def _new_rows(self) -> VisibleRows:
        palette, width = self.look.palette, self.look.width
        return VisibleRows(self.lines, self.viewport, self.finder, palette, width)


def said(strip: Strip) -> str:
    """A strip's text and styles, to be compared."""
    return repr(list(strip))
