"""A run on the screen: its panes, the table, moving among them, reading in them."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, get_args

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget

from lfgtui.model.choices import due_choices, group_of
from lfgtui.model.fold.states import State
from lfgtui.settings.keys import BY_ACTION, Scope
from lfgtui.ui import screens
from lfgtui.ui.keymap import keymap
from lfgtui.ui.painting.widgets import CachedContainer, CachedRow, LineRow
from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.base import ScreenContext
from lfgtui.ui.screens.pane_screen import PaneScreen, View
from lfgtui.ui.screens.pane_search import PaneSearch
from lfgtui.ui.stream.search_target import Target
from lfgtui.ui.stream.view import SIDEWAYS, StreamView
from lfgtui.ui.widgets.footer import APPROVAL, PANES, TABLE, Offer, compose_footer
from lfgtui.ui.widgets.frame_clock import MINUTE, SECOND, figures_move
from lfgtui.ui.widgets.header import compose_header
from lfgtui.ui.widgets.pane import Pane

if TYPE_CHECKING:
    from lfgtui.ui.widgets.row_list import RowList


_STREAM_ACTIONS: Mapping[str, Callable[[StreamView], None]] = {
    "page_up": lambda stream: stream.scroll_pages(-1),
    "page_down": lambda stream: stream.scroll_pages(1),
    "half_page_up": lambda stream: stream.scroll_pages(-1, 2),
    "half_page_down": lambda stream: stream.scroll_pages(1, 2),
    "aside_left": lambda stream: stream.scroll_sideways(-SIDEWAYS),
    "aside_right": lambda stream: stream.scroll_sideways(SIDEWAYS),
    "start": lambda stream: stream.scroll_lines(-sys.maxsize),
    "finish": StreamView.follow,
    "follow": StreamView.follow,
    "tools": lambda stream: stream.toggle_kind("tool"),
    "reasoning": lambda stream: stream.toggle_kind("reasoning"),
    "urls": StreamView.toggle_urls,
    "fold": StreamView.toggle_nearest,
}
"""The actions of keys that move through, fold or search a stream."""


class RunMode:
    """The kind of run on a screen; its `action_NAME` come before those of the `screen`."""

    screen: "RunScreen"
    """Set by the screen that has the mode."""
    scope: Scope = "run"
    """Which keys work (`settings/keys.py`)."""
    label = ""
    """The mode's name in the header."""
    refusal = ""
    """Message for a key that would change the run."""
    help: Mapping[str, str] = {}
    """Help on actions that do something special here."""
    bar: Widget | None = None
    """A row between the panes and the footer."""
    is_live = False
    """True if commands can be sent to the run."""
    is_tiled_across = False
    """True if panes stand side by side, as far as they fit."""

    @property
    def view_label(self) -> str:
        """The footer's label instead of the view and the pane's number; "" for those."""
        return ""

    @property
    def streams(self) -> Sequence[StreamView]:
        """The streams that keys scroll and fold."""
        return (self.screen.current_pane.stream,)

    @property
    def zoom_offer(self) -> Offer:
        """The key that stands first in the footer."""
        return Offer("back" if self.screen.is_zoomed else "zoom")

    @property
    def comparison(self) -> str:
        """Label of the key that compares the current ticket's copies or attempts; "" for no key."""
        run, current = self.screen.run, self.screen.current
        if name := group_of(run, current):
            return "choose" if name in due_choices(run) else "compare copies"
        return "attempts" if len(run.transcript(current).attempts) > 1 else ""

    @property
    def actors(self) -> Sequence[object]:
        """The objects on which the mode's actions are looked up."""
        return (self,)

    def advance(self, gauges: bool) -> bool | None:
        """Bring the run up to date for a frame; return if figures are due, None for no frame."""
        return gauges

    @property
    def is_playing(self) -> bool:
        """True while frames differ even if nothing arrives: while a replay plays."""
        return False

    def figures_move(self) -> float | None:
        """Return the seconds after which figures change by time alone; None if never."""
        run, now = self.screen.run, self.screen.now()
        period = figures_move(run, now)
        if not self.screen.is_in_table or (period is not None and period < MINUTE):
            return period
        newest = max(run.transcript(ticket.id).since for ticket in run.tickets)
        return SECOND if now - newest < MINUTE else MINUTE

    def painted(self) -> None:
        """React to a frame that was painted; called after each."""

    def update_bar(self) -> None:
        """Bring the bar up to date."""

    def offers(self, state: State | None) -> Iterator[Offer]:
        """Yield the footer's first offers for a ticket in that state, in order of use."""
        if not (self.screen.is_zoomed or self.screen.filtered):
            yield Offer("back")
        yield from map(Offer, ("attention", "help", "quit"))


class RunScreen(CachedContainer, PaneScreen):
    """The screen of any run; its mode adds the actions that this kind of run allows.

    One ticket is the current one in every view; in the grid its pane has the
    focus. `frame` is called by the app's clock and paints what is visible;
    arriving entries draw nothing between frames.
    """

    DEFAULT_CSS = """
    RunScreen { layout: vertical; background: $background; overflow: hidden; }
    RunScreen #body { height: 1fr; }
    """

    footer: LineRow

    def __init__(
        self,
        run: RunView,
        context: ScreenContext,
        mode: RunMode,
        *,
        simulated: bool = False,
        note: str = "",
    ) -> None:
        rows_taken = 0 if mode.bar is None else 1
        super().__init__(run, context, is_across=mode.is_tiled_across, rows_taken=rows_taken)
        self.keymap = keymap(context.keys, mode.scope)
        self.canvas = context.panes.canvas
        self.mode = mode
        mode.screen = self
        self.set_class(mode.bar is not None, "with-bar")
        self.footer = LineRow(self.canvas)
        self.notice = ""
        """A text in the header instead of the counts."""
        self._remark = ""
        self._header = LineRow(self.canvas)
        self._compose_header = partial(
            compose_header,
            run,
            context.panes.stall_after,
            label=mode.label,
            is_live=mode.is_live,
            is_simulated=simulated,
            note=note,
        )
        self._table: screens.table_keys.TableKeys | None = None
        self.search = PaneSearch(self)

    def compose(self) -> ComposeResult:
        yield self._header
        with CachedRow(self.canvas, "body"):
            yield self.grid
        if self.mode.bar is not None:
            yield self.mode.bar
        yield self.footer

    def on_mount(self) -> None:
        self.realign()
        self.call_after_refresh(self._first_paint)

    def _first_paint(self) -> None:
        for pane in self.panes:
            pane.mark_dirty()
        self.frame()
        if self.search.target is not None:
            self.frame()

    def show_target(self, ticket: str, target: Target | None) -> None:
        """Begin zoomed on the ticket, at a match."""
        self.current, self.is_zoomed, self.search.target = ticket, True, target

    # What the app's clock asks for

    def frame(self, gauges: bool = True) -> bool:
        """Paint what changed, and with `gauges` all figures; return False if there is more."""
        due = self.mode.advance(gauges)
        if due is None:
            return False
        if due:
            for pane in self.panes:
                pane.mark_gauges()
        panes = list(self.grid.in_view())
        with self.canvas.frame(self):
            for pane in self.context.frames.turns(panes, self.current_pane):
                pane.tick(self.now())
            self.search.show_target()
            if due:
                try:
                    self.update_bars()
                except Exception as error:  # a bug here must not affect the panes
                    self.app._handle_exception(error)
        self.mode.painted()
        return all(pane.is_drawn for pane in panes) and not self.mode.is_playing

    def laid_out(self) -> None:
        with self.canvas.layout():
            self.context.frames.draw_whole()

    def mark(self, tickets: set[str]) -> None:
        """Have the tickets' panes painted when next visible; make panes for new tickets."""
        if new := self.grid.mark(tickets):
            names = f"“{new[0].ticket_id}”" if len(new) == 1 else f"{len(new)} tickets"
            self.toast(f"added {names}{self.grid.page_of(new[0])}")
        if self._table is not None:
            self._table.take_new()

    def update_bars(self) -> None:
        """Bring header, table, bar and footer up to date."""
        if not self.is_mounted:
            return
        now = self.now()
        self._header.show(partial(self._compose_header, now=now, notice=self.notice))
        if self._table is not None:
            self._table.update_rows()
        self.mode.update_bar()
        number = f"{self.panes.index(self.current_pane) + 1}/{len(self.panes)}"
        view_label = self.mode.view_label or f"{'zoom' if self.is_zoomed else self.view} {number}"
        aside, finding = self.grid.aside(), self._remark or self.filtered or self.search.status
        part = partial(compose_footer, list(self._offers()), self.context.keys)
        self.footer.show(partial(part, view_label=view_label, aside=aside, finding=finding))

    def remark(self, text: str) -> None:
        """Show a short text in the footer, where it covers nothing, until the next key."""
        self._remark = text
        self.update_bars()

    @property
    def order(self) -> Sequence[Pane]:
        """The panes in the order of keys: that of the table's rows in it, and zoomed from it."""
        if self.view == "table" and self._table is not None:
            shown = [self.panes[index] for index in self._table.table.shown]
            panes = shown or [self.current_pane]
            if self.current_pane in panes:
                return panes
        return self.grid.order

    def _offers(self) -> Iterator[Offer]:
        """Yield the footer's actions in order of use, without those that would do nothing."""
        if self.search.is_open and not self.is_in_table:
            yield Offer("attention", "next match")
            yield from map(Offer, ("previous_hit", "back", "find"))
            return
        transcript = self.run.transcript(self.current)
        if self.mode.is_live and transcript.state == "needs_approval":
            more = len(transcript.calls.waiting) - 1
            yield Offer("approve", f"approve 1 of {more + 1}" if more > 0 else "")
            yield from map(Offer, APPROVAL[1:])
        yield self.mode.zoom_offer
        if self.filtered:
            yield Offer("back", "clear filter")
        yield from self.mode.offers(transcript.state)
        if comparison := self.mode.comparison:
            yield Offer("beside", comparison)
        if transcript.changes is not None:
            yield Offer("diff")
        yield from TABLE if self.is_in_table else PANES

    # Where we are

    @property
    def tickets_in_view(self) -> frozenset[str]:
        """The ids of the tickets with a pane, an attempt or a row in view."""
        rows = self._table.in_view if self._table is not None else ()
        panes = (pane.ticket_id.partition(" #")[0] for pane in self.grid.in_view())
        return frozenset((*panes, *rows))

    @property
    def tickets_drawn(self) -> Sequence[str]:
        """The ids of the tickets with a pane in view that shows all their entries."""
        return [pane.ticket_id for pane in self.grid.in_view() if pane.is_drawn]

    @property
    def filtered(self) -> str:
        """The table's filter and the number of rows that pass it; empty without a filter."""
        return self._table.table.status if self._table is not None and self.is_in_table else ""

    def go_to(self, ticket: str) -> None:
        """Make the ticket the current one; a filter that hides it from the table is cleared."""
        if ticket != self.current:
            self.search.close()
        self.current = ticket
        if self.view == "table" and self._table is not None and self._table.table.uncover(ticket):
            self.toast(f"filter cleared: it hid “{ticket}”")
        self.realign()

    def realign(self) -> None:
        """Bring widgets in line with view, zoom and current ticket, after any of these changed."""
        pane = self.current_pane
        in_strip = self.view == "focus" and not self.is_zoomed
        if self.is_in_table:
            self.grid.display = False
        else:
            self.grid.show(pane, is_alone=self.is_alone)
        if self._table is None and (self.is_in_table or in_strip):  # the first frame does without
            self._table = screens.table_keys.TableKeys(self, self.run, self.context.panes)
            self.query_one("#body").mount(self._table.table, self._table.strip)
        if self._table is not None:
            self._table.show(self.current, "grid" if self.is_zoomed else self.view)
        target = self._table.table if self._table is not None and self.is_in_table else pane
        if self.focused is not target and not self.is_typing:
            target.focus(scroll_visible=False)
        self.update_bars()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        pane = event.widget
        if pane is self.focused and isinstance(pane, Pane) and pane.ticket_id != self.current:
            self.go_to(pane.ticket_id)  # it is focused still: keys may have gone on meanwhile

    def on_row_list_clicked(self, event: "RowList.Clicked") -> None:
        if self._table is not None:
            self._table.clicked(event.index)

    def on_resize(self) -> None:
        self.call_after_refresh(self.realign)

    # Keys

    @property
    def actors(self) -> Sequence[object]:
        return (*self._first_actors, *self.mode.actors, *super().actors)

    @property
    def _first_actors(self) -> Sequence[object]:
        """The table or the search, while there is one."""
        if self.is_in_table and self._table is not None:
            return (self._table, self._table.table)
        return (self.search,) if self.search.is_open else ()

    def can(self, action: str) -> bool:
        return action in _STREAM_ACTIONS or super().can(action)

    async def act(self, action: str) -> None:
        if self._remark:
            self.remark("")
        if action.startswith("jump_"):
            self.jump(int(action.removeprefix("jump_")))
        elif any(hasattr(actor, f"action_{action}") for actor in self._first_actors):
            await super().act(action)
        elif (act_on := _STREAM_ACTIONS.get(action)) is not None:
            for stream in self.mode.streams:
                act_on(stream)
        elif self.can(action):
            await super().act(action)
        elif BY_ACTION[action].group in ("Work", "Approve"):
            self.toast(self.mode.refusal)

    def action_view(self) -> None:
        """Show the next view of grid, focus and table, wrapping round; or leave the zoom."""
        if not self.is_zoomed:
            views = get_args(View)
            self.view = views[(views.index(self.view) + 1) % len(views)]
        self._zoom(False)
        if self.is_in_table and self._table is not None:  # its filter may hide the ticket
            self.go_to(self._table.table.beside(0))

    def action_back(self) -> None:
        if self.is_zoomed:
            self._zoom(False)
        else:
            self.leave()

    def action_copy(self) -> None:
        text = self.current_pane.copy_text()
        if not text:
            self.toast("nothing to copy yet")
            return
        self.app.copy_to_clipboard(text)

    async def action_find(self) -> None:
        await self.search.ask()
