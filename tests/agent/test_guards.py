"""What the guards of a ticket see in its events."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.agent.guards import Guards, _Own
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.guards import Guard
from tests.helpers.any_events import lives
from tests.helpers.effort import times
from tests.providers.published import DECODERS, decode
from tests.providers.recordings import FOLDER, WHY_SKIPPED, recordings
from tests.text.secrets import GITHUB, SECRETS, pem

RM = Guard("rm", match=r"\brm\s+-[rf]+\b")
SAY = Guard("quote", phrase='say "hi"', on=("arguments",))
BUILT_IN = Guard("secrets")
PAUSING = Guard("x", phrase="\N{SNOWMAN}", action="pause")
"""With it pieces are read as they come, and not a few at once."""


def seen(events: Sequence[e.Event], *guards: Guard) -> list[str]:
    watching = Guards(guards)
    return [
        f"{trip.guard.name}: {trip.message}" for event in events for trip in watching.feed(event)
    ]


def deltas(text: str, places: Sequence[int]) -> list[e.Event]:
    edges = sorted({0, len(text), *(place % len(text) for place in places)})
    return [e.TextDelta(text[a:b]) for a, b in pairwise(edges)]


ENDS = e.ResponseFinished(1, "end")


@given(
    st.sampled_from([*SECRETS, pem(), "AKIA and no more", "rm -r", "rm\n-rf x"]),
    st.text(max_size=80),
    st.lists(st.integers(0), max_size=12),
    st.booleans(),
)
@settings(max_examples=times(60), deadline=None)
def test_any_cut_of_an_answer_trips_the_same(
    inside: str, around: str, places: list[int], is_eager: bool
) -> None:
    text = f"{around} {inside} {around}"
    guards = (BUILT_IN, RM, PAUSING) if is_eager else (BUILT_IN, RM)
    whole = seen([e.TextDelta(text), ENDS], *guards)
    assert seen([*deltas(text, places), ENDS], *guards) == whole
    assert inside not in SECRETS or f"secrets: {SECRETS[inside]} in the answer" in whole


def test_a_call_trips_once_by_its_pieces_or_as_a_whole() -> None:
    begin = e.ToolCallStarted("1", "run_command")
    arguments: dict[str, object] = {"command": "rm -rf x; rm -rf y", "args": ['say "hi"']}
    raw = json.dumps(arguments)
    pieces = [e.ToolArgumentsDelta("1", raw[at : at + 3]) for at in range(0, len(raw), 3)]
    whole = e.ToolCallRequested("1", "run_command", arguments)
    told = [
        'rm: "rm -rf" in the arguments of run_command',
        'quote: "say "hi"" in the arguments of run_command',
    ]
    assert seen([begin, *pieces, whole], RM, SAY) == told
    assert seen([whole], RM, SAY) == told


def test_two_calls_and_both_pipes_of_an_output_are_texts_of_their_own() -> None:
    calls = [e.ToolCallRequested(one, f"tool_{one}", {}) for one in "ab"]
    pieces = [
        e.ToolOutputDelta("a", "stdout", "rm "),
        e.ToolOutputDelta("a", "stderr", "-rf"),
        e.ToolOutputDelta("b", "stdout", "rm "),
        e.ToolOutputDelta("a", "stdout", "-r x"),
    ]
    ends = e.ToolCallFinished("a", "rm -r x-rf", None, 0, 1.0)
    assert seen([*calls, *pieces, ends], RM) == ['rm: "rm -r" in the output of tool_a']


def test_what_an_installed_agent_does_is_seen() -> None:
    diff = "@@ -1,2 +1,2 @@\n-rm -rf old\n+rm -rf new\n x\n"
    events = [
        e.ToolCallStarted("1", "Write", "agent"),
        e.FileChange("1", "/w/x", diff),
        e.HostedTool("fetch", "rm -rf q", f"T={GITHUB}", "2"),
    ]
    assert seen(events, BUILT_IN, RM) == [
        'rm: "rm -rf" in the arguments of Write',
        'rm: "rm -rf" in the arguments of fetch',
        "secrets: github token in the output of fetch",
    ]


def test_a_long_match_is_quoted_by_its_end_and_on_one_line() -> None:
    guard = Guard("long", match="(?s)begin.*end", action="pause")
    text = "begin\n" + "x" * 200 + "\nend"
    (told,) = seen([*(e.TextDelta(char) for char in text), ENDS], guard)
    assert told.startswith('long: "…') and told.endswith('" in the answer') and len(told) < 100


@given(lives())
@settings(max_examples=times(40), deadline=None)
def test_no_life_of_a_ticket_confuses_them(life: list[e.Event]) -> None:
    seen(life, BUILT_IN, RM, SAY, PAUSING)


def test_what_is_kept_is_bounded() -> None:
    guards = Guards((BUILT_IN, RM, PAUSING))
    for _ in range(3000):
        guards.feed(e.TextDelta("rm x-" * 3))
        guards.feed(e.ToolOutputDelta("1", "stdout", "rm \n" * 30))
    kept = [reader for readers in guards._open.values() for reader in readers]
    assert len(kept) == 2 and all(len(reader._waiting) < 500 for reader in kept)
    assert all(len(reader._begun) < 500 for reader in kept if isinstance(reader, _Own))


@pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)
def test_no_recorded_stream_trips_the_built_in_guard() -> None:
    for wire in DECODERS:
        for recording in recordings(wire):
            events = decode(wire, recording.body, "whole").events
            assert seen([*events, ENDS], BUILT_IN) == [], (wire, recording.name)
    assert FOLDER is not None
    for path in sorted((Path(FOLDER) / "acp").glob("*.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        assert seen([*(e.TextDelta(f"{line}\n") for line in lines), ENDS], BUILT_IN) == []
