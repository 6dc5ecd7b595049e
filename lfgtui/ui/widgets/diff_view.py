"""A diff to scroll in: files to fold, and a cursor that stays on its line as others change."""

from functools import partialmethod

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lfgtui.ui.guard import Guarded
from lfgtui.ui.text.palette import Palette, line_filter
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import Row
from lfgtui.ui.widgets.diff_rows import DiffPainter, DiffRows, Tints, widths
from lfgtui.workspace.diff import ChangedFile
from lfgtui.workspace.diff_reading import Reading

UNFOLDED_LINES = 2_000
"""Most changed lines with which all files are unfolded; with more, a person unfolds each."""

SIDEWAYS = 8
"""Cells that a key scrolls sideways."""

_MARGIN = 12
"""Cells, at most, of a line's number and sign, for scrolling sideways."""


class DiffView(Guarded, ScrollView, can_focus=True, inherit_bindings=False):
    """The rows of a `Reading`; only those in view are ever drawn.

    `DiffScreen` gives it readings by `show`, and calls its `action_NAME`. `rows` are those of the
    last reading; `cursor` is the index of the current one.
    """

    DEFAULT_CSS = """
    DiffView { background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    class Moved(Message):
        """Another row is under the cursor, or the rows changed."""

    class Unfolded(Message):
        """A file was unfolded whose lines were not read."""

        def __init__(self, file: ChangedFile) -> None:
            super().__init__()
            self.file = file

    def __init__(self) -> None:
        super().__init__()
        self.rows = DiffRows(Reading(""), lambda _: False)
        self.cursor = 0
        self.remark = ""
        """The text that is shown if there are no rows."""
        self._left = 0  # cells scrolled to the right
        self._folded: dict[str, bool] = {}  # by path, what a person folded or (False) unfolded
        self._painter: DiffPainter | None = None

    # What is shown

    def show(self, reading: Reading, *, anew: bool = False) -> None:
        """Show a reading; the cursor stays on its line unless it is shown `anew`."""
        if anew:
            self._folded, self.cursor, self._left = {}, 0, 0
        changes = reading.changes
        is_short = changes.added + changes.removed <= UNFOLDED_LINES

        def is_shown(file: ChangedFile) -> bool:
            usual = is_short and not reading.is_unread(file)
            return self.is_unfolded(file, usual=usual)

        before, self.rows = self.rows, DiffRows(reading, is_shown)
        above = self.cursor - self.scroll_offset.y
        self.cursor = 0 if anew else self.rows.like(before, self.cursor)
        self._painter = None
        self._measure()
        if anew:
            self._scroll(0)
        else:
            self._scroll(self.cursor - above)
        self.post_message(self.Moved())

    @property
    def here(self) -> ChangedFile | None:
        """The file under the cursor."""
        return self.rows.file_at(self.cursor)

    def is_unfolded(self, file: ChangedFile, *, usual: bool = False) -> bool:
        """Return whether a person unfolded the file; if nobody folded or unfolded it, `usual`."""
        return not self._folded.get(file.path, not usual)

    def action_fold(self) -> None:
        """Fold the file under the cursor, or unfold it."""
        if (file := self.here) is None:
            return
        index = self.rows.places[self.cursor].file
        is_unfolded = self.rows.is_unfolded[index]
        self._folded[file.path] = is_unfolded
        heading = self.rows.headings[index]
        if is_unfolded and heading < self.scroll_offset.y:
            self._scroll(heading)
        self.cursor = heading
        self.show(self.rows.reading)
        if not is_unfolded and self.rows.reading.is_unread(file):
            self.post_message(self.Unfolded(file))

    action_zoom = action_fold

    def action_fold_all(self) -> None:
        """Fold all files, or unfold those whose lines were read."""
        folds = any(self.rows.is_unfolded)
        reading, places = self.rows.reading, self.rows.places
        for file in self.rows.files:
            self._folded[file.path] = folds or reading.is_unread(file)
        if places:
            self.cursor = self.rows.headings[places[self.cursor].file]
        self.show(reading)
        self._reveal()

    # Moving

    @property
    def page(self) -> int:
        """Rows that a page up or down goes: one less than fit."""
        return max(1, self.size.height - 1)

    def move(self, rows: int) -> None:
        """Move the cursor down, or (negative) up."""
        self.move_to(self.cursor + rows)

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, or on the nearest one, and bring it into view."""
        row = max(0, min(row, len(self.rows.places) - 1))
        if row != self.cursor:
            before, self.cursor = self.cursor, row
            self._redraw(before)
            self._redraw(row)
            self.post_message(self.Moved())
        self._reveal()

    def step_hunk(self, step: int) -> bool:
        """Go to the next or (-1) previous hunk or folded file; False if there is none."""
        return self._step(sorted({*self.rows.heads, *self._without_hunks()}), step)

    def _without_hunks(self) -> list[int]:
        """Return the headings of folded files, at which `step_hunk` stops, too."""
        headings = self.rows.headings
        return [row for index, row in enumerate(headings) if not self.rows.is_unfolded[index]]

    def step_file(self, step: int) -> bool:
        """Go to the heading of the next or (-1) previous file; False if there is none."""
        return self._step(self.rows.headings, step)

    def _step(self, rows: list[int], step: int) -> bool:
        beyond = [row for row in rows if (row > self.cursor if step > 0 else row < self.cursor)]
        if (row := min(beyond, default=None) if step > 0 else max(beyond, default=None)) is None:
            return False
        self.move_to(row)
        below = min(len(self.rows.places), row + max(1, self.size.height * 2 // 3))
        if below > self.scroll_offset.y + self.size.height:  # with its first lines
            self._scroll(max(0, row - self.size.height // 4))
        return True

    def _scroll_sideways(self, columns: int) -> None:
        """Scroll long lines right, or (negative) left."""
        top = self.scroll_offset.y
        shown = range(top, top + self.size.height)
        most = max(widths(self.rows, shown), default=0) + _MARGIN - self.size.width
        left = max(0, min(self._left + columns, max(0, most)))
        if left != self._left:
            self._left = left
            self.refresh()

    action_left = action_aside_left = partialmethod(_scroll_sideways, -SIDEWAYS)
    action_right = action_aside_right = partialmethod(_scroll_sideways, SIDEWAYS)

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter = None

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._painter is None:
            self._palette = Palette.of(self)
            self._painter = DiffPainter(self.rows, self._palette, Tints.of(self))
        index = y + self.scroll_offset.y
        if index >= len(self.rows.places):
            text = f" {self.remark}" if y == 0 and self.remark and not self.rows.places else ""
            row = Row(((text, self._palette.muted),))
            return line_filter(self)(strip_of(row, width, self._palette.text))
        row = self._painter.draw(index, width, is_current=index == self.cursor)
        left = self._left if self.rows.places[index].row >= 0 else 0
        return line_filter(self)(strip_of(row, width, self._palette.text, left))

    def on_resize(self) -> None:
        self._measure()
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        row = event.y + self.scroll_offset.y
        if row < len(self.rows.places):
            self.move_to(row)
            if self.rows.is_heading(row):
                self.action_fold()

    def _measure(self) -> None:
        size = Size(self.size.width, len(self.rows.places))
        if self.virtual_size != size:
            self.virtual_size = size
        self.refresh()

    def _redraw(self, row: int) -> None:
        y = row - self.scroll_offset.y
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _scroll(self, row: int) -> None:
        self.scroll_to(y=max(0, row), animate=False, immediate=True, force=True)

    def _reveal(self) -> None:
        place = Region(0, self.cursor, 1, 1)
        self.scroll_to_region(place, animate=False, immediate=True, force=True)
