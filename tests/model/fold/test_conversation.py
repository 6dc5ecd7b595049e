"""What goes back to the model, from events alone."""

import pytest
from hypothesis import given

from lfgtui.model import events as e
from lfgtui.model.fold.call_ids import messages_for
from lfgtui.model.fold.conversation import (
    CallPart,
    Conversation,
    ItemPart,
    Message,
    ModelTurn,
    ReasoningPart,
    Session,
    TextPart,
    ToolResult,
    UserTurn,
)
from tests.helpers.any_events import lives

BEGIN: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("p", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
]
CALL = e.ToolCallRequested("1", "read_file", {"path": "x"})
FINISHED = e.ResponseFinished(1, "end")
GO = UserTurn("Go.")


def told(*events: e.Event) -> Conversation:
    """The conversation after the beginning and the events."""
    conversation = Conversation()
    for seq, event in enumerate([*BEGIN, *events], 1):
        conversation.apply(event, seq)
    return conversation


HALF: list[e.Event] = [e.ReasoningDelta("Hm."), e.TextDelta("Half an "), e.TextDelta("ans")]
CUT = e.Retrying("cut", 0.0, 2, "cut")
GOES_ON = e.AttemptStarted("p", "m", continues=True)
KEEPS = e.AttemptStarted("p", "m", True, keeps_partial=True)
SIGNED = e.ProviderItem("anthropic", {"signature": "y"})
SIGNATURE = ItemPart("anthropic", {"signature": "y"}, "p")
ASKED = CallPart("1", "read_file", {"path": "x"}, "1", "p")
FAILED_CALL = e.ToolCallFinished("1", "no such file", "x", None, 0.1)
REMARKS: list[e.Event] = [
    e.Status("slow"),
    e.Citation("https://example.com"),
    e.Usage(1, 1),
    e.HostedTool("web_search", "q", "a"),
    e.ConflictDetected("x", ("b",)),
]
STORIES: dict[str, tuple[list[e.Event], list[Message]]] = {
    "an answer is one text however it was cut": (
        [e.TextDelta("Good "), e.TextDelta("day."), FINISHED],
        [GO, ModelTurn((TextPart("Good day."),))],
    ),
    "parts keep the order in which they streamed, opaque items stay between": (
        [
            *(e.ReasoningDelta("Let "), e.ReasoningDelta("me."), SIGNED, e.ReasoningDelta("Hm.")),
            *(e.TextDelta("I look."), CALL, e.TextDelta("So."), FINISHED),
        ],
        [
            GO,
            ModelTurn(
                (
                    *(ReasoningPart("Let me."), SIGNATURE, ReasoningPart("Hm.")),
                    *(TextPart("I look."), ASKED, TextPart("So.")),
                )
            ),
        ],
    ),
    "what is for the person is not for the model": (
        [*REMARKS, e.TextDelta("Hi."), FINISHED],
        [GO, ModelTurn((TextPart("Hi."),))],
    ),
    "a failed call is marked": (
        [CALL, FINISHED, FAILED_CALL],
        [GO, ModelTurn((ASKED,)), ToolResult("1", "no such file", failed=True)],
    ),
    "a response that did not finish is left out": (
        [e.TextDelta("Half"), e.RequestSent(1), e.TextDelta("Whole."), FINISHED],
        [GO, ModelTurn((TextPart("Whole."),))],
    ),
    "a partial is left out": ([*HALF, CUT, GOES_ON], [GO]),
    "unless the next attempt goes on from it": (
        [*HALF, CUT, KEEPS],
        [GO, ModelTurn((TextPart("Half an ans"),), is_cut=True)],
    ),
    "but never from a response that called a tool": ([*HALF, CALL, CUT, KEEPS], [GO]),
    "a new attempt starts over": ([CALL, FINISHED, CUT, e.AttemptStarted("p", "m")], []),
    "unless it continues": ([CALL, FINISHED, CUT, GOES_ON], [GO, ModelTurn((ASKED,))]),
}


@pytest.mark.parametrize(("events", "messages"), STORIES.values(), ids=STORIES)
def test_messages_follow_from_events(events: list[e.Event], messages: list[Message]) -> None:
    conversation = told(*events)
    assert conversation.messages == messages
    finished = [turn for turn in messages if isinstance(turn, ModelTurn) and not turn.is_cut]
    assert conversation.responses == len(finished)


def test_answers_of_needed_tickets_stand_before_the_prompt_each_in_a_tag() -> None:
    message = e.UserMessage("Build it.", {"schema": "Two tables.\n", "api": "Three calls."})
    (turn,) = told(*BEGIN[:2], message).messages
    assert turn == UserTurn(
        '<answer ticket="schema">\nTwo tables.\n</answer>\n\n'
        '<answer ticket="api">\nThree calls.\n</answer>\n\nBuild it.'
    )


def test_what_one_provider_alone_understands_is_not_sent_to_another() -> None:
    secret = e.ProviderItem("openai-chat", {"thought": "x"})
    conversation = told(e.TextDelta("Hi."), secret, SIGNED, FINISHED)
    assert list(messages_for("p", conversation.messages)) == conversation.messages
    (_, turn) = messages_for("other", conversation.messages)
    assert turn == ModelTurn((TextPart("Hi."), SIGNATURE))


def test_calls_without_a_result_are_unanswered_in_order_once_they_are_whole() -> None:
    others = [e.ToolCallRequested(name, "list_files", {}) for name in "23"]
    conversation = told(CALL, *others)
    assert not conversation.unanswered
    conversation.apply(FINISHED, 8)
    assert [call.call_id for call in conversation.unanswered] == ["1", "2", "3"]
    conversation.apply(e.ToolCallFinished("2", "", None, None, 0.1), 9)
    assert [call.call_id for call in conversation.unanswered] == ["1", "3"]
    for event in (FAILED_CALL, e.RequestSent(2), CALL, e.ResponseFinished(2, "tool_use")):
        conversation.apply(event, 10)  # some servers use an id again
    assert [call.call_id for call in conversation.unanswered] == ["1"]


@given(lives())
def test_the_model_is_told_what_finished_and_what_it_goes_on_from(life: list[e.Event]) -> None:
    conversation = Conversation()
    expected: list[str] = []
    current, is_restarted = "", False
    for seq, event in enumerate(life, 1):
        conversation.apply(event, seq)
        if isinstance(event, e.AttemptStarted | e.RestartRequested):
            is_restarted = isinstance(event, e.RestartRequested)
        match event:
            case e.AttemptStarted(continues=False) | e.RestartRequested():
                expected, current = [], ""
            case _ if is_restarted:
                pass
            case e.AttemptStarted() | e.RequestSent():
                current = ""
            case e.TextDelta(text):
                current += text
            case e.ResponseFinished():
                expected.append(current)
                current = ""
            case _:
                pass
    turns = [turn for turn in conversation.messages if isinstance(turn, ModelTurn)]
    assert [turn.text for turn in turns if not turn.is_cut] == expected
    assert conversation.responses == len(expected)


def said(*events: e.Event) -> list[str]:
    """The texts of the messages after these events; responses and results are named."""
    conversation = told(*BEGIN[1:3], *events)  # the first event is entry 7
    named = {ModelTurn: "turn", ToolResult: "result"}
    return [m.text if isinstance(m, UserTurn) else named[type(m)] for m in conversation.messages]


STOP = e.UserMessage("Stop.", origin="person")
LATER, TAKEN = e.UserMessage("Wait.", origin="person"), e.MessageTaken(8)
RESULT = e.ToolCallFinished("1", "", None, None, 0.0)
DONE = [e.RequestSent(1), FINISHED, e.TicketDone("end"), e.TicketQueued()]
OVER, ANEW = e.RestartRequested(), e.AttemptStarted("p", "m")
SENT, PAUSED = e.RequestSent(1), e.ResponseFinished(1, "pause_turn")


@pytest.mark.parametrize(
    ("events", "messages"),
    [
        ([STOP], ["Go.", "Stop."]),
        ([SENT, STOP], ["Go."]),
        ([SENT, STOP, e.TextDelta("Hm."), FINISHED], ["Go.", "turn", "Stop."]),
        ([SENT, CALL, STOP, FINISHED], ["Go.", "turn"]),
        ([SENT, CALL, FINISHED, STOP, RESULT], ["Go.", "turn", "result", "Stop."]),
        ([SENT, STOP, TAKEN], ["Go."]),
        ([SENT, STOP, HALF[1], TAKEN, HALF[2], FINISHED], ["Go.", "Stop.", "turn"]),
        ([SENT, STOP, TAKEN, LATER, FINISHED], ["Go.", "Stop.", "turn", "Wait."]),
        ([SENT, STOP, LATER, e.MessageTaken(9), FINISHED], ["Go.", "Wait.", "turn", "Stop."]),
        ([SENT, STOP, TAKEN, TAKEN, FINISHED], ["Go.", "Stop.", "turn"]),
        ([SENT, STOP, LATER, e.MessageTaken(9), GOES_ON], ["Go.", "Stop.", "Wait."]),
        ([SENT, STOP, TAKEN, *HALF, KEEPS], ["Go.", "Stop.", "turn"]),
        ([SENT, STOP, TAKEN, e.AttemptStarted("p", "m"), e.UserMessage("Go.")], ["Go.", "Stop."]),
        ([SENT, STOP, PAUSED], ["Go.", "turn"]),
        ([SENT, STOP, e.AttemptStarted("p", "m", continues=True)], ["Go.", "Stop."]),
        ([SENT, STOP, e.AttemptStarted("p", "m"), e.UserMessage("Go.")], ["Go.", "Stop."]),
        ([SENT, FINISHED, STOP, e.AttemptStarted("p", "m"), e.UserMessage("Go.")], ["Go."]),
        ([*DONE, STOP], ["Go.", "turn"]),
        ([*DONE[:-1], e.TicketQueued(starts_over=True), STOP], []),
        ([SENT, OVER, HALF[1], FINISHED, STOP], []),
        ([SENT, STOP, OVER, TAKEN, FINISHED, ANEW, e.UserMessage("Go.")], ["Go.", "Stop."]),
        ([SENT, FINISHED, OVER, STOP, ANEW, e.UserMessage("Go.")], ["Go.", "Stop."]),
        ([*DONE, STOP, e.AttemptStarted("p", "m", continues=True)], ["Go.", "turn", "Stop."]),
        ([*DONE, STOP, e.AttemptStarted("p", "m"), e.UserMessage("Go.")], ["Go.", "Stop."]),
    ],
    ids=str,
)
def test_what_one_says_joins_where_it_may(events: list[e.Event], messages: list[str]) -> None:
    assert said(*events) == messages


def session_of(*events: e.Event) -> Session | None:
    conversation = Conversation()
    for seq, event in enumerate(events, 1):
        conversation.apply(event, seq)
    return conversation.sessions.get("claude")


BEGUN = (
    e.TicketQueued(),
    e.AttemptStarted("claude", ""),
    e.UserMessage("Go."),
    e.RequestSent(1),
    e.SessionOpened("s1"),
    e.ToolCallStarted("1", "bash", "agent"),
    e.TextDelta("Half"),
)
WHOLE = (*BEGUN, e.ContextUsed(10, 100, 0.5), e.ResponseFinished(1, "end"))


def test_an_agents_session_is_known_from_its_first_event_on() -> None:
    session = session_of(*BEGUN)
    assert session is not None and session.is_interrupted
    told = (session.session_id, session.told, str(session.said), session.calls)
    assert told == ("s1", 1, "Half", 1)


def test_a_whole_response_needs_not_be_told_to_the_agent_that_gave_it() -> None:
    session = session_of(*WHOLE, e.UserMessage("And now?", origin="person"))
    assert session is not None and not session.is_interrupted
    assert (session.told, session.cost) == (2, 0.5)


def test_a_session_lives_over_attempts_and_ends_with_a_start_from_the_prompt() -> None:
    again = e.AttemptStarted("claude", "", continues=True)
    session = session_of(*WHOLE, e.TicketDone("end"), e.TicketQueued(), again)
    assert session is not None and session.session_id == "s1"
    assert session_of(*WHOLE, e.TicketDone("end"), e.TicketQueued(starts_over=True)) is None


def test_the_calls_of_an_agent_are_no_messages() -> None:
    conversation = Conversation()
    finished = e.ToolCallFinished("1", "out", None, 0, 0.1)
    for seq, event in enumerate((*BEGUN, finished, e.ResponseFinished(1, "end")), 1):
        conversation.apply(event, seq)
    assert conversation.messages == [UserTurn("Go."), ModelTurn((TextPart("Half"),))]
    assert not conversation.unanswered
