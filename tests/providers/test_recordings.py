"""Every recorded stream is decoded as its publisher says, however it is cut."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lfgtui.model import events as e
from lfgtui.providers import lenient_json
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from tests.helpers.effort import times
from tests.providers import mutations
from tests.providers.decoding import Json, run, run_whole, summarize
from tests.providers.published import DECODERS, decode, differences
from tests.providers.recordings import FOLDER, WHY_SKIPPED, Recording, recordings

pytestmark = pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)

ALL = [(wire, recording) for wire in DECODERS for recording in recordings(wire)]
NAMES = [f"{wire}/{recording.name}" for wire, recording in ALL]


@pytest.mark.parametrize("how", ["whole", "bytes", "random", "otherwise random"])
@pytest.mark.parametrize(("wire", "recording"), ALL, ids=NAMES)
def test_decodes_as_published(wire: str, recording: Recording, how: str) -> None:
    assert differences(recording, decode(wire, recording.body, how)) == []


@pytest.mark.parametrize("wire", list(DECODERS))
def test_a_stream_cut_anywhere_is_finished_or_failed_and_never_both(wire: str) -> None:
    for recording in recordings(wire):
        for at in range(0, len(recording.body), max(1, len(recording.body) // 10)):
            decoded = decode(wire, recording.body[:at], "whole")
            finished = any(isinstance(event, e.ResponseFinished) for event in decoded.events)
            assert finished == (decoded.decoder.failure is None), (recording.name, at)


def closing_responses() -> Iterator[tuple[Recording, Json]]:
    """The recordings of the Responses wire whose last record holds all that was streamed."""
    for recording in recordings("openai-responses"):
        for record in map(lenient_json.parse_object, reversed(recording.records)):
            response = lenient_json.child(record or {}, "response")
            if response.get("output") and recording.expected["error"] is None:
                yield recording, response
                break


def test_a_whole_response_has_the_substance_of_its_stream() -> None:
    for recording, body in closing_responses():
        streamed = summarize(run(ResponsesDecoder(), *recording.records))
        whole = summarize(run_whole(ResponsesDecoder(), body))
        reasoning = whole.reasoning.split()
        assert reasoning == streamed.reasoning.split(), recording.name
        assert replace(whole, reasoning=streamed.reasoning) == streamed, recording.name


def test_no_damage_to_a_whole_response_breaks_its_decoder() -> None:
    rng = random.Random(1)
    for _, body in closing_responses():
        for _ in range(times(6)):
            mutations.check_whole(ResponsesDecoder, mutations.changed(json.dumps(body), rng))


@pytest.mark.parametrize("wire", list(DECODERS))
def test_records_that_close_may_come_twice(wire: str) -> None:
    for recording in recordings(wire):
        once = summarize(run(DECODERS[wire](), *recording.records))
        twice = [r for record in recording.records for r in mutations.doubled(record)]
        assert summarize(run(DECODERS[wire](), *twice)) == once, recording.name


@pytest.mark.parametrize("wire", list(DECODERS))
def test_no_damage_to_a_stream_breaks_its_decoder(wire: str) -> None:
    rng = random.Random(wire)
    for recording in recordings(wire):
        for _ in range(times(6)):
            mutations.check(DECODERS[wire], mutations.damaged(recording.records, rng))
