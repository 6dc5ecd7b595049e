"""The vocabulary: its JSON form, and which deltas are one."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.event_json import decode_event, encode_event, entry_json
from lfgtui.model.pieces import merge
from tests.helpers.any_events import BY_KIND, DELTAS, KINDS, any_event, deltas, numbers

IDENTITY = ["run", "ticket", "attempt", "seq", "at"]

any_entry = st.builds(
    e.Entry,
    run=st.text(),
    ticket=st.text(),
    attempt=st.integers(0, 99),
    seq=st.integers(1, 10**9),
    at=numbers,
    event=any_event,
)


def joined(events: list[e.Event]) -> list[tuple[object, ...]]:
    """What was streamed, run by run: where to, and the text."""
    runs: list[tuple[object, ...]] = []
    for event in events:
        *where, text = msgspec.structs.astuple(event)
        if isinstance(event, e.ReasoningDelta):
            text, *where = msgspec.structs.astuple(event)
        key = (type(event), *where)
        if runs and runs[-1][0] == key:
            runs[-1] = (key, f"{runs[-1][1]}{text}")
        else:
            runs.append((key, text))
    return runs


def merged(events: list[e.Event]) -> list[e.Event]:
    """As the history's writer merges what is pending."""
    kept: list[e.Event] = []
    for event in events:
        if kept and (one := merge(kept[-1], event)) is not None:
            kept[-1] = one
        else:
            kept.append(event)
    return kept


@given(any_event)
def test_every_event_survives_encoding_and_decoding(event: e.Event) -> None:
    assert decode_event(encode_event(event)) == event


def test_the_types_are_those_that_were_promised() -> None:
    promised = """
        ticket_queued attempt_started request_sent answer_reused text_delta reasoning_delta citation
        status
        tool_call_started tool_arguments_delta tool_call_requested approval_requested
        approval_given approval_denied rule_withdrawn choice_made tool_run_started
        run_limits_set contradiction_found
        tool_output_delta tool_call_finished hosted_tool hosted_output_delta provider_item
        approval_withdrawn file_change plan_changed session_opened context_used
        user_message message_taken response_started response_finished usage heartbeat
        retrying parked failed_over
        guard_tripped conflict_detected paused resumed ticket_done ticket_failed
        ticket_cancelled ticket_limited ticket_blocked ticket_interrupted restart_requested
        base_recorded changes_counted worktree_opened worktree_discarded setup_started
        context_compacted command_taken late_entries
    """
    assert {kind.__struct_config__.tag for kind in KINDS} == set(promised.split())


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (e.ReasoningDelta("x"), {"text": "x"}),
        (e.ReasoningDelta("x", "text"), {"text": "x", "origin": "text"}),
        (e.FailedOver("a", "b"), {"from": "a", "to": "b"}),
        (e.UserMessage("x"), {"text": "x"}),
        (e.UserMessage("x", {"a": "b"}), {"text": "x", "answers": {"a": "b"}}),
        (e.RequestSent(1), {"turn": 1}),
        (e.RequestSent(1, "0f"), {"turn": 1, "fingerprint": "0f"}),
    ],
)
def test_fields_are_named_as_promised_or_absent(event: e.Event, fields: dict[str, object]) -> None:
    assert json.loads(encode_event(event)) == {"type": e.event_type(event), **fields}


@pytest.mark.parametrize("body", ["{}", '{"type": "nothing"}', '{"type": "text_delta"}', "[]"])
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_event(body)


@given(any_entry)
def test_a_line_of_json_is_identity_and_behind_it_the_event(entry: e.Entry) -> None:
    line = entry_json(entry)
    assert "\n" not in line
    parsed = json.loads(line)
    assert list(parsed)[:6] == [*IDENTITY, "type"]
    identity = [entry.run, entry.ticket, entry.attempt, entry.seq, e.time_at(entry.place)]
    assert [parsed.pop(key) for key in IDENTITY] == identity
    assert parsed == json.loads(encode_event(entry.event))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_frozen_and_has_no_field_that_identity_would_hide(kind: type[e.Event]) -> None:
    assert kind.__struct_config__.frozen
    assert not set(kind.__struct_encode_fields__) & {*IDENTITY, "type"}


def test_a_retry_says_the_next_attempt_beside_the_one_that_broke() -> None:
    parsed = json.loads(entry_json(e.Entry("r", "a", 1, 2, 0.0, e.Retrying("busy", 1.0, 2))))
    assert (parsed["attempt"], parsed["next_attempt"]) == (1, 2)


@given(st.lists(deltas))
def test_merging_keeps_what_was_streamed_and_where_to(events: list[e.Event]) -> None:
    assert joined(merged(events)) == joined(events)


@given(st.lists(deltas))
def test_after_merging_no_neighbours_could_still_merge(events: list[e.Event]) -> None:
    once = merged(events)
    assert merged(once) == once
    assert len(once) == len(joined(events))


@given(st.lists(deltas), st.data())
def test_batches_of_merging_do_not_matter(events: list[e.Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    assert merged(merged(events[:cut]) + merged(events[cut:])) == merged(events)


MERGING = (*DELTAS, e.Heartbeat)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in MERGING])
@given(st.data())
def test_what_is_no_delta_never_merges(kind: type[e.Event], data: st.DataObject) -> None:
    one, other = data.draw(BY_KIND[kind]), data.draw(any_event)
    assert merge(one, one) is merge(one, other) is merge(other, one) is None
    assert merge(e.Heartbeat(), e.Heartbeat()) == e.Heartbeat()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (e.TextDelta("a"), e.ReasoningDelta("a")),
        (e.ReasoningDelta("a"), e.ReasoningDelta("a", "text")),
        (e.ToolArgumentsDelta("1", "{"), e.ToolArgumentsDelta("2", "{")),
        (e.ToolOutputDelta("1", "stdout", "a"), e.ToolOutputDelta("1", "stderr", "a")),
        (e.ToolOutputDelta("1", "stdout", "a"), e.ToolOutputDelta("2", "stdout", "a")),
    ],
)
def test_kind_call_channel_and_origin_keep_deltas_apart(one: e.Event, other: e.Event) -> None:
    assert merge(one, other) is None
