"""The states a ticket can be in, the moves between them, and their signs.

A ticket is a small machine driven by its own events:

    queued -> starting -> waiting -> streaming <-> running_tool -> waiting ...
                 ^                                 needs_approval
                 └──────── retrying                paused

and six ends. `waiting` means that a request is out and nothing has come back;
`streaming` that content has; `running_tool` that lfg's side is at work. An agent
runs its tools and asks within its response, so these states alternate there.
Only events move a ticket, and every legal move is a row of `MOVES`: an event, the
states in which it may come, and the state that follows (None: the same).
Any other move is a bug of ours: `IllegalMoveError`.

An ended ticket goes back to `queued` by a retry or a resume; a blocked one also
when the ticket it needs is done after all. A parked one is `retrying` until its
provider's limit ends, and then `queued`, since its attempt has ended. `stalled` is not
a state but a flag that the clock sets (`metrics`), since no event says that nothing
came; nor is `question`, which the fold finds at the end of an answer.

Histories and `--json` hold the names of the states, so they cannot change. The file
is built like h11's state module: one table, one small machine.
"""

from typing import Literal, NamedTuple

from lfgtui.errors import IllegalMoveError
from lfgtui.model import events as e

State = Literal[
    "queued",
    "starting",
    "waiting",
    "streaming",
    "running_tool",
    "needs_approval",
    "retrying",
    "paused",
    "done",
    "failed",
    "cancelled",
    "limit",
    "blocked",
    "interrupted",
]

RunState = Literal["running", "done", "failed", "interrupted"]
"""The states of a run: `done` if all tickets are, `failed` after any other end."""

# A new state belongs to one of these two (only `queued` is in neither), and needs a badge below.
ENDED: frozenset[State] = frozenset(
    {"done", "failed", "cancelled", "limit", "blocked", "interrupted"}
)
RUNNING: frozenset[State] = frozenset(
    {"starting", "waiting", "streaming", "running_tool", "needs_approval", "retrying", "paused"}
)

_States = frozenset[State | None]
_Move = tuple[_States, State | None]


def _any(*states: State | None) -> _States:
    return frozenset(states)


_OPEN: _States = _any(*RUNNING, "queued")
_REQUEST_OUT = _any("waiting", "streaming")
_AT_WORK = _any("running_tool", "starting")  # lfg's side, between two responses
_NEXT_REQUEST = _any("starting", "running_tool", "streaming")  # a request may follow these
_CONTENT: _Move = (_REQUEST_OUT, "streaming")
_REMARK: _Move = (_OPEN, None)

# Many rows allow ended tickets, since the event may come late; the comment says why.
MOVES: dict[type[e.Event], _Move] = {
    # a provider's stream
    e.TextDelta: _CONTENT,
    e.ReasoningDelta: _CONTENT,
    e.Citation: _CONTENT,
    e.ToolCallStarted: _CONTENT,
    e.ToolArgumentsDelta: _CONTENT,
    e.ToolCallRequested: _CONTENT,
    e.FileChange: (_any(*_REQUEST_OUT, *_AT_WORK), None),
    e.PlanChanged: _CONTENT,
    e.SessionOpened: (_REQUEST_OUT, None),
    e.ContextUsed: (_REQUEST_OUT, None),
    e.HostedTool: _CONTENT,
    e.HostedOutputDelta: _CONTENT,
    e.ProviderItem: _CONTENT,
    e.MessageTaken: (_REQUEST_OUT, None),
    e.ResponseFinished: _CONTENT,  # running_tool, if the response asked for tools
    e.Usage: (_any(*_REQUEST_OUT, "running_tool"), None),
    e.Heartbeat: (_any(*_REQUEST_OUT, "running_tool"), None),
    # the agent loop
    e.UserMessage: _REMARK,  # a person may say something at any time
    e.RequestSent: (_NEXT_REQUEST, "waiting"),
    e.AnswerReused: (_NEXT_REQUEST, "waiting"),
    e.ResponseStarted: (_REQUEST_OUT, None),
    e.ContextCompacted: (  # also once the provider refused the request as too long
        _any(*_NEXT_REQUEST, "waiting"),
        "starting",
    ),
    e.ApprovalRequested: (_any(*_AT_WORK, *_REQUEST_OUT), "needs_approval"),
    e.ApprovalGiven: (  # a rule gives it without a request for approval
        _any(*_AT_WORK, *_REQUEST_OUT, "needs_approval"),
        "running_tool",
    ),
    e.ApprovalDenied: (_any("needs_approval"), "running_tool"),
    e.ApprovalWithdrawn: _CONTENT,
    e.ToolRunStarted: (_any(*_AT_WORK, *_REQUEST_OUT), "running_tool"),
    e.ToolOutputDelta: (_any(*_AT_WORK, *_REQUEST_OUT), "running_tool"),
    e.ToolCallFinished: (_any(*_AT_WORK, "needs_approval", *_REQUEST_OUT), None),
    # the engine
    e.TicketQueued: (_any(None, "retrying", *ENDED), "queued"),
    e.RestartRequested: _REMARK,
    e.AttemptStarted: (_any("queued", "retrying"), "starting"),
    e.Retrying: (_any(*RUNNING - {"retrying", "paused"}), "retrying"),
    e.Parked: (_any("queued", *RUNNING - {"paused"}), "retrying"),
    e.FailedOver: (_any("retrying"), None),
    e.Paused: (_NEXT_REQUEST | {"queued", "retrying"}, "paused"),
    e.Resumed: (_any("paused"), None),  # the state in which the pause began
    e.RuleWithdrawn: (_OPEN | ENDED, None),  # a rule of the whole run outlives its ticket
    e.WorktreeOpened: (_OPEN | ENDED, None),  # a worker's files come after its last entry
    e.SetupStarted: (_AT_WORK, "running_tool"),
    e.BaseRecorded: (_OPEN | ENDED, None),
    e.ChangesCounted: (_OPEN | ENDED, None),  # counting ends after the ticket
    e.WorktreeDiscarded: (_OPEN | ENDED, None),
    e.ChoiceMade: (_OPEN | ENDED, None),  # in a retry a copy can lose the choice to another
    e.CommandTaken: (_OPEN | ENDED, None),
    e.LateEntries: (_OPEN | ENDED, None),  # of a lost worker, whatever happened since
    e.RunLimitsSet: (_OPEN | ENDED, None),  # the run may go on after its first ticket
    e.Status: _REMARK,
    e.GuardTripped: (_OPEN | ENDED, None),  # if a worker's files do not come back
    e.ConflictDetected: (_OPEN | ENDED, None),  # found a moment after a command ran
    e.ContradictionFound: (_OPEN | ENDED, None),  # found by a ticket that watches until the end
    # the ends
    e.TicketDone: (_NEXT_REQUEST, "done"),
    e.TicketFailed: (_OPEN | _any("done"), "failed"),  # done by a worker, but its files are lost
    e.TicketCancelled: (_OPEN, "cancelled"),
    e.TicketLimited: (_any(*RUNNING), "limit"),
    e.TicketBlocked: (_OPEN, "blocked"),
    e.TicketInterrupted: (_OPEN, "interrupted"),
}


class StateMachine:
    """A ticket's state, moved by its events; None before the first one."""

    def __init__(self) -> None:
        self.state: State | None = None
        self._held: State | None = None  # the state in which the pause began
        self._calls_due = False  # the response asked for calls that lfg runs
        self._is_responding = False
        self._questions: set[str] = set()  # ids of calls that wait for approval

    def apply(self, event: e.Event) -> State:
        """Return the new state; raise `IllegalMoveError`, unmoved, if no row allows the event."""
        allowed, target = MOVES[type(event)]
        if self.state not in allowed and not self._is_beside_tools(allowed):
            raise IllegalMoveError(self.state, e.event_type(event))
        match event:
            case e.TextDelta():
                pass  # most events are
            case e.Paused():
                self._held = self.state
            case e.Resumed():
                target = self._held
            case e.ToolCallRequested(origin=origin):
                self._calls_due = self._calls_due or origin != "agent"
            case e.ApprovalRequested(call_id):
                self._questions.add(call_id)
            case (
                e.ApprovalGiven(call_id) | e.ApprovalDenied(call_id) | e.ApprovalWithdrawn(call_id)
            ):
                self._questions.discard(call_id)
            case e.ToolCallFinished(call_id):
                self._questions.discard(call_id)
                target = "streaming" if self._is_responding else target
            case e.TurnBegun() | e.AttemptStarted():
                self._calls_due = False
                self._is_responding = isinstance(event, e.TurnBegun)
                self._questions.clear()
            case e.ResponseFinished():
                self._is_responding = False
                self._questions.clear()
                target = "running_tool" if self._calls_due else target
            case _ if target in ENDED or target in ("retrying", "queued"):
                self._is_responding = False
                self._questions.clear()
        if self._questions and target is not None:
            target = "needs_approval"
        self.state = target or self.state
        assert self.state is not None
        return self.state

    def _is_beside_tools(self, allowed: _States) -> bool:
        """Return True for an event of an agent's response that comes while it runs a tool or asks.

        Such a response stays in `running_tool` or `needs_approval` although it is not over.
        """
        is_beside = self._is_responding and self.state in ("running_tool", "needs_approval")
        return is_beside and "streaming" in allowed


class Badge(NamedTuple):
    """A state in a cell or two: a sign, the theme variable of its colour, a word.

    Every sign is one cell wide, and no two states that call for different acts share one.
    """

    sign: str
    colour: str
    word: str


BADGES: dict[State | None, Badge] = {
    None: Badge("·", "faint", "new"),
    "queued": Badge("○", "muted", "queued"),
    "starting": Badge("◌", "primary", "starting"),
    "waiting": Badge("◐", "primary", "waiting"),
    "streaming": Badge("●", "primary", "streaming"),
    "running_tool": Badge("▶", "accent", "tool"),
    "needs_approval": Badge("?", "warning", "approve?"),
    "retrying": Badge("↻", "warning", "retrying"),
    "paused": Badge("‖", "secondary", "paused"),
    "done": Badge("✓", "success", "done"),
    "failed": Badge("✗", "error", "failed"),
    "cancelled": Badge("⊘", "muted", "cancelled"),
    "limit": Badge("⊤", "error", "limit"),
    "blocked": Badge("⊟", "error", "blocked"),
    "interrupted": Badge("!", "error", "interrupted"),
}

IN_WORDS: dict[State | None, str] = {
    "needs_approval": "needs approval",
    "done": "is done",
    "failed": "failed",
    "cancelled": "was cancelled",
    "limit": "reached a limit",
    "blocked": "is blocked",
    "interrupted": "was interrupted",
}
"""Predicates, for notifications, speech and the reason of a blocked ticket ("api" failed). Each
state of `ENDED` needs one."""

PLAN_SIGNS = {"pending": "○", "in_progress": "▶", "completed": "✓"}
"""Signs of the steps of an agent's plan, by status."""

PIN = "◆"
"""Marks a pane or a past run that a person pinned."""

STALLED = Badge("◍", "warning", "stalled")
"""Badge of a ticket from which a sign of life is overdue: `Meter.is_stalled`."""
CHOSEN = Badge("★", "success", "chosen")
"""Badge of a copy that is done and was chosen for the tickets that need it."""
QUESTION = Badge("¿", "warning", "question")
"""Badge of a ticket that is done with an answer that ends in a question."""
GUARD = Badge("⚑", "warning", "guard")
"""Badge of a ticket in which a guard saw something that a person should look at."""
CONFLICT = Badge("≠", "warning", "conflict")
"""Badge of a ticket that is done, and changed a file that another ticket changed."""
