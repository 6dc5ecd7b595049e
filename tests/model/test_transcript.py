"""The one fold: entries in, what a ticket looks like out."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import IllegalMoveError
from lfgtui.export.record import ticket_record
from lfgtui.model import events as e
from lfgtui.model.call_ids import call_id, with_wire_ids
from lfgtui.model.conversation import CallPart, Message, ModelTurn, ToolResult
from lfgtui.model.items import (
    Attempt,
    AttemptError,
    HostedItem,
    NoteItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.pieces import merge
from lfgtui.model.states import ENDED
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from tests.helpers.any_events import entries, lives

TICKET = Ticket(id="a", prompt="Go.", workspace=".")
BEGIN: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("p", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
]
CALL = e.ToolCallRequested("1", "read_file", {"path": "x"})
FINISHED = e.ResponseFinished(1, "end")
TOOLS_DUE = e.ResponseFinished(1, "tool_use")


def folded(stored: Sequence[e.Entry]) -> Transcript:
    transcript = Transcript()
    for entry in stored:
        transcript.apply(entry)
    return transcript


def after(*events: e.Event) -> Transcript:
    """The ticket after the beginning (4 entries from 1000.0, a second each) and the events."""
    return folded(entries([*BEGIN, *events]))


def newest(*events: e.Event) -> Attempt:
    """Its newest attempt."""
    attempt = after(*events).attempt
    assert attempt is not None
    return attempt


def notes(attempt: Attempt) -> list[tuple[str, str]]:
    return [(item.kind, item.message) for item in attempt.items if isinstance(item, NoteItem)]


# Rules for every life.


def merged_here_and_there(draw: st.DataObject, stored: list[e.Entry]) -> list[e.Entry]:
    """As batches would have it: some neighbours merged, numbered anew, the first one's time."""
    kept: list[e.Entry] = []
    for entry in stored:
        event, at = entry.event, entry.at
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.attempt == entry.attempt
            and (one := merge(last.event, event)) is not None
            and draw.draw(st.booleans())
        ):
            kept.pop()
            event, at = one, last.at
        kept.append(e.Entry("run", "a", entry.attempt, len(kept) + 1, at, event))
    return kept


@given(lives(), st.data())
def test_whether_deltas_are_merged_does_not_show(life: list[e.Event], data: st.DataObject) -> None:
    plain = folded(entries(life))
    merged = folded(merged_here_and_there(data, entries(life)))
    assert ticket_record("run", TICKET, merged) == ticket_record("run", TICKET, plain)
    assert merged.conversation.messages == plain.conversation.messages
    assert merged.answer == plain.answer
    for one, other in zip(merged.attempts, plain.attempts, strict=True):
        assert [type(item) for item in one.items] == [type(item) for item in other.items]
        assert [str(c.json) for c in one.tools] == [str(c.json) for c in other.tools]
        assert [str(c.live) for c in one.tools] == [str(c.live) for c in other.tools]


@given(lives())
def test_the_text_is_all_visible_text_joined_with_nothing_between(life: list[e.Event]) -> None:
    texts: list[list[str]] = []
    thoughts: list[list[str]] = []
    for event in life:
        match event:
            case e.AttemptStarted():
                texts.append([])
                thoughts.append([])
            case e.TextDelta(text):
                texts[-1].append(text)
            case e.ReasoningDelta(text):
                thoughts[-1].append(text)
            case _:
                pass
    attempts = folded(entries(life)).attempts
    assert [a.text for a in attempts] == ["".join(pieces) for pieces in texts]
    assert [a.reasoning for a in attempts] == ["".join(pieces) for pieces in thoughts]


@given(lives())
def test_after_every_entry_what_is_over_stays_so_and_only_the_last_text_can_grow(
    life: list[e.Event],
) -> None:
    transcript = Transcript()
    ended: dict[int, tuple[str, float]] = {}
    for entry in entries(life):
        before = transcript.revision
        transcript.apply(entry)
        assert transcript.revision > before
        assert transcript.last_seq == entry.seq
        for place, attempt in enumerate(transcript.attempts):
            if attempt.ended_at is not None:
                assert attempt.state in ENDED
                now = (attempt.state, attempt.ended_at)
                assert ended.setdefault(place, now) == now
            else:
                assert attempt is transcript.attempt
                assert attempt.state == transcript.state
            for item in attempt.items[:-1]:
                assert not isinstance(item, TextItem | ReasoningItem) or item.closed


@given(lives(), st.floats(0.001, 1000))
def test_times_come_from_entries_alone(life: list[e.Event], later: float) -> None:
    one = ticket_record("run", TICKET, folded(entries(life)))
    assert one == ticket_record("run", TICKET, folded(entries(life)))
    shifted = [
        e.Entry(s.run, s.ticket, s.attempt, s.seq, s.at + round(later), s.event)
        for s in entries(life)
    ]
    for a, b in zip(folded(entries(life)).attempts, folded(shifted).attempts, strict=True):
        assert (a.ttft, a.tokens_per_second) == (b.ttft, b.tokens_per_second)


# One by one.


def test_before_its_first_entry_there_is_nothing() -> None:
    nothing = Transcript()
    assert (nothing.state, nothing.attempt, nothing.answer) == (None, None, "")


def test_an_illegal_entry_is_a_bug_that_says_so() -> None:
    transcript = after(FINISHED, e.TicketDone("end"))
    entry = e.Entry("run", "a", 1, transcript.last_seq + 1, 1000.0, e.TextDelta("more"))
    assert isinstance(transcript.apply(entry), IllegalMoveError)
    assert transcript.state == "done"
    assert transcript.attempt is not None
    note = transcript.attempt.items[-1]
    assert isinstance(note, NoteItem)
    assert note.message == "a bug in lfg: text_delta is not allowed in state done"


def test_items_stand_in_the_order_of_arrival() -> None:
    attempt = newest(
        e.ReasoningDelta("Hm."),
        e.TextDelta("I look."),
        CALL,
        e.TextDelta("So."),
        e.HostedTool("web_search", "q"),
        TOOLS_DUE,
    )
    assert [type(item) for item in attempt.items] == [
        PromptItem,
        ReasoningItem,
        TextItem,
        ToolItem,
        TextItem,
        HostedItem,
    ]


def test_a_call_grows_runs_and_finishes_in_one_item() -> None:
    attempt = newest(
        e.ToolCallStarted("1", "run_command"),
        e.ToolArgumentsDelta("1", '{"command": '),
        e.ToolArgumentsDelta("1", '"ls"}'),
        e.ToolCallRequested("1", "run_command", {"command": "ls"}),
        TOOLS_DUE,
        e.ApprovalRequested("1", "run_command", "$ ls"),
        e.ApprovalGiven("1"),
        e.ToolOutputDelta("1", "stdout", "a\n"),
        e.ToolOutputDelta("1", "stderr", "b\n"),
        e.ToolCallFinished("1", "a\nb\n", None, 0, 0.5),
    )
    (call,) = attempt.tools
    assert str(call.json) == '{"command": "ls"}'
    assert call.arguments == {"command": "ls"}
    assert (call.approval, call.denied, str(call.live)) == ("$ ls", False, "a\nb\n")
    assert (call.state, call.output, call.exit_code, call.seconds) == ("finished", "a\nb\n", 0, 0.5)


@pytest.mark.parametrize(
    ("then", "waiting", "card"),
    [
        ((), ["1"], ("needs_approval", False)),
        ((e.ApprovalDenied("1", "no"),), [], ("running", True)),
        ((e.TicketCancelled(),), [], ("stopped", False)),
    ],
)
def test_a_call_waits_for_approval_until_it_is_answered_or_its_attempt_ends(
    then: tuple[e.Event, ...], waiting: list[str], card: tuple[str, bool]
) -> None:
    transcript = after(CALL, TOOLS_DUE, e.ApprovalRequested("1", "read_file", "x"), *then)
    assert [call.call_id for call in transcript.waiting_approvals] == waiting
    (call,) = transcript.attempts[0].tools
    assert (call.state, call.denied) == card


def test_a_server_that_uses_an_id_twice_makes_two_calls() -> None:
    again = e.ToolCallRequested("1", "list_files", {})
    attempt = newest(
        CALL,
        TOOLS_DUE,
        e.ToolCallFinished("1", "first", None, None, 0.1),
        e.RequestSent(2),
        again,
        e.ResponseFinished(2, "tool_use"),
        e.ToolCallFinished("1", "second", None, None, 0.1),
    )
    assert [(call.name, call.output) for call in attempt.tools] == [
        ("read_file", "first"),
        ("list_files", "second"),
    ]


def test_a_resumed_attempt_answers_the_calls_of_the_one_before() -> None:
    transcript = after(
        CALL,
        TOOLS_DUE,
        e.TicketInterrupted(),
        e.TicketQueued(),
        e.AttemptStarted("p", "m", continues=True),
        e.ToolCallFinished("1", "interrupted", "interrupted", None, 0.0),
    )
    assert [call.state for call in transcript.attempts[0].tools] == ["finished"]
    assert list(transcript.attempts[1].tools) == []


def test_a_hosted_call_grows_in_its_own_card() -> None:
    attempt = newest(
        e.HostedTool("search", call_id="a"),
        e.HostedTool("search", "q", call_id="a"),
        e.HostedTool("search", "q", call_id="b"),
        e.TextDelta("Meanwhile."),
        e.HostedOutputDelta("a", "fo"),
        e.HostedOutputDelta("a", "und"),
        e.HostedTool("search", output="all of it", call_id="b"),
        e.HostedTool("web_search", "without an id"),
        e.HostedTool("web_search", "without an id", "found too"),
    )
    cards = [i for i in attempt.items if isinstance(i, HostedItem)]
    assert [(c.input, str(c.live), c.output) for c in cards] == [
        ("q", "found", ""),
        ("q", "", "all of it"),
        ("without an id", "", "found too"),
    ]


def test_a_hosted_call_is_closed_with_its_response_and_may_be_answered_in_the_next() -> None:
    asked = (e.HostedTool("search", "q", call_id="a"), FINISHED)
    (card,) = [i for i in newest(*asked).items if isinstance(i, HostedItem)]
    assert card.closed
    late = newest(*asked, e.RequestSent(2), e.HostedTool("search", output="found", call_id="a"))
    assert [i.output for i in late.items if isinstance(i, HostedItem)] == ["found"]


def test_each_source_is_listed_once_when_its_response_ends() -> None:
    cited = e.Citation("https://a.example", "A", "one")
    attempt = newest(
        cited,
        e.TextDelta("So."),
        e.Citation("https://b.example"),
        e.Citation("https://a.example", "A", "two"),
        FINISHED,
    )
    last = attempt.items[-1]
    assert isinstance(last, SourcesItem)
    assert [c.url for c in last.citations] == ["https://a.example", "https://b.example"]
    assert attempt.citations == list(last.citations)


def test_a_call_written_in_the_text_is_shown_and_never_due() -> None:
    call: list[e.Event] = [
        e.ToolCallStarted("t1", "search", origin="text"),
        e.ToolArgumentsDelta("t1", '{"q": 1}'),
    ]
    endings: list[list[e.Event]] = [[e.TextDelta("So.")], [FINISHED], [e.TicketCancelled()]]
    assert [c.state for c in newest(*call).tools] == ["arriving"]
    for ending in endings:
        (written,) = newest(*call, *ending).tools
        assert (written.state, written.is_text_borne) == ("written", True)


def test_usage_of_a_turn_replaces_and_of_turns_adds_up() -> None:
    usage = newest(
        e.Usage(10, 1, cost=0.1),
        e.TextDelta("Hi."),
        e.Usage(10, 5, cached=4, cost=0.5),
        CALL,
        TOOLS_DUE,
        e.RequestSent(2),
        e.Usage(20, 2, cost=0.25),
    ).usage
    assert (usage.input, usage.output, usage.cached, usage.cost) == (30, 7, 4, 0.75)


def test_usage_behind_its_response_counts_once_and_without_a_price_costs_nothing() -> None:
    attempt = newest(CALL, TOOLS_DUE, e.Usage(10, 5), e.ToolCallFinished("1", "", None, None, 0.1))
    assert attempt.usage.output == 5
    usage = newest(e.Usage(10, 5), FINISHED, e.TicketDone("end")).usage
    assert (usage.output, usage.cost) == (5, None)


def test_the_first_token_is_timed_once_an_attempt() -> None:
    attempt = newest(
        e.Heartbeat(),
        e.ReasoningDelta("Hm."),
        CALL,
        TOOLS_DUE,
        e.RequestSent(2),
        e.TextDelta("Hi."),
    )
    assert attempt.ttft == 2.0


def test_the_rate_leaves_waiting_and_tool_time_out() -> None:
    attempt = newest(
        e.TextDelta("a"),  # streams for 4 s
        e.TextDelta("b"),
        CALL,
        e.Usage(1, 20),
        TOOLS_DUE,
        e.ToolOutputDelta("1", "stdout", "x"),
        e.ToolCallFinished("1", "x", None, 0, 1.0),
        e.RequestSent(2),
        e.TextDelta("c"),  # and for 2 s
        e.Usage(1, 10),
        e.ResponseFinished(2, "end"),
    )
    assert attempt.streaming_seconds == 6.0
    assert attempt.tokens_per_second == 5.0


def test_a_broken_attempt_keeps_its_text_its_error_and_its_end() -> None:
    transcript = after(
        e.TextDelta("Half"), e.Retrying("overloaded", 1.5, 2, "overloaded"), e.TicketCancelled()
    )
    (attempt,) = transcript.attempts
    assert (transcript.state, attempt.state) == ("cancelled", "failed")
    assert (attempt.text, attempt.ended_at) == ("Half", 1005.0)
    assert attempt.error == AttemptError("overloaded", "overloaded", retryable=True)
    assert notes(attempt) == [("retry", "overloaded; retrying in 1.5 s")]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((e.Retrying("busy", 1.0, 2), e.FailedOver("a", "b")), "failed"),
        ((e.Retrying("busy", 1.0, 2), e.Paused()), "failed"),
        ((e.Retrying("busy", 1.0, 2), e.Status("x")), "failed"),
        ((e.TicketCancelled(), e.TicketQueued(), e.Paused()), "cancelled"),
    ],
)
def test_what_comes_behind_an_attempt_does_not_bring_it_back(
    events: tuple[e.Event, ...], state: str
) -> None:
    assert newest(*events).state == state


@pytest.mark.parametrize(
    ("ending", "note"),
    [
        (e.TicketFailed("rate_limit", "slow down", True), [("error", "rate limit: slow down")]),
        (e.TicketCancelled(), [("end", "cancelled")]),
        (e.TicketLimited("cost"), [("end", "stopped: reached max_cost")]),
        (e.TicketBlocked("b is missing"), [("end", "blocked: b is missing")]),
        (e.TicketInterrupted(), [("end", "interrupted")]),
        (e.TicketDone("end"), []),
    ],
)
def test_an_ending_is_noted_and_kept_until_the_next_start(
    ending: e.Ending, note: list[tuple[str, str]]
) -> None:
    transcript = after(e.TextDelta("Half"), ending)
    assert transcript.ending == ending
    assert transcript.ended_at == 1005.0
    assert notes(transcript.attempts[0]) == note
    queued = after(e.TextDelta("Half"), ending, e.TicketQueued())
    assert (queued.ending, queued.ended_at, queued.queued_at) == (None, None, 1006.0)


@pytest.mark.parametrize(
    ("events", "answer"),
    [
        (
            [
                *(e.TextDelta("First."), CALL, TOOLS_DUE),
                *(e.ToolCallFinished("1", "", None, None, 0.1), e.RequestSent(2)),
                *(e.ReasoningDelta("Hm."), e.ResponseFinished(2, "end")),
            ],
            "First.",
        ),
        (
            [
                *(e.TextDelta("First half, "), e.ResponseFinished(1, "pause_turn")),
                *(e.RequestSent(2), e.TextDelta("second half."), e.ResponseFinished(2, "end")),
            ],
            "First half, second half.",
        ),
    ],
)
def test_the_answer_is_the_last_finished_response_with_text_over_a_providers_pause(
    events: list[e.Event], answer: str
) -> None:
    assert after(*events).answer == answer


def test_one_unsaved_entry_marks_the_transcript() -> None:
    stored = entries(BEGIN)
    assert not folded(stored).unsaved
    lost = e.Entry("run", "a", 1, 5, 1004.0, e.TextDelta("x"), saved=False)
    transcript = folded([*stored, lost])
    assert transcript.unsaved
    transcript.mark_saved()
    assert not transcript.unsaved


def test_calls_of_an_older_lfg_with_one_id_finish_in_their_order() -> None:
    write = e.ToolCallRequested("x", "write_file", {"path": "x"})
    command = e.ToolCallRequested("x", "run_command", {"command": "ls"})
    attempt = newest(
        *(e.ToolCallStarted("x", "write_file"), write),
        *(e.ToolCallStarted("x", "run_command"), command, TOOLS_DUE),
        *(e.ToolCallFinished("x", "wrote", None, None, 0.1),),
        *(e.ApprovalRequested("x", "run_command", "$ ls"), e.ApprovalGiven("x")),
        e.ToolCallFinished("x", "listed", None, 0, 0.1),
        e.TicketDone("end"),
    )
    assert [(c.name, c.state, c.output, c.approval) for c in attempt.tools] == [
        ("write_file", "finished", "wrote", None),
        ("run_command", "finished", "listed", "$ ls"),
    ]


def test_a_second_request_does_not_change_the_call_that_is_asked_about() -> None:
    attempt = newest(
        e.ToolCallRequested("x", "read_file", {"path": "x"}),
        e.ToolCallRequested("x", "run_command", {"command": "rm -rf ."}),
    )
    assert [(c.name, c.arguments) for c in attempt.tools] == [
        ("read_file", {"path": "x"}),
        ("run_command", {"command": "rm -rf ."}),
    ]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["", "x", "a.b", "a_b", "call00001"]), st.booleans())),
        max_size=4,
    )
)
def test_no_two_calls_go_back_to_a_provider_with_one_id(
    turns: list[list[tuple[str, bool]]],
) -> None:
    messages: list[Message] = []
    number = 0
    for turn in turns:
        parts: list[CallPart] = []
        for wire_id, is_ours in turn:
            number += 1
            provider = "p" if is_ours else "other"
            parts.append(CallPart(call_id(number), "f", {}, wire_id, provider))
        messages.append(ModelTurn(tuple(parts)))
        messages += [ToolResult(part.call_id, "out", failed=False) for part in parts]
    told = list(with_wire_ids(messages, "p"))
    asked = [call.call_id for m in told if isinstance(m, ModelTurn) for call in m.calls]
    answered = [m.call_id for m in told if isinstance(m, ToolResult)]
    assert asked == answered
    assert all(asked)
    assert len({re.sub("[^a-zA-Z0-9_-]", "_", call_id) for call_id in asked}) == number
    assert list(with_wire_ids(messages[:-1], "p")) == told[:-1]
