import base64
import json
import random
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from httpx_sse import ServerSentEvent
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.providers import limits
from lfgtui.providers.transport.body import Part
from lfgtui.providers.transport.sse import Comment, Record, RecordReader
from tests.providers.recordings import FOLDER, WHY_SKIPPED, cuts


def conformance_cases() -> list[dict[str, object]]:
    if FOLDER is None:
        return []
    cases: list[dict[str, object]] = json.loads(Path(FOLDER, "sse", "cases.json").read_text())[
        "cases"
    ]
    return cases


def read(pieces: Iterator[bytes], *, tail: bool) -> tuple[list[Record], RecordReader]:
    reader = RecordReader(tail=tail)
    records = [record for piece in pieces for record in reader.feed(piece)]
    return [*records, *reader.finish()], reader


def events(records: Sequence[Part]) -> list[tuple[str, str, str]]:
    return [(r.event, r.data, r.id) for r in records if isinstance(r, ServerSentEvent)]


@pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)
@pytest.mark.parametrize("how", ["whole", "bytes", "random", "otherwise random"])
@pytest.mark.parametrize("case", conformance_cases(), ids=lambda case: str(case["name"]))
def test_the_standard_is_kept_however_the_bytes_are_cut(case: dict[str, object], how: str) -> None:
    body = base64.b64decode(str(case["input_b64"]))
    records, reader = read(cuts(body, how), tail=False)
    published = case["events"]
    assert isinstance(published, list)
    assert events(records) == [(event["event"], event["data"], event["id"]) for event in published]
    assert reader.retry == case["retry"]
    assert reader.last_event_id == case["last_event_id"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_tail_without_its_blank_line_counts_only_where_asked(end: bytes) -> None:
    body = b"data: one\n\ndata: [DONE]" + end
    assert [data for _, data, _ in events(read(iter([body]), tail=True)[0])] == ["one", "[DONE]"]
    assert [data for _, data, _ in events(read(iter([body]), tail=False)[0])] == ["one"]


def test_an_error_field_is_an_error_event_on_a_provider_wire() -> None:
    body = b'data: one\n\nerror: {"error": {"message": "out of memory"}}\n\n'
    assert events(read(iter([body]), tail=True)[0]) == [
        ("message", "one", ""),
        ("error", '{"error": {"message": "out of memory"}}', ""),
    ]
    assert events(read(iter([body]), tail=False)[0]) == [("message", "one", "")]


def test_comments_show_as_signs_of_life() -> None:
    records, _ = read(iter([b": OPENROUTER PROCESSING\n\n:\n\ndata: x\n\n"]), tail=True)
    assert records[:2] == [Comment("OPENROUTER PROCESSING"), Comment("")]
    assert events(records) == [("message", "x", "")]


BITS = [
    *(b"data", b"event", b"id", b"retry", b"error: {", b":", b" ", b"\0", b"7", b"x"),
    *(b"data: x\n\n", b"event: y\ndata: x\n\n", b"data:\n\n", b"data:  \xff\n\n"),
    *(b"\n", b"\n\n", b"\r", b"\r\n", b"\xef\xbb\xbf", "žluť 🐍".encode(), b"\xff"),
]


@given(st.lists(st.sampled_from(BITS), max_size=30).map(b"".join), st.integers(), st.booleans())
def test_no_bytes_break_it_and_no_cut_matters(body: bytes, seed: int, tail: bool) -> None:
    rng = random.Random(seed)
    at = sorted(rng.randrange(len(body) + 1) for _ in range(4))
    pieces = [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]
    whole, one = read(iter([body]), tail=tail)
    parts, other = read(iter(pieces), tail=tail)
    assert list(map(repr, whole)) == list(map(repr, parts))
    assert (one.last_event_id, one.retry) == (other.last_event_id, other.retry)
    assert str(one.failure) == str(other.failure)


def test_an_absurd_reconnection_time_is_no_number() -> None:
    _, reader = read(iter([b"retry: 5\n\nretry: " + b"9" * 5000 + b"\n\n"]), tail=False)
    assert reader.retry == 5


@pytest.fixture
def small_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORD_BYTES", 1000)


@pytest.mark.usefixtures("small_records")
@pytest.mark.parametrize("endless", [b"x", b"data: x\n", b"data\n", "\u8a9e".encode()])
@pytest.mark.parametrize("size", [1, 7, 300])
def test_an_endless_record_is_given_up_and_what_came_is_kept(endless: bytes, size: int) -> None:
    reader = RecordReader(tail=True)
    body = b"data: first\n\ndata: " + endless * 4000
    records = [r for at in range(0, 4000, size) for r in reader.feed(body[at : at + size])]
    assert events(records) == [("message", "first", "")]
    assert reader.failure is not None
    assert reader.failure.kind == "protocol"
    assert reader.failure.message.startswith("a single record exceeds the limit of 1000 bytes")
    assert reader.feed(b"\n\ndata: more\n\n") == reader.finish() == []


@pytest.mark.usefixtures("small_records")
def test_a_stream_may_be_as_long_as_it_likes_in_short_records() -> None:
    body = b": still here\n" * 200 + b"event: x\ndata: y\nid: 7\n\n" * 200 + b"\n" * 2000
    records, reader = read(iter([body[at : at + 50] for at in range(0, len(body), 50)]), tail=True)
    assert reader.failure is None
    assert len(records) == 400


@pytest.mark.parametrize("line", ["\u8a9e".encode(), b"data\n"])
def test_a_record_that_comes_byte_by_byte_takes_no_more_memory_than_its_bytes(line: bytes) -> None:
    count = 6_000
    reader = RecordReader(tail=True)
    tracemalloc.start()
    try:
        for piece in cuts(line * count, "bytes"):
            reader.feed(piece)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * count * len(line)
