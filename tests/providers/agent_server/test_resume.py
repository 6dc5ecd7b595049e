"""A run whose connection breaks says each thing once, whatever the server does then.

The transport is made up here, so that it can break after any byte; everything above it is real.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lfgtui.errors import ProviderError
from lfgtui.model.events import Status, WireEvent
from lfgtui.providers.agent_server.connection import TRIES, agent_pump
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.resume import Arrival, BeganAnew, Cursor
from lfgtui.providers.agent_server.sse import HttpLink
from tests.providers.agent_server.agents import request, text

URL = httpx.URL("http://127.0.0.1:9/agent")

Manner = Literal["goes on", "repeats some", "starts over"]


@dataclass
class Event:
    """One event of the server's; `id` is "" where it has none."""

    data: str
    id: str = ""
    id_alone: bool = False

    @property
    def block(self) -> bytes:
        said = json.dumps({"type": "token", "content": self.data}, ensure_ascii=False)
        if self.id_alone:
            return f"data: {said}\n\nid: {self.id}\n\n".encode()
        return (f"id: {self.id}\n" if self.id else "").encode() + f"data: {said}\n\n".encode()


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
    """Sends `events` and breaks off at each of the `cuts`, a share of what is left to send."""

    events: list[Event]
    manner: Manner = "goes on"
    cuts: list[float] = field(default_factory=list)
    piece: int = 7
    retry: int = 0
    last_ids: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        last = request.headers.get("last-event-id", "")
        self.last_ids.append(last)
        start = 0
        if last and self.manner != "starts over":
            start = 1 + next(n for n, event in enumerate(self.events) if event.id == last)
            if self.manner == "repeats some":
                start = max(0, start - 3)
                start -= next(back for back in range(9) if self.events[start - back].id)
        blocks = [event.block for event in self.events[start:]]
        body = f"retry: {self.retry}\n\n".encode() + b"".join(blocks)
        end = {"type": "done"}
        body += f"data: {json.dumps(end)}\n\n".encode()
        breaks = len(self.last_ids) <= len(self.cuts)
        if breaks:
            # Never before the first id: what is not numbered cannot be taken up.
            first = len(b"retry: 0\n\n" + self.events[0].block) if not last else 0
            body = body[: first + int((len(body) - first) * self.cuts[len(self.last_ids) - 1])]
        pieces = [body[at : at + self.piece] for at in range(0, len(body), self.piece)]
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, stream=Body(pieces, breaks=breaks))


async def run(server: Server) -> list[WireEvent]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
        link = HttpLink(client, URL, {"stream": True})
        async with aclosing(agent_pump(link, AgentDecoder(), request(), key=None)) as events:
            return [event async for event in events]


def numbered(count: int, every: int = 1) -> list[Event]:
    """Events that say different things; every so many has an id, the first one too."""
    return [
        Event(f"žluť{n} ", f"run:{n}" if n % every == 0 else "") for n in range(count)
    ]  # fmt: skip


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
    events = [
        Event(word, style.format(n) if ids != "some" or n % 3 == 0 else "", ids == "alone")
        for n, word in enumerate(words)
    ]
    server = Server(events, manner, cuts, piece)
    assert text(asyncio.run(run(server))) == "".join(words)


def every_cut(server: Server) -> Iterator[float]:
    size = len(b"".join(event.block for event in server.events)) + 50
    return (at / size for at in range(size))


@pytest.mark.parametrize("manner", ["goes on", "starts over"])
async def test_no_byte_is_a_bad_place_to_break_off(manner: Manner) -> None:
    for at in every_cut(Server(numbered(3))):
        server = Server(numbered(3, every=2), manner, [at])
        assert text(await run(server)) == "žluť0 žluť1 žluť2 ", at


async def test_a_break_is_told_once_and_the_last_id_named() -> None:
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


async def test_a_server_that_never_comes_back_is_left_alone_in_the_end() -> None:
    server = Server(numbered(9), cuts=[0.5] + [0.0] * 20)
    with pytest.raises(ProviderError, match="resuming failed") as failure:
        await run(server)
    assert failure.value.kind == "cut"
    assert len(server.last_ids) == 1 + TRIES


async def test_without_ids_a_break_is_final_at_once() -> None:
    server = Server([Event("a"), Event("b")], cuts=[0.9])
    with pytest.raises(ProviderError, match="reset") as failure:
        await run(server)
    assert failure.value.kind == "cut"
    assert len(server.last_ids) == 1


# the cursor alone


def cursor_after(*ids: str) -> Cursor:
    cursor = Cursor()
    assert all(cursor.is_new(Arrival("", f"data of {one}", one)) for one in ids)
    cursor.take_up()
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
    with pytest.raises(BeganAnew):
        cursor_after(*ids).is_new(Arrival("", "new", next_id))


@pytest.mark.parametrize(
    ("ids", "next_id"),
    [(["1", "2"], "7"), (["a-1", "a-2"], "a-3"), (["x1"], "y1"), (["8f3a1", "02bc7"], "77aa0")],
)
def test_ids_that_go_on_or_never_counted_are_new(ids: list[str], next_id: str) -> None:
    assert cursor_after(*ids).is_new(Arrival("", "new", next_id))


def test_the_same_words_twice_are_not_one_event_in_the_first_connection() -> None:
    cursor = Cursor()
    assert all(cursor.is_new(Arrival("", "ha", "1")) for _ in range(3))
