"""What goes back to the model, from events alone."""

from hypothesis import given

from lfgtui.model import events as e
from lfgtui.model.conversation import (
    CallPart,
    Conversation,
    ItemPart,
    ModelTurn,
    ReasoningPart,
    TextPart,
    ToolResult,
    UserTurn,
)
from tests.vocabulary import lives

BEGIN: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("p", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
]
CALL = e.ToolCallRequested("1", "read_file", {"path": "x"})
FINISHED = e.ResponseFinished(1, "end")


def told(*events: e.Event) -> Conversation:
    """The conversation after the beginning and the events."""
    conversation = Conversation()
    for event in [*BEGIN, *events]:
        conversation.apply(event)
    return conversation


def test_an_answer_is_one_text_however_it_was_cut() -> None:
    messages = told(e.TextDelta("Good "), e.TextDelta("day."), FINISHED).messages
    assert messages == [UserTurn("Go."), ModelTurn((TextPart("Good day."),))]


def test_a_partial_is_kept_where_the_next_attempt_goes_on_from_it() -> None:
    broken: list[e.Event] = [
        e.ReasoningDelta("Hm."),
        e.TextDelta("Half an "),
        e.TextDelta("ans"),
    ]
    retried: list[e.Event] = [*broken, e.Retrying("cut", 0.0, 2, "cut")]
    conversation = told(*retried)
    assert conversation.partial == "Half an ans"
    conversation.apply(e.AttemptStarted("p", "m", True, keeps_partial=True))
    assert conversation.messages == [
        UserTurn("Go."),
        ModelTurn((TextPart("Half an ans"),), is_cut=True),
    ]
    assert conversation.responses == 0
    assert told(*retried, e.AttemptStarted("p", "m", True)).messages == [UserTurn("Go.")]


def test_what_one_provider_alone_understands_is_not_sent_to_another() -> None:
    secret = e.ProviderItem("openai-chat", {"thought": "x"})
    signed = e.ProviderItem("anthropic", {"signature": "y"})
    conversation = told(e.TextDelta("Hi."), secret, signed, FINISHED)
    (_, turn) = conversation.messages_for("p")
    assert turn == conversation.messages[-1]
    (_, turn) = conversation.messages_for("other")
    assert turn == ModelTurn((TextPart("Hi."), ItemPart("anthropic", {"signature": "y"}, "p")))


def test_a_response_that_called_a_tool_has_no_partial_to_go_on_from() -> None:
    conversation = told(e.TextDelta("I look."), CALL)
    assert conversation.partial == ""
    conversation.apply(e.AttemptStarted("p", "m", True, keeps_partial=True))
    assert conversation.messages == [UserTurn("Go.")]


def test_parts_keep_the_order_in_which_they_streamed() -> None:
    item = e.ProviderItem("anthropic", {"signature": "x"})
    turn = told(
        e.ReasoningDelta("Let "), e.ReasoningDelta("me."), item, e.TextDelta("I look."), CALL,
        e.TextDelta("So."), FINISHED,
    ).messages[-1]  # fmt: skip
    assert turn == ModelTurn(
        (
            ReasoningPart("Let me."),
            ItemPart("anthropic", {"signature": "x"}, "p"),
            TextPart("I look."),
            CallPart("1", "read_file", {"path": "x"}, "1", "p"),
            TextPart("So."),
        )
    )
    assert turn.text == "I look.So."
    assert [call.call_id for call in turn.calls] == ["1"]


def test_reasoning_on_both_sides_of_an_opaque_item_stays_apart() -> None:
    item = e.ProviderItem("anthropic", {})
    turn = told(e.ReasoningDelta("a"), item, e.ReasoningDelta("b"), FINISHED).messages[-1]
    assert isinstance(turn, ModelTurn)
    assert turn.parts == (ReasoningPart("a"), ItemPart("anthropic", {}, "p"), ReasoningPart("b"))


def test_a_response_that_did_not_finish_is_left_out() -> None:
    assert told(e.TextDelta("Half")).messages == [UserTurn("Go.")]
    again = told(e.TextDelta("Half"), e.RequestSent(1), e.TextDelta("Whole."), FINISHED)
    assert again.messages == [UserTurn("Go."), ModelTurn((TextPart("Whole."),))]


def test_a_new_attempt_starts_over_unless_it_continues() -> None:
    broken: list[e.Event] = [e.TextDelta("One."), CALL, FINISHED, e.Retrying("cut", 1.0, 2)]
    afresh = told(*broken, e.AttemptStarted("p", "m"))
    continued = told(*broken, e.AttemptStarted("p", "m", continues=True))
    assert afresh.messages == []
    assert len(continued.messages) == 2
    assert [call.call_id for call in continued.unanswered] == ["1"]


def test_a_failed_call_says_so() -> None:
    conversation = told(CALL, FINISHED, e.ToolCallFinished("1", "no such file", "x", None, 0.1))
    assert conversation.messages[-1] == ToolResult("1", "no such file", failed=True)


def test_calls_without_a_result_are_unanswered_in_order() -> None:
    second = e.ToolCallRequested("2", "list_files", {})
    third = e.ToolCallRequested("3", "list_files", {})
    conversation = told(CALL, second, third, FINISHED)
    assert [call.call_id for call in conversation.unanswered] == ["1", "2", "3"]
    conversation.apply(e.ToolCallFinished("2", "", None, None, 0.1))
    assert [call.call_id for call in conversation.unanswered] == ["1", "3"]


def test_a_call_that_is_still_arriving_is_not_unanswered() -> None:
    assert told(CALL).unanswered == ()


def test_an_id_that_was_used_before_is_unanswered_again() -> None:
    answered: list[e.Event] = [CALL, FINISHED, e.ToolCallFinished("1", "x", None, None, 0.1)]
    conversation = told(*answered, e.RequestSent(2), CALL, e.ResponseFinished(2, "tool_use"))
    assert len(conversation.unanswered) == 1


def test_what_is_for_the_person_is_not_for_the_model() -> None:
    remarks: list[e.Event] = [
        e.Status("slow"),
        e.Citation("https://example.com"),
        e.Usage(1, 1),
        e.ToolOutputDelta("1", "stdout", "x"),
        e.HostedTool("web_search", "q", "a"),
        e.ConflictDetected("x", ("b",)),
    ]
    assert (
        told(*remarks, e.TextDelta("Hi."), FINISHED).messages
        == told(e.TextDelta("Hi."), FINISHED).messages
    )


@given(lives())
def test_the_model_is_told_what_finished_and_what_it_goes_on_from(life: list[e.Event]) -> None:
    conversation = Conversation()
    expected: list[str] = []
    current = ""
    for event in life:
        conversation.apply(event)
        match event:
            case e.AttemptStarted(continues=False):
                expected, current = [], ""
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


def test_answers_of_needed_tickets_stand_before_the_prompt_each_in_a_tag() -> None:
    message = e.UserMessage("Build it.", {"schema": "Two tables.\n", "api": "Three calls."})
    (turn,) = told(*BEGIN[:2], message).messages
    assert turn == UserTurn(
        '<answer ticket="schema">\nTwo tables.\n</answer>\n\n'
        '<answer ticket="api">\nThree calls.\n</answer>\n\nBuild it.'
    )
