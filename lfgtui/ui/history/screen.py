"""The screen of past runs: a line to search on, a list, a preview of what is under the cursor."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Input

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.search import SearchHit
from lfgtui.ui.history.list_screen import ListScreen
from lfgtui.ui.history.preview import PreviewPane
from lfgtui.ui.history.run_list import RunList
from lfgtui.ui.history.stored_run import query
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.replay.run import read_replay
from lfgtui.ui.run_view import HistoryActions
from lfgtui.ui.screens.base import OneLine, ResumeRequested, ScreenContext
from lfgtui.ui.screens.dialogs import Question
from lfgtui.ui.screens.replay import replay_screen
from lfgtui.ui.text.styled_line import Line, Span, line_width, one_line, shorten
from lfgtui.ui.widgets.footer import Offer, compose_footer, key_and_label
from lfgtui.ui.widgets.row_list import RowList

_PAGE, _ALL = 200, 1 << 30
"""Runs that are read at a time, and when a person wants the last one: more than there are."""

_AHEAD = 60
"""Runs left below the cursor at which the next page is read ahead."""

REFRESH, _NEWEST = 2.0, 50
"""Seconds between two readings of the newest runs, and their number."""

_HITS = 100
"""Most hits of a search."""

_PATIENCE = 0.1
"""Seconds without a key after which a search begins."""

_WIDE, _TALL = 100, 40
"""Least cells, or rows, of a screen with room for the preview."""

_TITLE = 40
"""Most cells of a run's title in a question."""

_WHILE_TYPING = {
    "up": "up",
    "down": "down",
    "pageup": "page_up",
    "pagedown": "page_down",
    "tab": "next_pane",
    "shift+tab": "next_pane",
    "escape": "back",
}
"""Keys that are never text, and their actions on the list while the person types."""

_TYPING_KEYS = (("↑↓", "select"), ("enter", "open"), ("tab", "keys"), ("esc", "back"))
_SYNTAX = '"phrases"  pre*  AND OR NOT  state:failed  after:7d'
_LIST_KEYS = (
    *(Offer("zoom", "open"), Offer("find", "search")),
    *map(Offer, ("delete", "pin", "note", "resume", "replay", "back", "help", "quit")),
)


class HistoryScreen(ListScreen):
    """Runs, or hits during a search.

    All reading is done in threads, each with a reader of its own; results for
    an outdated search are dropped. Arrows move in the list even while the
    person types; with the focus in the list, letters act on the run.
    """

    DEFAULT_CSS = """
    HistoryScreen { layout: vertical; background: $background; overflow: hidden; }
    HistoryScreen #search, HistoryScreen #search:focus {
        height: 3; border: round $line; background: $background; padding: 0 1;
    }
    HistoryScreen #search:focus { border: round $primary; }
    HistoryScreen #body { height: 1fr; layout: vertical; }
    HistoryScreen RowList { width: 1fr; height: 1fr; }
    HistoryScreen.wide #body { layout: horizontal; }
    HistoryScreen.wide PreviewPane { display: block; width: 45%; border-left: solid $line; }
    HistoryScreen.tall PreviewPane { display: block; height: 45%; border-top: solid $line; }
    """

    rows: RunList

    def __init__(
        self,
        context: ScreenContext,
        open_reader: Callable[[], Reader],
        actions: HistoryActions,
    ) -> None:
        super().__init__(context, open_reader)
        self.add_class("history")
        self.rows = RunList(context.panes.clock)
        self._actions = actions
        self._top = LineRow()
        self._line = OneLine(placeholder="search answers, reasoning, tools, prompts …", id="search")
        self._preview = PreviewPane(open_reader)
        self._reading = asyncio.Lock()  # held while runs are read for the list
        self._query = ""
        self._complaint = ""

    def compose(self) -> ComposeResult:
        yield self._top
        yield self._line
        with Container(id="body"):
            yield self.rows
            yield self._preview
        yield self.footer

    def on_mount(self) -> None:
        self._describe()
        self._read_more()
        self.set_interval(REFRESH, self._look_again)

    # Reading, off the loop

    def _read_more(self, limit: int = _PAGE) -> None:
        if not self.rows.is_complete and (limit == _ALL or not self._reading.locked()):
            self._start(partial(self._next_page, limit), "runs")

    def _read_ahead(self) -> None:
        """Read the next page once the cursor is near the end of what was read."""
        if self.rows.hits is None and self.rows.cursor >= self.rows.count - _AHEAD:
            self._read_more()

    async def _next_page(self, limit: int) -> None:
        """Read more runs, to the end of the list."""
        async with self._reading:
            offset = len(self.rows.runs)
            page = await self._read(lambda reader: reader.runs(limit, offset))
            if page is None:
                return
            self.rows.add(page, limit)
        self._describe()
        self._read_ahead()
        if limit == _ALL and self.rows.hits is None:
            self.rows.move_to(_ALL)

    def _look_again(self) -> None:
        is_read = self.rows.runs or self.rows.is_complete
        if self.is_current and is_read and not self._reading.locked():
            self._start(self._keep_up, "runs")

    async def _keep_up(self) -> None:
        """Update the newest runs; a failure is not shown, as the next reading comes soon."""
        async with self._reading:
            try:
                newest = await query(self._open_reader, lambda reader: reader.runs(_NEWEST))
            except LfgError:
                newest = []
        if self.is_mounted:
            self._read_ahead()  # the cursor may have come to the end meanwhile
            self.rows.take_newest(newest)
            self._describe()
            if self.rows.here is not None and self.rows.here.state == "running":
                self._update_preview()

    async def _search(self, text: str) -> None:
        """Search once the person pauses; a result for an outdated text is dropped."""
        await asyncio.sleep(_PATIENCE)
        known = set(self.rows.known)

        def search(reader: Reader) -> tuple[Sequence[SearchHit], list[RunSummary]]:
            hits = reader.search(text, _HITS, prefix=True)
            return hits, [reader.run(run) for run in {hit.run for hit in hits} - known]

        complaint, result = "", None
        try:
            result = await query(self._open_reader, search)
        except LfgError as error:
            complaint = str(error)
        if text == self._query and self.is_mounted:
            self._complaint = complaint
            if result is not None:
                self.rows.show_hits(*result)
            self._describe()

    async def _replay(self, run: str) -> None:
        replayed = await self._read(lambda reader: read_replay(reader, run))
        if replayed is not None and self.is_current:  # the person may have left meanwhile
            self.app.push_screen(replay_screen(replayed, self.context))

    # What is shown

    def _describe(self) -> None:
        rows = self.rows
        words = Span(self._complaint, "warning", True)
        if not self._complaint and (rows.hits is not None or rows.runs or rows.is_complete):
            is_hint_needed = rows.hits == [] and "title:" not in self._query
            hint = "; use title:… to search titles and notes" if is_hint_needed else ""
            words = Span(rows.description(_HITS) + hint, bold=True)
        self._top.show(lambda width: [Span(" history   ", bold=True), words])

    def _keys(self, width: int) -> Line:
        """Return the keys that work where the focus is, as many as fit."""
        if not self.is_typing:
            return compose_footer(_LIST_KEYS, self.context.keys, width)
        line = [span for pair in _TYPING_KEYS for span in key_and_label(*pair)]
        if line_width(line) + len(_SYNTAX) + 3 <= width:
            line.append(Span(f"  {_SYNTAX}", "muted"))
        return line

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._query = event.value.strip()
        self._complaint = ""
        if self._query:
            self._start(partial(self._search, self._query), "search", exclusive=True)
        else:
            self.rows.show_runs()
        self._describe()

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._read_ahead()
        self._update_preview()

    def _update_preview(self) -> None:
        self._preview.show(self.rows.here, self.rows.hit, self.context.panes.clock())

    def on_descendant_focus(self) -> None:
        self.footer.show(self._keys)

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        self.set_class(width >= _WIDE, "wide")
        self.set_class(width < _WIDE and height >= _TALL, "tall")
        self.call_after_refresh(self._update_preview)

    # Keys

    async def on_key(self, event: events.Key) -> None:
        if self.is_typing and self._prompt is None and (action := _WHILE_TYPING.get(event.key)):
            event.stop()
            event.prevent_default()
            await self.act(action)

    def action_finish(self) -> None:
        super().action_finish()
        if self.rows.hits is None:
            self._read_more(_ALL)

    def action_next_pane(self) -> None:
        (self.rows if self.is_typing else self._line).focus()

    action_previous_pane = action_find = action_next_pane

    @on(Input.Submitted, "#search")
    def action_zoom(self) -> None:
        """Open the run, at the hit if there is one."""
        if (run := self.rows.here) is not None:
            self._start(partial(self._open, run.run, self.rows.hit), "open", exclusive=True)

    async def action_back(self) -> None:
        """Go back out of the search, then out of the history."""
        if self.is_typing and self._line.value:
            self._line.value = ""
        elif self.is_current and len(self.app.screen_stack) == 1:
            await self.act("quit")
        else:
            self.leave()

    # Actions on the run under the cursor

    def action_replay(self) -> None:
        if (run := self.rows.here) is not None:
            self._start(partial(self._replay, run.run), "open", exclusive=True)

    def action_resume(self) -> None:
        if (run := self.rows.here) is not None:
            self.post_message(ResumeRequested(run.run))

    def action_delete(self) -> None:
        if (run := self.rows.here) is None:
            return
        if run.state == "running":
            self.notify(f"run {run.run} is in progress; stop it first")
            return
        tickets = "1 ticket" if run.tickets == 1 else f"{run.tickets} tickets"
        question = Question(
            f"Delete “{shorten(one_line(run.title), _TITLE)}” for good?",
            f"{'It is pinned. ' if run.pinned else ''}Run {run.run} with {tickets} and all output.",
        )

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self._change(run.run, partial(self._actions.delete, run.run), is_deletion=True)

        self.app.push_screen(question, answered)

    def action_pin(self) -> None:
        if (run := self.rows.here) is not None:
            self._change(run.run, partial(self._actions.pin, run.run, not run.pinned))

    async def action_note(self) -> None:
        if (run := self.rows.here) is not None:

            def answered(text: str) -> None:
                self._change(run.run, partial(self._actions.annotate, run.run, text))

            await self.ask("note", answered, placeholder="a note on this run", text=run.note)

    def _change(self, run: str, change: Callable[[], None], *, is_deletion: bool = False) -> None:
        """Change a run, and show the result."""

        async def work() -> None:
            try:
                await asyncio.to_thread(change)
                after = None
                if not is_deletion:
                    after = await query(self._open_reader, lambda reader: reader.run(run))
            except LfgError as error:
                self.notify(str(error), severity="error")
                return
            self.rows.replace(run, after)
            self._describe()
            self._moved()

        self._start(work, "change")
