"""The screen of past runs: a line to search on, a list, a look at what is under the cursor."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.search.search import SearchHit
from lfgtui.ui.history.actions import Keeper
from lfgtui.ui.history.footer import keys_line
from lfgtui.ui.history.list_rows import hit_row, merged, number_of, run_row
from lfgtui.ui.history.list_widget import RowList
from lfgtui.ui.history.preview_place import Look
from lfgtui.ui.history.queries import ask, work_on
from lfgtui.ui.history.run_actions import Deeds
from lfgtui.ui.history.stored_run import StoredRun, lead_of, read_run
from lfgtui.ui.keymap import keymap
from lfgtui.ui.screens.run import Desk, RunScreen
from lfgtui.ui.text.styled_line import Line
from lfgtui.ui.widgets.line_input import OneLine

T = TypeVar("T")

_PAGE = 200
_AHEAD = 60
"""Runs below the cursor at which the next page is read: it is there before one gets to it."""

_EVERY, _NEWEST = 2.0, 50
"""Seconds between two looks at what became of the newest runs; how many those are."""

_ALL = 1 << 30
_HITS = 100
_PATIENCE = 0.1
"""Seconds without a key after which a search begins."""

_WIDE, _TALL = 100, 40
"""Cells and rows from which there is room for the preview."""

_WHILE_TYPING = {
    "up": "up",
    "down": "down",
    "pageup": "page_up",
    "pagedown": "page_down",
    "tab": "next_pane",
    "shift+tab": "next_pane",
    "escape": "back",
}
"""Keys that no text contains: they steer the list while the focus is where one types."""


class History(Deeds):
    """Runs, or hits while there is something to search.

    All reading is done in threads, each with a reader of its own; an answer
    that comes after the question changed is dropped. While one types the list
    is steered all the same; with the focus in the list, letters act on the run.
    """

    DEFAULT_CSS = """
    History { layout: vertical; background: $background; overflow: hidden; }
    History #title { height: 1; background: $panel; text-style: bold; padding: 0 1; }
    History #search, History #search:focus {
        height: 3; border: round $line; background: $background; padding: 0 1;
    }
    History #search:focus { border: round $primary; }
    History #body { height: 1fr; layout: vertical; }
    History RowList { width: 1fr; height: 1fr; }
    History.wide #body { layout: horizontal; }
    History.wide Look { display: block; width: 45%; border-left: solid $line; }
    History.tall Look { display: block; height: 45%; border-top: solid $line; }
    History #keys { height: 1; background: $panel; }
    """

    def __init__(
        self, desk: Desk, open_reader: Callable[[], Reader], keeper: Keeper | None
    ) -> None:
        super().__init__(keymap(desk.keys, "history"))
        self._desk = desk
        self.open_reader = open_reader
        self.keeper = keeper
        self._runs: list[RunSummary] = []
        self._known: dict[str, RunSummary] = {}
        self._all_read = False
        self._has_costs = False
        self._reading = asyncio.Lock()
        self._hits: Sequence[SearchHit] | None = None
        self._query = ""
        self._trouble = ""
        self._list = RowList()
        self._look = Look(open_reader)
        self._keys = Static(id="keys", markup=False)

    def compose(self) -> ComposeResult:
        yield Static("history", id="title", markup=False)
        yield OneLine(placeholder="search answers, reasoning, tools, prompts …", id="search")
        with Container(id="body"):
            yield self._list
            yield self._look
        yield self._keys

    def on_mount(self) -> None:
        self._line.cursor_blink = False
        self._line.focus()
        self._read_more()
        self.set_interval(_EVERY, self._look_again)

    @property
    def _line(self) -> Input:
        return self.query_one("#search", Input)

    @property
    def footer(self) -> Widget:
        return self._keys

    @property
    def rows(self) -> RowList:
        """The list."""
        return self._list

    @property
    def look(self) -> Look:
        """The preview."""
        return self._look

    # Reading, off the loop

    async def _ask(self, question: Callable[[Reader], T]) -> T | None:
        """The reader's answer; None, and a toast, where the history cannot be read."""
        answer = await ask(self.open_reader, question)
        if isinstance(answer, LfgError):
            self.notify(str(answer), severity="error")
            return None
        return answer

    def _read_more(self, limit: int = _PAGE) -> None:
        if not self._all_read and (limit == _ALL or not self._reading.locked()):
            work_on(self, lambda: self._next_page(limit), "runs")

    async def _next_page(self, limit: int) -> None:
        """More runs, at the end of the list."""
        async with self._reading:
            offset = len(self._runs)
            page = await self._ask(lambda reader: reader.runs(limit, offset))
            if page is None:
                return
            self._all_read = len(page) < limit
            listed = {run.run for run in self._runs}  # one may have begun meanwhile
            self._runs.extend(run for run in page if run.run not in listed)
        self._known.update((run.run, run) for run in page)
        self._has_costs = self._has_costs or any(run.cost is not None for run in page)
        if self._hits is not None:
            return
        if offset:
            self._list.grow(len(self._runs))
        else:
            self._list.show(len(self._runs), 1, self._run_lines)
        self._describe()
        if limit == _ALL:
            self._list.move_to(_ALL)

    def _look_again(self) -> None:
        if self.is_current and (self._runs or self._all_read) and not self._reading.locked():
            work_on(self, self._keep_up, "runs")

    async def _keep_up(self) -> None:
        """What began, went on or ended meanwhile; the cursor stays on its run."""
        async with self._reading:
            newest = await ask(self.open_reader, lambda reader: reader.runs(_NEWEST))
        if isinstance(newest, LfgError) or not self.is_mounted:
            return
        runs, come = merged(self._runs, newest)
        self._known.update((run.run, run) for run in newest)
        if runs != self._runs:
            self._runs = runs
            if self._hits is None:
                self._list.grow(len(runs))
                self._list.move(come)
            self._list.refresh()
            self._describe()
        if self.here is not None and self.here.state == "running":
            self._glance()

    async def _search(self, query: str) -> None:
        await asyncio.sleep(_PATIENCE)

        known = set(self._known)

        def look(reader: Reader) -> tuple[Sequence[SearchHit], list[RunSummary]]:
            hits = reader.search(query, _HITS, prefix=True)
            return hits, [reader.run(run) for run in {hit.run for hit in hits} - known]

        found = await ask(self.open_reader, look)
        if query != self._query or not self.is_mounted:
            return
        if isinstance(found, LfgError):
            self._trouble = str(found)
            self._describe()
            return
        hits, runs = found
        self._trouble = ""
        self._known.update((run.run, run) for run in runs)
        self._hits = [hit for hit in hits if hit.run in self._known]  # not deleted meanwhile
        self._list.show(len(self._hits), 2, self._hit_lines)
        self._describe()

    async def _open(self, run: str, hit: SearchHit | None) -> None:
        sought = (hit.ticket, hit.seq) if hit is not None else None
        stored = await self._ask(partial(read_run, run=run, sought=sought))
        if stored is None or not self.is_current:
            return
        if not stored.tickets:
            self.notify("this run has no tickets")
            return
        self.app.push_screen(self._screen_of(stored, hit))

    def _screen_of(self, stored: StoredRun, hit: SearchHit | None) -> RunScreen:
        simulated = stored.is_simulated
        screen = RunScreen(stored, self._desk, note=stored.note, simulated=simulated)
        if hit is not None:
            spot = stored.spot(hit.ticket)
            screen.lead_to(hit.ticket, None if spot is None else lead_of(hit, spot))
        return screen

    # The list

    def _run_lines(self, index: int, width: int) -> Sequence[Line]:
        return (run_row(self._runs[index], width, self._now, costs=self._has_costs),)

    def _hit_lines(self, index: int, width: int) -> Sequence[Line]:
        hit = (self._hits or ())[index]
        return hit_row(hit, self._known[hit.run].title, width)

    @property
    def _now(self) -> float:
        return self._desk.panes.clock()

    @property
    def _hit(self) -> SearchHit | None:
        """The hit under the cursor."""
        cursor = self._list.cursor
        return None if self._hits is None or cursor is None else self._hits[cursor]

    @property
    def here(self) -> RunSummary | None:
        cursor = self._list.cursor
        if cursor is None:
            return None
        return self._runs[cursor] if self._hits is None else self._known[self._hits[cursor].run]

    def _describe(self) -> None:
        if self._trouble:
            words = Content.styled(self._trouble, "$text-warning")
        elif self._hits is not None:
            count = number_of(len(self._hits), "hit", more=len(self._hits) == _HITS)
            hint = "" if "title:" in self._query else "; title:… looks in titles and notes"
            words = Content(count if self._hits else count + hint)
        elif self._runs or self._all_read:
            words = Content(number_of(len(self._runs), "run", more=not self._all_read))
        else:
            words = Content("")  # not read yet, or it cannot be
        self.query_one("#title", Static).update(Content.assemble("history   ", words))

    def _tell_keys(self) -> None:
        self._list.set_class(self.is_typing, "steered")
        self._list.refresh()
        self._keys.update(keys_line(self._desk.keys, self.size.width, is_typing=self.is_typing))

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        query = self._query = event.value.strip()
        self._trouble = ""
        if query:
            work_on(self, lambda: self._search(query), "search", exclusive=True)
        elif self._hits is not None:
            self._hits = None
            self._list.show(len(self._runs), 1, self._run_lines)
        self._describe()

    @on(Input.Submitted, "#search")
    def _entered(self) -> None:
        self.action_zoom()

    @on(RowList.Chosen)
    def _clicked(self) -> None:
        self.action_zoom()

    @on(RowList.Moved)
    def _moved(self) -> None:
        cursor = self._list.cursor
        if self._hits is None and cursor is not None and cursor >= len(self._runs) - _AHEAD:
            self._read_more()
        self._glance()

    def _glance(self) -> None:
        self._look.look_at(self.here, self._hit, self._now)

    # What became of a deed

    def changed(self, run: RunSummary) -> None:
        self._known[run.run] = run
        self._look.forget()
        for index, one in enumerate(self._runs):
            if one.run == run.run:
                self._runs[index] = run
        self._list.refresh()
        self._glance()

    def gone(self, run: str) -> None:
        self._look.forget()
        self._known.pop(run, None)
        self._runs = [one for one in self._runs if one.run != run]
        if self._hits is None:
            self._list.grow(len(self._runs))
        else:
            self._hits = [hit for hit in self._hits if hit.run != run]
            self._list.grow(len(self._hits))
        self._describe()
        self._moved()

    # Keys

    async def on_key(self, event: events.Key) -> None:
        if self.is_typing and not self.is_asking and (action := _WHILE_TYPING.get(event.key)):
            event.stop()
            event.prevent_default()
            await self.act(action)

    def refocus(self) -> None:
        self._list.focus()

    def on_descendant_focus(self) -> None:
        self._tell_keys()

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        self.set_class(width >= _WIDE, "wide")
        self.set_class(width < _WIDE and height >= _TALL, "tall")
        self._tell_keys()
        self.call_after_refresh(self._glance)

    def action_up(self) -> None:
        self._list.move(-1)

    def action_down(self) -> None:
        self._list.move(1)

    def action_page_up(self) -> None:
        self._list.move(-self._list.page)

    def action_page_down(self) -> None:
        self._list.move(self._list.page)

    def action_start(self) -> None:
        self._list.move_to(0)

    def action_finish(self) -> None:
        self._list.move_to(_ALL)
        if self._hits is None:
            self._read_more(_ALL)

    def action_next_pane(self) -> None:
        (self._list if self.is_typing else self._line).focus()

    def action_previous_pane(self) -> None:
        self.action_next_pane()

    def action_find(self) -> None:
        self._line.focus()

    def action_zoom(self) -> None:
        """Open the run, at the place of the hit if there is one."""
        if (run := self.here) is not None:
            opening, hit = run.run, self._hit
            work_on(self, lambda: self._open(opening, hit), "open", exclusive=True)

    def action_replay(self) -> None:
        """Play the run again."""
        if (run := self.here) is not None:
            from lfgtui.ui.screens.replay import push_replay

            again = partial(push_replay, self.app, self._desk, self.open_reader, run.run)
            work_on(self, again, "open", exclusive=True)

    async def action_back(self) -> None:
        """Out of what was searched for, then out of the history."""
        if self.is_typing and self._line.value:
            self._line.value = ""
        elif self.app.screen is self and len(self.app.screen_stack) == 1:
            await self.act("quit")
        else:
            self.leave()
