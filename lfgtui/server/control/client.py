"""The client's side of a run's socket: one request, or a connection that stays open.

The run's side is `listening`.
"""

import asyncio

import msgspec

from lfgtui.engine.commands import Command
from lfgtui.errors import UsageError
from lfgtui.history.storage import leases
from lfgtui.server.control.address import person, short_address, socket_path
from lfgtui.server.control.messages import (
    LONGEST,
    Hello,
    ListApprovals,
    ListTickets,
    Reply,
    Watch,
    check,
    line,
    read_hello,
    reply_decoder,
    request_line,
)
from lfgtui.settings import paths

_SECONDS = 10.0
"""Seconds that a run may take to reply."""

_MAY_TAKE_EFFECT = "the command may still take effect"

_READ_BYTES = 1 << 16
"""Most bytes that are read at once."""


class BrokenError(UsageError):
    """The connection to a run broke, or could not be made just now; a new one may succeed."""


class RunOverError(UsageError):
    """The run is not in progress, so no process takes requests for it."""


class UnansweredError(BrokenError):
    """The run did not reply to a request, which it may still carry out."""


def ask(run: str, request: Command | ListApprovals | ListTickets) -> Reply:
    """Return the run's reply; for code without an event loop. Raises as `reply_of` does."""
    return asyncio.run(reply_of(run, request))


async def reply_of(run: str, request: Command | ListApprovals | ListTickets) -> Reply:
    """Return the run's reply to the request.

    Raises `UsageError` with the reply's error, `RunOverError`, `UnansweredError`, and
    `BrokenError` if the run is at work but cannot be reached.
    """
    reader, writer = await _open(run)
    try:
        async with asyncio.timeout(_SECONDS):
            writer.write(request_line(request, person()))
            await writer.drain()
            reply = reply_decoder.decode(await anext(Lines(reader), b""))
    except TimeoutError:
        raise UnansweredError(
            f"no answer from run {run} within {_SECONDS:.0f} s; {_MAY_TAKE_EFFECT}"
        ) from None
    except (OSError, msgspec.MsgspecError):
        if await asyncio.to_thread(is_at_work, run):
            raise UnansweredError(f"no answer from run {run}; {_MAY_TAKE_EFFECT}") from None
        raise _over(run) from None
    finally:
        writer.transport.abort()
    if reply.error:
        raise UsageError(reply.error)
    return reply


async def connect(run: str, viewer: str) -> tuple[Hello, "Lines", asyncio.StreamWriter]:
    """Begin to watch the run: return its first line, the later ones, and a writer to it.

    Raises `RunOverError`, `BrokenError`, and `UsageError` if the two versions cannot talk.
    """
    reader, writer = await _open(run)
    lines = Lines(reader)
    try:
        writer.write(line(Watch(run, viewer=viewer)))
        async with asyncio.timeout(_SECONDS):
            hello = read_hello(await anext(lines, b""))
        check(hello, f"run {run}")
    except TimeoutError:
        writer.close()
        raise BrokenError(f"no answer from run {run} within {_SECONDS:.0f} s") from None
    except msgspec.MsgspecError:
        writer.close()
        raise _over(run) from None
    except BaseException:
        writer.close()
        raise
    return hello, lines, writer


async def _open(run: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the run; raises `RunOverError`, `BrokenError`."""
    try:
        with short_address(socket_path(run)) as address:
            return await asyncio.open_unix_connection(address)
    except OSError:
        if await asyncio.to_thread(is_at_work, run):
            raise BrokenError(f"run {run} is in progress, but cannot be reached just now") from None
        raise _over(run) from None


class Lines:
    """The complete lines of a stream, one at a time, until it ends or breaks.

    While nobody takes lines, little more than the next one is read. (`StreamReader.readline` would
    buffer up to twice the longest line.)
    """

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._rest = bytearray()
        self._searched = 0

    def __aiter__(self) -> "Lines":
        return self

    async def __anext__(self) -> bytes:
        while (end := self._rest.find(b"\n", self._searched)) < 0:
            self._searched = len(self._rest)
            try:
                more = await self._reader.read(_READ_BYTES)
            except OSError:
                more = b""
            if not more or len(self._rest) > LONGEST:
                raise StopAsyncIteration
            self._rest += more
        self._searched = 0
        line = bytes(self._rest[: end + 1])
        del self._rest[: end + 1]
        return line


def is_at_work(run: str) -> bool:
    """Return True if a process holds the run's lock. It blocks: call it in a thread."""
    with leases.held(paths.data_dir() / "locks", run, patiently=False) as is_free:
        return not is_free


def _over(run: str) -> RunOverError:
    return RunOverError(f"run {run} is not in progress; to continue: lfg resume {run}")
