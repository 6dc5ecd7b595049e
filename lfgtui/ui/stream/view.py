"""The stream of one ticket: a viewport on a flat list of lines.

A line-API widget that does its own scrolling. Nothing here lays out: a token
costs an append somewhere below, and a frame repaints the rows where something
changed; `draw_lines` passes on strips that are drawn to the width already.
"""

from collections.abc import Callable

from msgspec.structs import replace
from textual import events
from textual.selection import Selection

from lfgtui.model.fold.items import ToolItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.ui.items import Context, ItemView, Kind
from lfgtui.ui.painting.canvas import Canvas, rows_on_screen
from lfgtui.ui.stream.find import Finder
from lfgtui.ui.stream.line_index import Position
from lfgtui.ui.stream.painting import PaintedStream
from lfgtui.ui.stream.requests_in_view import CardInView, card_in_view, show_card
from lfgtui.ui.stream.search_target import Target, choose_match, find_item
from lfgtui.ui.stream.selection import MouseSelection, selected_text
from lfgtui.ui.text.palette import Palette

_MEASURED = 16
"""Rows that `measure` draws, and chunks that a search catches up with, at a time."""

_FRESH = 32
"""Rows that a frame draws of text that arrives below the viewport, so that it can be counted."""

_READING = 0.012
"""Seconds that a frame reads new text; the rest is read in the next frames."""

SIDEWAYS = 8
"""Columns that a notch of the wheel, or a key, scrolls sideways."""

_WHEEL = 3
"""Lines that a notch of the wheel scrolls."""

_SEARCHING = 0.05
"""Seconds that a search may take at once; the rest is searched in the next frames."""


class StreamView(PaintedStream):
    """A transcript on the screen. It follows the end until someone scrolls up.

    At most about `kept` rows are in memory; the others are drawn again when
    they are scrolled to.
    """

    DEFAULT_CSS = "StreamView { width: 1fr; height: 1fr; }"

    def __init__(self, kept: int, canvas: Canvas, clock: Callable[[], float]) -> None:
        super().__init__(kept, canvas)
        self.set_reactive(StreamView.auto_links, False)  # pointing at a link repaints nothing
        self._clock = clock
        self.is_restyled = self.awaits_slot = False  # the pane sets `awaits_slot`, for `Context`
        self._now = 0.0
        self._chosen: ItemView | None = None  # the last one that was clicked
        self._resumes = False  # follow the end again once the drag ends and nothing is selected
        self._mouse = MouseSelection(self, self._autoscroll)
        self._saved: tuple[Position | None, str] | None = None  # for `_restore`

    def _clear(self) -> None:
        super()._clear()
        self._transcript: Transcript | None = None

    @property
    def is_behind(self) -> bool:
        """True while some of the transcript is unread, or nothing is laid out yet."""
        return self._render_context is None or self.lines.is_behind

    def update(self, transcript: Transcript, now: float) -> None:
        """Read what is new in the transcript and repaint the rows that differ."""
        if transcript is not self._transcript:
            if self._transcript is not None:
                self._mouse.clear()
                self._end_drag()
                self._saved = self._saved or (self.viewport.anchor(), self.finder.pattern)
            self._clear()
            self._transcript = transcript
        self._now = now
        if not self._width:
            return
        if (context := self._render_context) is None:
            context = Context(self._width, *self._colours(), now, clock=self._clock)
        until, awaits = self._clock() + _READING, self.awaits_slot
        self._render_context = context = replace(context, now=now, until=until, awaits_slot=awaits)
        if self.is_restyled:
            context = self._restyle(context)
        anchor = self.viewport.anchor()
        self.lines.update(transcript, context)
        if self._saved is not None:
            self._restore(*self._saved)
        self.finder.catch_up(_MEASURED)
        if anchor is not None:  # the hint counts the lines that came
            self.lines.chunks.measure(_FRESH)
        if (rows := self._visible_rows) is None or rows.is_hinted or self.lines.chunks.has_changed:
            self._paint_changes(anchor)

    def _restore(self, position: Position | None, pattern: str) -> None:
        """Return to a position, if it still exists in the new lines, and to a search.

        A replay that goes back folds its transcripts anew: shorter ones with the same beginning.
        """
        chunks = self.lines.chunks
        if position is not None:
            index, _ = self.lines.locate(position)
            below = chunks.heights.total - self.lines.line_of(position)
            if self.lines.is_behind and below < self._height:
                return
            if index < len(chunks):
                chunks.draw(index)
                self.viewport.stay_at(self.lines.line_of(position))
        self.finder = self._new_finder(pattern, self.viewport.position())
        self._saved = None

    @property
    def is_measured(self) -> bool:
        """True if `measure` has nothing to do."""
        is_exact = self.lines.chunks.is_exact and not self.finder.is_behind
        return self._visible_rows is None or is_exact

    def measure(self) -> None:
        """Draw some chunks that were never drawn at this width.

        Heights out of view are guesses after a resize, or when much text came
        at once. The rows in view stay where they are.
        """
        if self.is_measured:
            return
        anchor = self.viewport.anchor()
        if self.lines.chunks.measure(_MEASURED) == 0:
            self.finder.catch_up(_MEASURED)
        self._paint_changes(anchor)

    # Folding

    def toggle_kind(self, kind: Kind) -> None:
        """Unfold all items of a kind, future ones too; or fold them again."""
        if (context := self._render_context) is None:
            return
        anchor = self.viewport.anchor()
        self._render_context = replace(context, unfolded=context.unfolded ^ {kind})
        for view in self.lines.views:
            if view.kind == kind:
                view.override = None
        self.lines.fold(kind, self._render_context)
        self.finder.restart()
        self._show_matches(anchor)

    def toggle_urls(self) -> None:
        """Write out the targets of links, or hide them."""
        if (context := self._render_context) is not None:
            self._reflow(replace(context, has_urls=not context.has_urls))

    def toggle_nearest(self) -> None:
        """Fold or unfold the item last clicked if it is in view, else the lowest in view."""
        views = self.lines.views_at(self.viewport.top, self.viewport.top + self._height)
        seen = [view for view in dict.fromkeys(views) if view.is_foldable]
        if seen:
            self._toggle(self._chosen if self._chosen in seen else seen[-1])

    def _toggle(self, view: ItemView | None) -> None:
        viewport, context = self.viewport, self._render_context
        if view is None or context is None:
            return
        view.override = not view.is_unfolded(context)
        offset = self.lines.lines_of(view).start - viewport.top
        self.lines.refold(view, context)
        if viewport.is_at_end:
            viewport.fit()
        first = self.lines.lines_of(view).start
        if not viewport.is_at_end or first < viewport.top:
            viewport.stay_at(first - max(0, offset))
        self._paint_changes()

    # Scrolling

    def scroll_lines(self, lines: int) -> None:
        """Scroll down, or (negative) up; at the end, follow it again."""
        self._resumes = False
        self.viewport.scroll(lines)
        self._paint_changes()

    def scroll_pages(self, pages: int, parts: int = 1) -> None:
        """Scroll by pages of the lines in view but one, or by one of `parts` parts of a page."""
        self.scroll_lines(pages * max(1, (self._height - 1) // parts))

    def follow(self) -> None:
        """Keep the end in view."""
        self._resumes = False
        self.viewport.follow()
        self._paint_changes()

    def _autoscroll(self, lines: int) -> None:
        self.viewport.autoscroll(lines)
        self._paint_changes()

    def scroll_sideways(self, columns: int) -> None:
        """Scroll wide rows right, or (negative) left."""
        if self._visible_rows is not None and self._visible_rows.scroll_sideways(columns):
            self._repaint_all()

    # Searching

    def find(self, pattern: str) -> int:
        """Highlight all matches, show the first from the top line on; return how many there are."""
        self._search(pattern, self.viewport.position())
        self._show_match(self.finder.current_line())
        return self.finder.count

    def _search(self, pattern: str, position: Position) -> None:
        anchor = self.viewport.anchor()
        self.finder = self._new_finder(pattern, position)
        self._show_matches(anchor)

    def _show_matches(self, anchor: Position | None) -> None:
        """Paint all rows in view, with the finder's matches."""
        if self._visible_rows is not None:
            self._visible_rows.highlight(self.finder)
        self._paint_changes(anchor)

    def _new_finder(self, pattern: str, near: Position) -> Finder:
        until = self._clock() + _SEARCHING
        return Finder(self.lines, pattern, near, lambda: self._clock() >= until)

    def find_step(self, step: int) -> None:
        """Show the next (1) or previous (-1) match, wrapping round."""
        self._show_match(self.finder.step(step))

    def show_target(self, target: Target) -> bool:
        """Unfold an item and show the match in it, or else the item; return whether it matched."""
        context, item = self._render_context, find_item(self._transcript, target.item)
        view = self.lines.view_of(item) if item is not None else None
        if context is None or view is None:
            return False
        if view.is_foldable:
            view.override = True
            self.lines.refold(view, context)
        first = self.lines.lines_of(view).start
        self._search(target.pattern, self.lines.position_at(first))
        line = choose_match(target, view, self.lines, self.finder)
        self._show_match(self.lines.lines_of(view).start if line is None else line)
        return line is not None

    def _show_match(self, line: int | None) -> None:
        if line is not None:
            self.viewport.reveal(line)
        self._paint_changes()
        self._repaint_all()

    # Requests

    def card_in_view(self, call: ToolItem) -> CardInView | None:
        """Return the part of a call's card that is on the screen; None if there is none."""
        context, view = self._render_context, self.lines.view_of(call)
        if context is None or view is None or self._visible_rows is None:
            return None
        rows = rows_on_screen(self)
        if self._visible_rows.is_hinted:
            rows = range(rows.start, min(rows.stop, self._height - 1))
        return card_in_view(self.lines, self.viewport, context, view, rows)

    def show_card(self, call: ToolItem, line: int = 0) -> None:
        """Bring a call's card into view, unfolded; if it does not fit, from that line on."""
        context, view = self._render_context, self.lines.view_of(call)
        if context is not None and view is not None:
            show_card(self.lines, self.viewport, context, view, line)
            self._paint_changes()
            self._repaint_all()

    # Copying

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        anchor = self.viewport.anchor()
        text = selected_text(self.lines, selection)
        self._paint_changes(anchor)
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint_all()
        if selection is None and self._resumes and not self._mouse.is_on:
            self.follow()

    # Size and style

    def _colours(self) -> tuple[Palette, Palette]:
        self.is_restyled = False
        palette = Palette.of(self)
        return palette, palette.faded()

    def _restyle(self, context: Context) -> Context:
        palette, faded = self._colours()
        if palette != context.palette:
            self._reflow(context := replace(context, palette=palette, faded=faded))
        return context

    def _reflow(self, context: Context) -> None:
        """Draw everything in another width or style; the text at the top stays there."""
        self._render_context, self._visible_rows = context, None
        anchor = self.lines.redraw(context, self.viewport.anchor())
        self.finder.restart()
        self._paint_changes(anchor)

    def on_resize(self) -> None:
        self.take_size()

    def take_size(self) -> None:
        """Draw everything for the size of the last layout, if that changed."""
        before, size = (self._width, self._height), self.outer_size
        if size == before:
            return
        self._width, self._height = size
        anchor = self.viewport.anchor()
        self.viewport.height = self._height
        if self._render_context is None:
            if self._transcript is not None:
                self.update(self._transcript, self._now)
        elif self._width and self._width != before[0]:
            self._mouse.clear()
            self._reflow(replace(self._render_context, width=self._width))
        else:
            self._paint_changes(anchor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.is_restyled = True
        self._filter = None

    # Mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1, is_sideways=event.shift)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1, is_sideways=event.shift)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -1, is_sideways=True)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1, is_sideways=True)

    def _wheel(self, event: events.MouseEvent, notches: int, *, is_sideways: bool) -> None:
        event.stop()
        if is_sideways:
            self.scroll_sideways(notches * SIDEWAYS)
        else:
            self.scroll_lines(notches * _WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a selection; the viewport stands still while the button is down."""
        if event.button == 1 and self._visible_rows is not None:
            self._mouse.begin(event)
            if self._mouse.is_on and self.viewport.is_at_end:
                self.viewport.hold()
                self._resumes = True

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._mouse.move(event)

    def on_mouse_up(self) -> None:
        self._end_drag()

    on_mouse_release = on_mouse_up

    def _end_drag(self) -> None:
        """End a drag of the mouse: stay at a selection; without one, follow the end again."""
        if not self._mouse.is_on:
            return
        self._mouse.end()
        self.viewport.is_held = False
        if self._resumes:
            if self._mouse.has_selection:
                self.viewport.follows = False
                self._paint_changes()
            else:
                self.follow()

    def on_click(self, event: events.Click) -> None:
        """Fold or unfold the card clicked on; on the hint, follow the end."""
        if self._mouse.has_selection:
            return
        rows = self._visible_rows
        if rows is not None and rows.is_hinted and event.y == self._height - 1:
            self.follow()
            return
        line = self.viewport.top + event.y
        self._chosen = view = next(self.lines.views_at(line, line + 1), None)
        if view is not None and view.is_foldable and self.lines.lines_of(view).start == line:
            self._toggle(view)
