"""A run on the screen: its panes, the table, moving among them, reading in them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from lfgtui.ui.keymap import BY_ACTION, Keymap
from lfgtui.ui.painting.cached_container import CachedContainer
from lfgtui.ui.run_view import RunView
from lfgtui.ui.screens.base import ResumeWanted
from lfgtui.ui.screens.reading import ReadingScreen
from lfgtui.ui.stream.search_target import Lead
from lfgtui.ui.widgets.footer import Footer, Situation
from lfgtui.ui.widgets.frame_clock import Frames
from lfgtui.ui.widgets.header import Header
from lfgtui.ui.widgets.pane import Pane, PaneSettings
from lfgtui.ui.widgets.pane_grid import PaneGrid
from lfgtui.ui.widgets.search_status import Finding
from lfgtui.ui.widgets.tiling import Direction

if TYPE_CHECKING:
    from lfgtui.ui.widgets.ticket_table import TicketTable

View = Literal["grid", "focus", "table"]


class Desk(msgspec.Struct, frozen=True):
    """What every run screen is given: the clock, the keys, how panes are set."""

    frames: Frames
    keys: Mapping[str, Sequence[str]]
    keymap: Keymap
    panes: PaneSettings


class _Body(CachedContainer, Horizontal):
    """Where the grid and the table stand."""


class RunScreen(CachedContainer, ReadingScreen):
    """A run that is looked at. `LiveScreen` adds what can be done to one that works.

    One ticket is the current one in every view; in the grid it is the pane
    with the focus. `frame` is called by the app's clock and paints what is
    visible; between frames nothing is drawn because of what arrives.
    """

    DEFAULT_CSS = """
    RunScreen { layout: vertical; background: $background; overflow: hidden; }
    RunScreen #body { height: 1fr; }
    """

    past = True
    called = "PAST RUN"
    """What the header calls it."""

    follows_live = False
    """Whether what it shows may still change."""

    is_tiled_across = False
    rows_below = 0
    """Of what stands between the panes and the footer."""

    def __init__(
        self,
        run: RunView,
        desk: Desk,
        *,
        simulated: bool = False,
        note: str = "",
    ) -> None:
        super().__init__(desk.keymap)
        self.run = run
        self._desk = desk
        self._panes = [Pane(run, ticket, desk.panes) for ticket in run.tickets]
        self._by_id = {pane.ticket_id: pane for pane in self._panes}
        self._grid = PaneGrid(self._panes, across=self.is_tiled_across, rows_taken=self.rows_below)
        self._table: TicketTable | None = None
        self._header = Header(run, simulated=simulated, past=self.called, note=note)
        self._footer = Footer(desk.keys)
        self._current = self._panes[0]
        self._view: View = "grid"
        self._is_zoomed = False
        self._finding: Finding | None = None
        self._lead: Lead | None = None
        self._notice: str | None = None

    def compose(self) -> ComposeResult:
        yield self._header
        with _Body(id="body"):
            yield self._grid
        yield from self.below()
        yield self._footer

    def below(self) -> Iterable[Widget]:
        """What stands between the panes and the footer."""
        return ()

    def on_mount(self) -> None:
        self._arrange()
        self.call_after_refresh(self._first_paint)

    def _first_paint(self) -> None:
        self._grid.reveal(self._current)
        for pane in self._panes:
            pane.mark_dirty()
        self.frame(self._desk.panes.clock())
        if self._lead is not None:
            self.frame(self._desk.panes.clock())

    def lead_to(self, ticket: str, lead: Lead | None) -> None:
        """Begin zoomed on the ticket, at the match that is meant."""
        self._current = self._by_id[ticket]
        self._is_zoomed = True
        self._lead = lead

    def _follow(self, lead: Lead) -> None:
        is_shown = self._current.lead_to(lead)
        if lead.pattern:
            self._finding = Finding(lead.pattern, self._current.find_count)
            if not is_shown:
                self.toast("what was found stands in a part that is left out here")

    # What the app's clock asks for

    def frame(self, now: float, gauges: bool = True) -> None:
        """Paint what changed; `gauges` also the figures that time alone changes."""
        with self._desk.panes.canvas.frame(self):
            for pane in self._desk.frames.turns(list(self._grid.in_view()), self._current):
                pane.tick(now)
            if self._lead is not None and not self._current.is_behind:
                lead, self._lead = self._lead, None
                self._follow(lead)
            if gauges:
                try:
                    self._tell(now)
                except Exception as error:  # nobody's pane is to suffer
                    self.app._handle_exception(error)

    def mark(self, tickets: set[str]) -> None:
        """Have the tickets' panes painted anew when they are next visible."""
        for ticket in tickets:
            self._by_id[ticket].mark_dirty()

    def say(self, notice: str) -> None:
        """Show a word in the header instead of the counts, for good."""
        self._notice = notice
        self._tell(self._desk.panes.clock())

    # Where we are

    @property
    def current(self) -> str:
        """The id of the ticket that keys act on."""
        return self._current.ticket_id

    @property
    def current_pane(self) -> Pane:
        return self._current

    @property
    def panes(self) -> Sequence[Pane]:
        """In file order."""
        return self._panes

    @property
    def grid(self) -> PaneGrid:
        """Where the panes lie."""
        return self._grid

    @property
    def view(self) -> View:
        """What is shown while nothing is zoomed."""
        return self._view

    @property
    def is_zoomed(self) -> bool:
        """Whether the current pane has the screen to itself."""
        return self._is_zoomed

    @property
    def finding(self) -> Finding | None:
        """The search that is open in the current pane."""
        return self._finding

    def go_to(self, ticket: str, *, zoom: bool | None = None) -> None:
        """Make the ticket the current one."""
        pane = self._by_id[ticket]
        if pane is not self._current:
            self._close_find()
        self._current = pane
        if zoom is not None:
            self._is_zoomed = zoom
        self._arrange()

    def _arrange(self) -> None:
        """Bring widgets in line with view, zoom and current ticket."""
        in_table = self._view == "table" and not self._is_zoomed
        in_strip = self._view == "focus" and not self._is_zoomed
        alone = self._is_zoomed or self._view == "focus"
        self._grid.display = not in_table
        self._grid.show_alone(self._current if alone else None)
        table = self._made_table() if in_table or in_strip else self._table
        if table is not None:
            table.display = in_table or in_strip
            table.set_class(in_strip, "slim")
            table.set_current(self._panes.index(self._current))
        target = table if table is not None and in_table else self._current
        if self.focused is not target and not self.is_typing:
            target.focus(scroll_visible=False)
        self._grid.reveal(self._current)
        self._tell(self._desk.panes.clock())

    def _made_table(self) -> "TicketTable":
        """The table, made when it is first asked for: the first frame does without."""
        if self._table is None:
            from lfgtui.ui.widgets.ticket_table import TicketTable

            self._table = TicketTable(self.run, stall_after=self._desk.panes.stall_after)
            self.query_one("#body").mount(self._table)
        return self._table

    def _tell(self, now: float) -> None:
        if not self.is_mounted:
            return
        self._header.tell(now, self._notice)
        if self._table is not None and self._table.display:
            self._table.tell(now)
        self._footer.tell(self._situation())

    def _situation(self) -> Situation:
        found = self._finding and self._finding.with_hits(self._current.hits)
        place = f"{self._panes.index(self._current) + 1}/{len(self._panes)}"
        transcript = self.run.transcript(self.current)
        return Situation(
            state=transcript.state,
            is_live=not self.past,
            is_zoomed=self._is_zoomed,
            finding=None if found is None else found.said(self._current.find_position),
            where=f"{'zoom' if self._is_zoomed else self._view} {place}",
            attempts=len(transcript.attempts),
            can_resume=self.can_resume,
        )

    @property
    def can_resume(self) -> bool:
        """Whether it is a past run that was not finished."""
        states = (self.run.transcript(ticket.id).state for ticket in self.run.tickets)
        return self.past and any(state != "done" for state in states)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and event.widget is not self._current:
            self.go_to(event.widget.ticket_id)

    def on_ticket_table_chosen(self, event: "TicketTable.Chosen") -> None:
        self.go_to(event.ticket)

    def on_resize(self) -> None:
        self.call_after_refresh(self._arrange)

    # Moving

    async def act(self, action: str) -> None:
        if action.startswith("jump_"):
            self._jump(int(action.removeprefix("jump_")))
        elif self.past and action == "retry":
            self.post_message(ResumeWanted(self.run.run))
        elif self.past and BY_ACTION[action].group in ("Work", "Approve"):
            self.toast(f"this is a {self.called.lower()}: it can be read, not changed")
        else:
            await super().act(action)

    def _jump(self, number: int) -> None:
        if number <= len(self._panes):
            self.go_to(self._panes[number - 1].ticket_id)

    def _by(self, step: int) -> None:
        index = (self._panes.index(self._current) + step) % len(self._panes)
        self.go_to(self._panes[index].ticket_id)

    def _move(self, direction: Direction) -> None:
        if self._view == "grid" and not self._is_zoomed:
            self.go_to(self._grid.step(self._current, direction).ticket_id)
        elif self._is_zoomed and direction in ("up", "down"):
            self._current.scroll_lines(1 if direction == "down" else -1)
        else:
            self._by(1 if direction in ("down", "right") else -1)

    def action_left(self) -> None:
        self._move("left")

    def action_right(self) -> None:
        self._move("right")

    def action_up(self) -> None:
        self._move("up")

    def action_down(self) -> None:
        self._move("down")

    def action_next_pane(self) -> None:
        self._by(1)

    def action_previous_pane(self) -> None:
        self._by(-1)

    def action_zoom(self) -> None:
        self._is_zoomed = True
        self._arrange()

    def action_view(self) -> None:
        """Grid, focus, table, and round again; out of a zoom first."""
        if not self._is_zoomed:
            views = get_args(View)
            self._view = views[(views.index(self._view) + 1) % len(views)]
        self._is_zoomed = False
        self._arrange()

    def action_back(self) -> None:
        if self._finding is not None:
            self._close_find()
            self._arrange()
        elif self._is_zoomed:
            self._is_zoomed = False
            self._arrange()
        else:
            self.leave()

    def action_attention(self) -> None:
        if self._finding is not None:
            self._current.find_next()
            self._tell(self._desk.panes.clock())
            return
        here = self._panes.index(self._current)
        for pane in [*self._panes[here + 1 :], *self._panes[: here + 1]]:
            if pane.needs_attention:
                self.go_to(pane.ticket_id)
                return
        self.toast("nothing needs attention")

    def action_previous_hit(self) -> None:
        if self._finding is not None:
            self._current.find_previous()
            self._tell(self._desk.panes.clock())

    def action_beside(self) -> None:
        """Look at the current ticket's attempts side by side."""
        ticket = next(ticket for ticket in self.run.tickets if ticket.id == self.current)
        attempts = len(self.run.transcript(ticket.id).attempts)
        if attempts < 2:
            self.toast(f"{ticket.id} has {'one attempt' if attempts else 'no attempt yet'}")
            return
        from lfgtui.ui.compare_attempts import AttemptsView
        from lfgtui.ui.screens.attempts import BesideScreen

        view = AttemptsView(self.run, ticket)
        self.app.push_screen(BesideScreen(view, self._desk, follows_live=self.follows_live))

    # Finding

    async def action_find(self) -> None:
        if self._view == "table" and not self._is_zoomed:
            self._is_zoomed = True
            self._arrange()
        text = self._finding.pattern if self._finding else ""
        await self.ask("find", f"find in {self.current}", text=text)

    def _open_find(self, pattern: str) -> None:
        hits = self._current.find(pattern)
        self._finding = Finding(pattern, hits)
        self._tell(self._desk.panes.clock())

    def _close_find(self) -> None:
        if self._finding is not None:
            self._current.clear_find()
            self._finding = None

    # The line at the bottom

    @property
    def footer(self) -> Footer:
        return self._footer

    def refocus(self) -> None:
        self._arrange()

    def answered(self, purpose: str, text: str) -> None:
        if purpose == "find":
            self._close_find()
            if text:
                self._open_find(text)
            self._arrange()
