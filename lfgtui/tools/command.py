"""run_command: a shell command, its output as it comes, and its end with all that it started.

A command runs under a supervisor of its own (`supervisor`), which keeps hold
of all that it starts, sessions of their own included. Four things can happen,
and after each of them all of that is gone and nothing more is read:

    it ends             its pipes are drained; a child left in the background may hold
                        them open for ever, so that is given `drain_seconds` and no more
    its time is up      SIGTERM to all, `grace_seconds` to put things in order, SIGKILL
    it prints too much  SIGKILL (past `command_bytes`; memory is bounded long before)
    it is cancelled     SIGKILL at once, and the cancellation goes on to the caller

So whichever way `run_command` is left, its last act is to have the supervisor
kill what is left and to hear what came of that. What could not be killed is
named, and so is a supervisor that the command has killed. asyncio's streams
are not used for the output because their reader buffers and their `wait` waits
for the pipes in some versions of Python: a protocol gets data and closed pipes
one by one.
"""

import asyncio
import codecs
import os
import shutil
import signal
import socket
import sys
from asyncio import Event, Future, SubprocessTransport
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import UnsetType

from lfgtui.errors import ToolError, too_many_files
from lfgtui.tools import supervisor
from lfgtui.tools.arguments import RunCommand
from lfgtui.tools.files import require_workspace
from lfgtui.tools.limits import HeadAndTail, ToolLimits, ToolOutcome
from lfgtui.tools.programs import finish

Channel: TypeAlias = Literal["stdout", "stderr"]
OnOutput: TypeAlias = Callable[[Channel, str], None]
"""Takes output as it comes; "" for more of it than is shown."""

_CHANNELS: dict[int, Channel] = {1: "stdout", 2: "stderr"}
_CLEARING_SECONDS = 10.0
"""Longer than a supervisor takes to kill everything and to report it."""

_UNSUPERVISED = "the command's supervisor was killed: what it started may still be running"
_LIVE_END = "\n[there is more output; it is not shown here]\n"


async def run_command(
    arguments: RunCommand,
    workspace: Path,
    limits: ToolLimits,
    on_output: OnOutput,
    environment: Mapping[str, str],
) -> ToolOutcome:
    """Run the command to one of its four ends; raises `ToolError` where it cannot start."""
    seconds = limits.command_seconds
    if not isinstance(arguments.timeout, UnsetType):
        seconds = min(arguments.timeout, limits.longest_command_seconds)
    shell, folder = await asyncio.to_thread(_shell_and_folder, workspace)
    running = _Running(limits, on_output)
    starting = asyncio.ensure_future(
        _start(running, [shell, arguments.command], folder, environment)
    )
    try:
        await asyncio.shield(starting)
        why = await _until_end(running, seconds, limits)
    except (OSError, ValueError) as error:
        reason = too_many_files(error) or getattr(error, "strerror", None) or error
        raise ToolError(f"run_command: the command cannot be started: {reason}") from None
    finally:
        await finish(_clear(running, starting, limits))
    return running.outcome(why)


def _shell_and_folder(workspace: Path) -> tuple[str, Path]:
    folder = workspace.resolve()
    require_workspace(folder)
    return shutil.which("bash") or "/bin/sh", folder


async def _start(
    running: "_Running", command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> SubprocessTransport:
    """Start the supervisor, and with it the command; raises `OSError`, `ValueError`."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    try:
        transport, _ = await loop.subprocess_exec(
            lambda: running,
            *(sys.executable, "-I", "-S", supervisor.__file__, *command),
            cwd=folder,
            env=environment,
            stdin=theirs.fileno(),
            start_new_session=True,
        )
        running.lifeline, _ = await loop.connect_accepted_socket(lambda: running.reports, ours)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return transport


async def _until_end(running: "_Running", seconds: float, limits: ToolLimits) -> str | None:
    """Wait for the end of the command; return why it was stopped, None if it ended by itself."""
    reports = running.reports
    if not await _within(seconds, running.ended):
        running.ask(b"term\n")
        await _within(limits.grace_seconds, reports.exited)
        return (
            f"stopped after {seconds:g} s; give a longer timeout"
            f" (at most {limits.longest_command_seconds:g}) if it needs one"
        )
    if running.printed > limits.command_bytes:
        return (
            f"stopped because it printed more than {limits.command_bytes:,} bytes;"
            " send its output to a file, or through head or grep"
        )
    if reports.failure is not None:
        raise ValueError(reports.failure)
    await _within(limits.drain_seconds, running.closed)
    if reports.leader is None:
        raise ValueError(f"its supervisor ended at once: {running.kept}")
    return None


async def _within(seconds: float, event: Event) -> bool:
    """Wait for the event; return False if it does not come in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def _clear(
    running: "_Running", starting: "Future[SubprocessTransport]", limits: ToolLimits
) -> None:
    """End all that the command started, and wait for that and for what its pipes hold."""
    with suppress(OSError, ValueError):
        transport = await starting
        running.ask(b"kill\n")
        try:
            await _within(_CLEARING_SECONDS, running.reports.ended)
            running.kill_group()
            await _within(limits.drain_seconds, running.closed)
            if running.lifeline is not None:
                running.lifeline.close()
            await _within(_CLEARING_SECONDS, running.gone)
        finally:
            transport.close()


class _Reports(asyncio.Protocol):
    """The supervisor's reports.

    `exited`: the shell is gone. `ended`: there are no more reports; `is_cleared`: because
    the supervisor had finished, and not because it was killed.
    """

    def __init__(self, on_exit: Callable[[], None]) -> None:
        self.exited, self.ended = Event(), Event()
        self.leader: int | None = None
        self.code: int | None = None
        self.failure: str | None = None
        self.is_cleared = False
        self.killed = 0
        self.left: list[str] = []
        self._on_exit = on_exit
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            match line.decode(errors="replace").split(" ", 2):
                case ["started", pid]:
                    self.leader = int(pid)
                case ["failed", *reason]:
                    self.failure, self.leader = " ".join(reason), None
                    self._exit()
                case ["exited", status]:
                    self.code = int(status)
                    self._exit()
                case ["left", pid, name]:
                    self.left.append(f"{name} (pid {pid})")
                case ["cleared", count]:
                    self.killed, self.is_cleared = int(count), True
                    self.ended.set()
                case _:
                    pass

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        self._exit()

    def _exit(self) -> None:
        self.exited.set()
        self._on_exit()


class _Running(asyncio.SubprocessProtocol):
    """A command while it runs: what it has printed, and which ends it has reached.

    `ended`: it has exited, or printed more than it may. `gone`: its supervisor is.
    `closed`: nobody holds its pipes any more.
    """

    def __init__(self, limits: ToolLimits, on_output: OnOutput) -> None:
        self.ended, self.gone, self.closed = Event(), Event(), Event()
        self.reports = _Reports(self.ended.set)
        self.lifeline: asyncio.Transport | None = None
        self.printed = 0
        self.kept = HeadAndTail(limits.output_characters)
        self._last = "\n"
        self._limits = limits
        self._on_output = on_output
        self._live_left = limits.live_characters
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {channel: decoder("replace") for channel in _CHANNELS}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.printed += len(data)
        if self.printed > self._limits.command_bytes:
            self.ask(b"kill\n")
            self.ended.set()
        else:
            self._take(_CHANNELS[fd], self._decoders[fd].decode(data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._take(_CHANNELS[fd], self._decoders.pop(fd).decode(b"", final=True))
        if not self._decoders:
            self.closed.set()

    def process_exited(self) -> None:
        self.gone.set()  # its last reports may be unread; the end of the socket comes after them

    def ask(self, what: bytes) -> None:
        """Send a request to the supervisor."""
        if self.lifeline is not None and not self.lifeline.is_closing():
            self.lifeline.write(what)

    def kill_group(self) -> None:
        """The last resort, where the supervisor did not do it: the command's own session."""
        if self.reports.leader is not None and not self.reports.is_cleared:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.reports.leader, signal.SIGKILL)

    def outcome(self, why: str | None) -> ToolOutcome:
        """Return the result of a command that is gone. `why` it was stopped, if it was."""
        reports = self.reports
        lines = [] if self._last == "\n" else [""]
        if why is not None:
            lines.append(f"[{why}]")
        elif reports.killed:
            lines.append("[what it left in the background was stopped]")
        if not reports.is_cleared:
            lines.append(f"[{_UNSUPERVISED}]")
            why = why or _UNSUPERVISED
        elif reports.left:
            lines.append(f"[could not be stopped and still running: {', '.join(reports.left)}]")
        if reports.code is not None:  # `simulator.request` tells a failure by these words
            killed = f"killed by {_signal_name(-reports.code)}, " if reports.code < 0 else ""
            lines.append(f"{killed}exit code {reports.code}")
        return ToolOutcome(f"{self.kept}" + "\n".join(lines), why, reports.code)

    def _take(self, channel: Channel, text: str) -> None:
        if not text:
            return
        self.kept.add(text)
        self._last = text[-1]
        if self._live_left >= 0:
            shown = text[: self._live_left]
            self._live_left -= len(text)
            self._on_output(channel, shown + _LIVE_END if self._live_left < 0 else shown)
        else:
            self._on_output(channel, "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
