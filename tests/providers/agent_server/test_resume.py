"""A run whose connection breaks says each thing once, whatever the server does then.

The transport is made up here, so that it can break after any byte; everything above it is real.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal
from unittest.mock import patch

import httpx
import pytest
from httpx_sse import ServerSentEvent
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lfgtui.model.events import HostedTool, Status, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.agent_server.connection import TRIES
from lfgtui.providers.agent_server.resume import Cursor, NewRunError
from lfgtui.providers.agent_server.sse import AgentSseProvider
from tests.providers.agent_server.agents import failure_of, text
from tests.providers.sdk_wires import events_of, request

Manner = Literal["goes on", "repeats some", "starts over"]

PROVIDER = AgentSseProvider(base_url="http://127.0.0.1:9/agent", api_key=None, headers={})
DONE = b'data: {"type": "done"}\n\n'


def block(data: str, event_id: str = "", *, id_alone: bool = False) -> bytes:
    token = json.dumps({"type": "token", "content": data}, ensure_ascii=False)
    if id_alone:
        return f"data: {token}\n\nid: {event_id}\n\n".encode()
    return (f"id: {event_id}\n" if event_id else "").encode() + f"data: {token}\n\n".encode()


class Body(httpx.AsyncByteStream):
    """Bytes in pieces, and perhaps a break after them."""

    def __init__(self, pieces: list[bytes], *, breaks: bool) -> None:
        self._pieces, self._breaks = pieces, breaks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._breaks:
            raise httpx.ReadError("reset")


@dataclass
class Server:
    """Sends the blocks of `events`, each with its id, and breaks off at each of the `cuts`.

    A cut is a share of what is left to send.
    """

    events: list[tuple[str, bytes]]
    manner: Manner = "goes on"
    cuts: list[float] = field(default_factory=list)
    piece: int = 7
    retry: int = 0
    last_ids: list[str] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        last = request.headers.get("last-event-id", "")
        self.last_ids.append(last)
        start = 0
        if last and self.manner != "starts over":
            start = 1 + next(n for n, (event_id, _) in enumerate(self.events) if event_id == last)
            if self.manner == "repeats some":
                start = max(0, start - 3)
                start -= next(back for back in range(9) if self.events[start - back][0])
        blocks = [block for _, block in self.events[start:]]
        body = b"".join([b"retry: %d\n\n" % self.retry, *blocks, DONE])
        breaks = len(self.last_ids) <= len(self.cuts)
        if breaks:
            # Never before the first id: what is not numbered cannot be resumed.
            first = len(b"retry: 0\n\n" + self.events[0][1]) if not last else 0
            body = body[: first + int((len(body) - first) * self.cuts[len(self.last_ids) - 1])]
        pieces = [body[at : at + self.piece] for at in range(0, len(body), self.piece)]
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(
            200, headers=kind, stream=Body(pieces, breaks=breaks), request=request
        )

    def __enter__(self) -> None:
        self._patch = patch.object(httpx.AsyncHTTPTransport, "handle_async_request", self.answer)
        self._patch.start()

    def __exit__(self, *_: object) -> None:
        self._patch.stop()


async def run(server: Server) -> list[WireEvent]:
    with server:
        return await events_of(PROVIDER)


def numbered(count: int, every: int = 1) -> list[tuple[str, bytes]]:
    """Events with different contents; every so many has an id, the first one too."""
    ids = [f"run:{n}" if n % every == 0 else "" for n in range(count)]
    return [(event_id, block(f"žluť{n} ", event_id)) for n, event_id in enumerate(ids)]


@settings(max_examples=80, deadline=None)
@given(
    words=st.lists(st.sampled_from(["a", "b ", "a", "🐍", "žluť"]), min_size=1, max_size=12),
    ids=st.sampled_from(["all", "some", "alone"]),
    style=st.sampled_from(["{}", "run-7:{}", "a{0}b{0}c", "ž{}"]),
    manner=st.sampled_from(["goes on", "repeats some", "starts over"]),
    cuts=st.lists(st.floats(0, 1), max_size=3),
    piece=st.integers(1, 50),
)
def test_the_text_is_whole_wherever_it_was_cut(
    words: list[str], ids: str, style: str, manner: Manner, cuts: list[float], piece: int
) -> None:
    if ids == "alone":  # then only what they say tells one event from another
        words = [f"{word}{n} " for n, word in enumerate(words)]
        assume(manner != "repeats some")
    named = [style.format(n) if ids != "some" or n % 3 == 0 else "" for n in range(len(words))]
    events = [
        (event_id, block(word, event_id, id_alone=ids == "alone"))
        for word, event_id in zip(words, named, strict=True)
    ]
    assert text(asyncio.run(run(Server(events, manner, cuts, piece)))) == "".join(words)


@pytest.mark.parametrize("manner", ["goes on", "starts over"])
async def test_no_byte_is_a_bad_place_to_break_off(manner: Manner) -> None:
    size = sum(len(block) for _, block in numbered(3)) + 50
    for at in range(size):
        server = Server(numbered(3, every=2), manner, [at / size])
        assert text(await run(server)) == "žluť0 žluť1 žluť2 ", at


async def test_a_break_is_reported_once_and_the_last_id_named() -> None:
    server = Server(numbered(9), cuts=[0.5, 0.0, 0.0])
    events = await run(server)
    assert [event for event in events if isinstance(event, Status)] == [
        Status("connection lost; resuming the answer where it stopped")
    ]
    assert server.last_ids[0] == ""
    assert server.last_ids[1] in {f"run:{n}" for n in range(9)}
    assert len(server.last_ids) == 4


async def test_the_pause_that_the_server_asks_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    at_once = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await at_once(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await run(Server(numbered(9), cuts=[0.5, 0.0], retry=1500))
    assert [seconds for seconds in slept if seconds] == [1.5, 1.5]


@pytest.mark.parametrize(
    ("events", "cuts", "message", "connections"),
    [
        (numbered(9), [0.5] + [0.0] * 20, "resuming failed", 1 + TRIES),
        ([("", block("a")), ("", block("b"))], [0.9], "reset", 1),
    ],
    ids=["never comes back", "has no ids"],
)
async def test_a_break_is_final_in_the_end(
    events: list[tuple[str, bytes]], cuts: list[float], message: str, connections: int
) -> None:
    server = Server(events, cuts=cuts)
    with server:
        failure, _ = await failure_of(PROVIDER)
    assert failure.kind == "cut"
    assert message in failure.message
    assert len(server.last_ids) == connections


async def test_a_run_is_bounded_over_all_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_BYTES", 1000)
    server = Server(numbered(100), cuts=[0.05] * 100)
    with server:
        failure, _ = await failure_of(PROVIDER)
    assert failure.kind == "protocol"
    assert "exceeds the limit of 1000 bytes" in failure.message
    assert len(server.last_ids) > 2


async def test_a_call_that_was_arriving_is_shown_when_resuming_takes_too_long() -> None:
    start = {"type": "TOOL_CALL_START", "toolCallId": "c", "toolCallName": "search"}
    piece = {"type": "TOOL_CALL_ARGS", "toolCallId": "c", "delta": '{"q":'}
    events = [
        (n, f"id: {n}\ndata: {json.dumps(e)}\n\n".encode())
        for n, e in zip("12", (start, piece), strict=True)
    ]
    server, seen = Server(events, cuts=[0.99], retry=20_000), list[WireEvent]()
    with server, pytest.raises(Exception, match="no data for"):
        async for event in PROVIDER.stream(request(idle_timeout=0.05)):
            seen.append(event)
    assert seen[-1] == HostedTool("search", '{"q":', "", "c")


# the cursor alone


def event(event_id: str, data: str = "new") -> ServerSentEvent:
    return ServerSentEvent(data=data, id=event_id)


def cursor_after(*ids: str) -> Cursor:
    cursor = Cursor()
    assert all(cursor.is_new(event(one, f"data of {one}")) for one in ids)
    cursor.resume()
    return cursor


@pytest.mark.parametrize(
    ("ids", "next_id"),
    [
        (["1", "2"], "1.5"),
        (["a-1", "a-2"], "b-3"),
        (["run:8", "run:9"], "run:7"),
        (["1", "2"], "x"),
    ],
)
def test_ids_that_leave_the_count_are_another_runs(ids: list[str], next_id: str) -> None:
    with pytest.raises(NewRunError):
        cursor_after(*ids).is_new(event(next_id))


@pytest.mark.parametrize(
    ("ids", "next_id"),
    [
        (["1", "2"], "7"),
        (["run:9", "run:10"], "run:11"),
        (["x1"], "y1"),
        (["8f3a1", "02bc7"], "77aa0"),
    ],
)
def test_ids_that_go_on_or_never_counted_are_new(ids: list[str], next_id: str) -> None:
    assert cursor_after(*ids).is_new(event(next_id))


def test_the_same_words_twice_are_not_one_event_in_the_first_connection() -> None:
    cursor = Cursor()
    assert all(cursor.is_new(event("1", "ha")) for _ in range(3))


def test_an_empty_id_takes_the_position_back() -> None:
    cursor = Cursor()
    cursor.is_new(event("1"))
    assert cursor.is_new(event(""))
    assert cursor.last_id == ""
