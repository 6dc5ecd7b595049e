"""The base of lists, which draw only the rows in view: ten thousand cost as much as ten."""

from collections.abc import Sequence

import msgspec
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lfgtui.ui.guard import Guarded
from lfgtui.ui.text.styled_line import SELECTED, Line, Span, draw


class RowList(Guarded, ScrollView, can_focus=True, inherit_bindings=False):
    """A list of `count` rows of `height` lines each; the one at `cursor` is marked.

    A subclass implements `lines_at`, and calls `show`, `grow` or `shift` when its rows change.
    """

    DEFAULT_CSS = """
    RowList { background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    class Moved(Message):
        """Another row is under the cursor."""

    class Clicked(Message):
        """A row was clicked; `is_second`: it was under the cursor already."""

        def __init__(self, index: int, is_second: bool) -> None:
            super().__init__()
            self.index = index
            self.is_second = is_second

    heading: Sequence[Line] = ()
    """Lines at the top that do not scroll."""

    ground = "background"
    """Theme variable of the rows' background."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.height = 1
        self.cursor = 0

    @property
    def page(self) -> int:
        """Rows that a page up or down goes, one less than fit."""
        return max(1, (self.size.height - len(self.heading)) // self.height - 1)

    def lines_at(self, index: int, width: int) -> Sequence[Line]:
        """Return a row's lines for a width in cells."""
        raise NotImplementedError

    def show(self, count: int, height: int) -> None:
        """Show other rows, from the first."""
        self.count, self.height, self.cursor = count, height, 0
        self.on_resize()
        self.post_message(self.Moved())

    def grow(self, count: int) -> None:
        """Show more rows, or fewer."""
        before, self.count = (self.count, self.cursor), count
        self.cursor = max(0, min(self.cursor, count - 1))
        self._measure()
        if self.cursor != before[1] or not before[0]:
            self.post_message(self.Moved())

    def shift(self, number: int) -> None:
        """Follow that many new rows at the top: cursor and (if scrolled) view stay on theirs."""
        top, room = self.scroll_offset.y, self.size.height - len(self.heading)
        is_in_view = self.cursor * self.height < room
        self.cursor += number
        if top:
            self.scroll_to(y=top + number * self.height, animate=False, immediate=True, force=True)
        elif is_in_view:
            self._reveal()

    def redraw(self, index: int) -> None:
        """Draw a row anew, if it is in view."""
        y = index * self.height - self.scroll_offset.y
        if -self.height < y < self.size.height - len(self.heading):
            self.refresh(Region(0, y + len(self.heading), self.size.width, self.height))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, or on the nearest one, and bring it into view."""
        index = max(0, min(index, self.count - 1))
        if index != self.cursor:
            before, self.cursor = self.cursor, index
            self.redraw(before)
            self.redraw(index)
            self.post_message(self.Moved())
        self._reveal()

    def render_line(self, y: int) -> Strip:
        width, variables = self.size.width, self.app.theme_variables
        if y < len(self.heading):
            return draw(self.heading[y], width, variables, "surface")
        index, number = divmod(y - len(self.heading) + self.scroll_offset.y, self.height)
        if index >= self.count:
            return draw([], width, variables, self.ground)
        line = self.lines_at(index, width)[number]
        if index != self.cursor:
            return draw(line, width, variables, self.ground)
        if number == 0:  # the sign replaces the first blank, before or after a number
            before, _, after = line[0].text.partition(" ")
            first, rest = (msgspec.structs.replace(line[0], text=text) for text in (before, after))
            line = [first, Span(SELECTED, bold=True), rest, *line[1:]]
        return draw(line, width, variables, "selection")

    def on_resize(self) -> None:
        self._measure()
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        index = (event.y - len(self.heading) + self.scroll_offset.y) // self.height
        if event.y >= len(self.heading) and index < self.count:
            self.post_message(self.Clicked(index, is_second=index == self.cursor))
            self.move_to(index)

    def _measure(self) -> None:
        size = Size(self.size.width, self.count * self.height + len(self.heading))
        if self.virtual_size != size:
            self.virtual_size = size
        self.refresh()

    def _reveal(self) -> None:
        place = Region(0, self.cursor * self.height, 1, self.height + len(self.heading))
        self.scroll_to_region(place, animate=False, immediate=True, force=True)
