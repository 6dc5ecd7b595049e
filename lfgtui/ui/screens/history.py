"""Past runs, and search over everything they said."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content, Span
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.history.search import SearchHit
from lfgtui.looks import figures
from lfgtui.looks.badges import BADGES
from lfgtui.ui.ink import one_line
from lfgtui.ui.items import Kind
from lfgtui.ui.screens.keyed import KeyedScreen
from lfgtui.ui.screens.run import Desk, RunScreen
from lfgtui.ui.source import read_run
from lfgtui.visible import visible

T = TypeVar("T")

_PAGE = 200
_HITS = 100
_FOLDED: dict[str, Kind] = {
    "tool_call": "tool",
    "tool_output": "tool",
    "reasoning": "reasoning",
}
_PATIENCE = 0.1
"""Seconds without a key after which a search begins."""

_BEFORE_MATCH = 36
"""Characters shown before a match, so that it stands on a narrow terminal too."""

_STATES = {
    "running": ("●", "primary"),
    "done": (BADGES["done"].sign, "success"),
    "failed": (BADGES["failed"].sign, "error"),
    "interrupted": (BADGES["interrupted"].sign, "warning"),
}


class History(KeyedScreen):
    """A line to search on and a list: runs, or hits while there is something to search.

    All reading is done in threads, each with a reader of its own; an answer
    that comes after the question changed is dropped.
    """

    DEFAULT_CSS = """
    History { layout: vertical; background: $background; overflow: hidden; }
    History #title { height: 1; background: $panel; text-style: bold; padding: 0 1; }
    History Input, History Input:focus {
        height: 3; border: round $line; background: $background; padding: 0 1;
    }
    History Input:focus { border: round $primary; }
    History OptionList, History OptionList:focus {
        height: 1fr; border: none; padding: 0; background: $background;
        scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
    }
    History OptionList > .option-list--option-highlighted { background: $selection; }
    History #keys { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
    """

    def __init__(self, desk: Desk, open_reader: Callable[[], Reader]) -> None:
        super().__init__(desk.keymap)
        self._desk = desk
        self._open_reader = open_reader
        self._runs: list[RunSummary] = []
        self._all_read = False
        self._hits: Sequence[SearchHit] | None = None
        self._query = ""

    def compose(self) -> ComposeResult:
        yield Static("history", id="title", markup=False)
        yield Input(placeholder="search answers, reasoning, tools, prompts …")
        yield OptionList(markup=False)
        yield Static(
            '↑↓ choose   enter open   esc back   words, "phrases", pre*, AND OR NOT',
            id="keys",
            markup=False,
        )

    def on_mount(self) -> None:
        line = self.query_one(Input)
        line.cursor_blink = False
        line.focus()
        self.run_worker(self._read_more(), group="runs")

    # Reading, off the loop

    async def _ask(self, question: Callable[[Reader], T]) -> T | None:
        """The reader's answer; None, and a toast, where the history cannot be read."""

        def work() -> T:
            with self._open_reader() as reader:
                return question(reader)

        try:
            return await asyncio.to_thread(work)
        except LfgError as error:
            self.notify(str(error), severity="error", markup=False)
            return None

    async def _read_more(self) -> None:
        """The next page of runs, at the end of the list."""
        offset = len(self._runs)
        page = await self._ask(lambda reader: reader.runs(_PAGE, offset))
        if page is None or offset != len(self._runs):
            return
        self._all_read = len(page) < _PAGE
        self._runs.extend(page)
        if self._hits is None:
            self._show([run_row(run) for run in page], offset)

    async def _search(self, query: str) -> None:
        await asyncio.sleep(_PATIENCE)
        hits = await self._ask(lambda reader: reader.search(query, _HITS, prefix=True))
        if hits is None or query != self._query or not self.is_mounted:
            return
        self._hits = hits
        titles = {run.run: run.title for run in self._runs}
        self._show([hit_row(hit, titles.get(hit.run, hit.run)) for hit in hits])

    async def _open(self, run: str, hit: SearchHit | None = None) -> None:
        stored = await self._ask(partial(read_run, run=run))
        if stored is None or not self.is_current:
            return
        if not stored.tickets:
            self.notify("this run has no tickets", markup=False)
            return
        screen = RunScreen(stored, self._desk)
        if hit is not None:
            start, end = hit.matches[0] if hit.matches else (0, 0)
            screen.lead_to(hit.ticket, hit.snippet[start:end], _FOLDED.get(hit.kind))
        self.app.push_screen(screen)

    # The list

    def _show(self, rows: Sequence[Content], offset: int = 0) -> None:
        options = self.query_one(OptionList)
        if offset == 0:
            options.clear_options()
        options.add_options([Option(row) for row in rows])
        if options.option_count and options.highlighted is None:
            options.highlighted = 0
        self._describe()

    def _describe(self) -> None:
        if self._hits is not None:
            words = _number(len(self._hits), "hit", more=len(self._hits) == _HITS)
        else:
            words = _number(len(self._runs), "run", more=not self._all_read)
        self.query_one("#title", Static).update(f"history   {words}")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._query = event.value.strip()
        if self._query:
            self.run_worker(self._search(self._query), group="search", exclusive=True)
        elif self._hits is not None:
            self._hits = None
            self._show([run_row(run) for run in self._runs])

    def on_input_submitted(self) -> None:
        self.query_one(OptionList).action_select()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if self._hits is None and not self._all_read and event.option_index == len(self._runs) - 1:
            self.run_worker(self._read_more(), group="runs")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if self._hits is None:
            opening = self._open(self._runs[event.option_index].run)
        else:
            hit = self._hits[event.option_index]
            opening = self._open(hit.run, hit)
        self.run_worker(opening, group="open", exclusive=True)

    # Keys: the list is steered while the focus stays where one types

    async def on_key(self, event: events.Key) -> None:
        options = self.query_one(OptionList)
        steering: dict[str, Callable[[], None]] = {
            "up": options.action_cursor_up,
            "down": options.action_cursor_down,
            "pageup": options.action_page_up,
            "pagedown": options.action_page_down,
        }
        if event.key == "escape":
            event.stop()
            self.leave()
        elif step := steering.get(event.key):
            event.stop()
            event.prevent_default()
            if options.option_count:
                step()
        else:
            await super().on_key(event)


def run_row(run: RunSummary) -> Content:
    """A past run in a line."""
    sign, colour = _STATES[run.state]
    tickets = f"{run.done}/{run.tickets}"
    return Content.assemble(
        (f" {sign} ", f"${colour}"),
        (f"{figures.day_and_time(run.started_at)} ", "$text-muted"),
        (f"{tickets:>7} {figures.money(run.cost):>8}  ", "$text-muted"),
        one_line(run.title),
    )


def hit_row(hit: SearchHit, title: str) -> Content:
    """A hit in two lines: where, and what around it."""
    about = f" {hit.kind.replace('_', ' ')} · {figures.day_and_time(hit.at)} · {one_line(title)}"
    first = hit.matches[0][0] if hit.matches else 0
    cut = max(0, first - _BEFORE_MATCH)
    lead = "   …" if cut else "   "
    snippet = visible(hit.snippet[cut:].replace("\n", " ").replace("\t", " "))
    move = len(lead) - cut
    text = Content(
        f"{lead}{snippet}",
        spans=[Span(start + move, end + move, "bold $text-warning") for start, end in hit.matches],
    )
    head = Content.assemble((f" {hit.ticket}", "bold $text-primary"), (about, "$text-muted"))
    return Content("\n").join([head, text])


def _number(count: int, what: str, *, more: bool) -> str:
    """`no runs yet`, `1 run`, `200+ runs`."""
    if count == 0:
        return "nothing found" if what == "hit" else "no runs yet"
    return f"{count}{'+' if more else ''} {what}{'' if count == 1 else 's'}"
