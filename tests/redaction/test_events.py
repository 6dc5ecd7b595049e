"""Secrets in events: cut over deltas, in any field, and what must stay as it is."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui import events as e
from lfgtui.redaction import (
    EventRedactor,
    Redactor,
    is_empty_delta,
    redacted_entries,
    redacted_ticket,
)
from lfgtui.tickets import Ticket
from tests.redaction.secrets import GITHUB, JWT
from tests.vocabulary import any_event, entries, lives

MARK = "[redacted: github token]"
SIGNED = e.ProviderItem("anthropic", {"type": "thinking", "signature": "c2lnbmVk"})
HALF, REST = GITHUB[:9], GITHUB[9:]


def redacted(*events: e.Event) -> list[e.Event]:
    """What is stored of the events, empty deltas left out."""
    redactor = EventRedactor(Redactor())
    told = [told for event in events for told in redactor.feed(event)]
    return [event for event in [*told, *redactor.finish()] if not is_empty_delta(event)]


@pytest.mark.parametrize(
    "delta",
    [
        e.TextDelta,
        e.ReasoningDelta,
        lambda text: e.ToolArgumentsDelta("1", text),
        lambda text: e.ToolOutputDelta("1", "stdout", text),
        lambda text: e.HostedOutputDelta("1", text),
    ],
)
def test_a_secret_cut_over_two_deltas(delta: type[e.TextDelta]) -> None:
    end = e.ResponseFinished(1, "end")
    assert redacted(delta(f"a {HALF}"), delta(f"{REST} x."), end) == [
        delta("a "),
        delta(f"{MARK} x."),
        end,
    ]


def test_what_comes_in_between_ends_no_text() -> None:
    between = (e.Heartbeat(), e.Usage(1, 2), e.Status("still here"))
    told = redacted(e.TextDelta(HALF), *between, e.TextDelta(REST), e.TicketCancelled())
    assert told == [*between, e.TextDelta(MARK), e.TicketCancelled()]


def test_what_was_held_comes_before_what_ends_it() -> None:
    told = redacted(e.TextDelta("it is sk-"), e.ReasoningDelta("hm"), e.TicketDone("end"))
    assert told == [
        e.TextDelta("it is "),
        e.TextDelta("sk-"),
        e.ReasoningDelta("hm"),
        e.TicketDone("end"),
    ]


def test_calls_that_arrive_by_turns_are_texts_of_their_own() -> None:
    told = redacted(
        e.ToolArgumentsDelta("1", f'{{"a": "{HALF}'),
        e.ToolArgumentsDelta("2", '{"b": 1'),
        e.ToolArgumentsDelta("1", f'{REST}"}}'),
        e.ToolArgumentsDelta("2", "}"),
    )
    joined = {"1": "", "2": ""}
    for event in told:
        assert isinstance(event, e.ToolArgumentsDelta)
        joined[event.call_id] += event.json
    assert joined == {"1": f'{{"a": "{MARK}"}}', "2": '{"b": 1}'}


def test_secrets_in_fields() -> None:
    assert redacted(
        e.UserMessage(GITHUB),
        e.ToolCallRequested("1", "run_command", {"command": f"curl {GITHUB}", "n": 1}),
        e.ToolCallFinished("1", GITHUB, f"no: {GITHUB}", 1, 0.5),
        e.Citation("https://a:secret1@b.c"),
    ) == [
        e.UserMessage(MARK),
        e.ToolCallRequested("1", "run_command", {"command": f"curl {MARK}", "n": 1}),
        e.ToolCallFinished("1", MARK, f"no: {MARK}", 1, 0.5),
        e.Citation("https://a:[redacted: password in a URL]@b.c"),
    ]


def test_an_item_with_a_secret_is_left_out_and_another_stays() -> None:
    fine, not_fine = e.ProviderItem("w", {"x": "y"}), e.ProviderItem("w", {"x": [JWT]})
    assert redacted(fine, not_fine) == [fine, e.ProviderItem("redacted", {})]


def test_what_signs_redacted_reasoning_is_left_out() -> None:
    assert redacted(
        e.RequestSent(1),
        e.ReasoningDelta(GITHUB),
        SIGNED,
        e.RequestSent(2),
        e.ReasoningDelta("Hm."),
        SIGNED,
    )[2:] == [e.ProviderItem("redacted", {}), e.RequestSent(2), e.ReasoningDelta("Hm."), SIGNED]


@given(lives())
def test_what_holds_no_secret_stays_as_it_is(life: list[e.Event]) -> None:
    stored = entries(life)
    assert list(redacted_entries(Redactor(), stored)) == stored


@given(
    st.lists(any_event, max_size=8),
    st.lists(any_event, max_size=8),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_entries_keep_their_numbers_and_their_text(
    before: list[e.Event], behind: list[e.Event], cuts: list[int]
) -> None:
    text = f"see {GITHUB}, {JWT[:40]} and so on"
    places = sorted({0, *cuts, len(text)})
    run = [e.TextDelta(text[a:b]) for a, b in pairwise(places)]
    ends = e.UserMessage("next")
    stored = entries([*before, ends, *run, ends, *behind])
    told = redacted_entries(Redactor(), stored)
    assert [(one.seq, one.at, type(one.event)) for one in told] == [
        (one.seq, one.at, type(one.event)) for one in stored
    ]
    first = len(before) + 1
    joined = "".join(
        one.event.text
        for one in told[first : first + len(run)]
        if isinstance(one.event, e.TextDelta)
    )
    assert joined == f"see {MARK}, {JWT[:40]} and so on"


def test_a_ticket() -> None:
    ticket = Ticket(
        id="a", prompt=f"Use {GITHUB}.", workspace="/w", system=GITHUB, extra={"k": [GITHUB]}
    )
    told = redacted_ticket(Redactor(), ticket)
    assert (told.prompt, told.system, told.extra) == (f"Use {MARK}.", MARK, {"k": [MARK]})
    assert (told.id, told.workspace) == ("a", "/w")


def test_one_call_that_ends_leaves_the_texts_of_others_whole() -> None:
    events = EventRedactor(Redactor())
    told = [
        *events.feed(e.ToolOutputDelta("a", "stdout", GITHUB[:15])),
        *events.feed(e.ToolCallFinished("b", "done", None, 0, 0.1)),
        *events.feed(e.ToolOutputDelta("a", "stdout", GITHUB[15:] + "\n")),
        *events.finish(),
    ]
    text = "".join(event.text for event in told if isinstance(event, e.ToolOutputDelta))
    assert text == "[redacted: github token]\n"
