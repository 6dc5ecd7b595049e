"""Actions on a past run: delete, pin, note, resume."""

import asyncio
from collections.abc import Callable
from functools import partial

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.ui.history.stored_run import query
from lfgtui.ui.run_view import HistoryActions
from lfgtui.ui.screens.base import LfgScreen, ResumeRequested
from lfgtui.ui.screens.confirm import Question
from lfgtui.ui.text.styled_line import one_line, shorten

_TITLE = 40
"""Cells of the title that a question shows."""


class RunActions:
    """Actions on the run that `here` returns.

    `changed` gets the run as the file has it afterwards; None if it was deleted.
    """

    def __init__(
        self,
        screen: LfgScreen[None],
        actions: HistoryActions | None,
        open_reader: Callable[[], Reader],
        here: Callable[[], RunSummary | None],
        changed: Callable[[str, RunSummary | None], None],
    ) -> None:
        self._screen = screen
        self._actions = actions
        self._open_reader = open_reader
        self._here = here
        self._changed = changed

    def action_delete(self) -> None:
        if (run := self._here()) is None or (actions := self._writable()) is None:
            return
        if run.state == "running":
            self._screen.notify(f"run {run.run} is still running; stop it first")
            return
        pinned = "It is pinned. " if run.pinned else ""
        tickets = "1 ticket" if run.tickets == 1 else f"{run.tickets} tickets"
        question = Question(
            f"Delete “{shorten(one_line(run.title), _TITLE)}” for good?",
            f"{pinned}Run {run.run} with {tickets} and all output.",
        )

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self._start(partial(actions.delete, run.run), run.run, deletes=True)

        self._screen.app.push_screen(question, answered)

    def action_pin(self) -> None:
        if (run := self._here()) is not None and (actions := self._writable()) is not None:
            self._start(partial(actions.pin, run.run, not run.pinned), run.run)

    async def action_note(self) -> None:
        if (run := self._here()) is not None and (actions := self._writable()) is not None:

            def answered(text: str) -> None:
                self._start(partial(actions.annotate, run.run, text), run.run)

            placeholder = "a note on this run"
            await self._screen.ask("note", answered, placeholder=placeholder, text=run.note)

    def action_resume(self) -> None:
        if (run := self._here()) is not None:
            self._screen.post_message(ResumeRequested(run.run))

    def _writable(self) -> HistoryActions | None:
        if self._actions is None:
            self._screen.notify("the history is read-only here")
        return self._actions

    def _start(self, change: Callable[[], None], run: str, *, deletes: bool = False) -> None:
        self._screen.start(partial(self._change, change, run, deletes), "change")

    async def _change(self, change: Callable[[], None], run: str, deletes: bool) -> None:
        try:
            await asyncio.to_thread(change)
            after = None if deletes else await query(self._open_reader, lambda r: r.run(run))
        except LfgError as error:
            self._screen.notify(str(error), severity="error")
        else:
            self._changed(run, after)
