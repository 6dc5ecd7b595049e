"""A child process that lives long: lines in, lines out, and an end that leaves nothing running.

Memory is bounded whatever the child does (`ChildLimits`). Once `unread_bytes` of its output are
here unread, the rest stays in its pipe, and the child waits. Its standard error is read slowly, and
only the end is kept, for messages. Input that it does not read is kept up to `unsent_bytes`, and a
writer waits at most `write_seconds` for it to read on.

When the child exits, all that it started is killed at once, so its output is complete. It also
ends when lfg does, however lfg ends.
"""

import asyncio
from asyncio import Event, Task
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lfgtui.errors import LfgError, too_many_files
from lfgtui.processes.lines import Line, LineSplitter
from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement
from lfgtui.processes.supervised import Supervised, exit_in_words
from lfgtui.processes.waiting import finish, within

MEGABYTE = 1024 * 1024

_STDERR_PAUSE = 0.02
"""Seconds between two reads of standard error: with 64 kB in each, 3 MB a second at most."""

_LINE_COST = 64
"""Bytes of memory that a line takes besides its content."""

_CLOSED = "has ended, or has closed its standard input"


class StartError(LfgError):
    """A program that could not be started. `is_missing`: there is no such program."""

    def __init__(self, program: str, reason: str, *, is_missing: bool) -> None:
        super().__init__(f"{program}: {reason}")
        self.program = program
        self.reason = reason
        self.is_missing = is_missing


class UnwritableError(LfgError):
    """A child that takes no more input; the message is to be put after the child's name."""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Bounds of a child process; see the module.

    `line_bytes` is large, as an agent's line may hold a file's old and new text several times.
    After the exit, output is read for at most `drain_seconds`.
    """

    line_bytes: int = 32 * MEGABYTE
    unread_bytes: int = MEGABYTE
    unsent_bytes: int = 64 * MEGABYTE
    stderr_bytes: int = 8 * 1024
    write_seconds: float = 30.0
    drain_seconds: float = 0.5


class ChildProcess(Supervised):
    """A child process under a supervisor; started by `start_child`, to be ended by `terminate`."""

    def __init__(self, limits: ChildLimits) -> None:
        super().__init__()
        self._limits = limits
        self._splitter = LineSplitter(limits.line_bytes)
        self._lines: list[Line] = []
        self._unread = 0  # bytes of `_lines`
        self._has_ended = self._is_final = False  # its output; no process can write any more
        self._arrived, self._writable = Event(), Event()
        self._writable.set()
        self._stderr = b""
        self._ending: Task[None] | None = None

    @property
    def stderr(self) -> str:
        """The end of its standard error."""
        return self._stderr.decode("utf-8", "replace").strip()

    @property
    def ending(self) -> str:
        """Its exit in words, to be put after its name; "" while it runs."""
        if self.reports.code is not None:
            return exit_in_words(self.reports.code)
        if not self.reports.ended.is_set():
            return ""
        return f"its {self.reports.loss}" if self.reports.loss else "it could not be killed"

    @property
    def root(self) -> int | None:
        """The id of its supervisor, the ancestor of all it started; None once that is gone."""
        return None if self.transport is None or self.gone.is_set() else self.transport.get_pid()

    async def read_lines(self) -> list[Line]:
        """Return the lines that have arrived, at least one; [] at the end of its output.

        One reader at a time.
        """
        while not self._lines and not self._has_ended:
            self._arrived.clear()
            await self._arrived.wait()
        lines, self._lines, self._unread = self._lines, [], 0
        self._resume(1)
        return lines

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Leave its output in the pipe during the body."""
        if not self._is_final:
            self._pause(1)
        try:
            yield
        finally:
            self._resume(1)

    async def write_line(self, line: bytes) -> None:
        """Write a line, which has no line feed yet, and wait while too much is unsent.

        Raises `UnwritableError`. A cancellation never leaves half a line.
        """
        pipe = self._input()
        if pipe is None:
            raise UnwritableError(_CLOSED)
        if pipe.get_write_buffer_size() + len(line) > self._limits.unsent_bytes:
            raise UnwritableError(f"has {pipe.get_write_buffer_size():,} bytes of input unread")
        pipe.write(line + b"\n")
        seconds = self._limits.write_seconds
        while not self._writable.is_set():
            unsent = pipe.get_write_buffer_size()
            await within(seconds, self._writable)
            if pipe.get_write_buffer_size() >= unsent > 0:
                raise UnwritableError(f"has not read its standard input for {seconds:g} s")
        if self._input() is None:
            raise UnwritableError(_CLOSED)

    async def wait(self) -> None:
        """Wait until the child has exited and all that it started is gone."""
        await self.reports.exited.wait()
        await finish(self.end())

    async def terminate(self, grace: float) -> Sequence[str]:
        """End the child and all that it started; return the names of processes left.

        Its input is closed. After `grace` seconds all processes get SIGTERM, and after as many
        again, or when this is cancelled, SIGKILL.
        """
        try:
            if (pipe := self._input()) is not None:
                pipe.close()
            if not await within(grace, self.reports.exited):
                self.ask(b"term\n")
                await within(grace, self.reports.exited)
        finally:
            await finish(self.end())
        return self.reports.left

    def end(self) -> Task[None]:
        """Begin to end all that still runs; the returned task, always the same, is done then."""
        if self._ending is None:
            self._ending = asyncio.create_task(self.clear(self._limits.drain_seconds))
        return self._ending

    def program_exited(self) -> None:
        self.end()

    def program_cleared(self) -> None:
        self._is_final = self.reports.is_cleared and not self.reports.left
        self._resume(1)
        self._resume(2)
        pipe = self._pipe(0)
        if isinstance(pipe, asyncio.WriteTransport) and pipe.get_write_buffer_size():
            pipe.abort()  # nobody will read what is unsent

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self._take(self._splitter.feed(data))
        else:
            self._stderr = (self._stderr + data)[-self._limits.stderr_bytes :]
            if not self.reports.ended.is_set():
                self._pause(2)
                asyncio.get_running_loop().call_later(_STDERR_PAUSE, self._resume, 2)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 0:
            self._writable.set()
        elif fd == 1:
            self._has_ended = True
            self._take(self._splitter.finish())
            self._arrived.set()
        super().pipe_connection_lost(fd, exc)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _take(self, lines: list[Line]) -> None:
        """Keep the lines; past the bound, pause reading, unless all processes are gone."""
        if not lines:
            return
        self._lines += lines
        self._unread += sum(len(line) + _LINE_COST for line in lines if isinstance(line, bytes))
        if self._unread > self._limits.unread_bytes and not self._is_final:
            self._pause(1)
        self._arrived.set()

    def _input(self) -> asyncio.WriteTransport | None:
        """Return the pipe to its standard input; None if it cannot be written to."""
        pipe = self._pipe(0)
        return pipe if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing() else None

    def _pause(self, fd: int) -> None:
        pipe = self._pipe(fd)
        if isinstance(pipe, asyncio.ReadTransport):
            pipe.pause_reading()

    def _resume(self, fd: int) -> None:
        pipe = self._pipe(fd)
        if isinstance(pipe, asyncio.ReadTransport) and not pipe.is_closing():
            pipe.resume_reading()

    def _pipe(self, fd: int) -> asyncio.BaseTransport | None:
        return None if self.transport is None else self.transport.get_pipe_transport(fd)


async def start_child(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    limits: ChildLimits | None = None,
    confinement: Confinement = UNCONFINED,
) -> ChildProcess:
    """Return the child once it runs, within its `confinement`; raises `StartError`.

    A program without a slash in its name is looked up in the PATH of `env`.
    """
    child = ChildProcess(limits or ChildLimits())
    try:
        await child.start(
            argv, cwd, env, has_input=True, limits=confinement.limits, wall=confinement.wall
        )
        await child.reports.started.wait()
        if child.reports.failure is not None:
            raise child.reports.failure
        if child.reports.leader is None:
            await finish(child.end())
            raise ValueError(f"its supervisor ended at once: {child.stderr}")
    except BaseException as error:
        await finish(child.end())
        if isinstance(error, OSError | ValueError):
            raise _start_error(argv[0], error) from None
        raise
    return child


def _start_error(program: str, error: OSError | ValueError) -> StartError:
    if not isinstance(error, OSError):
        return StartError(program, str(error), is_missing=False)
    reason = (error.strerror or str(error)).lower()
    if error.filename is not None:  # the folder's, for example
        return StartError(program, f"{error.filename}: {reason}", is_missing=False)
    is_missing = isinstance(error, FileNotFoundError)
    reason = "command not found" if is_missing else too_many_files(error) or reason
    return StartError(program, reason, is_missing=is_missing)
