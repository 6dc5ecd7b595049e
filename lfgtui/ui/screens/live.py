"""The screen of a run that works: what its person can have done to it."""

from collections.abc import Hashable

from lfgtui.engine.commands import Approve, Cancel, CancelAll, Deny, Pause, Resume, Retry
from lfgtui.model.items import ToolItem
from lfgtui.model.states import ENDED, State
from lfgtui.ui.run_view import LiveRun
from lfgtui.ui.screens.run import Desk, RunScreen
from lfgtui.ui.stream.requests_seen import GUARD, CardInView, RequestsSeen
from lfgtui.ui.terminal.output import is_behind


class LiveScreen(RunScreen):
    """Commands go to the engine; what comes of them arrives as entries.

    Approval keys act only on a request of which all has been in view for a while:
    a person who is typing, or approving the call before, has not read it.
    """

    past = False
    called = ""
    follows_live = True

    def __init__(self, live: LiveRun, desk: Desk, *, simulated: bool) -> None:
        super().__init__(live, desk, simulated=simulated)
        self._live = live
        self._seen = RequestsSeen()
        self._denying: tuple[str, str] | None = None

    def frame(self, now: float, gauges: bool = True) -> None:
        super().frame(now, gauges)
        self._note_requests(now)

    def _note_requests(self, now: float) -> None:
        """Remember since when each waiting request has been in view. The first one is decided."""
        shown: dict[Hashable, CardInView | None] = {}
        if self.app.screen is self:  # and no question lies over it
            for pane in self.grid.in_view():
                transcript = self.run.transcript(pane.ticket_id)
                if transcript.state == "needs_approval" and transcript.waiting_approvals:
                    call = transcript.waiting_approvals[0]
                    shown[pane.ticket_id, call.call_id, call.revision] = pane.card_in_view(call)
        self._seen.note(shown, now)

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
        from lfgtui.ui.screens.confirm import Question

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
        """The call to decide on, if all of it has been in view for long enough to be read."""
        waiting = self.run.transcript(self.current).waiting_approvals
        if not waiting:
            self.toast(f"{self.current} asks for nothing")
            return None
        if not self.grid.display:
            self.toast("enter shows what it asks for")
            return None
        call, now = waiting[0], self._desk.panes.clock()
        request = (self.current, call.call_id, call.revision)
        seconds = self._seen.seconds(request, now)
        if seconds is None:
            self._show_request(call, self._seen.has_begun(request))
        # What a terminal has not read yet nobody has seen.
        is_seen = seconds is not None and seconds >= GUARD and not is_behind(self.app._driver)
        return call if is_seen else None

    def _show_request(self, call: ToolItem, has_begun: bool) -> None:
        """Bring into view what is asked for; who has begun to read a long one stays there."""
        card = self.current_pane.card_in_view(call)
        if card is None or card.height <= card.room or not has_begun:
            self.current_pane.show_card(call)
            card = self.current_pane.card_in_view(call)
        if card is not None and card.height > card.room:
            self.toast(f"{call.name} asks for more than fits here: scroll to its end, then decide")
        else:
            self.toast("read what it asks for first, then decide")
