"""The one fold: entries in, what a ticket looks like out."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.errors import IllegalMoveError
from lfgtui.export.record import ticket_record
from lfgtui.model import events as e
from lfgtui.model.fold.attempts import Attempt, AttemptError, UsageTotals
from lfgtui.model.fold.call_ids import call_id, messages_for
from lfgtui.model.fold.conversation import CallPart, Message, ModelTurn, ToolResult
from lfgtui.model.fold.items import (
    HostedItem,
    NoteItem,
    PromptItem,
    ReasoningItem,
    SourcesItem,
    TextItem,
    ToolItem,
)
from lfgtui.model.fold.states import ENDED
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.pieces import merge
from lfgtui.model.tickets import Ticket
from lfgtui.text.figures import clock_time
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


def test_a_note_in_the_middle_of_an_answer_stands_behind_it() -> None:
    first, rest = e.TextDelta("1. one\n2. t"), e.TextDelta("wo\n3. three\n")
    remark = e.Status("connection lost")
    attempt = newest(first, remark)
    assert [type(item) for item in attempt.items] == [PromptItem, TextItem]
    attempt = newest(first, remark, rest, FINISHED, e.Status("restored"))
    assert [str(getattr(item, "text", getattr(item, "message", ""))) for item in attempt.items] == [
        "Go.",
        "1. one\n2. two\n3. three\n",
        "connection lost",
        "restored",
    ]
    thinking = newest(e.ReasoningDelta("Hm"), remark, e.ReasoningDelta("m."))
    kinds = [PromptItem, ReasoningItem, NoteItem, ReasoningItem]
    assert [type(item) for item in thinking.items] == kinds


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
def test_what_is_over_stays_so_and_only_the_last_text_can_grow(life: list[e.Event]) -> None:
    transcript = Transcript()
    ended: dict[int, tuple[str, float, list[int]]] = {}
    for entry in entries(life):
        before = transcript.revision
        transcript.apply(entry)
        assert transcript.revision > before
        assert transcript.last_seq == entry.seq
        for place, attempt in enumerate(transcript.attempts):
            if attempt.ended_at is not None:
                assert attempt.state in ENDED
                calls = [call.revision for call in attempt.tools]
                now = (attempt.state, attempt.ended_at, calls)
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


def lines(attempt: Attempt) -> list[str]:
    """An attempt's items behind its prompt, a line each."""
    found = []
    for item in attempt.items[1:]:
        match item:
            case TextItem() | ReasoningItem():
                kind = "text" if isinstance(item, TextItem) else "reasoning"
                found.append(f"{kind}: {item.text}")
            case ToolItem():
                output = item.output or str(item.live)
                asked = f", asked {item.approval}" if item.approval else ""
                found.append(f"{item.name} {item.given} {item.state}{asked}: {output}")
            case HostedItem():
                closed = " closed" if item.closed else ""
                found.append(f"{item.name} {item.input}{closed}: {item.live}/{item.output}")
            case SourcesItem(citations):
                found.append("sources: " + " ".join(source.url for source in citations))
            case NoteItem(kind, message):
                found.append(f"{kind}: {message}")
            case PromptItem():
                found.append(f"prompt: {item.text}")
    return found


def done(call_id: str, output: str = "") -> e.ToolCallFinished:
    return e.ToolCallFinished(call_id, output, None, 0, 0.5)


LIST = e.ToolCallRequested("1", "list_files", {})
WRITE = e.ToolCallRequested("x", "write_file", {})
COMMAND = e.ToolCallRequested("x", "run_command", {})
WRITTEN = (
    e.ToolCallStarted("t1", "f", origin="text"),
    e.ToolArgumentsDelta("t1", '{"q": '),
    e.ToolArgumentsDelta("t1", "1}"),
)
LIVES: dict[str, tuple[tuple[e.Event, ...], list[str]]] = {
    "items stand in the order of arrival": (
        (
            *(e.ReasoningDelta("H"), e.ReasoningDelta("m."), e.TextDelta("I look."), CALL),
            *(e.TextDelta("So"), e.TextDelta("."), e.HostedTool("search", "q")),
        ),
        [
            *("reasoning: Hm.", "text: I look.", "read_file {'path': 'x'} requested: "),
            *("text: So.", "search q: /"),
        ],
    ),
    "a call grows": (
        (e.ToolCallStarted("1", "f"), e.ToolArgumentsDelta("1", '{"a"')),
        ['f {"a" arriving: '],
    ),
    "a call runs and finishes in one item": (
        (
            *(e.ToolCallStarted("1", "list_files"), e.ToolArgumentsDelta("1", "{}"), LIST),
            *(TOOLS_DUE, e.ApprovalRequested("1", "list_files", "ls"), e.ApprovalGiven("1")),
            *(e.ToolOutputDelta("1", "stdout", "a"), done("1", "all of it")),
        ),
        ["list_files {} finished, asked ls: all of it"],
    ),
    "a call prints": (
        (
            *(CALL, TOOLS_DUE, e.ToolOutputDelta("1", "stdout", "a\n")),
            e.ToolOutputDelta("1", "stderr", "b\n"),
        ),
        ["read_file {'path': 'x'} running: a\nb\n"],
    ),
    "a server that uses an id twice makes two calls": (
        (
            *(CALL, TOOLS_DUE, done("1", "first"), e.RequestSent(2)),
            *(LIST, e.ResponseFinished(2, "tool_use"), done("1", "second")),
        ),
        ["read_file {'path': 'x'} finished: first", "list_files {} finished: second"],
    ),
    "a second request does not change the call that is asked about": (
        (WRITE, COMMAND),
        ["write_file {} requested: ", "run_command {} requested: "],
    ),
    "calls of an older lfg with one id finish in their order": (
        (
            *(e.ToolCallStarted("x", "write_file"), WRITE),
            *(e.ToolCallStarted("x", "run_command"), COMMAND, TOOLS_DUE, done("x", "wrote")),
            *(e.ApprovalRequested("x", "run_command", "$ ls"), e.ApprovalGiven("x")),
            done("x", "listed"),
        ),
        ["write_file {} finished: wrote", "run_command {} finished, asked $ ls: listed"],
    ),
    "a call in the text": (WRITTEN, ['f {"q": 1} arriving: ']),
    "is never due": ((*WRITTEN, e.TextDelta("So.")), ['f {"q": 1} written: ', "text: So."]),
    "nor when its response ends": ((*WRITTEN, FINISHED), ['f {"q": 1} written: ']),
    "nor when its attempt does": (
        (*WRITTEN, e.TicketCancelled()),
        ['f {"q": 1} written: ', "end: cancelled"],
    ),
    "a hosted call grows in its own card": (
        (
            *(e.HostedTool("search", call_id="a"), e.HostedTool("search", "q", call_id="a")),
            *(e.HostedTool("search", "p", call_id="b"), e.TextDelta("Meanwhile.")),
            *(e.HostedOutputDelta("a", "fo"), e.HostedOutputDelta("a", "und")),
            e.HostedTool("search", output="all", call_id="b"),
            *(e.HostedTool("search", "no id"), e.HostedTool("search", "no id", "found too")),
        ),
        ["search q: found/", "search p: /all", "text: Meanwhile.", "search no id: /found too"],
    ),
    "a hosted call is closed with its response and may be answered in the next": (
        (
            *(e.HostedTool("search", "q", call_id="a"), FINISHED, e.RequestSent(2)),
            e.HostedTool("search", output="late", call_id="a"),
        ),
        ["search q closed: /late"],
    ),
    "each source is listed once when its response ends": (
        (
            *(e.Citation("https://a", "A", "one"), e.TextDelta("So."), e.Citation("https://b")),
            *(e.Citation("https://a", "A", "two"), FINISHED),
        ),
        ["text: So.", "sources: https://a https://b"],
    ),
    "a broken attempt keeps its text": (
        (e.TextDelta("Half"), e.Retrying("busy", 1.5, 2), e.TicketCancelled()),
        ["text: Half", "retry: busy; retrying in 1.5 s"],
    ),
    "failed": (
        (e.TicketFailed("rate_limit", "slow down", True),),
        ["error: rate limit: slow down"],
    ),
    "limited": ((e.TicketLimited("cost"),), ["end: stopped: reached max_cost"]),
    "blocked": ((e.TicketBlocked("b is missing"),), ["end: blocked: b is missing"]),
    "interrupted": (
        (CALL, e.TicketInterrupted()),
        ["read_file {'path': 'x'} stopped: ", "end: interrupted"],
    ),
    "done": ((FINISHED, e.TicketDone("end")), []),
    "remarks": (
        (
            *(e.Status("slow"), e.GuardTripped("loop", "three times")),
            *(e.ConflictDetected("x", ("b", "c")), e.Retrying("cut", 0.0, 2)),
            *(e.FailedOver("a", "b"), e.Paused(), e.Resumed()),
        ),
        [
            *("status: slow", "warning: loop: three times"),
            *("warning: x was also changed by b, c", "retry: cut"),
            *("retry: a failed; switching to b", "status: paused", "status: resumed"),
        ],
    ),
}


@pytest.mark.parametrize(("events", "items"), LIVES.values(), ids=LIVES)
def test_a_life_as_items(events: tuple[e.Event, ...], items: list[str]) -> None:
    assert lines(newest(*events)) == items


def test_before_its_first_entry_there_is_nothing() -> None:
    nothing = Transcript()
    assert (nothing.state, nothing.attempt, nothing.answer) == (None, None, "")


def test_an_illegal_entry_is_a_bug_that_says_so() -> None:
    transcript = after(FINISHED, e.TicketDone("end"))
    entry = e.Entry("run", "a", 1, transcript.last_seq + 1, 1000.0, e.TextDelta("more"))
    assert isinstance(transcript.apply(entry), IllegalMoveError)
    assert transcript.state == "done"
    told = "error: a bug in lfg: text_delta is not allowed in state done"
    assert lines(transcript.attempts[0]) == [told]


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
    assert [call.call_id for call in transcript.calls.waiting] == waiting
    (call,) = transcript.attempts[0].tools
    assert (call.state, call.denied) == card


@pytest.mark.parametrize(
    ("then", "card"),
    [
        ((done("1", "interrupted"),), "finished: interrupted"),
        ((e.ToolOutputDelta("1", "stdout", "out"),), "running: out"),
        ((e.ApprovalRequested("1", "read_file", "y"),), "needs_approval, asked y: "),
        (
            (e.ApprovalRequested("1", "read_file", "y"), e.ApprovalGiven("1"), done("1", "text")),
            "finished, asked y: text",
        ),
    ],
)
def test_a_call_taken_up_when_resumed_is_another_card(then: tuple[e.Event, ...], card: str) -> None:
    transcript = after(
        *(CALL, TOOLS_DUE, e.ApprovalRequested("1", "read_file", "x")),
        *(e.TicketInterrupted(), e.TicketQueued()),
        *(e.AttemptStarted("p", "m", continues=True), e.UserMessage("Go on."), *then),
    )
    stopped, resumed = transcript.attempts
    call = "read_file {'path': 'x'} "
    assert lines(stopped) == [f"{call}stopped, asked x: ", "end: interrupted"]
    assert lines(resumed) == [call + card]
    (item,) = resumed.tools
    assert transcript.calls.get("1") is item
    assert transcript.calls.waiting == ((item,) if item.state == "needs_approval" else ())


@pytest.mark.parametrize(
    ("events", "totals"),
    [
        (
            (
                *(e.Usage(10, 1, cost=0.1), e.TextDelta("Hi.")),
                *(e.Usage(10, 5, cached=4, cost=0.5), CALL, TOOLS_DUE),
                *(e.RequestSent(2), e.Usage(20, 2, cost=0.25)),
            ),
            UsageTotals(30, 7, 4, 0.75),
        ),
        ((CALL, TOOLS_DUE, e.Usage(10, 5), done("1")), UsageTotals(10, 5)),
        ((e.Usage(10, 5), FINISHED, e.TicketDone("end")), UsageTotals(10, 5)),
    ],
)
def test_usage_of_turns_adds_up(events: tuple[e.Event, ...], totals: UsageTotals) -> None:
    assert newest(*events).usage == totals


def test_the_first_token_is_timed_once_and_the_rate_leaves_waiting_and_tool_time_out() -> None:
    attempt = newest(
        *(e.Heartbeat(), e.TextDelta("a")),  # streams for 4 s
        *(e.TextDelta("b"), CALL, e.Usage(1, 20), TOOLS_DUE),
        *(e.ToolOutputDelta("1", "stdout", "x"), done("1"), e.RequestSent(2)),
        *(e.TextDelta("c"), e.Usage(1, 10)),  # and for 2 s
        e.ResponseFinished(2, "end"),
    )
    assert (attempt.ttft, attempt.streaming_seconds) == (2.0, 6.0)
    assert attempt.tokens_per_second == 5.0


def test_the_rate_leaves_out_the_calls_that_an_agent_makes_within_its_response() -> None:
    begun = [e.ToolCallStarted(one, "Bash", "agent") for one in "12"]
    asked = [e.ToolCallRequested(one, "Bash", {"command": "make"}, origin="agent") for one in "12"]
    attempt = newest(
        *(e.TextDelta("a"), *begun, *asked),  # streams for 3 s
        *(e.ToolRunStarted("2"), done("2"), e.Heartbeat(), done("1")),
        *(e.Heartbeat(), e.TextDelta("b"), e.ResponseFinished(1, "end")),  # and for 3 s
    )
    assert (attempt.ttft, attempt.streaming_seconds) == (1.0, 6.0)
    first = newest(*begun[:1], *asked[:1], done("1"), e.TextDelta("a"), FINISHED)
    assert (first.ttft, first.streaming_seconds) == (4.0, 1.0)


def test_a_broken_attempt_keeps_its_error_and_its_end() -> None:
    transcript = after(
        e.TextDelta("Half"), e.Retrying("overloaded", 1.5, 2, "overloaded"), e.TicketCancelled()
    )
    (attempt,) = transcript.attempts
    assert (transcript.state, attempt.state, attempt.ended_at) == ("cancelled", "failed", 1005.0)
    assert attempt.error == AttemptError("overloaded", "overloaded", retryable=True)


PARKED = e.Parked("p", 5000.0, "full", "overloaded")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((e.Retrying("busy", 1.0, 2), e.FailedOver("a", "b"), e.Paused()), "failed"),
        ((e.TicketCancelled(), e.TicketQueued(), e.Paused()), "cancelled"),
        ((e.TicketCancelled(), e.TicketQueued(), PARKED), "cancelled"),
    ],
)
def test_what_follows_an_attempt_leaves_it_ended(events: tuple[e.Event, ...], state: str) -> None:
    assert newest(*events).state == state


def test_a_parked_ticket_has_an_ended_attempt_and_a_time_until_it_is_queued() -> None:
    parked = after(e.TextDelta("Half"), PARKED, e.Parked("p", 6000.0, "still full"))
    (attempt,) = parked.attempts
    assert (parked.state, parked.parked_until, attempt.state) == ("retrying", 6000.0, "failed")
    assert attempt.error == AttemptError("overloaded", "full", retryable=True)
    assert lines(attempt)[1:] == [f"retry: full; parked until {clock_time(5000.0, 1000.0)}"]
    queued = after(e.TextDelta("Half"), PARKED, e.TicketQueued())
    assert (queued.state, queued.parked, queued.parked_until) == ("queued", None, None)


def test_what_a_ticket_was_parked_for_outlives_its_interruption() -> None:
    interrupted = after(e.TextDelta("Half"), PARKED, e.TicketInterrupted())
    assert (interrupted.parked, interrupted.parked_until) == (PARKED, None)


def test_an_ending_is_kept_until_the_next_start() -> None:
    ended = after(e.TextDelta("Half"), e.TicketCancelled())
    assert ended.ending == e.TicketCancelled()
    queued = after(e.TextDelta("Half"), e.TicketCancelled(), e.TicketQueued())
    assert queued.ending is None


@pytest.mark.parametrize(
    ("events", "answer"),
    [
        (
            [
                *(e.TextDelta("First."), CALL, TOOLS_DUE, done("1"), e.RequestSent(2)),
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
    lost = e.Entry("run", "a", 1, 5, 1004.0, e.TextDelta("x"), saved=False)
    transcript = folded([*entries(BEGIN), lost])
    assert transcript.unsaved
    transcript.mark_saved()
    assert not transcript.unsaved


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["", "x", "a.b", "a_b", "call00001"]), st.booleans())),
        max_size=4,
    )
)
def test_no_two_calls_go_back_with_one_id(turns: list[list[tuple[str, bool]]]) -> None:
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
    told = list(messages_for("p", messages))
    asked = [call.call_id for m in told if isinstance(m, ModelTurn) for call in m.calls]
    answered = [m.call_id for m in told if isinstance(m, ToolResult)]
    assert asked == answered
    assert all(asked)
    assert len({re.sub("[^a-zA-Z0-9_-]", "_", call_id) for call_id in asked}) == number
    assert list(messages_for("p", messages[:-1])) == told[:-1]


def test_an_agents_call_shows_all_the_files_that_it_changes() -> None:
    transcript = Transcript()
    life = [
        *(e.TicketQueued(), e.AttemptStarted("p", ""), e.RequestSent(1)),
        e.ToolCallStarted("1", "edit", "agent"),
        *(e.FileChange("1", "/x", "@@ -1 +1 @@\n-a\n+b\n"), e.FileChange("1", "/y", "old")),
        e.FileChange("1", "/y", "@@ -0,0 +1 @@\n+c\n"),
    ]
    for entry in entries(life):
        transcript.apply(entry)
    (call,) = transcript.attempts[0].tools
    assert call.diff == "/x\n@@ -1 +1 @@\n-a\n+b\n/y\n@@ -0,0 +1 @@\n+c\n"
    assert call.path == ""


def test_calls_that_wait_are_decided_on_as_they_were_asked_about() -> None:
    transcript = Transcript()
    begun = (e.TicketQueued(), e.AttemptStarted("claude", ""), e.RequestSent(1))
    calls = [e.ToolCallStarted(one, "Bash", "agent") for one in "abc"]
    asked = [e.ApprovalRequested(one, "Bash", "") for one in "bac"]

    def happen(*events: e.Event) -> list[tuple[str, bool]]:
        for event in events:
            transcript.apply(e.Entry("r", "t", 1, transcript.last_seq + 1, 1.0, event))
        return [(call.call_id, call.is_next) for call in transcript.calls.waiting]

    assert happen(*begun, *calls, *asked) == [("b", True), ("a", False), ("c", False)]
    assert happen(e.ApprovalGiven("b")) == [("a", True), ("c", False)]
    assert happen(e.ToolCallFinished("a", "", "withdrawn", None, 0.0)) == [("c", True)]
    assert happen(e.ResponseFinished(1, "stopped")) == []


def test_a_discarded_worktree_takes_its_figures_and_a_new_one_begins_where_it_does() -> None:
    opened = [e.WorktreeOpened("/w", "lfg/r/a", "1"), e.BaseRecorded("/w", "t1", "1")]
    counted = [e.BaseRecorded("/project", "t0", "0"), *opened, e.ChangesCounted(1, 2, 0), FINISHED]
    life = [*counted, e.TicketDone("end"), e.WorktreeDiscarded("lfg/r/a")]
    discarded = after(*life)
    assert (discarded.changes, discarded.worktree) == (None, None)
    assert discarded.base == e.BaseRecorded("/w", "t1", "1")
    assert discarded.attempts[0].items[-1] == NoteItem(
        "status", "discarded its worktree and branch lfg/r/a"
    )
    anew = [e.WorktreeOpened("/w", "lfg/r/a", "2"), e.BaseRecorded("/w", "t2", "2")]
    again = after(*life, e.TicketQueued(), e.AttemptStarted("p", "m"), *anew)
    assert again.worktree == anew[0] and again.base == anew[1]
