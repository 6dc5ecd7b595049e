"""A program under a supervisor of its own, as the event loop sees it.

`supervisor` describes the reports, and the requests that `ask` can send.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio import Event, Future
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lfgtui.processes import supervisor
from lfgtui.processes.limits import NO_LIMITS, ProcessLimits
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.waiting import finish, within

_CLEARING_SECONDS = 10.0
"""More seconds than a supervisor takes to kill everything and to report it."""

_OUTPUT = (1, 2)
"""Descriptors of standard output and error."""


class Reports(asyncio.Protocol):
    """The supervisor's reports, read from its socket.

    Events: `started`: the program runs, or never will (`failure`). `exited`: it is gone, with the
    exit status `code` if that is known. `ended`: there are no more reports.

    `leader` is the program's process id. `is_cleared`: all processes are gone except those in
    `left`, which could not be killed; `killed` is how many had to be. `is_lost`: the supervisor
    itself was killed. `excess` is the name of the limit that was exceeded.
    """

    def __init__(self, on_exit: Callable[[], None]) -> None:
        self.started, self.exited, self.ended = Event(), Event(), Event()
        self.leader: int | None = None
        self.code: int | None = None
        self.failure: OSError | None = None
        self.is_cleared = self.is_lost = False
        self.killed = 0
        self.left: list[str] = []
        self.excess = ""
        self._on_exit = on_exit
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            match line.decode(errors="replace").split(" ", 2):
                case ["started", pid]:
                    self.leader = int(pid)
                case ["running"]:
                    self.started.set()
                case ["failed", number]:
                    self.failure = OSError(int(number), os.strerror(int(number)))
                    self.leader = None
                    self._exit()
                case ["over", limit]:
                    self.excess = limit
                case ["exited", status]:
                    self.code = int(status)
                    self._exit()
                case ["lost"]:
                    self.is_lost = True
                case ["left", pid, name]:
                    self.left.append(f"{name} (pid {pid})")
                case ["cleared", count]:
                    self.killed, self.is_cleared = int(count), True
                    self.ended.set()
                case _:
                    pass

    @property
    def loss(self) -> str:
        """The fate of the processes if the supervisor was killed, in words; "" if it was not.

        Only meaningful once `ended` is set.
        """
        if not self.is_cleared:
            return "supervisor was killed: what it started may still be running"
        return "supervisor was killed, and so was all that it started" if self.is_lost else ""

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        self._exit()

    def _exit(self) -> None:
        self.started.set()
        if not self.exited.is_set():
            self.exited.set()
            self._on_exit()


class Supervised(asyncio.SubprocessProtocol):
    """A program while it runs; a subclass takes its output, in `pipe_data_received`.

    `start` it, and `clear` it in the end. `gone` is set when its supervisor has ended, `closed`
    when no process holds the pipes of its output any more. asyncio's streams are not used because
    their reader buffers and, in some versions of Python, their `wait` waits for the pipes: a
    protocol gets data and closed pipes one by one.
    """

    def __init__(self) -> None:
        self.reports = Reports(self.program_exited)
        self.gone, self.closed = Event(), Event()
        self.transport: asyncio.SubprocessTransport | None = None
        self._lifeline: asyncio.Transport | None = None
        self._starting: Future[None] | None = None
        self._open = set(_OUTPUT)
        self._wall: Wall | None = None
        self.undone = ""
        """A line about the changes that its wall had to undo, once it is cleared."""

    async def start(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        has_input: bool = False,
        limits: ProcessLimits = NO_LIMITS,
        wall: Wall | None = None,
    ) -> None:
        """Start the supervisor, and with it the program; raises `OSError`, `ValueError`.

        However this ends, await `clear` afterwards. The program's input is a pipe or, without
        input, /dev/null.
        """
        self._wall = wall
        if wall is not None:
            command = await asyncio.to_thread(wall.command, command, environment)
        given = limits.argument(is_walled=wall is not None)
        stdin = PIPE if has_input else DEVNULL
        starting = self._start((given, *command), folder, environment, stdin, limits.descriptors)
        self._starting = asyncio.ensure_future(starting)
        await asyncio.shield(self._starting)

    async def clear(self, drain_seconds: float) -> None:
        """End all that the program started; wait for that, and for the rest in its pipes.

        For the latter it waits at most `drain_seconds`. A cancellation is passed on after all that.
        """
        await finish(self._clear(drain_seconds))

    def ask(self, what: bytes) -> None:
        """Send a request to the supervisor: `term` or `kill`, with a line feed."""
        if self._lifeline is not None and not self._lifeline.is_closing():
            self._lifeline.write(what)

    def program_exited(self) -> None:
        """Called once: the program has exited, could not be started, or its supervisor is gone."""

    def program_cleared(self) -> None:
        """Called when all processes that can be killed are gone: no more output is written."""

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self.closed.set()

    def process_exited(self) -> None:
        self.gone.set()  # its last reports may be unread; the end of the socket comes after them

    async def _start(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        stdin: int,
        descriptors: Sequence[int],
    ) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        try:
            self.transport, _ = await loop.subprocess_exec(
                lambda: self,
                *(sys.executable, "-I", "-S", supervisor.__file__, str(theirs.fileno()), *command),
                cwd=folder,
                env=environment,
                stdin=stdin,
                pass_fds=(theirs.fileno(), *descriptors),
                start_new_session=True,
            )
            self._lifeline, _ = await loop.connect_accepted_socket(lambda: self.reports, ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    async def _clear(self, drain_seconds: float) -> None:
        if self._starting is not None:
            with suppress(OSError, ValueError):
                await self._starting
        if self.transport is None:
            return
        self.ask(b"kill\n")
        try:
            if self._lifeline is not None:
                await within(_CLEARING_SECONDS, self.reports.ended)
            self._kill_group()
            self.program_cleared()
            await within(drain_seconds, self.closed)
            if self._lifeline is not None:
                self._lifeline.close()
            await within(_CLEARING_SECONDS, self.gone)
            if self._wall is not None:
                self.undone = await asyncio.to_thread(self._wall.restore)
        finally:
            self.transport.close()

    def _kill_group(self) -> None:
        """Kill the program's own session, the last resort if the supervisor did not."""
        if self.reports.leader is not None and not self.reports.is_cleared:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.reports.leader, signal.SIGKILL)


def exit_in_words(code: int) -> str:
    """Return a program's exit status, as in `subprocess`, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"killed by {name}, exit code {code}"
