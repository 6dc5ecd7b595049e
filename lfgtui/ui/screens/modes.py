"""Modes of a run's screen, with the keys that only they have: past, elsewhere, live, attached."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lfgtui.engine.commands import (
    AddPrompt,
    Cancel,
    CancelAll,
    Command,
    Pause,
    Restart,
    Resume,
    Retry,
    SetConcurrency,
    Tell,
)
from lfgtui.model.fold.states import ENDED, State
from lfgtui.model.tickets import ticket_like
from lfgtui.ui import screens
from lfgtui.ui.keymap import displayed
from lfgtui.ui.run_view import AttachedRun, LiveRun, RunView, all_done
from lfgtui.ui.screens.approvals import Approvals
from lfgtui.ui.screens.base import Prompt, ResumeRequested
from lfgtui.ui.screens.run import RunMode
from lfgtui.ui.text.styled_line import one_line, shorten
from lfgtui.ui.widgets.footer import Offer

CONFIRM_SECONDS = 4.0
"""Seconds within which a second press of a key confirms the first."""

_MODEL, _HOST = 30, 20
"""Most cells of the name of a model in a prompt's label, and of a machine in the header."""


class PastRun(RunMode):
    """A run that is over."""

    label = "PAST RUN"
    refusal = "this is a past run: read-only"
    help: Mapping[str, str] = {"retry": "resume this run"}

    def offers(self, state: State | None) -> Iterator[Offer]:
        if not all_done(self.screen.run):
            yield Offer("retry", "resume")
        yield from super().offers(state)

    def action_retry(self) -> None:
        self.screen.post_message(ResumeRequested(self.screen.run.run))


class RunElsewhere(RunMode):
    """A run at work in another lfg, as it was saved when it was opened."""

    label = "IN PROGRESS IN ANOTHER LFG"
    refusal = "this run is in progress in another lfg: read-only here"

    def action_approve(self) -> None:
        address = f"{self.screen.run.run}/{self.screen.current}"
        approving = f"in a shell: lfg approve {address}"
        self.screen.notify(f"this run is in progress in another lfg; {approving}")


class RunBelow(RunMode):
    """The run on the live screen below, as it was saved when a match in it was opened."""

    label = "SAVED STATE"
    refusal = "this is the saved state, read-only; go back to the live run"
    help: Mapping[str, str] = {"retry": "back to the live run"}

    def __init__(self, lead_back: Callable[[], None]) -> None:
        self._lead_back = lead_back

    def offers(self, state: State | None) -> Iterator[Offer]:
        yield Offer("retry", "back to the live run")
        yield from super().offers(state)

    def action_retry(self) -> None:
        self._lead_back()


class LiveMode(RunMode):
    """A run at work: commands go to the engine, and their effects arrive as entries."""

    is_live = True
    answers_later = False
    """True if a refusal comes only after the command was sent."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._approvals = Approvals(live, self)
        self._drafts: dict[tuple[str, str], str] = {}  # by ticket and the text they began with
        self._sent: list[str] = []  # messages, which the key up brings back
        self._first_press = ("", 0.0)  # of a key to confirm: the ticket, and when

    def offers(self, state: State | None) -> Iterator[Offer]:
        asks = self._live.transcript(self.screen.current).asks
        if asks:
            yield Offer("tell", "answer")
        yield Offer("retry" if state in ENDED else "cancel")
        if self._is_parked():
            yield Offer("retry", "try now")
        yield from map(Offer, ("attention", "help", "quit"))
        if state not in ENDED:
            held = "raise limit" if self._live.health.held_at else "continue"
            yield Offer("pause", held if state == "paused" else "")
            if self._live.health.asks_at_limit:
                yield Offer("inbox")
        if not asks:
            waiting = len(self._live.transcript(self.screen.current).unsent)
            yield Offer("tell", f"say ({waiting} waiting)" if waiting else "")
        yield Offer("add")

    @property
    def actors(self) -> Sequence[object]:
        return (self, self._approvals)

    @property
    def view_label(self) -> str:
        return self._approvals.view_label

    def painted(self) -> None:
        self._live.painted(self.screen.tickets_drawn)
        if self.screen.to_repeat and self.screen.current != self._first_press[0]:
            self.screen.ask_again("", "")
        self._approvals.painted()

    # Work

    def _is_parked(self) -> bool:
        return self._live.transcript(self.screen.current).parked_until is not None

    def _has_ended(self) -> bool:
        return self._live.transcript(self.screen.current).state in ENDED

    def _is_confirmed(self, action: str, deed: str) -> bool:
        """Return True for a second press in a row on a ticket, in time; else ask for one."""
        keys, ticket, now = self.screen.context.keys[action], self.screen.current, self.screen.now()
        (before, since), self._first_press = self._first_press, (ticket, now)
        is_second = self.screen.to_repeat == action and before == ticket
        if not keys or (is_second and now - since <= CONFIRM_SECONDS):
            self.screen.ask_again("", "")
            return True
        message = f"press {displayed(keys[0])} again to {deed}"
        self.screen.ask_again(action, message, CONFIRM_SECONDS)
        return False

    def action_cancel(self) -> None:
        if self._has_ended():
            self.screen.toast(f"“{self.screen.current}” has already ended")
        elif self._is_confirmed("cancel", f"cancel “{self.screen.current}”"):
            self._live.send(Cancel(self.screen.current))

    def action_cancel_all(self) -> None:
        unfinished = len(self._live.unfinished)
        if not unfinished:
            self.screen.toast("all tickets have already ended")
            return

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self._live.send(CancelAll())

        what = "the unfinished ticket" if unfinished == 1 else f"{unfinished} unfinished tickets"
        question = screens.dialogs.Question(f"Cancel {what}?", "All output is saved.")
        self.screen.app.push_screen(question, answered)

    def action_retry(self) -> None:
        ticket = self.screen.current
        if not (self._has_ended() or self._is_parked()):
            self.screen.toast(f"“{ticket}” has not ended; cancel it first")
        elif self._live.transcript(ticket).state != "done" or self._is_confirmed(
            "retry", f"start “{ticket}” over"
        ):
            self._live.send(Retry(ticket))

    def action_pause(self) -> None:
        ticket = self.screen.current
        if self._has_ended():
            self.screen.toast(f"“{ticket}” has already ended")
        elif self._live.transcript(ticket).state == "paused":
            if self._live.health.held_at is not None:
                screens.limit_question.ask_for_limit(self.screen, self._live)
            self._live.send(Resume(ticket))
        else:
            self._live.send(Pause(ticket))
            self.screen.toast(f"“{ticket}” pauses after this response")

    def action_more_slots(self) -> None:
        self._add_slots(1)

    def action_fewer_slots(self) -> None:
        self._add_slots(-1)

    def _add_slots(self, more: int) -> None:
        number = max(1, self._live.health.slots + more)
        self._live.send(SetConcurrency(number))
        slots = "1 slot" if number == 1 else f"{number} slots"
        self.screen.toast(f"{slots}, {self._live.health.slots_in_use} in use")

    # Messages

    async def action_tell(self) -> None:
        ticket = self.screen.current
        label = f"follow-up to “{ticket}”" if self._has_ended() else f"to “{ticket}”"
        await self._compose(ticket, label, lambda text: self._tell(ticket, text))

    async def action_stop_and_tell(self) -> None:
        ticket = self.screen.current
        label = f"follow-up to “{ticket}”" if self._has_ended() else f"stop “{ticket}” and say"
        await self._compose(ticket, label, lambda text: self._tell(ticket, text, stops=True))

    def _tell(self, ticket: str, text: str, *, stops: bool = False) -> None:
        self._sent.append(text)
        self._live.send(Tell(ticket, text, stops))

    async def action_edit(self) -> None:
        ticket = next(t for t in self.screen.run.tickets if t.id == self.screen.current)

        def restart(prompt: str) -> None:
            self._live.send(Restart(ticket.id, prompt))

        await self._compose(ticket.id, f"start “{ticket.id}” over with", restart, ticket.prompt)

    async def action_add(self) -> None:
        def add(prompt: str) -> None:
            self._sent.append(prompt)
            before = len(self._live.tickets)
            self._live.send(AddPrompt(prompt))
            if len(self._live.tickets) == before and not self.answers_later:
                self.screen.toast("not added: the run is starting or ending; up brings it back")

        alike = ticket_like(self._live.tickets, "")
        model = shorten(one_line(alike.model or alike.provider or ""), _MODEL)
        await self._compose("", f"new ticket for {model}" if model else "new ticket", add)

    async def _compose(
        self, ticket: str, label: str, send: Callable[[str], object], begin: str = ""
    ) -> None:
        """Ask for a text, and pass it to `send`; with esc it is kept as a draft.

        `begin` is the text to begin with; a draft belongs to the ticket and that.
        """
        from lfgtui.ui.widgets.composer import Composer  # the first frame does without

        draft = (ticket, begin)

        def answered(text: str) -> None:
            self._show_hint("")
            self._drafts.pop(draft, None)
            if text.strip():
                send(text.strip("\n"))

        def escaped(text: str) -> None:
            self._show_hint("")
            self._drafts[draft] = text

        text = self._drafts.get(draft, begin)
        hint = "enter sends · alt+enter new line · esc keeps the draft"
        field = Composer(text, hint, self._sent)
        await self.screen.ask_in(Prompt(label, field), answered, escaped)
        if text:  # a text hides the hint in the field
            self._show_hint(hint)

    def _show_hint(self, hint: str) -> None:
        self.screen.notice = hint
        self.screen.update_bars()


class AttachedMode(LiveMode):
    """A run in another process: it goes on when this screen is left."""

    answers_later = True
    help: Mapping[str, str] = {"quit": "leave; the run goes on"}

    def __init__(self, live: AttachedRun) -> None:
        super().__init__(live)
        live.on_refusal = self._refused
        host = shorten(one_line(live.host), _HOST)
        self.label = f"ATTACHED TO {host}" if host else "ATTACHED"
        self._attached = live
        self._has_told_end = False

    def offers(self, state: State | None) -> Iterator[Offer]:
        for offer in super().offers(state):
            yield Offer("quit", "leave") if offer.action == "quit" else offer

    def painted(self) -> None:
        """Say once, after the run's process has ended, that it takes no more commands."""
        super().painted()
        if self._attached.has_ended and not self._has_told_end:
            self._has_told_end = True
            where = f", on {self._attached.host}" if self._attached.host else ""
            resume = f"; to continue{where}: lfg resume {self._live.run}"
            self.screen.notify(f"the run has ended{'' if all_done(self._live) else resume}")

    def _refused(self, command: Command, why: str) -> None:
        self._approvals.take_back(command)
        self.screen.notify(why, severity="warning")


def mode_of(run: RunView) -> RunMode:
    """Return the mode in which the app's own run is shown."""
    if isinstance(run, AttachedRun):
        return AttachedMode(run)
    return LiveMode(run) if isinstance(run, LiveRun) else PastRun()
