"""A stream without a screen: transcript, lines, window and what is painted of it."""

from collections.abc import Sequence

from msgspec.structs import replace
from rich.style import Style
from textual.strip import Strip

from lfgtui.model import events as e
from lfgtui.model.transcript import Transcript
from lfgtui.ui.items import Context, Kind
from lfgtui.ui.stream.chunk_list import PieceList
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import StreamLines
from lfgtui.ui.stream.viewport import Window
from lfgtui.ui.stream.visible_rows import Finish, Sight
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row


def palette(first: int = 20) -> Palette:
    """A colour of its own for each role."""
    fields = enumerate(Palette.__struct_fields__, first)
    return Palette(**{field: Style(color=f"color({n})", bgcolor="color(0)") for n, field in fields})


PALETTES = (palette(20), palette(120))
FADED = palette(60)


class Stand:
    """Does what a pane does in a frame; `screen` is what a terminal would show."""

    def __init__(
        self, *, width: int = 30, height: int = 8, kept: int = 5000, prompt: str = "Go"
    ) -> None:
        self.kept = kept
        self.transcript = Transcript()
        self.lines = StreamLines(kept)
        self.window = Window(self.lines)
        self.window.height = height
        self.look = Context(width, PALETTES[0], FADED, lambda name, _: f"does {name}")
        self.finder = Finder(self.lines, "")
        self.sight = self._new_sight()
        self.screen = [""] * height
        self.painted: set[int] = set()
        self._attempt = 0
        self.happen(e.TicketQueued(), e.AttemptStarted("p", "m"))
        self.happen(e.UserMessage(prompt), e.RequestSent(1))

    @property
    def pieces(self) -> PieceList:
        return self.lines.pieces

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
        mark = self.mark()
        self.lines.update(self.transcript, self.look)
        self.paint(mark)

    def reflow(self, width: int, colours: int = 0, height: int | None = None) -> None:
        """Another size or other colours."""
        place = None if self.window.is_at_end else self.window.place()
        self.window.height = height or self.window.height
        self.look = replace(self.look, width=width, palette=PALETTES[colours])
        self.lines.redraw(self.look)
        self.finder.wrapped_anew()
        self.pieces.take_changes()
        self.sight = self._new_sight()
        self.screen = [""] * self.window.height
        if place is not None:
            self.window.go_to(place)
        self.paint(None)

    def fold(self, kind: Kind) -> None:
        mark = self.mark()
        self.look = replace(self.look, unfolded=self.look.unfolded ^ {kind})
        self.lines.fold(kind, self.look)
        self.paint(mark)

    def scroll(self, lines: int) -> None:
        self.window.scroll(lines)
        self.paint(None)

    def follow(self) -> None:
        self.window.follow()
        self.paint(None)

    def settle(self, rows: int) -> None:
        mark = self.mark()
        if not self.pieces.settle(rows):
            self.finder.catch_up(rows)
        self.paint(mark)

    def find(self, pattern: str) -> int:
        mark = self.mark()
        self.finder = Finder(self.lines, pattern)
        self.sight.highlight(self.finder)
        self.paint(mark)
        return self.finder.count

    def mark(self) -> int | None:
        return None if self.window.is_at_end else self.window.mark()

    def paint(self, mark: int | None) -> None:
        """Bring the rows on the screen that are said to have changed, and only those."""
        dirty = self.sight.update(mark)
        strips = self.sight.strips(Finish(None, Style.null(), lambda strip: strip))
        self.painted = {y for first, last in dirty for y in range(first, last)}
        for y in self.painted:
            self.screen[y] = said(strips[y])

    def rows(self) -> Sequence[Row]:
        """All rows, drawn if need be."""
        return [seen.row for seen in self.pieces.rows(0, 1 << 30)]

    def drawn_at_once(self) -> "Stand":
        """The same stream, seen for the first time and drawn whole."""
        other = Stand(width=self.look.width, height=self.window.height, kept=1 << 30)
        other.transcript, other.look = self.transcript, self.look
        other.lines = StreamLines(1 << 30)
        other.lines.update(self.transcript, self.look)
        for mine, its in zip(self.lines.views, other.lines.views, strict=True):
            its.override = mine.override
            other.lines.refold(its, self.look)
        other.pieces.settle(1 << 30)
        return other

    def _new_sight(self) -> Sight:
        return Sight(self.lines, self.window, self.finder, self.look.palette, self.look.width)


def said(strip: Strip) -> str:
    """A strip's text and styles, to be compared."""
    return repr(list(strip))
