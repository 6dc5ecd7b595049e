"""`Transcript`: one ticket's entries folded into what it looks like.

Live panes, `lfg show`, resume, replay and export all use this fold, so what
is shown later is what was shown live. It is deliberately dull: every entry
appends to the newest attempt or changes its last item, and the ticket's state
follows the one table in `states`.

Times come from the entries, never from a clock: folding a stored run gives
the figures that were live.
"""

from msgspec import UNSET

from lfgtui.errors import RETRYABLE_KINDS, IllegalMoveError
from lfgtui.model import events as e
from lfgtui.model.attempt import Attempt, AttemptError
from lfgtui.model.call_ids import call_number
from lfgtui.model.conversation import Conversation, ModelTurn, UserTurn, with_answers
from lfgtui.model.items import (
    HostedItem,
    Item,
    NoteItem,
    NoteKind,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.states import State, StateMachine

_SETTINGS = {
    "turns": "max_turns",
    "tokens": "max_output_tokens",
    "cost": "max_cost",
    "time": "timeout",
}


class Transcript:
    """The fold. `apply` each entry of one ticket in `seq` order."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.conversation = Conversation()
        self.queued_at: float | None = None
        self.ended_at: float | None = None
        self.ending: e.Ending | None = None
        self.unsaved = False
        self.last_seq = 0
        self.revision = 0
        self.last_call = 0
        self._machine = StateMachine()
        self._calls: dict[str, list[ToolItem]] = {}
        self._hosted_calls: dict[str, HostedItem] = {}

    @property
    def state(self) -> State | None:
        """State of the ticket; None before its first entry."""
        return self._machine.state

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt; None while queued for the first time."""
        return self.attempts[-1] if self.attempts else None

    @property
    def waiting_approvals(self) -> tuple[ToolItem, ...]:
        """Calls the person has not decided on."""
        calls = (call for calls in self._calls.values() for call in calls)
        return tuple(call for call in calls if call.state == "needs_approval")

    @property
    def cost_since_start(self) -> float:
        """USD of the newest attempt and of those it continues."""
        spent = 0.0
        for attempt in reversed(self.attempts):
            spent += attempt.usage.cost or 0.0
            if not attempt.continues:
                break
        return spent

    def is_undecided(self, call_id: str) -> bool:
        """Return True if approval was requested for the call and never decided."""
        call = self.call(call_id)
        return call is not None and call.approval is not None and not call.is_decided

    def call(self, call_id: str) -> ToolItem | None:
        """Return the call of that id that is to be run, or the last one.

        Runs of older versions have the provider's ids, which several calls may share; such
        calls are run in their order.
        """
        calls = self._calls.get(call_id, [])
        due = (c for c in calls if c.state in ("requested", "needs_approval", "running"))
        return next(due, calls[-1] if calls else None)

    @property
    def answer(self) -> str:
        """The text of the last finished response that had any: what a need hands on.

        With what came before its connection broke, where it is only the rest.
        """
        said, goes_on = "", False
        for message in reversed(self.conversation.messages):
            if isinstance(message, ModelTurn):
                if said and not (message.is_cut or goes_on):
                    break
                said = message.text + said
            elif said and not isinstance(message, UserTurn):
                break
            goes_on = isinstance(message, ModelTurn)  # after a pause nothing stands between
        return said

    def apply(self, entry: e.Entry) -> IllegalMoveError | None:
        """Take one entry into account.

        An impossible one is a bug of ours. It is said in the ticket's own
        stream, so that a stored run stays readable, and returned.
        """
        event = entry.event
        self.last_seq = entry.seq
        self.revision += 1
        try:
            state = self._machine.apply(event)
        except IllegalMoveError as error:
            if self.attempt is not None:
                self._note(self.attempt, "error", f"a bug in lfg: {error}")
            return error
        self.unsaved = self.unsaved or not entry.saved
        self.conversation.apply(event)
        if isinstance(event, e.TicketQueued):
            self.queued_at, self.ended_at, self.ending = entry.at, None, None
        elif isinstance(event, e.AttemptStarted):
            self._start_attempt(entry, event)
        elif (attempt := self.attempt) is not None:
            if attempt.ended_at is None:  # what comes after its end is the ticket's alone
                attempt.state = state
            self._apply_to_attempt(attempt, entry.at, event)
        if isinstance(event, e.Ending):
            self._end(entry.at, event)
        return None

    def mark_saved(self) -> None:
        """Note that all entries so far are in the history."""
        self.unsaved = False

    def _start_attempt(self, entry: e.Entry, event: e.AttemptStarted) -> None:
        if not event.continues:
            self._calls.clear()
        self._hosted_calls.clear()
        self.attempts.append(
            Attempt(
                number=entry.attempt,
                provider=event.provider,
                model=event.model,
                continues=event.continues,
                keeps_partial=event.keeps_partial is True,
                started_at=entry.at,
            )
        )

    def _apply_to_attempt(self, attempt: Attempt, at: float, event: e.Event) -> None:
        match event:
            case e.TextDelta(text):
                self._stream(attempt, at)
                self._text_item(attempt).append(text)
            case e.ReasoningDelta(text):
                self._stream(attempt, at)
                item = self._reasoning_item(attempt, at)
                item.append(text)
                item.seconds = at - item.started_at
            case e.ToolCallStarted() | e.ToolArgumentsDelta() | e.ToolCallRequested():
                self._apply_to_call(attempt, at, event)
            case (
                e.ApprovalRequested()
                | e.ApprovalGiven()
                | e.ApprovalDenied()
                | e.ToolOutputDelta()
                | e.ToolCallFinished()
            ):
                self._run_call(at, event)
            case e.RequestSent(turn):
                attempt.turn = turn
                attempt.request_sent_at = at
                attempt.first_content_at = None
            case e.ResponseFinished(_, stop_reason):
                attempt.stop_reason = stop_reason
                self._close_response(attempt, at)
            case e.Usage():
                attempt._turn_usage = event
            case e.Citation():
                attempt.open_citations.append(event)
            case e.HostedTool():
                self._hosted(attempt, event)
            case e.HostedOutputDelta(call_id, text):
                self._stream(attempt, at)
                self.last_call = max(self.last_call, call_number(call_id))
                if (hosted := self._hosted_calls.get(call_id)) is not None:
                    hosted.add_output(text)
            case e.UserMessage(text, answers):
                needs = tuple(answers or ())
                self._append(attempt, PromptItem(with_answers(event), text, needs))
            case e.Retrying():
                self._break_off(attempt, at, event)
            case _:
                self._remark(attempt, event)

    def _break_off(self, attempt: Attempt, at: float, event: e.Retrying) -> None:
        said = event.retryable
        retryable = event.kind in RETRYABLE_KINDS if said is UNSET else said
        attempt.error = AttemptError(event.kind, event.reason, retryable)
        attempt.state, attempt.ended_at = "failed", at
        self._close_response(attempt, at)
        self._stop_calls(attempt)
        again = f"; retrying in {event.delay:.3g} s" if event.delay else ""
        self._note(attempt, "retry", f"{event.reason}{again}")

    def _remark(self, attempt: Attempt, event: e.Event) -> None:
        match event:
            case e.FailedOver(source, target):
                self._note(attempt, "retry", f"{source} failed; switching to {target}")
            case e.Status(message):
                self._note(attempt, "status", message)
            case e.GuardTripped(guard, message):
                self._note(attempt, "warning", f"{guard}: {message}")
            case e.ConflictDetected(path, tickets):
                self._note(attempt, "warning", f"{path} was also changed by {', '.join(tickets)}")
            case e.Paused():
                self._note(attempt, "status", "paused")
            case e.Resumed():
                self._note(attempt, "status", "resumed")
            case _:
                pass

    def _apply_to_call(
        self,
        attempt: Attempt,
        at: float,
        event: e.ToolCallStarted | e.ToolArgumentsDelta | e.ToolCallRequested,
    ) -> None:
        calls = self._calls.setdefault(event.call_id, [])
        if not calls or not _goes_on(calls[-1], event):
            name = "" if isinstance(event, e.ToolArgumentsDelta) else event.name
            call = ToolItem(event.call_id, name)
            if isinstance(event, e.ToolCallStarted):
                call.is_text_borne = event.origin == "text"
            calls.append(call)
            self.last_call = max(self.last_call, call_number(event.call_id))
            self._append(attempt, call)
        call = calls[-1]
        call.revision += 1
        if isinstance(event, e.ToolArgumentsDelta):
            self._stream(attempt, at)
            call.add_arguments(event.json)
        elif isinstance(event, e.ToolCallRequested):
            call.name, call.arguments, call.state = event.name, event.arguments, "requested"
            call.started_at = at

    def _run_call(
        self,
        at: float,
        event: e.ApprovalRequested
        | e.ApprovalGiven
        | e.ApprovalDenied
        | e.ToolOutputDelta
        | e.ToolCallFinished,
    ) -> None:
        call = self.call(event.call_id)
        if call is None:
            return
        call.revision += 1
        match event:
            case e.ApprovalRequested(_, _, summary):
                call.state, call.approval = "needs_approval", summary
            case e.ApprovalGiven():
                call.state, call.started_at, call.is_decided = "running", at, True
            case e.ApprovalDenied():
                call.state, call.denied, call.is_decided = "running", True, True
            case e.ToolOutputDelta(_, _, text):
                call.state = "running"
                call.add_output(text)
            case e.ToolCallFinished(_, output, error, exit_code, seconds):
                call.state, call.output, call.error = "finished", output, error
                call.exit_code, call.seconds = exit_code, seconds

    def _hosted(self, attempt: Attempt, event: e.HostedTool) -> None:
        name, given, output = event.name, event.input, event.output
        call_id = event.call_id or ""
        key = call_id or f"\0{name}\0{given}"
        item = self._hosted_calls.get(key)
        if item is None:
            item = self._hosted_calls[key] = HostedItem(name, given, output, call_id)
            self.last_call = max(self.last_call, call_number(call_id))
            self._append(attempt, item)
            return
        item.name, item.input = name or item.name, given or item.input
        item.output = output or item.output
        item.revision += 1

    def _stream(self, attempt: Attempt, at: float) -> None:
        if attempt.first_content_at is None:
            attempt.first_content_at = at
            if attempt.ttft is None and attempt.request_sent_at is not None:
                attempt.ttft = at - attempt.request_sent_at

    def _close_response(self, attempt: Attempt, at: float) -> None:
        if attempt.first_content_at is not None:
            attempt.streaming_seconds += at - attempt.first_content_at
            attempt.first_content_at = None
        if attempt._turn_usage is not None:
            attempt._finished_usage.add(attempt._turn_usage)
            attempt._turn_usage = None
        for item in attempt.items:
            if isinstance(item, HostedItem) and not item.closed:
                item.closed, item.revision = True, item.revision + 1
        if sources := attempt.take_sources():
            self._append(attempt, SourcesItem(sources))
        self._close_last(attempt)

    def _end(self, at: float, event: e.Ending) -> None:
        self.ended_at, self.ending = at, event
        attempt = self.attempt
        if attempt is None or attempt.ended_at is not None:
            return
        attempt.ended_at = at
        self._close_response(attempt, at)
        self._stop_calls(attempt)
        match event:
            case e.TicketFailed(kind, message, retryable):
                attempt.error = AttemptError(kind, message, retryable)
                self._note(attempt, "error", f"{kind.replace('_', ' ')}: {message}")
            case e.TicketCancelled():
                self._note(attempt, "end", "cancelled")
            case e.TicketLimited(limit):
                self._note(attempt, "end", f"stopped: reached {_SETTINGS[limit]}")
            case e.TicketBlocked(reason):
                self._note(attempt, "end", f"blocked: {reason}")
            case e.TicketInterrupted():
                self._note(attempt, "end", "interrupted")
            case e.TicketDone():
                pass

    def _stop_calls(self, attempt: Attempt) -> None:
        for call in attempt.tools:
            if call.state not in ("finished", "written"):
                call.state, call.revision = "stopped", call.revision + 1

    def _text_item(self, attempt: Attempt) -> TextItem:
        last = attempt.items[-1] if attempt.items else None
        if isinstance(last, TextItem) and not last.closed:
            return last
        item = TextItem()
        self._append(attempt, item)
        return item

    def _reasoning_item(self, attempt: Attempt, at: float) -> ReasoningItem:
        last = attempt.items[-1] if attempt.items else None
        if isinstance(last, ReasoningItem) and not last.closed:
            return last
        item = ReasoningItem(started_at=at)
        self._append(attempt, item)
        return item

    def _note(self, attempt: Attempt, kind: NoteKind, message: str) -> None:
        self._append(attempt, NoteItem(kind, message))

    def _append(self, attempt: Attempt, item: Item) -> None:
        self._close_last(attempt)
        attempt.items.append(item)

    def _close_last(self, attempt: Attempt) -> None:
        """Close the last item: nothing more can be added to it."""
        match attempt.items[-1] if attempt.items else None:
            case TextItem() | ReasoningItem() as last:
                last.closed = True
                last.revision += 1
            case ToolItem(is_text_borne=True, state="arriving") as call:
                call.state, call.revision = "written", call.revision + 1
            case _:
                pass


def _goes_on(
    call: ToolItem, event: e.ToolCallStarted | e.ToolArgumentsDelta | e.ToolCallRequested
) -> bool:
    """Return True if the event is about this call, and not about a later one of the same id."""
    match event:
        case e.ToolCallStarted():
            return False
        case e.ToolArgumentsDelta():
            return call.state not in ("finished", "stopped")
        case e.ToolCallRequested():
            return call.state in ("arriving", "written")
