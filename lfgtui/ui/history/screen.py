"""The screen of past runs: a line to search on, a list, a preview of what is under the cursor."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Input, Static

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.search.search import SearchHit
from lfgtui.ui.history.list_widget import RowList
from lfgtui.ui.history.preview_pane import PreviewPane
from lfgtui.ui.history.run_actions import RunActions
from lfgtui.ui.history.run_list import RunList
from lfgtui.ui.history.stored_run import query, read_run
from lfgtui.ui.keymap import BY_ACTION, displayed, keymap
from lfgtui.ui.run_view import HistoryActions
from lfgtui.ui.screens.base import LfgScreen
from lfgtui.ui.screens.replay import push_replay
from lfgtui.ui.screens.run import PastRun, RunScreen, ScreenContext
from lfgtui.ui.text.styled_line import Line
from lfgtui.ui.widgets.line_input import OneLine

_PAGE = 200
_AHEAD = 60
"""Runs below the cursor at which the next page is read: it is there before one gets to it."""

REFRESH, _NEWEST = 2.0, 50
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

_TYPING_KEYS = (("↑↓", "select"), ("enter", "open"), ("tab", "keys"), ("esc", "back"))
_SYNTAX = '"phrases"  pre*  AND OR NOT  state:failed  after:7d'
_LIST_KEYS = ("zoom", "find", "delete", "pin", "note", "resume", "replay", "back", "help", "quit")
_LABELS = {"zoom": "open", "find": "search"}


class HistoryScreen(LfgScreen[None]):
    """Runs, or hits while there is something to search.

    All reading is done in threads, each with a reader of its own; an answer
    that comes after the question changed is dropped. While one types the list
    is steered all the same; with the focus in the list, letters act on the run.
    """

    DEFAULT_CSS = """
    HistoryScreen { layout: vertical; background: $background; overflow: hidden; }
    HistoryScreen #title { height: 1; background: $panel; text-style: bold; padding: 0 1; }
    HistoryScreen #search, HistoryScreen #search:focus {
        height: 3; border: round $line; background: $background; padding: 0 1;
    }
    HistoryScreen #search:focus { border: round $primary; }
    HistoryScreen #body { height: 1fr; layout: vertical; }
    HistoryScreen RowList { width: 1fr; height: 1fr; }
    HistoryScreen.wide #body { layout: horizontal; }
    HistoryScreen.wide PreviewPane { display: block; width: 45%; border-left: solid $line; }
    HistoryScreen.tall PreviewPane { display: block; height: 45%; border-top: solid $line; }
    HistoryScreen #keys { height: 1; background: $panel; }
    """

    def __init__(
        self,
        context: ScreenContext,
        open_reader: Callable[[], Reader],
        actions: HistoryActions | None,
    ) -> None:
        super().__init__()
        self.keymap = keymap(context.keys, "history")
        self.add_class("history")
        self.rows = RowList()
        self.footer: Static = Static(id="keys", markup=False)
        self.context = context
        self._open_reader = open_reader
        self._actions = RunActions(self, actions, open_reader, lambda: self.here, self._changed)
        self._list = RunList()
        self._reading = asyncio.Lock()
        self._query = ""
        self._complaint = ""
        self._preview = PreviewPane(open_reader)

    def compose(self) -> ComposeResult:
        yield Static("history", id="title", markup=False)
        yield OneLine(placeholder="search answers, reasoning, tools, prompts …", id="search")
        with Container(id="body"):
            yield self.rows
            yield self._preview
        yield self.footer

    def on_mount(self) -> None:
        self._line.cursor_blink = False
        self._line.focus()
        self._read_more()
        self.set_interval(REFRESH, self._look_again)

    @property
    def _line(self) -> Input:
        return self.query_one("#search", Input)

    @property
    def actors(self) -> Sequence[object]:
        return (self._actions, *super().actors)

    # Reading, off the loop

    def _read_more(self, limit: int = _PAGE) -> None:
        if not self._list.is_complete and (limit == _ALL or not self._reading.locked()):
            self.start(partial(self._next_page, limit), "runs")

    async def _next_page(self, limit: int) -> None:
        """Read more runs, to the end of the list."""
        async with self._reading:
            offset = len(self._list.runs)
            try:
                page = await query(self._open_reader, lambda reader: reader.runs(limit, offset))
            except LfgError as error:
                self.notify(str(error), severity="error")
                return
            self._list.add(page, limit)
        if self._list.hits is not None:
            return
        if offset:
            self.rows.grow(len(self._list))
        else:
            self._show_list()
        self._describe()
        if limit == _ALL:
            self.rows.move_to(_ALL)

    def _look_again(self) -> None:
        is_read = self._list.runs or self._list.is_complete
        if self.is_current and is_read and not self._reading.locked():
            self.start(self._keep_up, "runs")

    async def _keep_up(self) -> None:
        """Show what began, went on or ended meanwhile; the cursor stays on its run."""
        async with self._reading:
            try:
                newest = await query(self._open_reader, lambda reader: reader.runs(_NEWEST))
            except LfgError:
                return
        if not self.is_mounted:
            return
        if (new := self._list.refresh(newest)) is not None:
            if self._list.hits is None:
                self.rows.grow(len(self._list))
                self.rows.move(new)
            self.rows.refresh()
            self._describe()
        if self.here is not None and self.here.state == "running":
            self._update_preview()

    async def _search(self, text: str) -> None:
        await asyncio.sleep(_PATIENCE)
        known = self._list.known

        def search(reader: Reader) -> tuple[Sequence[SearchHit], list[RunSummary]]:
            hits = reader.search(text, _HITS, prefix=True)
            return hits, [reader.run(run) for run in {hit.run for hit in hits} - known]

        try:
            found = await query(self._open_reader, search)
        except LfgError as error:
            if text == self._query and self.is_mounted:
                self._complaint = str(error)
                self._describe()
            return
        if text == self._query and self.is_mounted:
            self._complaint = ""
            self._list.show_hits(*found)
            self._show_list()
            self._describe()

    async def _open(self, run: str, hit: SearchHit | None) -> None:
        try:
            stored = await query(self._open_reader, lambda reader: read_run(reader, run, hit))
        except LfgError as error:
            self.notify(str(error), severity="error")
            return
        if not self.is_current:
            return
        if not stored.tickets:
            self.notify("this run has no tickets")
            return
        screen = RunScreen(
            stored, self.context, PastRun(), note=stored.note, simulated=stored.is_simulated
        )
        if hit is not None:
            screen.show_target(hit.ticket, stored.target_of(hit))
        self.app.push_screen(screen)

    # The list

    @property
    def here(self) -> RunSummary | None:
        """The run under the cursor, or that of the hit there."""
        return self._list.run_at(self.rows.cursor)

    def _show_list(self) -> None:
        height = 1 if self._list.hits is None else 2
        self.rows.show(len(self._list), height, self._lines_at)

    def _lines_at(self, index: int, width: int) -> Sequence[Line]:
        return self._list.lines_at(index, width, self.context.panes.clock())

    def _describe(self) -> None:
        words = Content("")
        if self._complaint:
            words = Content.styled(self._complaint, "$text-warning")
        elif self._list.hits is not None or self._list.runs or self._list.is_complete:
            hint = "; use title:… to search titles and notes"
            is_hint_needed = self._list.hits == [] and "title:" not in self._query
            words = Content(self._list.count(_HITS) + (hint if is_hint_needed else ""))
        self.query_one("#title", Static).update(Content.assemble("history   ", words))

    def _update_keys(self) -> None:
        self.rows.set_class(self.is_typing, "steered")
        self.rows.refresh()
        line = keys_line(self.context.keys, self.size.width, is_typing=self.is_typing)
        self.footer.update(line)

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._query = event.value.strip()
        self._complaint = ""
        if self._query:
            self.start(partial(self._search, self._query), "search", exclusive=True)
        elif self._list.hits is not None:
            self._list.hits = None
            self._show_list()
        self._describe()

    @on(RowList.Moved)
    def _moved(self) -> None:
        cursor = self.rows.cursor
        if self._list.hits is None and cursor is not None and cursor >= len(self._list) - _AHEAD:
            self._read_more()
        self._update_preview()

    def _update_preview(self) -> None:
        hit = self._list.hit_at(self.rows.cursor)
        self._preview.show(self.here, hit, self.context.panes.clock())

    def _changed(self, run: str, summary: RunSummary | None) -> None:
        """Show what became of a run; None: it was deleted."""
        self._list.replace(run, summary)
        self._preview.forget()
        self.rows.grow(len(self._list))
        self._describe()
        self._moved()

    # Keys

    async def on_key(self, event: events.Key) -> None:
        if self.is_typing and not self.is_asking and (action := _WHILE_TYPING.get(event.key)):
            event.stop()
            event.prevent_default()
            await self.act(action)

    def realign(self) -> None:
        self.rows.focus()

    def on_descendant_focus(self) -> None:
        self._update_keys()

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        self.set_class(width >= _WIDE, "wide")
        self.set_class(width < _WIDE and height >= _TALL, "tall")
        self._update_keys()
        self.call_after_refresh(self._update_preview)

    def action_up(self) -> None:
        self.rows.move(-1)

    def action_down(self) -> None:
        self.rows.move(1)

    def action_page_up(self) -> None:
        self.rows.move(-self.rows.page)

    def action_page_down(self) -> None:
        self.rows.move(self.rows.page)

    def action_start(self) -> None:
        self.rows.move_to(0)

    def action_finish(self) -> None:
        self.rows.move_to(_ALL)
        if self._list.hits is None:
            self._read_more(_ALL)

    def action_next_pane(self) -> None:
        (self.rows if self.is_typing else self._line).focus()

    action_previous_pane = action_next_pane

    def action_find(self) -> None:
        self._line.focus()

    @on(Input.Submitted, "#search")
    @on(RowList.Chosen)
    def action_zoom(self) -> None:
        """Open the run, at the place of the hit if there is one."""
        if (run := self.here) is not None:
            hit = self._list.hit_at(self.rows.cursor)
            self.start(partial(self._open, run.run, hit), "open", exclusive=True)

    def action_replay(self) -> None:
        """Replay the run."""
        if (run := self.here) is not None:
            replay = partial(push_replay, self.app, self.context, self._open_reader, run.run)
            self.start(replay, "open", exclusive=True)

    async def action_back(self) -> None:
        """Go back out of the search, then out of the history."""
        if self.is_typing and self._line.value:
            self._line.value = ""
        elif self.is_current and len(self.app.screen_stack) == 1:
            await self.act("quit")
        else:
            self.leave()


def keys_line(keys: Mapping[str, Sequence[str]], width: int, *, is_typing: bool) -> Content:
    """Return the keys of where the focus is, as many as there is room for."""
    pairs: Sequence[tuple[str, str]] = _TYPING_KEYS
    if not is_typing:
        pairs = [
            (displayed(keys[action][0]), _LABELS.get(action, BY_ACTION[action].label))
            for action in _LIST_KEYS
            if keys.get(action)
        ]
    line = Content("")
    for key, label in pairs:
        part = Content.assemble((f" {key}", "bold $primary"), (f" {label} ", "$text-muted"))
        if line.cell_length + part.cell_length <= width:
            line += part
    if is_typing and line.cell_length + len(_SYNTAX) + 3 <= width:
        line = Content.assemble(line, (f"  {_SYNTAX}", "$text-muted"))
    return line
