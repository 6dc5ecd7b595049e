"""The states a ticket can be in and the moves between them.

A ticket is a small machine driven by its own events:

    queued -> starting -> waiting -> streaming <-> running_tool -> waiting ...
                 ^                                 needs_approval
                 └──────── retrying                paused

and six ends. `waiting` means a request is out and nothing has come back;
`streaming` that content has; `running_tool` that lfg's side is at work.
Nothing but an event moves a ticket, and every legal move is a row of `MOVES`:
an event, the states it may find, the state it leaves (None: the same).
Anything else is a bug of ours, and says so by name (`IllegalMoveError`).

An ended ticket goes back to `queued` by a retry or a resume; a blocked one
also when what it needed ends well after all. `stalled` is no state but a
flag that the clock sets (`metrics`), since no event says that nothing came.

The shape of this file is h11's: one table, one function, one small machine.
"""

from typing import Literal

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

ENDED: frozenset[State] = frozenset(
    {"done", "failed", "cancelled", "limit", "blocked", "interrupted"}
)
RUNNING: frozenset[State] = frozenset(
    {"starting", "waiting", "streaming", "running_tool", "needs_approval", "retrying", "paused"}
)

_OPEN: frozenset[State] = RUNNING | {"queued"}
_REQUEST_OUT: frozenset[State] = frozenset({"waiting", "streaming"})
_AT_WORK: frozenset[State] = frozenset({"running_tool", "starting"})
_TOOLS_DUE: frozenset[State] = frozenset({"running_tool", "needs_approval", "starting"})
_HOLDABLE: frozenset[State] = frozenset({"queued", "starting", "running_tool", "retrying"})

_Move = tuple[frozenset[State], State | None]

_CONTENT: _Move = (_REQUEST_OUT, "streaming")
_REMARK: _Move = (_OPEN, None)

MOVES: dict[type[e.Event], _Move] = {
    # a provider's stream
    e.TextDelta: _CONTENT,
    e.ReasoningDelta: _CONTENT,
    e.Citation: _CONTENT,
    e.ToolCallStarted: _CONTENT,
    e.ToolArgumentsDelta: _CONTENT,
    e.ToolCallRequested: _CONTENT,
    e.HostedTool: _CONTENT,
    e.HostedOutputDelta: _CONTENT,
    e.ProviderItem: _CONTENT,
    e.ResponseFinished: (_REQUEST_OUT, "streaming"),
    e.Usage: (_REQUEST_OUT | {"running_tool"}, None),
    e.Heartbeat: (_REQUEST_OUT, None),
    # the agent loop
    e.UserMessage: (frozenset({"starting", "running_tool", "streaming"}), None),
    e.RequestSent: (frozenset({"starting", "running_tool", "streaming"}), "waiting"),
    e.ApprovalRequested: (_AT_WORK, "needs_approval"),
    e.ApprovalGiven: (frozenset({"needs_approval"}), "running_tool"),
    e.ApprovalDenied: (frozenset({"needs_approval"}), "running_tool"),
    e.ToolOutputDelta: (_AT_WORK, "running_tool"),
    e.ToolCallFinished: (_TOOLS_DUE, None),
    # the engine
    e.TicketQueued: (ENDED, "queued"),
    e.AttemptStarted: (frozenset({"queued", "retrying"}), "starting"),
    e.Retrying: (RUNNING - {"retrying", "paused"}, "retrying"),
    e.FailedOver: (frozenset({"retrying"}), None),
    e.Paused: (_HOLDABLE, "paused"),
    e.Status: _REMARK,
    e.GuardTripped: _REMARK,
    e.ConflictDetected: _REMARK,
    # the ends
    e.TicketDone: (frozenset({"starting", "streaming", "running_tool"}), "done"),
    e.TicketFailed: (_OPEN, "failed"),
    e.TicketCancelled: (_OPEN, "cancelled"),
    e.TicketLimited: (RUNNING, "limit"),
    e.TicketBlocked: (_OPEN, "blocked"),
    e.TicketInterrupted: (_OPEN, "interrupted"),
}


def next_state(
    state: State | None, event: e.Event, *, held: State = "starting", calls_due: bool = False
) -> State:
    """The state after the event; raises `IllegalMoveError` where there is none.

    `state` is None before a ticket's first event. `held` is where a pause
    began and a `Resumed` leads back; `calls_due` tells whether the response
    that just finished asked for tools.
    """
    if state is None:
        if isinstance(event, e.TicketQueued):
            return "queued"
        raise IllegalMoveError(state, e.event_type(event))
    if isinstance(event, e.Resumed):
        if state == "paused":
            return held
        raise IllegalMoveError(state, e.event_type(event))
    allowed, target = MOVES[type(event)]
    if state not in allowed:
        raise IllegalMoveError(state, e.event_type(event))
    if isinstance(event, e.ResponseFinished) and calls_due:
        return "running_tool"
    return target or state


class StateMachine:
    """A ticket's state, moved by its events: what the table needs remembered."""

    def __init__(self) -> None:
        self.state: State | None = None
        self._held: State = "starting"
        self._calls_due = False

    def apply(self, event: e.Event) -> State:
        """Move; returns the new state, raises `IllegalMoveError` where there is none."""
        before = self.state
        after = next_state(before, event, held=self._held, calls_due=self._calls_due)
        if isinstance(event, e.Paused) and before is not None:
            self._held = before
        elif isinstance(event, e.ToolCallRequested):
            self._calls_due = True
        elif isinstance(event, e.RequestSent | e.AttemptStarted):
            self._calls_due = False
        self.state = after
        return after
