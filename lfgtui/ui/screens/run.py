"""A run on the screen: its panes, the table, moving among them, reading in them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from lfgtui.ui.keymap import BY_ACTION, Keymap
from lfgtui.ui.painting.cached_container import CachedContainer
from lfgtui.ui.run_view import PlaybackState, RunView
from lfgtui.ui.screens.base import LfgScreen, ResumeRequested
from lfgtui.ui.screens.pane_search import PaneSearch
from lfgtui.ui.stream.search_target import Target
from lfgtui.ui.stream.view import SIDEWAYS, StreamView
from lfgtui.ui.widgets.footer import Footer, Situation
from lfgtui.ui.widgets.header import Header
from lfgtui.ui.widgets.pane import Pane, PaneSettings
from lfgtui.ui.widgets.pane_grid import FrameClock, PaneGrid
from lfgtui.ui.widgets.tiling import Direction

if TYPE_CHECKING:
    from lfgtui.ui.widgets.ticket_table import TicketTable

View = Literal["grid", "focus", "table"]

_DIRECTIONS: Mapping[str, Direction] = {name: name for name in get_args(Direction)}
_STEPS = {"next_pane": 1, "previous_pane": -1}

# Actions of the stream in the current pane.
_STREAM_ACTIONS: Mapping[str, Callable[[StreamView], None]] = {
    "page_up": lambda stream: stream.scroll_pages(-1),
    "page_down": lambda stream: stream.scroll_pages(1),
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


class ScreenContext(msgspec.Struct, frozen=True):
    """The frame clock, the keys and the settings of panes, as every run screen gets them."""

    frames: FrameClock
    keys: Mapping[str, Sequence[str]]
    keymap: Keymap
    panes: PaneSettings


class RunMode:
    """The kind of run on a screen; its `action_NAME` come before those of the `screen`."""

    label = ""
    """Its name in the header."""
    refusal = ""
    """Message for a key that would change the run."""
    is_live = False
    is_tiled_across = False
    bar: Widget | None = None
    """A row between the panes and the footer."""
    help: Mapping[str, str] = {}
    """Help on actions that do something else here than elsewhere."""
    screen: "RunScreen"

    @property
    def can_resume(self) -> bool:
        """True if the run is over and something is left to do."""
        return False

    @property
    def playback(self) -> PlaybackState | None:
        """State of a replay; None of any other run."""
        return None

    def advance(self, gauges: bool) -> bool | None:
        """Bring the run up to date for a frame; True if gauges are due, None if nothing is."""
        return gauges

    def painted(self) -> None:
        """React to a frame that was painted."""

    def update_bar(self) -> None:
        """Bring the bar up to date."""


class PastRun(RunMode):
    """A run that is over."""

    label = "PAST RUN"
    refusal = "this is a past run: read-only"
    help: Mapping[str, str] = {"retry": "resume this run"}

    @property
    def can_resume(self) -> bool:
        run = self.screen.run
        return any(run.transcript(ticket.id).state != "done" for ticket in run.tickets)

    def action_retry(self) -> None:
        self.screen.post_message(ResumeRequested(self.screen.run.run))


class _Body(CachedContainer, Horizontal):
    """Container of the grid and the table."""


class RunScreen(CachedContainer, LfgScreen[None]):
    """A run to be looked at; its mode adds what can be done to it.

    One ticket is the current one in every view; in the grid it is the pane
    with the focus. `frame` is called by the app's clock and paints what is
    visible; between frames nothing is drawn because of what arrives.
    """

    DEFAULT_CSS = """
    RunScreen { layout: vertical; background: $background; overflow: hidden; }
    RunScreen #body { height: 1fr; }
    """

    footer: Footer

    def __init__(
        self,
        run: RunView,
        context: ScreenContext,
        mode: RunMode,
        *,
        simulated: bool = False,
        note: str = "",
    ) -> None:
        super().__init__()
        self.keymap = context.keymap
        self.run = run
        self.context = context
        self.mode = mode
        mode.screen = self
        self.set_class(mode.bar is not None, "with-bar")
        self.panes = [Pane(run, ticket, context.panes) for ticket in run.tickets]
        self.grid = PaneGrid(
            self.panes, across=mode.is_tiled_across, rows_taken=0 if mode.bar is None else 1
        )
        self.current_pane = self.panes[0]
        self.view: View = "grid"
        self.is_zoomed = False
        self.search = PaneSearch()
        self.footer = Footer(context.keys)
        self._header = Header(run, simulated=simulated, past=mode.label, note=note)
        self._table: TicketTable | None = None
        self._target: Target | None = None
        self._notice: str | None = None

    def compose(self) -> ComposeResult:
        yield self._header
        with _Body(id="body"):
            yield self.grid
        if self.mode.bar is not None:
            yield self.mode.bar
        yield self.footer

    def on_mount(self) -> None:
        self.realign()
        self.call_after_refresh(self._first_paint)

    def _first_paint(self) -> None:
        self.grid.reveal(self.current_pane)
        for pane in self.panes:
            pane.mark_dirty()
        self.frame()
        if self._target is not None:
            self.frame()

    def show_target(self, ticket: str, target: Target | None) -> None:
        """Begin zoomed on the ticket, at a match."""
        self.current_pane = self.pane_of(ticket)
        self.is_zoomed = True
        self._target = target

    # What the app's clock asks for

    def frame(self, gauges: bool = True) -> None:
        """Paint what changed; `gauges`: also the figures that time alone changes."""
        due = self.mode.advance(gauges)
        if due is None:
            return
        with self.context.panes.canvas.frame(self):
            for pane in self.context.frames.turns(list(self.grid.in_view()), self.current_pane):
                pane.tick(self.now)
            if self._target is not None and not self.current_pane.stream.is_behind:
                if not self.search.open_target(self.current_pane, self._target):
                    self.toast("the match is in a part that is not shown here")
                self._target = None
            if due:
                try:
                    self.update_bars()
                except Exception as error:  # nobody's pane is to suffer
                    self.app._handle_exception(error)
        self.mode.painted()

    @property
    def now(self) -> float:
        """Time by the clock of the panes."""
        return self.context.panes.clock()

    def mark(self, tickets: set[str]) -> None:
        """Have the tickets' panes painted anew when they are next visible."""
        for pane in self.panes:
            if pane.ticket_id.partition(" #")[0] in tickets:  # of an attempt: its ticket's
                pane.mark_dirty()

    def show_notice(self, notice: str) -> None:
        """Show a notice in the header instead of the counts, for good."""
        self._notice = notice
        self.update_bars()

    def update_bars(self) -> None:
        """Bring header, table, bar and footer up to date."""
        if not self.is_mounted:
            return
        self._header.tell(self.now, self._notice)
        if self._table is not None and self._table.display:
            self._table.update_rows(self.now)
        self.mode.update_bar()
        self.footer.tell(self._situation())

    def _situation(self) -> Situation:
        number = f"{self.panes.index(self.current_pane) + 1}/{len(self.panes)}"
        transcript = self.run.transcript(self.current)
        return Situation(
            state=transcript.state,
            is_live=self.mode.is_live,
            is_zoomed=self.is_zoomed,
            finding=self.search.status(),
            where=f"{'zoom' if self.is_zoomed else self.view} {number}",
            replay=self.mode.playback,
            attempts=len(transcript.attempts),
            can_resume=self.mode.can_resume,
        )

    # Where we are

    @property
    def current(self) -> str:
        """The id of the ticket that keys act on."""
        return self.current_pane.ticket_id

    @property
    def is_alone(self) -> bool:
        """True while only the current pane is shown."""
        return self.is_zoomed or self.view == "focus"

    def pane_of(self, ticket: str) -> Pane:
        """Return the ticket's pane."""
        return next(pane for pane in self.panes if pane.ticket_id == ticket)

    def go_to(self, ticket: str) -> None:
        """Make the ticket the current one."""
        pane = self.pane_of(ticket)
        if pane is not self.current_pane:
            self.search.close()
        self.current_pane = pane
        self.realign()

    def realign(self) -> None:
        """Bring widgets in line with view, zoom and current ticket."""
        in_table = self.view == "table" and not self.is_zoomed
        in_strip = self.view == "focus" and not self.is_zoomed
        self.grid.display = not in_table
        self.grid.show_alone(self.current_pane if self.is_alone else None)
        if self._table is None and (in_table or in_strip):  # the first frame does without
            from lfgtui.ui.widgets.ticket_table import TicketTable

            self._table = TicketTable(self.run, stall_after=self.context.panes.stall_after)
            self.query_one("#body").mount(self._table)
        if (table := self._table) is not None:
            table.display = in_table or in_strip
            table.set_class(in_strip, "slim")
            table.set_current(self.panes.index(self.current_pane))
        target = table if table is not None and in_table else self.current_pane
        if self.focused is not target and not self.is_typing:
            target.focus(scroll_visible=False)
        self.grid.reveal(self.current_pane)
        self.update_bars()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and event.widget is not self.current_pane:
            self.go_to(event.widget.ticket_id)

    def on_ticket_table_chosen(self, event: "TicketTable.Chosen") -> None:
        self.go_to(event.ticket)

    def on_resize(self) -> None:
        self.call_after_refresh(self.realign)

    # Keys

    @property
    def actors(self) -> Sequence[object]:
        return (self.mode, *super().actors)

    def can(self, action: str) -> bool:
        return action in _STREAM_ACTIONS or super().can(action)

    async def act(self, action: str) -> None:
        if (direction := _DIRECTIONS.get(action)) is not None:
            self._move(direction)
        elif (step := _STEPS.get(action)) is not None:
            self._by(step)
        elif action.startswith("jump_"):
            self._jump(int(action.removeprefix("jump_")))
        elif (act_on := _STREAM_ACTIONS.get(action)) is not None:
            act_on(self.current_pane.stream)
        elif self.can(action):
            await super().act(action)
        elif BY_ACTION[action].group in ("Work", "Approve"):
            self.toast(self.mode.refusal)

    def _jump(self, number: int) -> None:
        if number <= len(self.panes):
            self.go_to(self.panes[number - 1].ticket_id)

    def _by(self, step: int) -> None:
        index = (self.panes.index(self.current_pane) + step) % len(self.panes)
        self.go_to(self.panes[index].ticket_id)

    def _move(self, direction: Direction) -> None:
        if self.view == "grid" and not self.is_zoomed:
            self.go_to(self.grid.step(self.current_pane, direction).ticket_id)
        elif self.is_zoomed and direction in ("up", "down"):
            self.current_pane.stream.scroll_lines(1 if direction == "down" else -1)
        else:
            self._by(1 if direction in ("down", "right") else -1)

    def _zoom(self, is_zoomed: bool) -> None:
        self.is_zoomed = is_zoomed
        self.realign()

    def action_zoom(self) -> None:
        self._zoom(True)

    def action_view(self) -> None:
        """Show grid, focus, table, and so on round; out of a zoom first."""
        if not self.is_zoomed:
            views = get_args(View)
            self.view = views[(views.index(self.view) + 1) % len(views)]
        self._zoom(False)

    def action_back(self) -> None:
        if self.search.is_open:
            self.search.close()
            self.realign()
        elif self.is_zoomed:
            self._zoom(False)
        else:
            self.leave()

    def action_attention(self) -> None:
        if self.search.is_open:
            self._step_match(1)
            return
        here = self.panes.index(self.current_pane)
        for pane in [*self.panes[here + 1 :], *self.panes[: here + 1]]:
            if pane.needs_attention:
                self.go_to(pane.ticket_id)
                return
        self.toast("nothing needs attention")

    def action_previous_hit(self) -> None:
        self._step_match(-1)

    def _step_match(self, step: int) -> None:
        self.search.step(step)
        self.update_bars()

    async def action_find(self) -> None:
        if self.view == "table" and not self.is_zoomed:
            self._zoom(True)
        await self.ask(f"find in {self.current}", self._find, text=self.search.pattern)

    def _find(self, pattern: str) -> None:
        self.search.close()
        if pattern:
            self.search.open(self.current_pane, pattern)
        self.realign()

    def action_copy(self) -> None:
        text = self.current_pane.copy_text()
        if not text:
            self.toast("nothing to copy yet")
            return
        self.app.copy_to_clipboard(text)
        self.toast(f"copied {len(text):,} characters")
