"""The stream of one ticket: a window on a flat list of lines.

A line-API widget that does its own scrolling. Nothing here lays out: a token
costs an append somewhere below, and a frame compares the rows in the window
with those painted last and asks to repaint the ones that differ. Textual's
`virtual_size` is left alone because each assignment re-lays out the screen,
and `render_lines` passes the strips on as they are, since every one is drawn
to the width already.
"""

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.transcript import Transcript
from lfgtui.ui.items import Context, ItemView, Kind, Summarise
from lfgtui.ui.lines import finish, fit, width_of
from lfgtui.ui.palette import Palette
from lfgtui.ui.stream_lines import StreamLines
from lfgtui.ui.stream_text import Match, matches, selected

WHEEL = 3
"""Lines a notch of the wheel scrolls."""


class StreamView(Widget):
    """Shows a transcript and follows its end until someone scrolls up."""

    DEFAULT_CSS = "StreamView { width: 1fr; height: 1fr; }"

    def __init__(self, summarise: Summarise) -> None:
        super().__init__()
        self._summarise = summarise
        self._stream = StreamLines()
        self._transcript: Transcript | None = None
        self._look: Context | None = None
        self._is_restyled = False
        self._width = self._height = 0
        self._now = 0.0
        self._top = 0
        self._follows = True
        self._left_at = 0
        self._chosen: ItemView | None = None
        self._painted: list[Strip] = []
        self._pattern = ""
        self._matches: list[Match] = []
        self._current = 0

    @property
    def follows(self) -> bool:
        """Whether the end stays in sight as the text grows."""
        return self._follows

    def update(self, transcript: Transcript, now: float) -> None:
        """Take in what the transcript has become and repaint what differs."""
        if transcript is not self._transcript:
            self._transcript, self._stream = transcript, StreamLines()
        self._now = now
        if not self._width:
            return
        context = self._look or Context(self._width, *self._colours(), self._summarise)
        self._look = replace(context, now=now)
        if self._is_restyled:
            self._restyle(self._look)
        if self._stream.update(transcript, self._look):
            self._changed()

    # Folding

    def toggle_kind(self, kind: Kind) -> None:
        """Unfold all of a kind, those to come too; or fold them again."""
        if self._look is None:
            return
        for view in self._stream.views:
            if view.kind == kind:
                view.override = None
        self._reflow(replace(self._look, unfolded=self._look.unfolded ^ {kind}))

    def toggle_nearest(self) -> None:
        """Fold or unfold the item last clicked if it is in sight, else the lowest in sight."""
        seen = list(self._foldable_in_sight())
        if self._chosen in seen:
            self._toggle(self._chosen)
        elif seen:
            self._toggle(seen[-1])

    def _foldable_in_sight(self) -> list[ItemView]:
        window = range(self._top, min(self._top + self._height, len(self._stream.lines)))
        views = dict.fromkeys(self._stream.view_at(line) for line in window)
        return [view for view in views if view is not None and view.is_foldable]

    def _toggle(self, view: ItemView | None) -> None:
        context = self._look
        if view is None or context is None:
            return
        view.override = not view.is_unfolded(context)
        offset = self._stream.first_line(view) - self._top
        self._stream.redraw(context)
        first = self._stream.first_line(view)
        self._follows = self._follows and first >= self._bottom
        if not self._follows:
            self._leave_end(first - max(0, offset))
        self._changed()

    # Scrolling

    @property
    def page(self) -> int:
        """Lines a page scrolls: one stays in sight."""
        return max(1, self._height - 1)

    @property
    def _bottom(self) -> int:
        return max(0, len(self._stream.lines) - self._height)

    def scroll_by(self, lines: int) -> None:
        """Scroll; up releases the end, reaching it again follows it again."""
        top = min(self._bottom, max(0, self._top + lines))
        if lines > 0 and top == self._bottom:
            self.follow()
        elif top != self._top:
            self._leave_end(top)
            self._repaint()

    def follow(self) -> None:
        """Keep the end in sight."""
        self._follows = True
        self._changed()

    def _leave_end(self, top: int) -> None:
        if self._follows:
            self._left_at = len(self._stream.lines)
        self._follows = False
        self._top = min(self._bottom, max(0, top))

    # Finding

    def find(self, pattern: str) -> int:
        """Highlight the pattern and show the match nearest the end of the window."""
        self._pattern = pattern
        self._matches = matches(self._stream.lines, pattern)
        seen = [n for n, match in enumerate(self._matches) if match[0][0] >= self._top]
        self._current = seen[0] if seen else 0
        self._show_match()
        return len(self._matches)

    def find_step(self, step: int) -> None:
        """The next (1) or previous (-1) match, round the ends."""
        if self._matches:
            self._current = (self._current + step) % len(self._matches)
            self._show_match()

    @property
    def match_number(self) -> int:
        """Which match is the current one, from 1; 0 where there is none."""
        return self._current + 1 if self._matches else 0

    def _show_match(self) -> None:
        if self._matches:
            line = self._matches[self._current][0][0]
            if not self._top <= line < self._top + self._height - 1:
                self._leave_end(line - self._height // 2)
        self._repaint()

    # Text out

    def plain_text(self) -> str:
        """All lines as shown."""
        return "\n".join(line.text for line in self._stream.lines)

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        return selected(self._stream.lines, self._stream.pieces(), selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint()

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        strips = [self._row(y) for y in range(crop.y, crop.bottom)]
        for line_filter in self.get_line_filters():
            ground = self.background_colors[1]
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        if crop.x or crop.width != self._width:
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Only hit-testing asks for this: the offsets are not needed to paint."""
        number = self._top + y
        lines = self._stream.lines
        strip = lines[number].strip if number < len(lines) else self._blank()
        return strip.apply_offsets(0, number)

    def _row(self, y: int) -> Strip:
        lines, number = self._stream.lines, self._top + y
        if y == self._height - 1 and not self._follows and self._look is not None:
            return self._hint(self._look)
        if number >= len(lines):
            return self._blank()
        strip = lines[number].strip
        if self._pattern:
            strip = self._with_matches(strip, number)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(number)) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            text = lines[number].text
            begin = width_of(text[: span[0]])
            end = width_of(text if span[1] == -1 else text[: span[1]])
            strip = _styled(strip, begin, end, style)
        return strip

    def _with_matches(self, strip: Strip, number: int) -> Strip:
        assert self._look is not None
        palette = self._look.palette
        for index, match in enumerate(self._matches):
            for line, begin, end in match:
                if line == number:
                    style = palette.current if index == self._current else palette.match
                    strip = _styled(strip, begin, end, style)
        return strip

    def _hint(self, context: Context) -> Strip:
        """The one line over the last row while the end is out of sight."""
        new = len(self._stream.lines) - self._left_at
        below = self._bottom - self._top
        said = f"↓ {new} new line{'s' * (new != 1)}" if new > 0 else f"↓ {below} below"
        hint = context.palette.hint
        row = fit([(f" {said} · f to follow ", hint)], (), self._width, hint)
        return finish([row], self._width, hint)[0].strip

    def _blank(self) -> Strip:
        if self._look is None:
            return Strip.blank(self._width, self.rich_style)
        return Strip([Segment(" " * self._width, self._look.palette.text)], self._width)

    def _repaint(self) -> None:
        """Ask for the rows that differ from those painted last."""
        painted, self._painted = self._painted, [self._row(y) for y in range(self._height)]
        if len(painted) != self._height:
            self.refresh()
            return
        changed = [
            y for y, (new, old) in enumerate(zip(self._painted, painted, strict=True))
            if new is not old and new != old
        ]  # fmt: skip
        if changed:
            first, last = changed[0], changed[-1]
            self.refresh(Region(0, first, self._width, last - first + 1))

    def _changed(self) -> None:
        """Lines changed: keep the window where it belongs and paint it."""
        if self._pattern:
            self._matches = matches(self._stream.lines, self._pattern)
            self._current = min(self._current, max(0, len(self._matches) - 1))
        if self._follows or self._bottom == 0:
            self._follows, self._top = True, self._bottom
        self._top = min(self._top, self._bottom)
        self._repaint()

    # Size and style

    def _colours(self) -> tuple[Palette, Palette]:
        palette = Palette.of(self)
        return palette, palette.faded()

    def _restyle(self, context: Context) -> None:
        self._is_restyled = False
        palette, faded = self._colours()
        if palette != context.palette:
            self._reflow(replace(context, palette=palette, faded=faded))

    def _reflow(self, context: Context) -> None:
        """Draw all for another look, what stood at the top staying there."""
        place = self._stream.place(self._top)
        self._look = context
        if self._transcript is not None:
            self._stream.update(self._transcript, context)
        self._stream.redraw(context)
        self._top = self._stream.line_of(place)
        self._painted = []
        self._changed()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap to the new width at once, keeping the place."""
        self._width, self._height = event.size
        if self._look is not None and self._width:
            self._reflow(replace(self._look, width=self._width))
        elif self._transcript is not None:
            self.update(self._transcript, self._now)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._is_restyled = True

    # Mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(WHEEL)

    def on_click(self, event: events.Click) -> None:
        """A click on a card's line folds it; on the hint it follows."""
        selection = self.text_selection
        if selection is not None and selection.start != selection.end:
            return
        if not self._follows and event.y == self._height - 1:
            self.follow()
            return
        view = self._stream.view_at(self._top + event.y)
        self._chosen = view
        if view is None or not view.is_foldable:
            return
        if self._stream.first_line(view) == self._top + event.y:
            self._toggle(view)


def _styled(strip: Strip, begin: int, end: int, style: Style) -> Strip:
    """The strip with the cells between two columns in another style."""
    marked = [
        Segment(text, own + style if own else style) for text, own, _ in strip.crop(begin, end)
    ]
    return Strip.join([strip.crop(0, begin), Strip(marked), strip.crop(end)])
