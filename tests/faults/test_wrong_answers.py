"""Answers that are something other than what they call themselves, or than what was asked for."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from lfgtui.model import events as e
from tests.engine.harness import WIRES
from tests.faults.breaker import HEAD, Plan, Step, instead
from tests.faults.test_broken_streams import TEXT, broken

PAGE = b"\n<!doctype html><title>Sign in</title>"


def body_of(reply: bytes) -> bytes:
    """The reply's body out of its chunks."""
    body, rest = b"", reply.partition(HEAD)[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body


def relabelled(change: Callable[[bytes], bytes] = bytes, **headers: str) -> Plan:
    """The right stream under another name, and perhaps in another form."""

    def play(reply: bytes) -> Iterable[Step]:
        return instead(change(body_of(reply)), status=200, **headers)(reply)

    return play


def as_json_lines(body: bytes) -> bytes:
    lines = [line for line in body.split(b"\n") if line.startswith(b"data: {")]
    return b"\n".join(line.removeprefix(b"data: ") for line in lines)


STREAMS: dict[str, Plan] = {
    "an event stream as plain text": relabelled(content_type="text/plain; charset=utf-8"),
    "an event stream as bytes": relabelled(content_type="application/octet-stream"),
    "an event stream as JSON": relabelled(content_type="application/json"),
    "an event stream as a page": relabelled(content_type="text/html"),
    "an event stream without a name": relabelled(),
    "lines of JSON": relabelled(as_json_lines, content_type="application/x-ndjson"),
    "lines of JSON as an event stream": relabelled(as_json_lines, content_type="text/event-stream"),
    "gzip that nobody asked for": relabelled(
        gzip.compress, content_type="text/event-stream", content_encoding="gzip"
    ),
}


@pytest.mark.parametrize("wire", WIRES)
async def test_a_stream_is_read_whatever_it_calls_itself(tmp_path: Path, wire: str) -> None:
    async with broken(tmp_path, STREAMS, wire=wire) as b:
        await b.end()
        for name in STREAMS:
            stored = await b.stored(name)
            assert (stored.texts, stored.last) == ([TEXT], e.TicketDone("end")), name


REFUSED: dict[str, tuple[Plan, str, str]] = {
    "a login page": (
        instead(PAGE, content_type="text/html"),
        "protocol",
        "the server sent a web page; check base_url",
    ),
    "a page that calls itself an event stream": (
        instead(PAGE, content_type="text/event-stream"),
        "protocol",
        "the server sent a web page; check base_url",
    ),
    "plain text": (
        instead(b"no healthy\nupstream", content_type="text/plain"),
        "protocol",
        'the server sent plain text, "no healthy upstream"; check base_url',
    ),
    "gzip that is none": (
        instead(b"data: x\n\n", content_type="text/event-stream", content_encoding="gzip"),
        "protocol",
        "cannot decompress the response: ",
    ),
    "a redirection": (
        instead(b"", content_type="text/html", status=307, location="https://example.com/v1"),
        "invalid_request",
        "the server redirects to https://example.com/v1 (HTTP 307); set base_url",
    ),
    "an error as JSON in place of the stream": (
        instead(
            b'{"type":"error","error":{"type":"overloaded_error","message":"Full."}}',
            content_type="application/json",
        ),
        "overloaded",
        "Full.",
    ),
}


@pytest.mark.parametrize("wire", WIRES)
async def test_a_response_that_is_no_answer_is_explained_in_one_line(
    tmp_path: Path, wire: str
) -> None:
    plans = {name: plan for name, (plan, _, _) in REFUSED.items()}
    async with broken(tmp_path, plans, wire=wire) as b:
        await b.end()
        for name, (_, kind, message) in REFUSED.items():
            last = (await b.stored(name)).last
            assert isinstance(last, e.TicketFailed), name
            assert last.kind == kind, name
            assert last.message.startswith(message), name
