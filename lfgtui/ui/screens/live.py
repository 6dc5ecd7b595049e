"""The screen of a run that works: what its person can have done to it."""

from lfgtui.engine.commands import (
    Approve,
    Cancel,
    CancelAll,
    Deny,
    Pause,
    Resume,
    Retry,
)
from lfgtui.transcript import ENDED, State, ToolItem
from lfgtui.ui.screens.run import Desk, RunScreen
from lfgtui.ui.view import LiveRun

APPROVAL_GUARD = 0.4
"""Seconds for which a request must have been on the screen before keys decide on it."""


class LiveScreen(RunScreen):
    """Commands go to the engine; what comes of them arrives as entries.

    Approval keys act only on a request that has been visible for a while: a
    person who is typing, or approving the call before, has not read it.
    """

    past = False
    called = ""
    follows_live = True

    def __init__(self, live: LiveRun, desk: Desk, *, simulated: bool) -> None:
        super().__init__(live, desk, simulated=simulated)
        self._live = live
        self._seen: dict[tuple[str, str], float] = {}
        self._denying: tuple[str, str] | None = None

    def frame(self, now: float, gauges: bool = True) -> None:
        super().frame(now, gauges)
        self._note_requests(now)

    def _note_requests(self, now: float) -> None:
        """Remember since when each waiting request has been on the screen."""
        waiting = {
            (pane.ticket_id, call.call_id)
            for pane in self.grid.in_view()
            if self.run.transcript(pane.ticket_id).state == "needs_approval"
            for call in self.run.transcript(pane.ticket_id).waiting_approvals
        }
        self._seen = {request: self._seen.get(request, now) for request in waiting}

    @property
    def _state(self) -> State | None:
        return self.run.transcript(self.current).state

    # Work

    def action_cancel(self) -> None:
        if self._state in ENDED:
            self.toast(f"{self.current} has ended")
        else:
            self._live.send(Cancel(self.current))

    def action_cancel_all(self) -> None:
        unfinished = len(self._live.unfinished)
        if not unfinished:
            self.toast("all tickets have ended")
            return
        what = "the ticket" if unfinished == 1 else f"all {unfinished} tickets"
        from lfgtui.ui.screens.question import Question

        question = Question(f"Cancel {what} not ended yet?", "What they said is kept.")
        self.app.push_screen(question, self._cancel_all)

    def _cancel_all(self, is_sure: bool | None) -> None:
        if is_sure:
            self._live.send(CancelAll())

    def action_retry(self) -> None:
        if self._state not in ENDED:
            self.toast(f"{self.current} has not ended; cancel it first")
        else:
            self._live.send(Retry(self.current))

    def action_pause(self) -> None:
        if self._state in ENDED:
            self.toast(f"{self.current} has ended")
        elif self._state == "paused":
            self._live.send(Resume(self.current))
        else:
            self._live.send(Pause(self.current))
            self.toast(f"{self.current} pauses after this response")

    # Approvals

    def action_approve(self) -> None:
        if call := self._request():
            self._live.send(Approve(self.current, call.call_id))

    def action_approve_always(self) -> None:
        if call := self._request():
            self._live.send(Approve(self.current, call.call_id, always=True))
            self.toast(f"{call.name} runs without asking for the rest of {self.current}")

    async def action_deny(self) -> None:
        if call := self._request():
            self._denying = (self.current, call.call_id)
            await self.ask("deny", f"deny {call.name}", placeholder="why, for the model; enter")

    def answered(self, purpose: str, text: str) -> None:
        if purpose == "deny" and self._denying is not None:
            ticket, call_id = self._denying
            self._live.send(Deny(ticket, call_id, text.strip()))
        super().answered(purpose, text)

    def _request(self) -> ToolItem | None:
        """The call to decide on, if it has been in sight long enough to be read."""
        waiting = self.run.transcript(self.current).waiting_approvals
        if not waiting:
            self.toast(f"{self.current} asks for nothing")
            return None
        seen = self._seen.get((self.current, waiting[0].call_id))
        if seen is None and not self.grid.display:
            self.toast("enter shows what it asks for")
        now = self._desk.panes.clock()
        return waiting[0] if seen is not None and now - seen >= APPROVAL_GUARD else None
