import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from lfgtui.providers import limits
from lfgtui.providers.transport.together import MOST_AHEAD, together


class Server:
    """A body whose chunks a test sends; it notes how far it was read, and that it was closed."""

    def __init__(self) -> None:
        self.read = 0
        self.is_closed = False
        self._sent: asyncio.Queue[list[bytes] | Exception | None] = asyncio.Queue()
        self.send = self._sent.put_nowait

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            while (sent := await self._sent.get()) is not None:
                if isinstance(sent, Exception):
                    raise sent
                for chunk in sent:
                    self.read += 1
                    yield chunk
        finally:
            self.is_closed = True


async def test_what_came_with_one_read_is_one_piece() -> None:
    server = Server()
    async with aclosing(together(server.chunks())) as pieces:
        server.send([b"one ", b"two ", b"three"])
        assert await anext(pieces) == b"one two three"
        server.send([b"four"])
        assert await anext(pieces) == b"four"
        server.send(None)
        assert await anext(pieces, None) is None
    assert server.is_closed


async def test_what_arrived_before_a_break_goes_out_before_its_error() -> None:
    server = Server()
    pieces = together(server.chunks())
    server.send([b"all ", b"of this"])
    server.send(OSError("reset"))
    assert await anext(pieces) == b"all of this"
    with pytest.raises(OSError, match="reset"):
        await anext(pieces)
    assert server.is_closed


@pytest.mark.parametrize("error", [None, OSError("reset")])
async def test_whoever_stops_reading_closes_the_body(
    error: OSError | None, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    pieces = together(server.chunks())
    server.send([b"enough"])
    assert await anext(pieces) == b"enough"
    if error is not None:
        server.send(error)
        await asyncio.sleep(0)
    await pieces.aclose()
    assert server.is_closed
    assert not caplog.records


async def test_a_reader_that_is_cancelled_closes_the_body() -> None:
    server = Server()
    pieces = together(server.chunks())

    async def read() -> None:
        async with aclosing(pieces):
            async for _ in pieces:
                pass

    reading = asyncio.create_task(read())
    server.send([b"a word"])
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.read == 1
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert server.is_closed


async def test_no_more_is_read_ahead_than_the_bound() -> None:
    server, chunk = Server(), bytes(1024)
    async with aclosing(together(server.chunks())) as pieces:
        server.send([chunk] * 1000)
        got = [await anext(pieces)]
        for _ in range(100):
            await asyncio.sleep(0)
        most = MOST_AHEAD // len(chunk) + 1
        assert len(got[0]) // len(chunk) <= most
        assert server.read <= len(got[0]) // len(chunk) + most
        server.send(None)
        got += [piece async for piece in pieces]
    assert b"".join(got) == chunk * 1000


async def test_a_long_backlog_comes_in_small_pieces_between_which_others_run() -> None:
    server, turns, runs = Server(), 0, []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    async with aclosing(together(server.chunks())) as pieces:
        server.send([bytes(1024)] * 1000)
        server.send(None)
        got = []
        async for piece in pieces:
            got.append(len(piece))
            runs.append(turns)
    running.cancel()
    assert sum(got) == 1000 * 1024
    assert max(got) == limits.PIECE_BYTES
    assert len(set(runs)) == len(runs)


async def test_whoever_takes_a_backlog_stops_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lfgtui.providers.transport.together.TAKING_SECONDS", 0)
    server = Server()
    async with aclosing(together(server.chunks())) as pieces:
        server.send([b"x"] * 1000)
        got = [await anext(pieces)]
        assert server.read < 10
        server.send(None)
        got += [piece async for piece in pieces]
    assert b"".join(got) == b"x" * 1000
