"""A list of which only the rows in sight are ever drawn: ten thousand cost what ten do."""

from collections.abc import Callable, Sequence

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lfgtui.ui.guard import Guarded
from lfgtui.ui.text.styled_line import Line, draw

DrawEntry = Callable[[int, int], Sequence[Line]]
"""An entry's lines, from its index and the width in cells."""


class RowList(Guarded, ScrollView, can_focus=True, inherit_bindings=False):
    """A list of entries of `height` lines each; one of them is under the cursor."""

    DEFAULT_CSS = """
    RowList { background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    class Moved(Message):
        """Something else is under the cursor."""

    class Chosen(Message):
        """The entry under the cursor was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._draw: DrawEntry = lambda index, width: ()
        self._count = 0
        self._height = 1
        self._cursor = 0

    @property
    def count(self) -> int:
        """Number of entries."""
        return self._count

    @property
    def cursor(self) -> int | None:
        """The entry that keys act on; None where there is none."""
        return self._cursor if self._count else None

    def show(self, count: int, height: int, draw_entry: DrawEntry, cursor: int = 0) -> None:
        """Show other entries."""
        self._draw, self._count, self._height = draw_entry, count, height
        self._cursor = max(0, min(cursor, count - 1))
        self._resized()
        self._reveal()
        self.post_message(self.Moved())

    def grow(self, count: int) -> None:
        """Show more entries, or fewer."""
        was, self._count = self._cursor if self._count else None, count
        self._cursor = max(0, min(self._cursor, count - 1))
        self._resized()
        if self.cursor != was:
            self.post_message(self.Moved())

    def redraw(self, index: int) -> None:
        """Draw an entry anew."""
        y = index * self._height - self.scroll_offset.y
        if y < self.size.height and y + self._height > 0:
            self.refresh(Region(0, y, self.size.width, self._height))

    def move(self, entries: int) -> None:
        """Move the cursor down, or (negative) up."""
        self.move_to(self._cursor + entries)

    def move_to(self, index: int) -> None:
        """Put the cursor on an entry, or on the nearest there is."""
        index = max(0, min(index, self._count - 1))
        if index != self._cursor:
            was, self._cursor = self._cursor, index
            self.redraw(was)
            self.redraw(index)
            self._reveal()
            self.post_message(self.Moved())

    @property
    def page(self) -> int:
        """Entries a page moves by."""
        return max(1, self.size.height // self._height - 1)

    def render_line(self, y: int) -> Strip:
        width, variables = self.size.width, self.app.theme_variables
        index, row = divmod(y + self.scroll_offset.y, self._height)
        if index >= self._count:
            return draw([], width, variables, "background")
        ground = "background"
        if index == self._cursor:
            ground = "selection" if self.has_focus or self.has_class("steered") else "surface"
        lines = self._draw(index, width)
        return draw(lines[row] if row < len(lines) else [], width, variables, ground)

    def on_resize(self) -> None:
        self._resized()
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        index = (event.y + self.scroll_offset.y) // self._height
        if index >= self._count:
            return
        if index == self._cursor:
            self.post_message(self.Chosen())
        self.move_to(index)

    def _resized(self) -> None:
        size = Size(self.size.width, self._count * self._height)
        if self.virtual_size != size:
            self.virtual_size = size
        self.refresh()

    def _reveal(self) -> None:
        place = Region(0, self._cursor * self._height, 1, self._height)
        self.scroll_to_region(place, animate=False, immediate=True, force=True)
