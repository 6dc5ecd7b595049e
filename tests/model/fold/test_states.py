"""The table of moves: what may follow what."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import IllegalMoveError
from lfgtui.model import events as e
from lfgtui.model.fold.states import ENDED, MOVES, RUNNING, State, StateMachine
from tests.helpers.any_events import BY_KIND, KINDS, any_event, legal, lives

STATES: tuple[State, ...] = get_args(State)
ENDINGS: tuple[type[e.Event], ...] = tuple(e.Ending.__subclasses__())

QUEUED = e.TicketQueued()
STARTED = e.AttemptStarted("p", "m")
SENT = e.RequestSent(1)
TEXT = e.TextDelta("Hi.")
REQUESTED = e.ToolCallRequested("1", "read_file", {})
FINISHED = e.ResponseFinished(1, "end")


def machine(*events: e.Event) -> StateMachine:
    """A ticket after the events."""
    made = StateMachine()
    for event in events:
        made.apply(event)
    return made


def next_state(state: State | None, event: e.Event) -> State:
    made = StateMachine()
    made.state = state
    return made.apply(event)


def test_every_event_has_a_row() -> None:
    assert MOVES.keys() == set(KINDS)


def test_every_state_runs_has_ended_or_is_queued() -> None:
    assert ENDED | RUNNING | {"queued"} == set(STATES)
    assert not ENDED & RUNNING


_AT_ANY_TIME = (
    *(e.RuleWithdrawn, e.ChoiceMade, e.ChangesCounted, e.RunLimitsSet, e.CommandTaken),
    *(e.ConflictDetected, e.ContradictionFound, e.WorktreeDiscarded),
    *(e.WorktreeOpened, e.BaseRecorded, e.GuardTripped, e.LateEntries),
)


@pytest.mark.parametrize("state", [None, *sorted(ENDED)])
@given(event=any_event)
def test_a_life_begins_and_begins_anew_by_queueing(state: State | None, event: e.Event) -> None:
    if isinstance(event, e.TicketQueued):
        assert next_state(state, event) == "queued"
    elif isinstance(event, _AT_ANY_TIME) and state is not None:
        assert next_state(state, event) == state
    elif isinstance(event, e.TicketFailed) and state == "done":
        assert next_state(state, event) == "failed"
    else:
        with pytest.raises(IllegalMoveError):
            next_state(state, event)


@pytest.mark.parametrize("kind", ENDINGS)
@given(data=st.data())
def test_every_ending_ends(kind: type[e.Event], data: st.DataObject) -> None:
    allowed, target = MOVES[kind]
    assert target in ENDED
    for state in allowed:
        assert next_state(state, data.draw(BY_KIND[kind])) == target


@pytest.mark.parametrize("state", sorted({"queued", *RUNNING}))
@pytest.mark.parametrize(
    "ending", [e.TicketCancelled(), e.TicketInterrupted(), e.TicketFailed("internal", "x", False)]
)
def test_what_has_not_ended_can_end_in_every_way(state: State, ending: e.Event) -> None:
    assert next_state(state, ending) in ENDED


@given(any_event, st.sampled_from(STATES))
def test_a_move_is_in_the_table_or_names_event_and_state(event: e.Event, state: State) -> None:
    if state in MOVES[type(event)][0]:
        assert next_state(state, event) in STATES
    else:
        with pytest.raises(IllegalMoveError, match=f"{e.event_type(event)} .* in state {state}$"):
            next_state(state, event)


@given(lives())
def test_from_wherever_a_life_gets_there_is_a_way_on(life: list[e.Event]) -> None:
    assert legal(machine(*life))


@given(lives(), any_event)
def test_an_illegal_event_leaves_the_state_as_it_was(life: list[e.Event], event: e.Event) -> None:
    ticket = machine(*life)
    before = ticket.state
    try:
        ticket.apply(event)
    except IllegalMoveError:
        assert ticket.state == before


TOOL_DONE = e.ToolCallFinished("1", "x", None, 0, 0.1)
ASKED = e.ApprovalRequested("1", "write_file", "x")
BEGUN: list[tuple[e.Event, State]] = [(QUEUED, "queued"), (STARTED, "starting"), (SENT, "waiting")]
CALLED: list[tuple[e.Event, State]] = [*BEGUN, (REQUESTED, "streaming"), (FINISHED, "running_tool")]
PARKED = e.Parked("p", 5000.0, "full")
LIVES: dict[str, list[tuple[e.Event, State]]] = {
    "a plain answer": [
        *BEGUN, (TEXT, "streaming"), (FINISHED, "streaming"), (e.TicketDone("end"), "done"),
    ],
    "a tool, due once": [
        *CALLED,
        (e.Usage(1, 1), "running_tool"),
        (e.ToolOutputDelta("1", "stdout", "x"), "running_tool"),
        (TOOL_DONE, "running_tool"),
        (e.RequestSent(2), "waiting"),
        (TEXT, "streaming"),
        (e.ResponseFinished(2, "end"), "streaming"),
    ],
    "approved": [*CALLED, (ASKED, "needs_approval"), (e.ApprovalGiven("1"), "running_tool")],
    "denied": [*CALLED, (ASKED, "needs_approval"), (e.ApprovalDenied("1", ""), "running_tool")],
    "a retry elsewhere": [
        *BEGUN,
        (e.Retrying("cut", 1.0, 2), "retrying"),
        (e.FailedOver("a/b", "c/d"), "retrying"),
        (STARTED, "starting"),
    ],
    "parked for a limit": [*BEGUN, (PARKED, "retrying"), (QUEUED, "queued"), (STARTED, "starting")],
    "parked behind another": [
        (QUEUED, "queued"),
        (PARKED, "retrying"),
        (PARKED, "retrying"),
        (e.TicketInterrupted(), "interrupted"),
        (QUEUED, "queued"),
        (PARKED, "retrying"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_a_life(life: list[tuple[e.Event, State]]) -> None:
    ticket = StateMachine()
    assert [ticket.apply(event) for event, _ in life] == [state for _, state in life]


@pytest.mark.parametrize(
    "before",
    [
        [QUEUED],
        [QUEUED, STARTED],
        [QUEUED, STARTED, SENT, TEXT, FINISHED],
        [QUEUED, STARTED, SENT, REQUESTED, FINISHED],
        [QUEUED, STARTED, SENT, e.Retrying("busy", 1.0, 2)],
        [QUEUED, PARKED],
    ],
)
def test_a_pause_leads_back_to_where_it_began(before: list[e.Event]) -> None:
    ticket = machine(*before)
    state = ticket.state
    assert ticket.apply(e.Paused()) == "paused"
    assert ticket.apply(e.Status("still paused")) == "paused"
    assert ticket.apply(e.Resumed()) == state


def test_a_request_that_is_out_is_not_held() -> None:
    with pytest.raises(IllegalMoveError):
        machine(QUEUED, STARTED, SENT).apply(e.Paused())


AGENT = (e.TicketQueued(), e.AttemptStarted("p", ""), e.RequestSent(1))


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((e.ApprovalRequested("1", "x", ""),), "needs_approval"),
        ((e.ApprovalRequested("1", "x", ""), e.TextDelta("a")), "needs_approval"),
        ((e.ApprovalRequested("1", "x", ""), e.ApprovalGiven("1")), "running_tool"),
        ((e.ApprovalGiven("1"), e.ToolRunStarted("1"), e.TextDelta("a")), "streaming"),
        ((e.ToolRunStarted("1"), e.ToolCallFinished("1", "", None, 0, 0.0)), "streaming"),
        (
            (
                e.ApprovalRequested("1", "x", ""),
                e.ApprovalRequested("2", "x", ""),
                e.ApprovalDenied("1", ""),
                e.ToolRunStarted("3"),
            ),
            "needs_approval",
        ),
        ((e.ToolCallRequested("1", "x", {}, origin="agent"), e.ResponseFinished(1, "end")), None),
        ((e.ApprovalRequested("1", "x", ""), e.ResponseFinished(1, "stopped")), None),
    ],
)
def test_an_agent_asks_and_runs_its_tools_within_its_response(
    events: tuple[e.Event, ...], state: State | None
) -> None:
    machine = StateMachine()
    for event in (*AGENT, *events):
        machine.apply(event)
    assert machine.state == (state or "streaming")
