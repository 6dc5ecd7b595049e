"""The table of moves: what may follow what."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import IllegalMoveError
from lfgtui.model import events as e
from lfgtui.model.states import ENDED, MOVES, RUNNING, State, StateMachine, next_state
from tests.vocabulary import BY_KIND, KINDS, any_event, legal, lives

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


def test_every_event_has_a_row_but_resumed_which_goes_back() -> None:
    assert MOVES.keys() == set(KINDS) - {e.Resumed}


def test_every_state_runs_has_ended_or_is_queued() -> None:
    assert ENDED | RUNNING | {"queued"} == set(STATES)
    assert not ENDED & RUNNING


@pytest.mark.parametrize("state", sorted(ENDED))
@given(event=any_event)
def test_an_ended_ticket_is_left_by_queueing_it_alone(state: State, event: e.Event) -> None:
    if isinstance(event, e.TicketQueued):
        assert next_state(state, event) == "queued"
    else:
        with pytest.raises(IllegalMoveError):
            next_state(state, event)


@given(any_event)
def test_a_life_begins_queued(event: e.Event) -> None:
    if isinstance(event, e.TicketQueued):
        assert next_state(None, event) == "queued"
    else:
        with pytest.raises(IllegalMoveError, match="from nothing"):
            next_state(None, event)


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
def test_what_has_not_ended_can_always_be_cancelled_interrupted_or_fail(
    state: State, ending: e.Event
) -> None:
    assert next_state(state, ending) in ENDED


@given(any_event, st.sampled_from(STATES))
def test_a_move_is_in_the_table_or_names_event_and_state(event: e.Event, state: State) -> None:
    if isinstance(event, e.Resumed):
        is_legal = state == "paused"
    else:
        is_legal = state in MOVES[type(event)][0]
    if is_legal:
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


def test_a_plain_answer() -> None:
    ticket = StateMachine()
    states = [ticket.apply(event) for event in (QUEUED, STARTED, SENT, TEXT, FINISHED)]
    assert states == ["queued", "starting", "waiting", "streaming", "streaming"]
    assert ticket.apply(e.TicketDone("end")) == "done"


def test_a_response_that_asked_for_tools_leaves_them_due() -> None:
    ticket = machine(QUEUED, STARTED, SENT, REQUESTED)
    assert ticket.apply(e.ResponseFinished(1, "tool_use")) == "running_tool"
    assert ticket.apply(e.ToolOutputDelta("1", "stdout", "x")) == "running_tool"
    assert ticket.apply(e.ToolCallFinished("1", "x", None, 0, 0.1)) == "running_tool"
    assert ticket.apply(e.RequestSent(2)) == "waiting"
    assert machine(QUEUED, STARTED, SENT, FINISHED).state == "streaming"


def test_calls_of_an_earlier_response_are_not_due_again() -> None:
    ticket = machine(QUEUED, STARTED, SENT, REQUESTED, FINISHED, e.RequestSent(2), TEXT)
    assert ticket.apply(e.ResponseFinished(2, "end")) == "streaming"


def test_usage_may_come_after_the_response_that_asked_for_tools() -> None:
    ticket = machine(QUEUED, STARTED, SENT, REQUESTED, FINISHED)
    assert ticket.apply(e.Usage(1, 1)) == "running_tool"


@pytest.mark.parametrize("answer", [e.ApprovalGiven("1"), e.ApprovalDenied("1", "no")])
def test_an_approval_is_waited_for_and_answered(answer: e.Event) -> None:
    ticket = machine(QUEUED, STARTED, SENT, REQUESTED, FINISHED)
    assert ticket.apply(e.ApprovalRequested("1", "write_file", "x")) == "needs_approval"
    assert ticket.apply(answer) == "running_tool"


@pytest.mark.parametrize(
    "before",
    [
        [QUEUED],
        [QUEUED, STARTED],
        [QUEUED, STARTED, SENT, REQUESTED, FINISHED],
        [QUEUED, STARTED, SENT, e.Retrying("busy", 1.0, 2)],
    ],
)
def test_a_pause_leads_back_to_where_it_began(before: list[e.Event]) -> None:
    ticket = machine(*before)
    state = ticket.state
    assert ticket.apply(e.Paused()) == "paused"
    assert ticket.apply(e.Status("still paused")) == "paused"
    assert ticket.apply(e.Resumed()) == state


@pytest.mark.parametrize("before", [[SENT], [SENT, TEXT]])
def test_a_response_is_not_held_in_the_middle(before: list[e.Event]) -> None:
    with pytest.raises(IllegalMoveError):
        machine(QUEUED, STARTED, *before).apply(e.Paused())


def test_a_retry_is_a_new_attempt() -> None:
    ticket = machine(QUEUED, STARTED, SENT, TEXT)
    assert ticket.apply(e.Retrying("cut", 1.0, 2)) == "retrying"
    assert ticket.apply(e.FailedOver("a/b", "c/d")) == "retrying"
    assert ticket.apply(STARTED) == "starting"
