"""The stream of one ticket: a window on a flat list of lines.

A line-API widget that does its own scrolling. Nothing here lays out: a token
costs an append somewhere below, and a frame repaints the rows where something
changed. Textual's `virtual_size` is left alone because each assignment re-lays
out the screen; `draw_lines` passes on strips that are drawn to the width already.
"""

from collections.abc import Callable

from msgspec.structs import replace
from textual import events
from textual.selection import Selection

from lfgtui.model.transcript import Transcript
from lfgtui.ui.items import Context, ItemView, Kind, Summarise
from lfgtui.ui.painting.canvas import Canvas, rows_on_screen
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.mouse_selection import Drag
from lfgtui.ui.stream.painting import PaintedStream
from lfgtui.ui.stream.plain_text import plain_text, selected
from lfgtui.ui.stream.request_position import card_in_view, show_card
from lfgtui.ui.stream.requests_seen import CardInView
from lfgtui.ui.stream.saved_view import Left
from lfgtui.ui.stream.search_target import Lead, Spot, follow
from lfgtui.ui.text.palette import Palette

SETTLE = 16
"""Rows that `settle` draws at a time."""

FRESH = 32
"""Rows drawn at a time of what arrives below the window, so that it can be counted."""

READING = 0.012
"""Seconds that a frame reads what came; of more than that it shows a part at a time."""

ASIDE = 8
"""Columns that a notch of the wheel scrolls sideways."""

_WHEEL = 3
"""Lines that a notch scrolls."""

_SEARCHING = 0.05
"""Seconds that a key which finds something may take; the rest is searched in the frames after."""


class StreamView(PaintedStream):
    """Shows a transcript and follows its end until someone scrolls up.

    At most about `kept` rows are in memory; the others are drawn again when
    they are scrolled to.
    """

    DEFAULT_CSS = "StreamView { width: 1fr; height: 1fr; }"

    def __init__(
        self,
        summarise: Summarise,
        kept: int,
        canvas: Canvas,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(kept, canvas)
        self.set_reactive(StreamView.auto_links, False)  # pointing at a link repaints nothing
        self._summarise = summarise
        self._clock = clock
        self.is_restyled = False
        self._now = 0.0
        self._chosen: ItemView | None = None
        self._resumes = False
        self._drag = Drag(self, self.creep)
        self._left: Left | None = None

    def _clear(self) -> None:
        super()._clear()
        self._transcript: Transcript | None = None

    @property
    def is_behind(self) -> bool:
        """True while the transcript says more than has been read, or nothing is laid out yet."""
        return self._look is None or self._stream.is_behind

    @property
    def follows(self) -> bool:
        """Whether the end stays in sight as the text grows."""
        return self._window.follows

    def update(self, transcript: Transcript, now: float) -> None:
        """Take in what the transcript has become and repaint what differs."""
        if transcript is not self._transcript:
            if self._transcript is not None:
                self._drag.forget_selection()
                self._let_go()
                self._left = Left.of(self._window, self._finder)
            self._clear()
            self._transcript = transcript
        self._now = now
        if not self._width:
            return
        if (look := self._look) is None:
            look = Context(self._width, *self._colours(), self._summarise, now, clock=self._clock)
        self._look = look = replace(look, now=now, until=self._clock() + READING)
        if self.is_restyled:
            look = self._restyle(look)
        mark = self._mark()
        self._stream.update(transcript, look)
        if self._left is not None:
            self._finder = self._left.taken_up(self._stream, self._window)
            self._left = None
        self._finder.catch_up(SETTLE)
        if mark is not None:  # it is told how many lines came
            self._stream.pieces.settle(FRESH)
        if self._stream.pieces.has_changed or self._sight is None:
            self._changed(mark)

    def settle(self, rows: int = SETTLE) -> bool:
        """Draw some of what was never drawn at this width; whether there is more to do.

        Heights out of sight are guesses after a resize, or when much text came
        at once. What is in sight stays where it is.
        """
        pieces, finder = self._stream.pieces, self._finder
        if self._sight is None or (pieces.is_exact and not finder.is_behind):
            return False
        mark = self._mark()
        if pieces.settle(rows) == 0:
            finder.catch_up(rows)
        self._changed(mark)
        return not pieces.is_exact or finder.is_behind

    # Folding

    def toggle_kind(self, kind: Kind) -> None:
        """Unfold all of a kind, those to come too; or fold them again."""
        if self._look is None:
            return
        mark = self._mark()
        self._look = replace(self._look, unfolded=self._look.unfolded ^ {kind})
        for view in self._stream.views:
            if view.kind == kind:
                view.override = None
        if self._stream.fold(kind, self._look):
            self._finder.wrapped_anew()
        self._changed(mark)

    def toggle_urls(self) -> None:
        """Write out where links lead, or only make them links."""
        if self._look is not None:
            self._reflow(replace(self._look, has_urls=not self._look.has_urls))

    def toggle_nearest(self) -> None:
        """Fold or unfold the item last clicked if it is in sight, else the lowest in sight."""
        top = self._window.top
        views = dict.fromkeys(self._stream.views_at(top, top + self._height))
        seen = [view for view in views if view.is_foldable]
        if seen:
            self._toggle(self._chosen if self._chosen in seen else seen[-1])

    def _toggle(self, view: ItemView | None) -> None:
        window, look = self._window, self._look
        if view is None or look is None:
            return
        view.override = not view.is_unfolded(look)
        offset = self._stream.first_line(view) - window.top
        self._stream.refold(view, look)
        if window.is_at_end:
            window.fit()
        first = self._stream.first_line(view)
        if not window.is_at_end or first < window.top:
            window.leave(first - max(0, offset))
        self._changed()

    # Scrolling

    @property
    def page(self) -> int:
        """Lines a page scrolls: one stays in sight."""
        return max(1, self._height - 1)

    def scroll_by(self, lines: int) -> None:
        """Scroll; up releases the end, reaching it again follows it again."""
        self._resumes = False
        self._window.scroll(lines)
        self._changed()

    def follow(self) -> None:
        """Keep the end in sight."""
        self._resumes = False
        self._window.follow()
        self._changed()

    def creep(self, lines: int) -> None:
        """Scroll because the pointer drags a selection there."""
        self._window.creep(lines)
        self._changed()

    def scroll_aside(self, columns: int) -> None:
        """Move what is wider than the pane to the left (or, negative, to the right)."""
        if self._sight is not None and self._sight.shift(columns):
            self._repaint_all()

    # Finding

    def find(self, pattern: str) -> int:
        """Highlight the pattern and show the match nearest the end of the window."""
        self._seek(pattern, self._window.mark())
        self._show_match(self._finder.current_line())
        return self._finder.count

    def _seek(self, pattern: str, address: int) -> None:
        mark = self._mark()
        until = self._clock() + _SEARCHING
        self._finder = Finder(self._stream, pattern, lambda: self._clock() >= until)
        self._finder.seek(address)
        if self._sight is not None:
            self._sight.highlight(self._finder)
        self._changed(mark)

    def find_step(self, step: int) -> None:
        """The next (1) or previous (-1) match, round the ends."""
        self._show_match(self._finder.step(step))

    def lead_to(self, lead: Lead) -> bool:
        """Unfold an item and show the match in it that is meant, else the item."""
        look, view = self._look, self._stream.item_view(*lead.spot)
        if look is None or view is None:
            return False
        if view.is_foldable:
            view.override = True
            self._stream.refold(view, look)
        self._seek(lead.pattern, self._stream.address(self._stream.first_line(view)))
        line = follow(lead, self._stream, self._finder)
        self._show_match(self._stream.first_line(view) if line is None else line)
        return line is not None

    def card_in_view(self, spot: Spot) -> CardInView | None:
        """Return the part of an item's card that is on the screen; None if there is none."""
        if self._look is None or self._sight is None:
            return None
        rows = rows_on_screen(self)
        if self._sight.is_hinted:
            rows = range(rows.start, min(rows.stop, self._height - 1))
        return card_in_view(self._stream, self._window, self._look, spot, rows)

    def show_card(self, spot: Spot) -> None:
        """Bring an item's card into view, unfolded."""
        if self._look is not None:
            show_card(self._stream, self._window, self._look, spot)
            self._changed()
            self._repaint_all()

    @property
    def finder(self) -> Finder:
        """What is sought, and which match is shown."""
        return self._finder

    def _show_match(self, line: int | None) -> None:
        if line is not None:
            self._window.reveal(line)
        self._changed()
        self._repaint_all()

    # Text out

    def plain_text(self) -> str:
        """All lines as shown."""
        mark = self._mark()
        text = plain_text(self._stream)
        self._measured(mark)
        return text

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        mark = self._mark()
        text = selected(self._stream, selection)
        self._measured(mark)
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint_all()
        if selection is None and self._resumes and not self._drag.is_on:
            self.follow()

    # Size and style

    def _colours(self) -> tuple[Palette, Palette]:
        palette = Palette.of(self)
        return palette, palette.faded()

    def _restyle(self, look: Context) -> Context:
        self.is_restyled = False
        palette, faded = self._colours()
        if palette != look.palette:
            self._reflow(look := replace(look, palette=palette, faded=faded))
        return look

    def _reflow(self, look: Context) -> None:
        """Draw all for another look, what stood at the top staying there."""
        window = self._window
        place = None if window.is_at_end else window.place()
        self._look, self._sight = look, None
        self._stream.redraw(look)
        self._finder.wrapped_anew()
        self._stream.pieces.take_changes()
        if place is not None:
            window.go_to(place)
        self._changed()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap to the new width at once, keeping the place."""
        was, (self._width, self._height) = self._width, event.size
        mark = self._mark()
        self._window.height = self._height
        if self._look is None:
            if self._transcript is not None:
                self.update(self._transcript, self._now)
        elif self._width and self._width != was:
            self._drag.forget_selection()
            self._reflow(replace(self._look, width=self._width))
        else:
            self._changed(mark)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.is_restyled = True
        self._filter = None

    # Mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1, is_aside=event.shift)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1, is_aside=event.shift)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -1, is_aside=True)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1, is_aside=True)

    def _wheel(self, event: events.MouseEvent, notches: int, *, is_aside: bool) -> None:
        event.stop()
        if is_aside:
            self.scroll_aside(notches * ASIDE)
        else:
            self.scroll_by(notches * _WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """While the button is down, the window holds still."""
        if event.button == 1 and self._sight is not None:
            self._drag.begin(event)
            if self._drag.is_on and self._window.is_at_end:
                self._window.hold()
                self._resumes = True

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._drag.move(event)

    def on_mouse_up(self) -> None:
        self._let_go()

    def on_mouse_release(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        """What is selected stays in sight; else the end is followed again."""
        if not self._drag.is_on:
            return
        self._drag.end()
        self._window.is_held = False
        if self._resumes:
            if self._drag.has_selection:
                self._window.follows = False
                self._changed()
            else:
                self.follow()

    def on_click(self, event: events.Click) -> None:
        """A click on a card's line folds it; on the hint it follows."""
        if self._drag.has_selection:
            return
        if self._sight is not None and self._sight.is_hinted and event.y == self._height - 1:
            self.follow()
            return
        line = self._window.top + event.y
        view = self._stream.view_at(line)
        self._chosen = view
        if view is not None and view.is_foldable and self._stream.first_line(view) == line:
            self._toggle(view)
