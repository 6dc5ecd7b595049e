"""`lfg relay`, the far side of `lfg attach HOST`: requests on stdin, answers on stdout.

A line asks for the runs at work (`ListRuns`), any number of times, or to watch one (`Watch`). After
a `Watch` the lines are those of the run's own socket, in both directions; entries from the history
come first.
"""

import asyncio
from contextlib import aclosing, suppress

import msgspec

from lfgtui import __version__
from lfgtui.errors import LfgError
from lfgtui.processes.waiting import until_one_ends
from lfgtui.server.at_work import RunAtWork, runs_at_work
from lfgtui.server.control.client import BrokenError, Lines
from lfgtui.server.control.messages import (
    PROTOCOL,
    Hello,
    Watch,
    line,
    viewer_decoder,
)
from lfgtui.server.control.watching import Watching, watch


class ListRuns(msgspec.Struct, frozen=True, tag=True):
    """Ask for the runs at work on this machine."""


class Listing(msgspec.Struct, frozen=True):
    """The runs at work, newest first, and the version of the lfg that lists them."""

    protocol: int
    version: str
    runs: tuple[RunAtWork, ...]


_request: msgspec.json.Decoder[ListRuns | Watch] = msgspec.json.Decoder(ListRuns | Watch)


async def relay(lines: Lines, writer: asyncio.StreamWriter) -> None:
    """Answer until the other side leaves, or the watched run has ended."""
    async for sent in lines:
        try:
            request = _request.decode(sent)
        except msgspec.MsgspecError as error:
            await _write(writer, Hello(PROTOCOL, __version__, error=f"not a request: {error}"))
            return
        if isinstance(request, Watch):
            await _relay_run(request, lines, writer)
            return
        runs = await asyncio.to_thread(runs_at_work)
        await _write(writer, Listing(PROTOCOL, __version__, tuple(runs)))


async def _relay_run(request: Watch, lines: Lines, writer: asyncio.StreamWriter) -> None:
    """Relay one run until it ends or the other side leaves."""
    try:
        watching = await watch(request.run, request.after, request.viewer)
    except BrokenError:
        return  # to the other side this is a broken connection, so it tries again
    except LfgError as error:
        await _write(writer, Hello(PROTOCOL, __version__, error=str(error)))
        return
    try:
        await until_one_ends(_show(watching, writer), _obey(watching, lines))
    except (OSError, BrokenError):
        return  # one of the sides has left
    finally:
        watching.close()


async def _show(watching: Watching, writer: asyncio.StreamWriter) -> None:
    """Write what is new until the run's process ends or cannot be understood."""
    await _write(writer, watching.hello)
    with suppress(LfgError):
        async with aclosing(watching.frames()) as frames:
            async for frame in frames:
                await _write(writer, frame)


async def _obey(watching: Watching, lines: Lines) -> None:
    """Pass the viewer's lines on to the run until the viewer leaves."""
    async for sent in lines:
        try:
            message = viewer_decoder.decode(sent)
        except msgspec.MsgspecError:  # of a newer lfg
            continue
        await watching.hand_on(message)


async def _write(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    writer.write(line(message))
    await writer.drain()
