import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx_sse import ServerSentEvent
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.providers.sse import Comment, Record, RecordReader, read_records

from .recordings import FOLDER, WHY_SKIPPED, Body, cuts


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


def events(records: list[Record]) -> list[tuple[str, str, str]]:
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


def test_a_character_cut_in_the_middle_comes_whole() -> None:
    body = "data: žluťoučký 🐍\n\n".encode()
    for at in range(len(body)):
        records, _ = read(iter([body[:at], body[at:]]), tail=False)
        assert events(records) == [("message", "žluťoučký 🐍", "")]


@given(st.binary(max_size=200), st.integers())
def test_no_bytes_break_it_and_no_cut_matters(body: bytes, seed: int) -> None:
    rng = random.Random(seed)
    at = sorted(rng.randrange(len(body) + 1) for _ in range(4))
    pieces = [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]
    whole, _ = read(iter([body]), tail=True)
    parts, _ = read(iter(pieces), tail=True)
    assert events(whole) == events(parts)


async def test_reading_a_response_ends_when_the_body_does() -> None:
    body = Body(iter([b"event: a\nda", b"ta: 1\n\n"]))
    assert events([record async for record in read_records(body)]) == [("a", "1", "")]
