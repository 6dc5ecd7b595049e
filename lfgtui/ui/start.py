"""The start screen of plain `lfg`: tickets files here, a prompt, past runs and the demo, in a list.

What is chosen is not run here: the screen passes it to its caller and ends the app.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.ui.history.list_screen import ListScreen
from lfgtui.ui.history.run_list import run_row
from lfgtui.ui.painting.widgets import LineRow
from lfgtui.ui.screens.base import Prompt, ResumeRequested, ScreenContext
from lfgtui.ui.screens.dialogs import Help, help_on
from lfgtui.ui.text.styled_line import Line, Span, fit, line_width, one_line, shorten
from lfgtui.ui.widgets.composer import Composer
from lfgtui.ui.widgets.footer import Offer, compose_footer
from lfgtui.ui.widgets.row_list import RowList

_RUNS = 5
"""Most past runs that are listed; the history has the rest."""

_LONGEST_NAME = 0.4
"""Most of the width, as a share, that the names of files may take."""

_LEAST_NAME = 18
"""Least cells of a name, however long the reason why the file cannot be run."""

_HINT = "enter runs it · alt+enter new line · esc keeps the draft"
_NO_FILES = "none here: add a .toml file with a [[ticket]] in it"
_DEMO = "six simulated agents do real work: no key, no network"

_HELP = {
    "up": "to the row above",
    "down": "to the row below",
    "zoom": "run a file or the demo, open a run, write a prompt",
    "find": "write a prompt",
    "resume": "resume the run under the cursor",
    "back": "quit",
    "quit": "quit",
}
"""Help on keys here, by their actions."""


class Choice(NamedTuple):
    """A tickets file, or a prompt and its model, to run; with neither, the demo."""

    file: Path | None = None
    prompt: str | None = None
    model: str | None = None


class FoundFile(NamedTuple):
    """A tickets file and the number of its tickets, 0 if it cannot be read.

    `problem`: why it cannot be run, "" if it can.
    """

    path: Path
    tickets: int
    title: str
    problem: str


class Found(NamedTuple):
    """Tickets files of a folder, and models for a prompt; `lacks`: why no prompt can run."""

    files: Sequence[FoundFile]
    models: Sequence[str]
    lacks: str


class Row(NamedTuple):
    """A line of the list, and what enter does there (None: nothing), with its label in the footer.

    `run` is the past run of the line, `model` the one that a prompt line is for.
    """

    compose: Callable[[int], Line]
    open: Callable[[], object] | None = None
    label: str = "run"
    run: RunSummary | None = None
    model: str | None = None


class StartList(RowList):
    """Rows; the cursor skips those that do nothing."""

    rows: Sequence[Row] = ()

    @property
    def here(self) -> Row:
        """The row under the cursor; an empty one before there are any."""
        return self.rows[self.cursor] if self.rows else Row(lambda width: [])

    def lines_at(self, index: int, width: int) -> Sequence[Line]:
        return (self.rows[index].compose(width),)

    def move_to(self, index: int) -> None:
        index = max(0, min(index, self.count - 1))
        below, above = range(index, self.count), range(index, -1, -1)
        order = (*above, *below) if index < self.cursor else (*below, *above)
        super().move_to(next((one for one in order if self.rows[one].open is not None), index))


class StartScreen(ListScreen):
    """Passes what to run to `choose`, and ends the app.

    `find` and `check` look into the folder, in a thread; `check` raises `LfgError` if a choice
    cannot be run.
    """

    DEFAULT_CSS = """
    StartScreen { layout: vertical; background: $background; overflow: hidden; }
    StartScreen StartList { height: 1fr; }
    """

    rows: StartList

    def __init__(
        self,
        context: ScreenContext,
        open_reader: Callable[[], Reader],
        folder: str,
        find: Callable[[], Found],
        check: Callable[[Choice], None],
        choose: Callable[[Choice], object],
    ) -> None:
        super().__init__(context, open_reader)
        self.rows = StartList()
        self._top = LineRow()
        self._folder, self._find = folder, find
        self._check, self._choose = check, choose
        self._found = Found((), (), "")
        self._draft = ""
        self._model: str | None = None
        """The model that the draft is for; None for the first model."""

    def compose(self) -> ComposeResult:
        yield self._top
        yield self.rows
        yield self.footer

    def on_mount(self) -> None:
        name = Span(" lfg   ", bold=True)
        self._top.show(lambda width: [name, Span(self._folder, "muted")])
        self.rows.focus()

    def on_screen_resume(self) -> None:
        self._start(self._list, "list", exclusive=True)

    async def _list(self) -> None:
        """Show the rows; the cursor begins on the prompt or, if that cannot run, after it."""
        self._found, read = await asyncio.gather(
            asyncio.to_thread(self._find), self._read(self._read_runs)
        )
        files, places = self._found.files, read or {}
        runs = list(places)
        names = max((Span(one_line(file.path.name)).width for file in files), default=0)
        run_line = partial(
            run_row, now=self.context.panes.clock(), has_costs=any(run.cost for run in runs)
        )
        rows = [
            *(
                Row(partial(self._prompt_line, model), self.action_find, "write", model=model)
                for model in self._found.models or (None,)
            ),
            *_heading("Tickets files"),
            *(
                Row(partial(_file_line, names, f), partial(self._run, Choice(f.path)))
                for f in files
            ),
            *(() if files else [_words(_NO_FILES, "muted")]),
            *(_heading("Past runs") if runs else ()),
            *(
                Row(partial(run_line, run, place=place), partial(self._show, run), "open", run)
                for run, place in places.items()
            ),
            *_heading("Demo"),
            _words(_DEMO)._replace(open=partial(self._run, Choice())),
        ]
        cursor = self.rows.cursor if self.rows.rows else int(bool(self._found.lacks))
        self.rows.rows = rows
        self.rows.grow(len(rows))
        self.rows.move_to(cursor)

    def _read_runs(self, reader: Reader) -> Mapping[RunSummary, str]:
        """Return the latest runs, each with its folder if that is not this one."""
        runs = reader.runs(_RUNS, folder=self._folder)
        return {run: _elsewhere(reader.workspace(run.run), self._folder) for run in runs}

    def _prompt_line(self, model: str | None, width: int) -> Line:
        words = _words(f"write a prompt for {model}", "muted")
        if self._draft.strip() and model == (self._model or next(iter(self._found.models), None)):
            words = _words(self._draft)
        elif self._found.lacks:
            words = _words(self._found.lacks, "warning")
        return words.compose(width)

    @on(RowList.Moved)
    def _show_keys(self) -> None:
        here = self.rows.here
        actions = ["history", "help", "quit"]
        if here.run is not None and here.run.state != "done":
            actions.insert(0, "resume")
        offers = [Offer("zoom", here.label), Offer("find", "prompt"), *map(Offer, actions)]
        self.footer.show(lambda width: compose_footer(offers, self.context.keys, width))

    # Keys

    async def action_zoom(self) -> None:
        """Open the row under the cursor."""
        if (do := self.rows.here.open) is not None and isawaitable(result := do()):
            await result

    async def action_find(self) -> None:
        """Ask for a prompt, even if none can run: it is refused when it is sent, and kept.

        It is for the model under the cursor, else for the draft's.
        """
        self._model = self.rows.here.model or self._model or next(iter(self._found.models), None)
        field = Composer(self._draft, _HINT)
        label = f"prompt for {one_line(self._model)}" if self._model else "prompt"
        await self.ask_in(Prompt(label, field), self._send, self._keep)

    action_next_pane = action_find

    def _keep(self, text: str) -> None:
        self._draft = text
        self.rows.refresh()

    def _send(self, text: str) -> None:
        self._keep(text)
        if text.strip():
            self._run(Choice(prompt=text.strip("\n"), model=self._model))

    def action_resume(self) -> None:
        if (run := self.rows.here.run) is not None:
            self.post_message(ResumeRequested(run.run))

    async def action_help(self) -> None:
        await self.app.push_screen(Help(help_on(_HELP, "Start screen", self.context.keys)))

    async def action_back(self) -> None:
        await self.act("quit")

    def _show(self, run: RunSummary) -> None:
        self._start(partial(self._open, run.run), "open", exclusive=True)

    def _run(self, choice: Choice) -> None:
        self._start(partial(self._try, choice), "open", exclusive=True)

    async def _try(self, choice: Choice) -> None:
        try:
            await asyncio.to_thread(self._check, choice)
        except LfgError as error:
            self.notify(str(error), severity="error")
        else:
            self._choose(choice)
            await self.act("quit")


def _elsewhere(workspace: str, folder: str) -> str:
    """Return `in PARENT/NAME` for a workspace; "" if it is the folder, or in it."""
    path = Path(workspace)
    is_here = not workspace or path.is_relative_to(folder)
    return "" if is_here else f"in {Path(*path.parts[-2:])}"


def _heading(title: str) -> Sequence[Row]:
    return [Row(lambda width: []), Row(lambda width: [Span(f" {title}", "primary", True)])]


def _words(text: str, colour: str = "foreground") -> Row:
    """Return a row of text, on which enter does nothing."""
    return Row(lambda width: [Span("   "), Span(shorten(one_line(text), width - 4), colour)])


def _file_line(names: int, file: FoundFile, width: int) -> Line:
    """Return the name in a column of up to `names` cells, and a note on the file.

    If the file cannot be run, the reason matters more than the name.
    """
    cells = min(names, int(width * _LONGEST_NAME))
    if file.problem:
        advice = Span(one_line(file.problem.partition(", ")[0])).width
        cells = min(cells, max(_LEAST_NAME, width - advice - 8))
    name = fit(one_line(file.path.name), cells)
    count = "1 ticket" if file.tickets == 1 else f"{file.tickets} tickets"
    line, text, colour = [Span(f"   {name}  ")], file.title, "foreground"
    if file.problem:
        text, colour = file.problem, "warning" if file.tickets else "error"
    else:
        line.append(Span(f"{count:<10}  ", "muted"))
    return [*line, Span(shorten(one_line(text), width - line_width(line) - 1), colour)]
