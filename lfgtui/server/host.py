"""Runs on another machine: a local program, usually ssh, starts `lfg relay` there.

Each connection is a process of its own. The first one lists the runs and is then used to watch
one. If it breaks, a new one continues after the place of the newest entry.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from lfgtui.errors import UsageError
from lfgtui.server.at_work import RunAtWork
from lfgtui.server.control.address import person
from lfgtui.server.control.client import BrokenError, Lines
from lfgtui.server.control.messages import (
    Frame,
    Hello,
    Watch,
    check,
    line,
    read_frame,
    read_hello,
)
from lfgtui.server.relay import Listing, ListRuns
from lfgtui.text.terminal_safe import visible_line

_SECONDS = 60.0
"""Seconds that a host may take to answer: a person may be typing a password."""

_LONGEST_REASON = 200
"""Most characters shown of what the program or the other side printed."""

_NO_PROGRAM = 127
"""A shell's exit code if the program is not found."""

_T = TypeVar("_T")

_read_listing = msgspec.json.Decoder(Listing).decode


class Host:
    """Another machine as a `remote_run.Source`, with the runs at work there; `close` it in the end.

    `command` starts `lfg relay` there the first time, and `again` each later time: that must not
    ask the person anything (a password, for example), since lfg's screen then has the terminal.
    """

    def __init__(self, host: str, command: Sequence[str], again: Sequence[str]) -> None:
        self.host = host
        self._command, self._again = tuple(command), tuple(again)
        self._idle: HostConnection | None = None
        """The connection that listed the runs and watches none yet."""
        self._opened: list[HostConnection] = []
        """All connections that are to be closed in the end."""

    async def runs(self) -> list[RunAtWork]:
        """Return the runs at work there; raises `UsageError`."""
        idle, self._idle = self._idle, None
        if idle is None or idle.process.returncode is not None:
            command, self._command = self._command, self._again
            idle = await self._connect(command)
        listing = await self._ask(idle, ListRuns(), _read_listing)
        self._idle = idle
        check(Hello(listing.protocol, listing.version), self.host)
        return list(listing.runs)

    async def watch(self, run: str, after: int = 0) -> "HostConnection":
        """Begin to watch the run after the place `after`; raises `UsageError`."""
        connection, self._idle = self._idle or await self._connect(self._again), None
        connection.hello = await self._ask(connection, Watch(run, after, person()), read_hello)
        check(connection.hello, self.host)
        return connection

    async def close(self) -> None:
        """End all connections."""
        for connection in self._opened:
            connection.close()
        await asyncio.gather(*(connection.process.wait() for connection in self._opened))

    async def _connect(self, command: Sequence[str]) -> "HostConnection":
        """Start the command; the connection is closed by `close`. Raises `UsageError`."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE
            )
        except OSError as error:
            raise UsageError(f"{self.host}: cannot run {command[0]}: {error.strerror}") from None
        self._opened = [one for one in self._opened if one.process.returncode is None]
        self._opened.append(connection := HostConnection(self.host, process))
        return connection

    async def _ask(
        self, connection: "HostConnection", request: msgspec.Struct, read: Callable[[bytes], _T]
    ) -> _T:
        """Return the answer to the request, a line that `read` decodes.

        Raises `UsageError`; this is a `BrokenError` if a new connection may succeed.
        """
        connection.send(request)
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await anext(connection.lines, b"")
                if answer:
                    return read(answer)
                raise await connection.broken()
        except TimeoutError:
            connection.close()
            raise BrokenError(f"no answer from {self.host} within {_SECONDS:.0f} s") from None
        except msgspec.MsgspecError:
            connection.close()
            said = visible_line(answer.decode(errors="replace").strip())[:_LONGEST_REASON]
            raise UsageError(f'{self.host} answered "{said}", which is not lfg') from None


class HostConnection:
    """A running program whose pipes lead to `lfg relay` on the other machine.

    `lines` are those that come from there. It is a `remote_run.Watched` from the moment that
    `Host.watch` sets its `hello`.
    """

    hello: Hello

    def __init__(self, host: str, process: Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self.host = host
        self.process = process
        self.lines = Lines(process.stdout)
        self._input = process.stdin
        self._complaint = asyncio.create_task(_last_line(process.stderr))

    def send(self, message: msgspec.Struct) -> None:
        if not self._input.is_closing():
            self._input.write(line(message))

    def close(self) -> None:
        self._input.close()
        # Not `terminate`: subprocess may reap the process then, and asyncio gets no exit code.
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGTERM)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        async for sent in self.lines:
            try:
                frame = read_frame(sent)
            except msgspec.MsgspecError as error:
                raise UsageError(f"{self.host} sent a line that cannot be read: {error}") from None
            yield frame
            if frame.has_ended:
                return
        raise await self.broken()

    async def broken(self) -> UsageError:
        """Close the connection and return an error that says why it broke.

        This is a `BrokenError` if a new connection may succeed.
        """
        self.close()
        complaint, code = await self._complaint, await self.process.wait()
        if code == _NO_PROGRAM:
            return UsageError(f"{self.host}: {complaint or 'no lfg there'}; install lfg there")
        return BrokenError(f"{self.host}: {complaint or 'the connection broke'}")


async def _last_line(output: asyncio.StreamReader) -> str:
    """Return the last line of the output once it has ended, safe to show."""
    last = b""
    while part := await output.read(1 << 16):
        last = (last + part)[-4 * _LONGEST_REASON :]
    lines = last.decode(errors="replace").strip().splitlines()
    return visible_line(lines[-1])[:_LONGEST_REASON] if lines else ""
