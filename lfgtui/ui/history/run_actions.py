"""What a person does to a past run: delete it, pin it, write a note, go on with it."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from functools import partial

from lfgtui.errors import LfgError
from lfgtui.history.reader import Reader, RunSummary
from lfgtui.ui.history.actions import Keeper
from lfgtui.ui.screens.base import ResumeWanted
from lfgtui.ui.screens.prompt import AskingScreen
from lfgtui.ui.text.styled_line import one_line, shorten

_TITLE = 40


class Deeds(AskingScreen):
    """Acts on the run under the cursor; what the file says afterwards is what is shown."""

    keeper: Keeper | None
    open_reader: Callable[[], Reader]
    _noting = ""

    @property
    @abstractmethod
    def here(self) -> RunSummary | None:
        """The run under the cursor, or that of the hit there."""

    @abstractmethod
    def changed(self, run: RunSummary) -> None:
        """A run is not as it was."""

    @abstractmethod
    def gone(self, run: str) -> None:
        """A run is deleted."""

    def action_delete(self) -> None:
        if (run := self._to_change()) is None:
            return
        if run.state == "running":
            self.notify(f"run {run.run} is still running; stop it first")
            return
        from lfgtui.ui.screens.confirm import Question

        tickets = f"{run.tickets} ticket{'' if run.tickets == 1 else 's'}"
        said = "it said" if run.tickets == 1 else "they said"
        pinned = "It is pinned. " if run.pinned else ""
        question = Question(
            f"Delete “{shorten(one_line(run.title), _TITLE)}” for good?",
            f"{pinned}{run.run}, {tickets} and all {said}.",
        )
        self.app.push_screen(question, partial(self._delete_answered, run.run))

    def _delete_answered(self, run: str, is_sure: bool | None) -> None:
        if is_sure and self.keeper is not None:
            self.run_worker(self._delete(self.keeper, run), group="deed")

    async def _delete(self, keeper: Keeper, run: str) -> None:
        if await self._done(partial(keeper.delete, run)):
            self.gone(run)

    def action_pin(self) -> None:
        if (run := self._to_change()) is not None and self.keeper is not None:
            deed = partial(self.keeper.pin, run.run, not run.pinned)
            self.run_worker(self._change(deed, run.run), group="deed")

    async def action_note(self) -> None:
        if (run := self._to_change()) is not None:
            self._noting = run.run
            await self.ask("note", "note", placeholder="a word about this run", text=run.note)

    def answered(self, purpose: str, text: str) -> None:
        if purpose == "note" and self.keeper is not None:
            deed = partial(self.keeper.annotate, self._noting, text)
            self.run_worker(self._change(deed, self._noting), group="deed")

    def action_resume(self) -> None:
        if (run := self.here) is not None:
            self.post_message(ResumeWanted(run.run))

    def _to_change(self) -> RunSummary | None:
        if self.keeper is None:
            self.notify("this history can only be read here")
            return None
        return self.here

    async def _change(self, deed: Callable[[], None], run: str) -> None:
        def look() -> RunSummary:
            with self.open_reader() as reader:
                return reader.run(run)

        if await self._done(deed):
            try:
                self.changed(await asyncio.to_thread(look))
            except LfgError as error:
                self.notify(str(error), severity="error")

    async def _done(self, deed: Callable[[], None]) -> bool:
        """Whether it could be done; else it was said why not."""
        try:
            await asyncio.to_thread(deed)
        except LfgError as error:
            self.notify(str(error), severity="error")
            return False
        return True
