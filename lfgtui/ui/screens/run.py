"""A run on the screen: its panes, the table, moving among them, reading in them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial, partialmethod
from typing import TYPE_CHECKING, Literal, get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from lfgtui.model.attention import Rounds
from lfgtui.model.states import State
from lfgtui.settings.keys import BY_ACTION
from lfgtui.ui.keymap import keymap
from lfgtui.ui.painting.canvas import Canvas
from lfgtui.ui.painting.widgets import CachedContainer, LineRow
from lfgtui.ui.run_view import RunView, needing_attention
from lfgtui.ui.screens.base import LfgScreen, ScreenContext
from lfgtui.ui.stream.actions import STREAM_ACTIONS
from lfgtui.ui.stream.search_target import Target
from lfgtui.ui.widgets.footer import APPROVAL, Offer, compose_footer, search_status
from lfgtui.ui.widgets.frame_clock import figures_move
from lfgtui.ui.widgets.header import compose_header
from lfgtui.ui.widgets.pane import Pane
from lfgtui.ui.widgets.pane_grid import Direction, PaneGrid

if TYPE_CHECKING:
    from lfgtui.ui.widgets.ticket_table import TicketTable

View = Literal["grid", "focus", "table"]


class RunMode:
    """The kind of run on a screen; its `action_NAME` come before those of the `screen`."""

    screen: "RunScreen"
    label = ""
    """Its name in the header."""
    refusal = ""
    """Message for a key that would change the run."""
    help: Mapping[str, str] = {}
    """Help on actions that do something else here than elsewhere."""
    bar: Widget | None = None
    """A row between the panes and the footer."""
    is_live = False
    is_tiled_across = False

    def advance(self, gauges: bool) -> bool | None:
        """Bring the run up to date for a frame; True if gauges are due, None if nothing is."""
        return gauges

    @property
    def is_playing(self) -> bool:
        """True while time alone makes each frame another one."""
        return False

    def figures_move(self) -> float | None:
        """Return the seconds after which figures are other ones by time alone; None if never."""
        return figures_move(self.screen.run, self.screen.now())

    def painted(self) -> None:
        """React to a frame that was painted."""

    def update_bar(self) -> None:
        """Bring the bar up to date."""

    def offers(self, state: State | None) -> Iterator[Offer]:
        """Yield what the footer offers first, in order of use, with a ticket in that state."""
        if not self.screen.is_zoomed:
            yield Offer("back")
        yield from map(Offer, ("attention", "help", "quit"))


class _Body(CachedContainer, Horizontal):
    """Container of the grid and the table."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(id="body")
        self.canvas = canvas


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
        super().__init__()
        self.keymap = keymap(context.keys)
        self.run = run
        self.context = context
        self.canvas = context.panes.canvas
        self.mode = mode
        mode.screen = self
        self.set_class(mode.bar is not None, "with-bar")
        self.panes = [Pane(run, ticket, context.panes) for ticket in run.tickets]
        self.grid = PaneGrid(
            self.panes, is_across=mode.is_tiled_across, rows_taken=0 if mode.bar is None else 1
        )
        self.now = context.panes.clock
        self.current = self.panes[0].ticket_id
        """The id of the ticket that keys act on."""
        self.view: View = "grid"
        self.is_zoomed = False
        self.footer = LineRow(self.canvas)
        self.notice = ""
        """Stands in the header instead of the counts."""
        self._header = LineRow(self.canvas)
        self._stall_after = after = context.panes.stall_after
        self._compose_header = partial(
            compose_header, run, after, label=mode.label, is_simulated=simulated, note=note
        )
        self._table: TicketTable | None = None
        self.searched: Pane | None = None
        """The pane that is searched; at most one is."""
        self._target: Target | None = None
        self._rounds = Rounds()

    def compose(self) -> ComposeResult:
        yield self._header
        with _Body(self.canvas):
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
        self.current, self.is_zoomed, self._target = ticket, True, target

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
            if self._target is not None and not self.current_pane.stream.is_behind:
                self._show_match(self._target)
                self._target = None
            if due:
                try:
                    self.update_bars()
                except Exception as error:  # nobody's pane is to suffer
                    self.app._handle_exception(error)
        self.mode.painted()
        return all(pane.is_drawn for pane in panes) and not self.mode.is_playing

    def laid_out(self) -> None:
        with self.canvas.layout():
            self.context.frames.draw_whole()

    def mark(self, tickets: set[str]) -> None:
        """Have the tickets' panes painted anew when they are next visible."""
        for pane in self.panes:
            if pane.ticket_id.partition(" #")[0] in tickets:  # of an attempt: its ticket's
                pane.mark_dirty()

    def update_bars(self) -> None:
        """Bring header, table, bar and footer up to date."""
        if not self.is_mounted:
            return
        now = self.now()
        self._header.show(partial(self._compose_header, now=now, notice=self.notice))
        if self._table is not None and self._table.display:
            self._table.update_rows(now)
        self.mode.update_bar()
        number = f"{self.panes.index(self.current_pane) + 1}/{len(self.panes)}"
        place = f"{'zoom' if self.is_zoomed else self.view} {number}"
        offers, keys = list(self._offers()), self.context.keys
        search = search_status(self.searched.stream.finder) if self.searched is not None else ""
        self.footer.show(
            lambda width: compose_footer(offers, keys, width, place=place, finding=search)
        )

    def _offers(self) -> Iterator[Offer]:
        """Yield the actions of the footer in order of use, without those that do nothing now."""
        if self.searched is not None:
            yield Offer("attention", "next match")
            yield from map(Offer, ("previous_hit", "back", "find"))
            return
        transcript = self.run.transcript(self.current)
        if self.mode.is_live and transcript.state == "needs_approval":
            yield from map(Offer, APPROVAL)
        yield Offer("back" if self.is_zoomed else "zoom")
        yield from self.mode.offers(transcript.state)
        if len(transcript.attempts) > 1:
            yield Offer("beside")
        yield from map(Offer, ("view", "find", "history", "tools", "reasoning", "copy", "follow"))

    # Where we are

    @property
    def current_pane(self) -> Pane:
        """The current ticket's pane."""
        return next(pane for pane in self.panes if pane.ticket_id == self.current)

    @property
    def is_alone(self) -> bool:
        """True while only the current pane is shown."""
        return self.is_zoomed or self.view == "focus"

    def go_to(self, ticket: str) -> None:
        """Make the ticket the current one."""
        if ticket != self.current:
            self._close_search()
        self.current = ticket
        self.realign()

    def realign(self) -> None:
        """Bring widgets in line with view, zoom and current ticket."""
        pane = self.current_pane
        in_table = self.view == "table" and not self.is_zoomed
        in_strip = self.view == "focus" and not self.is_zoomed
        self.grid.display = not in_table
        self.grid.show_alone(pane if self.is_alone else None)
        if self._table is None and (in_table or in_strip):  # the first frame does without
            from lfgtui.ui.widgets.ticket_table import TicketTable

            self._table = TicketTable(self.run, stall_after=self._stall_after)
            self.query_one("#body").mount(self._table)
        if (table := self._table) is not None:
            table.display = in_table or in_strip
            table.set_class(in_strip, "slim")
            table.move_to(self.panes.index(pane))
        target = table if table is not None and in_table else pane
        if self.focused is not target and not self.is_typing:
            target.focus(scroll_visible=False)
        self.grid.reveal(pane)
        self.update_bars()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and event.widget.ticket_id != self.current:
            self.go_to(event.widget.ticket_id)

    def on_row_list_clicked(self, event: "TicketTable.Clicked") -> None:
        self.go_to(self.panes[event.index].ticket_id)

    def on_resize(self) -> None:
        self.call_after_refresh(self.realign)

    # Keys

    @property
    def actors(self) -> Sequence[object]:
        return (self.mode, *super().actors)

    def can(self, action: str) -> bool:
        return action in STREAM_ACTIONS or super().can(action)

    async def act(self, action: str) -> None:
        if action.startswith("jump_"):
            self._jump(int(action.removeprefix("jump_")))
        elif (act_on := STREAM_ACTIONS.get(action)) is not None:
            act_on(self.current_pane.stream)
        elif self.can(action):
            await super().act(action)
        elif BY_ACTION[action].group in ("Work", "Approve"):
            self.toast(self.mode.refusal)

    def _jump(self, number: int) -> None:
        if number <= len(self.panes):
            self.go_to(self.panes[number - 1].ticket_id)

    def _step(self, panes: int) -> None:
        index = (self.panes.index(self.current_pane) + panes) % len(self.panes)
        self.go_to(self.panes[index].ticket_id)

    action_next_pane = partialmethod(_step, 1)
    action_previous_pane = partialmethod(_step, -1)

    def _move(self, direction: Direction) -> None:
        step = 1 if direction in ("down", "right") else -1
        if self.view == "grid" and not self.is_zoomed:
            self.go_to(self.grid.step(self.current_pane, direction).ticket_id)
        elif self.is_zoomed and direction in ("up", "down"):
            self.current_pane.stream.scroll_lines(step)
        else:
            self._step(step)

    action_left = partialmethod(_move, "left")
    action_right = partialmethod(_move, "right")
    action_up = partialmethod(_move, "up")
    action_down = partialmethod(_move, "down")

    def _zoom(self, is_zoomed: bool) -> None:
        self.is_zoomed = is_zoomed
        self.realign()

    action_zoom = partialmethod(_zoom, True)

    def action_view(self) -> None:
        """Show grid, focus, table, and so on round; out of a zoom first."""
        if not self.is_zoomed:
            views = get_args(View)
            self.view = views[(views.index(self.view) + 1) % len(views)]
        self._zoom(False)

    def action_back(self) -> None:
        if self.searched is not None:
            self._close_search()
            self.realign()
        elif self.is_zoomed:
            self._zoom(False)
        else:
            self.leave()

    def action_attention(self) -> None:
        if self.searched is not None:
            self._step_match(1)
            return
        now = self.now()
        needs = needing_attention(self.run, now, self._stall_after)
        if (ticket := self._rounds.next(needs, self.current)) is None:
            self.toast("nothing else needs attention" if needs else "nothing needs attention")
            return
        self.go_to(ticket)
        if note := needs[ticket].note(now):
            self.toast(note)

    def action_copy(self) -> None:
        text = self.current_pane.copy_text()
        if not text:
            self.toast("nothing to copy yet")
            return
        self.app.copy_to_clipboard(text)
        self.toast(f"copied {len(text):,} characters")

    # Searching

    async def action_find(self) -> None:
        if self.view == "table" and not self.is_zoomed:
            self._zoom(True)
        pattern = self.current_pane.stream.finder.pattern
        await self.ask(f"find in {self.current}", self._find, text=pattern)

    def _find(self, pattern: str) -> None:
        self._close_search()
        if pattern:
            self.searched = self.current_pane
            self.searched.stream.find(pattern)
        self.realign()

    def _close_search(self) -> None:
        if self.searched is not None:
            self.searched.stream.find("")
            self.searched = None

    def _step_match(self, step: int) -> None:
        if self.searched is not None:
            self.searched.stream.find_step(step)
            self.update_bars()

    action_previous_hit = partialmethod(_step_match, -1)

    def _show_match(self, target: Target) -> None:
        is_shown = self.current_pane.stream.show_target(target)
        if target.pattern:
            self.searched = self.current_pane
            if not is_shown:
                self.toast("the match is in a part that is not shown here")
