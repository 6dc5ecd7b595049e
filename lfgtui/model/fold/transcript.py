"""`Transcript`: one ticket's entries folded into what it looks like.

Live panes, `lfg show`, resume, replay and export all use this fold, so what is shown later is
what was shown live. It is deliberately dull: most entries append to the newest attempt or
change its last item, and the ticket's state follows the one table in `states`.

Times come from the entries, never from a clock: folding a stored run gives
the figures that were live.
"""

from pathlib import PurePath

from msgspec import UNSET

from lfgtui.errors import RETRYABLE_KINDS, IllegalMoveError
from lfgtui.model import events as e
from lfgtui.model.fold.attempts import FULL_CONTEXT, Attempt, AttemptError
from lfgtui.model.fold.calls import Calls
from lfgtui.model.fold.conversation import Conversation, ModelTurn, UserTurn, with_answers
from lfgtui.model.fold.items import (
    SETUP,
    HostedItem,
    NoteItem,
    PromptItem,
    ReasoningItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.fold.notes import note_of
from lfgtui.model.fold.states import State, StateMachine
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.text.figures import clock_time
from lfgtui.text.markdown_lines import ends_in_question

_CONTENT = (TextItem, ToolItem, HostedItem, PromptItem)  # items that an answer may end with


class Transcript:
    """The fold. `apply` each entry of one ticket in `seq` order; nothing else but `mark_saved`
    writes here. `revision` grows with each entry.

    `workspace` is the folder that the ticket works in: in its `worktree`, once that is open.
    `ending` and `parked` are the events of the ticket's end and of its wait for a limit, until it
    goes on. `unsaved`: some entries may not be in the history. Times are seconds since the epoch.
    """

    def __init__(self, workspace: str = "") -> None:
        self.workspace = workspace
        self.attempts: list[Attempt] = []
        self.conversation = Conversation()
        self.ending: e.Ending | None = None
        self.parked: e.Parked | None = None
        self.parked_at = 0.0
        self.since = 0.0
        """Time at which the ticket came into its state."""
        self.asks = False
        """True for a ticket that is done and whose answer ends in a question to the person."""
        self.is_chosen = False
        """True for the chosen copy; the choice counts only while the copy is done."""
        self.conflict: e.ConflictDetected | e.ContradictionFound | None = None
        """The last conflict with another ticket since this one was queued."""
        self.conflict_at = 0.0
        self.run_limits: RunLimits | None = None
        """Limits of the run, if this is its first ticket: that has the event."""
        self.guard_at: float | None = None
        """When a guard last tripped since the ticket was queued, or since a pause ended."""
        self.worktree: e.WorktreeOpened | None = None
        self.is_set_up = False
        """True once the setup of its worktree succeeded."""
        self.bases: dict[str, e.BaseRecorded] = {}
        """The states of its folders when work in each began, if git knows them, by folder."""
        self.began_at = 0.0
        """When the first of these was recorded; 0 before."""
        self.changes: e.ChangesCounted | None = None
        """The newest count of changes in its folder."""
        self.unsaved = False
        self.last_seq = 0
        self.revision = 0
        self.calls = Calls(workspace)
        self.rules: list[ApprovalRule] = []
        """Rules of approval that were granted in this ticket and are in force."""
        self.unsent: dict[int, PromptItem] = {}
        """Messages of the person that no agent has taken yet, by the `seq` of their entries."""
        self._machine = StateMachine()

    @property
    def state(self) -> State | None:
        """State of the ticket; None before its first entry."""
        return self._machine.state

    @property
    def base(self) -> e.BaseRecorded | None:
        """The state of `workspace` when work there began; if unknown, that of its last folder."""
        bases = list(self.bases.values())
        return self.bases.get(self.workspace, bases[-1] if bases else None)

    @property
    def parked_until(self) -> float | None:
        """Time when a parked ticket goes on; None if it is not parked now.

        `parked` itself stays until the ticket is queued again, so that a resume knows the limit.
        """
        return self.parked.until if self.parked and self.state == "retrying" else None

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt; None while queued for the first time."""
        return self.attempts[-1] if self.attempts else None

    @property
    def can_go_on_from_partial(self) -> bool:
        """True if an answer was cut off in its text, so that another attempt can continue it."""
        calls = self.attempt.tools if self.attempt else ()
        if any(one.state in ("arriving", "requested") and not one.is_text_borne for one in calls):
            return False
        return bool(self.conversation.partial.strip())

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
        call = self.calls.get(call_id)
        return call is not None and call.approval is not None and not call.is_decided

    @property
    def answer(self) -> str:
        """The text of the last response that had any; tickets that need this one get it.

        If that response only continues one before it, that one's text is included.
        """
        text, goes_on = "", False
        for message in reversed(self.conversation.messages):
            if isinstance(message, ModelTurn):
                if text and not (message.is_cut or goes_on):
                    break
                text = message.text + text
            elif text and not (isinstance(message, UserTurn) and not message.is_said):
                break
            goes_on = isinstance(message, ModelTurn)  # no message between: the next one continues
        return text

    def apply(self, entry: e.Entry) -> IllegalMoveError | None:
        """Fold one entry.

        If no row of `MOVES` allows it, that is a bug of ours: the error is returned, and a note
        says so in the attempt, so that a stored run stays readable.
        """
        at, event = entry.at, entry.event
        attempt, before = self.attempt, self.state
        self.last_seq = entry.seq
        self.revision += 1
        try:
            state = self._machine.apply(event)
        except IllegalMoveError as error:
            if attempt is not None:
                attempt.add(NoteItem("error", f"a bug in lfg: {error}"))
            return error
        if state != before:
            self.since = at
        self.unsaved = self.unsaved or not entry.saved
        self.conversation.apply(event, entry.seq)
        if attempt is not None and attempt.ended_at is None:
            attempt.state = state
        if isinstance(event, e.TicketQueued):
            self.ending = self.parked = self.conflict = self.guard_at = None
            self.asks = False
        elif isinstance(event, e.BaseRecorded):
            self.bases.setdefault(event.folder, event)
            self.began_at = self.began_at or at
        elif isinstance(event, e.ChangesCounted):
            self.changes = event
        elif isinstance(event, e.RunLimitsSet):
            self.run_limits = event.limits
        elif isinstance(event, e.RuleWithdrawn):
            self._withdraw(attempt, at, event)
        elif isinstance(event, e.Parked):
            self._park(attempt, at, event)
        elif isinstance(event, e.AttemptStarted):
            self._start_attempt(entry.attempt, at, event)
        elif isinstance(event, e.Ending):
            self.ending = event
            if attempt is not None and attempt.ended_at is None:
                self._end_attempt(attempt, at, event)
        elif isinstance(event, e.UserMessage) and event.origin == "person":
            self.unsent[entry.seq] = PromptItem(event.text, event.text, is_said=True)
        elif attempt is not None:
            self._apply_to_attempt(attempt, at, event)
        self._show_sent()
        return None

    @property
    def own_error(self) -> AttemptError | None:
        """The error of a failed ticket, unless it is that of its last attempt."""
        ending, attempt = self.ending, self.attempt
        if not isinstance(ending, e.TicketFailed):
            return None
        error = AttemptError(ending.kind, ending.message, ending.retryable)
        return None if attempt is not None and attempt.error == error else error

    def _show_sent(self) -> None:
        """Show the person's messages once an agent or a request takes them, or the ticket ends."""
        attempt = self.attempt
        has_ended = self.ending is not None and not self.conversation.starts_over
        if attempt is None or (attempt.ended_at is not None and not has_ended):
            return  # the next attempt shows it
        waiting = () if has_ended else self.conversation.said
        for seq in [seq for seq in self.unsent if seq not in waiting]:
            attempt.add(self.unsent.pop(seq))

    def mark_saved(self) -> None:
        """Note that all entries so far are in the history."""
        self.unsaved = False

    def _park(self, attempt: Attempt | None, at: float, event: e.Parked) -> None:
        self.parked, self.parked_at = event, at
        if attempt is not None and attempt.ended_at is None:
            attempt.error = AttemptError(event.kind, event.reason, retryable=True)
            attempt.state = "failed"
            attempt.end(at)
            note = f"{event.reason}; parked until {clock_time(event.until, at)}"
            attempt.add(NoteItem("retry", note))

    def _withdraw(self, attempt: Attempt | None, at: float, event: e.RuleWithdrawn) -> None:
        self.rules = [rule for rule in self.rules if rule != event.rule]
        if attempt is not None and attempt.ended_at is None:
            self._note(attempt, at, event)

    def _open_worktree(self, event: e.WorktreeOpened) -> None:
        if self.worktree is not None and self.worktree.path != event.path:
            self.bases.clear()  # of folders on the machine of a worker
        self.worktree, self.is_set_up = event, False
        self.workspace = str(PurePath(event.path, event.inside or ""))
        self.bases.pop(self.workspace, None)  # of a discarded worktree in the same folder
        self.calls.workspace = self.workspace

    def _start_attempt(self, number: int, at: float, event: e.AttemptStarted) -> None:
        self.calls.start_attempt(continues=event.continues)
        if not event.continues:
            self.rules = [rule for rule in self.rules if rule.scope == "run"]
        place = (number, event.provider, event.model, event.continues, at)
        attempt = Attempt(*place, keeps_partial=event.keeps_partial is True)
        attempt.context_size = event.context_window or 0
        if event.continues and self.attempts:
            attempt.context = self.attempts[-1].context
            attempt.is_context_remarked = self.attempts[-1].is_context_remarked
        self.attempts.append(attempt)
        if event.worker:
            attempt.add(NoteItem("status", f"on worker {event.worker}"))

    def _end_attempt(self, attempt: Attempt, at: float, event: e.Ending) -> None:
        attempt.end(at)
        self.asks = isinstance(event, e.TicketDone) and self._has_question(attempt)
        if isinstance(event, e.TicketFailed):
            attempt.error = AttemptError(event.kind, event.message, event.retryable)
        self._note(attempt, at, event)

    def _has_question(self, attempt: Attempt) -> bool:
        last = next((i for i in reversed(attempt.items) if isinstance(i, _CONTENT)), None)
        return isinstance(last, TextItem) and ends_in_question(self.answer)

    def _apply_to_attempt(self, attempt: Attempt, at: float, event: e.Event) -> None:
        """Fold an event that the caller has no case for; an event without one here adds nothing."""
        match event:
            case e.TextDelta(text):
                attempt.stream(at, len(text))
                attempt.open_text(TextItem).append(text)
            case e.ReasoningDelta(text):
                attempt.stream(at, len(text))
                item = attempt.open_text(ReasoningItem)
                item.started_at = item.started_at if item.revision else at
                item.append(text)
                item.seconds = at - item.started_at
            case (
                e.ToolCallStarted()
                | e.ToolArgumentsDelta()
                | e.ToolCallRequested()
                | e.ApprovalRequested()
                | e.ApprovalGiven()
                | e.ApprovalDenied()
                | e.ApprovalWithdrawn()
                | e.ToolRunStarted()
                | e.ToolOutputDelta()
                | e.FileChange()
                | e.ToolCallFinished()
                | e.SetupStarted()
                | e.HostedTool()
                | e.HostedOutputDelta()
            ):
                self.calls.apply(attempt, at, event)
                if isinstance(event, e.ApprovalGiven) and event.grants:
                    self.rules = [*self.rules, event.grants]
                elif isinstance(event, e.ToolCallFinished) and event.call_id == SETUP:
                    self.is_set_up = event.error is None and event.exit_code == 0
            case e.PlanChanged(steps):
                attempt.plan(steps)
            case e.ContextUsed(used, size):
                attempt.set_context(used, size)
            case e.RequestSent():
                attempt.begin_response(at)
            case e.ResponseStarted(connect):
                attempt.note_head(at, connect)
            case e.ResponseFinished(_, stop_reason):
                attempt.stop_reason = stop_reason
                attempt.close_response(at, is_finished=stop_reason != e.STOPPED)
            case e.Usage():
                attempt.set_usage(event)
            case e.Citation():
                attempt.open_citations.append(event)
            case e.UserMessage(text, answers, files):
                needs, given = tuple(answers or ()), tuple(files or ())
                attempt.add(PromptItem(with_answers(event), text, needs, files=given))
            case e.Retrying(reason, delay, _, kind, retryable):
                may_help = kind in RETRYABLE_KINDS if retryable is UNSET else retryable
                attempt.error, attempt.state = AttemptError(kind, reason, may_help), "failed"
                attempt.end(at)
                again = f"; retrying in {delay:.3g} s" if delay else ""
                attempt.add(NoteItem("retry", f"{reason}{again}"))
            case _:
                self._note(attempt, at, event)

    def _note(self, attempt: Attempt, at: float, event: e.Event) -> None:
        """Fold an event that only says something to the person, apart from what it changes here."""
        match event:
            case e.ConflictDetected() | e.ContradictionFound():
                self.conflict, self.conflict_at = event, at
            case e.GuardTripped(guard):
                if event.action not in (UNSET, "redact"):
                    self.guard_at = at
                attempt.is_context_remarked |= guard == FULL_CONTEXT
            case e.Resumed():
                self.guard_at = None
            case e.AnswerReused():
                attempt.reuse_answer(event.tokens)
            case e.ContextCompacted(_, tokens):
                attempt.context = max(0, attempt.context - tokens)
            case e.ChoiceMade(chosen):
                self.is_chosen = chosen
            case e.WorktreeOpened():
                self._open_worktree(event)
            case e.WorktreeDiscarded():
                self.worktree = self.changes = None
            case _:
                pass
        if (note := note_of(event)) is not None:
            attempt.add(note)
