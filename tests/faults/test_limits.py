"""Servers that do not stop, and a disk that does: what lfg holds stays bounded."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from lfgtui.history.recording import backlog
from lfgtui.model import events as e
from lfgtui.providers import limits
from tests.engine.harness import WIRES, calls, room, ticket
from tests.faults.breaker import HEAD, Breaker, Plan, Step, instead
from tests.faults.test_broken_streams import ONCE, broken

BLOCK = b"x" * limits.MEGABYTE
GIGABYTE = 1024
IN_SOCKETS = 128 * limits.MEGABYTE  # what the system takes in while nobody reads
RECORD = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}],"pad":"%s"}\n\n'


def endless(head: bytes, block: bytes = BLOCK, times: int = GIGABYTE) -> Iterator[Step]:
    """The same block over and over; as one chunk of HTTP where the reply has chunks."""
    yield head
    yield from (block for _ in range(times))


@contextmanager
def growth() -> Iterator[list[int]]:
    """The most memory that the body held beyond what was held before, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here
    before, grown = _resident("VmRSS"), [0]
    yield grown
    grown[0] = _resident("VmHWM") - before


def _resident(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    match = re.search(rf"{name}:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


async def test_a_line_of_a_gigabyte_is_given_up_at_the_limit(tmp_path: Path) -> None:
    def play(reply: bytes) -> Iterable[Step]:
        begun = reply[: reply.index("kůň".encode())]
        begun = begun[: begun.rindex(b"\r\n", 0, begun.rindex(b"data:")) + 2]
        begun = begun[: begun.rindex(b"\r\n", 0, -2) + 2]  # before the size of its chunk
        return endless(begun + b"%x\r\n" % (1 << 30) + b'data: {"choices":[')

    with growth() as grown:
        async with broken(tmp_path, [play]) as b:
            await b.end()
            assert b.breaker.sent < limits.RECORD_BYTES + IN_SOCKETS
            stored = await b.stored()
    assert grown[0] < 10 * limits.RECORD_BYTES
    assert stored.texts == ["Příliš žluťoučký"]
    assert isinstance(stored.last, e.TicketFailed)
    assert (stored.last.kind, stored.last.retryable) == ("protocol", False)
    assert stored.last.message.startswith("a single record exceeds the limit of 8 MB")


@pytest.mark.parametrize("status", [307, 500])
async def test_a_refusal_without_end_is_read_for_its_message(tmp_path: Path, status: int) -> None:
    head = instead(b"Out of order. ", status=status, content_type="text/plain", location="/x")
    plan: Plan = lambda reply: endless(b"".join(head(reply)))  # type: ignore[arg-type]  # noqa: E731
    async with broken(tmp_path, [plan]) as b:
        await b.end()
        assert b.breaker.sent < limits.ERROR_BYTES + IN_SOCKETS
        last = (await b.stored()).last
    assert isinstance(last, e.TicketFailed)
    assert last.kind == ("server" if status == 500 else "invalid_request")
    assert last.message.startswith("Out of order." if status == 500 else "the server redirects")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_response_without_end_is_given_up_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setattr(limits, "BODY_BYTES", 2 * limits.MEGABYTE)
    records = RECORD % (b"x" * 100_000)
    block, begun = (records, b"") if stream else (BLOCK, b'{"choices":[],"x":"')
    head = instead(begun, content_type="text/event-stream" if stream else "application/json")
    plan: Plan = lambda reply: endless(b"".join(head(reply)), block)  # type: ignore[arg-type]  # noqa: E731
    async with broken(tmp_path, [plan], stream=stream) as b:
        await b.end()
        stored = await b.stored()
    assert isinstance(stored.last, e.TicketFailed)
    assert stored.last.kind == "protocol"
    assert stored.last.message.startswith("the response exceeds the limit of 2 MB")
    if stream:  # all that came until then is there
        assert stored.texts[0].count("word ") >= limits.BODY_BYTES // len(records)


@pytest.mark.parametrize("wire", WIRES)
async def test_arguments_without_end_end_the_ticket_and_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wire: str
) -> None:
    monkeypatch.setattr(limits, "ARGUMENTS_LENGTH", 500)
    writes = calls("write_file", {"path": "x", "content": "word " * 500})
    mine = ticket("a", tmp_path, provider=wire, approve="auto")
    async with room(tmp_path, [mine], scenarios={"a": writes}) as r:
        await r.engine.wait_idle()
        entries = await asyncio.to_thread(r.stored, "a")
    last = entries[-1].event
    assert isinstance(last, e.TicketFailed)
    assert last.kind == "protocol"
    assert last.message == (
        "the input of write_file exceeds the limit of 500 bytes; ask the model for smaller steps"
    )
    came = "".join(x.event.json for x in entries if isinstance(x.event, e.ToolArgumentsDelta))
    assert 500 < len(came) < 600
    assert not (tmp_path / "x").exists()


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[sqlite3.Connection]:
    """Another program in the middle of a transaction, until it is rolled back."""

    def begin() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    connection = await asyncio.to_thread(begin)
    try:
        yield connection
    finally:
        await asyncio.to_thread(connection.close)


def _socket_buffers() -> int:
    """What the two sockets of a connection take in while nobody reads."""
    settings = Path("/proc/sys/net/ipv4")
    return sum(int((settings / name).read_text().split()[2]) for name in ("tcp_rmem", "tcp_wmem"))


async def test_a_history_that_is_held_up_holds_up_the_server_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "PENDING_BYTES", 200)
    monkeypatch.setattr(backlog, "BACKLOG_BYTES", 200)
    records = RECORD % (b"x" * 500_000)
    times = 3 * _socket_buffers() // len(records) // 2  # of which some bytes each are text
    begun = asyncio.Event()

    def play(_: bytes) -> Iterable[Step]:
        yield b"HTTP/1.1 200 Here\r\ncontent-type: text/event-stream\r\nconnection: close" + HEAD
        yield begun
        yield from (records for _ in range(times))
        yield b"data: [DONE]\n\n"

    breaker = Breaker({"a": [play]})
    async with room(tmp_path, [ticket("a", tmp_path)], front=breaker, retry=ONCE) as r:
        await r.until_event("a", e.RequestSent)
        async with locked(r.history):
            begun.set()
            async with asyncio.timeout(20):
                await breaker.held.wait()
            assert "another program is using it" in str(r.engine.health.behind)
            assert 200 < r.engine.health.queued_bytes < 2000
            assert breaker.sent < times * len(records)
        await r.engine.wait_idle()
        assert r.engine.health.queued_bytes == 0
        assert r.engine.health.behind is None
        assert r.state("a") == "done"
        stored = await asyncio.to_thread(r.stored, "a")
    text = "".join(x.event.text for x in stored if isinstance(x.event, e.TextDelta))
    assert text == "word " * times
