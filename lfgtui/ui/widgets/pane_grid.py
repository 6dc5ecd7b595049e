"""The panes of a run: a page of them side by side, or one alone."""

from collections.abc import Collection, Sequence

from textual.containers import Container
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from lfgtui.model.fold.states import ENDED, RUNNING
from lfgtui.ui.guard import Guarded
from lfgtui.ui.painting.widgets import CachedContainer
from lfgtui.ui.run_view import RunView
from lfgtui.ui.widgets.pane import Pane, PaneSettings
from lfgtui.ui.widgets.tiling import Direction, Page, neighbour, tile

_BARS = 2
"""Rows of the header and the footer."""


def _is_free(pane: Pane) -> bool:
    return not pane.is_pinned


class _Tiles(Layout):
    """Textual's layout interface over `tile`."""

    name = "tiles"

    def __init__(self, grid: "PaneGrid") -> None:
        self._grid = grid

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        placements = self._grid.place(size)
        return [
            WidgetPlacement(region, Offset(), Spacing(), pane)
            for pane, region in placements
            if pane in children
        ]


class PaneGrid(CachedContainer, Guarded, Container, can_focus=False, inherit_bindings=False):
    """The panes in file order, pinned ones first, page by page; or one of them alone.

    The layout is made again only when a person turns to another page or view or pins a pane, when
    the size changes, and when tickets are added; not when a ticket's state changes. Panes of ended
    tickets become low only when a person or a new size has it made again, and the current one does
    not.
    """

    DEFAULT_CSS = "PaneGrid { width: 1fr; height: 1fr; overflow: hidden; }"

    def __init__(
        self, run: RunView, settings: PaneSettings, *, is_across: bool = False, rows_taken: int = 0
    ) -> None:
        self.panes = [Pane(run, ticket, settings) for ticket in run.tickets]
        """A pane for each ticket, in the tickets' order."""
        super().__init__(*self.panes)
        self.canvas = settings.canvas
        self._run, self._settings = run, settings
        self._is_across = is_across
        self._rows_taken = rows_taken
        self.order: Sequence[Pane] = self.panes
        """The panes, pinned ones first."""
        self._current = self._turned_to = self.panes[0]  # `_turned_to` decides which page is shown
        self._is_alone = False
        self._has_ended = [False] * len(self.panes)  # in `order`: panes that become low
        self._room = (Size(), 0)  # the size of the grid, and the rows taken from it
        self._pages: Sequence[Page] = ()
        self._number = 0  # of the page shown, from 0
        self._tiles = _Tiles(self)

    @property
    def layout(self) -> Layout:
        return self._tiles

    def mark(self, tickets: Collection[str]) -> Sequence[Pane]:
        """Have the tickets' panes painted when next visible; return panes of new tickets."""
        added = self._run.tickets[len(self.panes) :]
        if new := [Pane(self._run, ticket, self._settings) for ticket in added]:
            self.panes += new
            self.order = sorted(self.panes, key=_is_free)
            self._has_ended += [False] * len(new)
            self._arrange_pages()
            self.mount(*new)
        for pane in self.panes:
            if pane.ticket_id.partition(" #")[0] in tickets:  # of an attempt: its ticket's
                pane.mark_dirty()
        return new

    def show(self, pane: Pane, *, is_alone: bool) -> None:
        """Give the pane all the room, or turn to a page with it, unless it is shown so already."""
        before, self._current = self._current, pane
        is_in_place = pane is before if is_alone else pane in self.in_view()
        if not (self.display and is_in_place and is_alone is self._is_alone) or self._is_back(pane):
            self.display, self._is_alone = True, is_alone
            self._turn_to(pane)

    def _is_back(self, pane: Pane) -> bool:
        """Return True if the pane works again and may still have a low row."""
        had_ended = self._has_ended[self.order.index(pane)]
        return had_ended and self._run.transcript(pane.ticket_id).state not in ENDED

    def pin(self, pane: Pane) -> None:
        """Pin the pane to every page, before the others, or unpin it."""
        others = (self.order[index] for index in self._page)
        self._turned_to = next((one for one in others if not (one.is_pinned or one is pane)), pane)
        pane.is_pinned = not pane.is_pinned
        self.order = sorted(self.panes, key=_is_free)
        self._turn_to(pane)

    def turn(self, pages: int) -> Pane:
        """Turn by `pages`, as far as there are any; return the new current pane."""
        at = self._number + pages
        if 0 <= at < len(self._pages) and not self._is_alone:
            if self.order.index(self._current) not in self._pages[at]:
                self._current = self._first_of(at)
            self._turn_to(self._first_of(at))
        return self._current

    def _first_of(self, page: int) -> Pane:
        """Return the first pane of a page that is not on all of them."""
        other = self._pages[page - 1]
        return next(self.order[index] for index in self._pages[page] if index not in other)

    def _turn_to(self, pane: Pane) -> None:
        """Arrange the panes by their present states, and show a page with this one."""
        if not pane.is_pinned:
            self._turned_to = pane
        self._find_ended()
        self._arrange_pages()
        self.panes[0].refresh(layout=True)  # that makes its parent, the grid, arrange anew

    def _find_ended(self) -> None:
        """Note which panes become low."""
        states = [self._run.transcript(pane.ticket_id).state for pane in self.order]
        is_over = all(state in ENDED for state in states)  # nothing else needs the room
        self._has_ended = [
            state in ENDED and not is_over and pane is not self._current
            for pane, state in zip(self.order, states, strict=True)
        ]

    def _arrange_pages(self) -> None:
        """Divide the panes into pages, and choose the one with the current pane."""
        room, rows_taken = self._room
        self._pages = tile(
            self._has_ended,
            room,
            pinned=sum(pane.is_pinned for pane in self.panes),
            is_across=self._is_across,
            rows_taken=rows_taken,
        )
        here, other = (self.order.index(pane) for pane in (self._current, self._turned_to))
        numbers = [number for number, page in enumerate(self._pages) if here in page]
        with_both = (number for number in numbers if other in self._pages[number])
        self._number = next(with_both, numbers[0])

    def place(self, size: Size) -> list[tuple[Pane, Region]]:
        """Return the region of each pane shown in a grid of that size."""
        if self._is_alone:
            return [(self._current, Region(0, 0, size.width, size.height))]
        self._take_room(size)
        return [(self.order[index], region) for index, region in self._page.items()]

    def on_resize(self) -> None:
        if self._take_room(self.size):  # Textual may have used an older arrangement of this size
            self.panes[0].refresh(layout=True)

    def _take_room(self, size: Size) -> bool:
        """Arrange the pages for the size; return True if they were for another."""
        # An open line of input takes more rows than the footer, which it replaces.
        rows_taken = max(self._rows_taken, self.app.size.height - _BARS - size.height)
        if self._is_alone or (size, rows_taken) == self._room:
            return False
        (before, taken_before), self._room = self._room, (size, rows_taken)
        if (before.width, before.height + taken_before) != (size.width, size.height + rows_taken):
            self._find_ended()
        self._arrange_pages()
        return True

    @property
    def _page(self) -> Page:
        return self._pages[self._number] if self._pages else {}

    def in_view(self) -> Sequence[Pane]:
        """Return the panes on the screen."""
        if not self.display:
            return ()
        return (self._current,) if self._is_alone else [self.order[index] for index in self._page]

    def aside(self) -> str:
        """Return the page's number, and how many tickets on other pages are at work.

        "" if there is only one page.
        """
        if self._is_alone or not self.display or len(self._pages) < 2:
            return ""
        others = (pane for index, pane in enumerate(self.order) if index not in self._page)
        working = sum(self._run.transcript(pane.ticket_id).state in RUNNING for pane in others)
        more = f" · +{working} working" if working else ""
        return f"page {self._number + 1}/{len(self._pages)}{more}"

    def page_of(self, pane: Pane) -> str:
        """Return the page that a pane is on, in words; "" if it is shown or there are no pages."""
        index = self.order.index(pane)
        if self._is_alone or not self.display or index in self._page:
            return ""
        number = next(number for number, page in enumerate(self._pages, 1) if index in page)
        return f" on page {number}"

    def step(self, direction: Direction) -> Pane:
        """Return the pane next to the current one, perhaps on another page; at an edge, itself."""
        if (here := self.order.index(self._current)) not in self._page:
            return self._current
        if (index := neighbour(self._page, here, direction)) is not None:
            return self.order[index]
        if direction == "down" and self._number + 1 < len(self._pages):
            return self._first_of(self._number + 1)
        if direction == "up" and self._number:
            return self.order[max(self._pages[self._number - 1])]
        return self._current
