"""run_command: a shell command, its output as it comes, and an end that is one.

A command is a process group of its own: the shell, what it starts, and what
that starts. Four things can happen to it, and after each of them the whole
group is gone and nothing more is read:

    it ends             its pipes are drained; a child left in the background may hold
                        them open for ever, so that is given `drain_seconds` and no more
    its time is up      SIGTERM to the group, `grace_seconds` to put things in order, SIGKILL
    it prints too much  SIGKILL (past `command_bytes`; memory is bounded long before)
    it is cancelled     SIGKILL at once, and the cancellation goes on to the caller

So whichever way `run_command` is left, its last act is SIGKILL to the group.
A process that leaves the group (`setsid`) gets away; keeping hold of those
takes a sandbox. asyncio's streams are not used here because their reader
buffers and their `wait` waits for the pipes in some versions of Python: a
protocol is told of data, of closed pipes and of the exit one by one.
"""

import asyncio
import codecs
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import UnsetType

from lfgtui.errors import ToolError
from lfgtui.tools.arguments import RunCommand
from lfgtui.tools.ending import to_its_end
from lfgtui.tools.limits import HeadAndTail, ToolLimits, ToolOutcome

Channel: TypeAlias = Literal["stdout", "stderr"]
OnOutput: TypeAlias = Callable[[Channel, str], None]

_CHANNELS: dict[int, Channel] = {1: "stdout", 2: "stderr"}
_LIVE_END = "\n[there is more output; it is not shown here]\n"


async def run_command(
    arguments: RunCommand,
    workspace: Path,
    limits: ToolLimits,
    on_output: OnOutput,
    environment: Mapping[str, str],
) -> ToolOutcome:
    """Run the command to one of its four ends; raises `ToolError` where it cannot start."""
    asked = limits.command_seconds
    if not isinstance(arguments.timeout, UnsetType):
        asked = min(arguments.timeout, limits.longest_command_seconds)
    shell, folder = await asyncio.to_thread(_shell_and_folder, workspace)
    running = _Running(limits, on_output)
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: running,
            *(shell, "-c", arguments.command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    )
    try:
        await asyncio.shield(starting)
        why = await _until_end(running, asked, limits)
    except (OSError, ValueError) as error:
        raise ToolError(f"run_command: the command cannot be started: {_reason(error)}") from None
    finally:
        await to_its_end(_clear(running, starting, limits))
    return running.outcome(why)


def command_environment(
    inherited: Mapping[str, str], extra: Mapping[str, str] | None, secrets: frozenset[str]
) -> dict[str, str]:
    """What a command finds in its environment.

    All that lfg has, less what is named like a secret or listed in
    `secrets`, so that a model can print no provider's key; then what tells
    programs that nobody is there to page or to prompt; then `extra`, which
    has the last word and so can give a token back on purpose.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in secrets and not name.upper().endswith(_SECRET_ENDINGS)
    }
    return {**kept, **_UNATTENDED, **(extra or {})}


_SECRET_ENDINGS = (
    "API_KEY",
    "APIKEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSPHRASE",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "CREDENTIALS",
)
_UNATTENDED = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
}


def _shell_and_folder(workspace: Path) -> tuple[str, Path]:
    folder = workspace.resolve()
    if not folder.is_dir():
        raise ToolError(f"run_command: the workspace {folder} is not there any more")
    return shutil.which("bash") or "/bin/sh", folder


async def _until_end(running: "_Running", seconds: float, limits: ToolLimits) -> str | None:
    """Wait for the end of the command; gives what to say of it where that was not its own."""
    try:
        async with asyncio.timeout(seconds):
            await running.ended.wait()
    except TimeoutError:
        running.signal_group(signal.SIGTERM)
        await _at_most(limits.grace_seconds, running.exited)
        return (
            f"stopped after {seconds:g} s; give a longer timeout"
            f" (at most {limits.longest_command_seconds:g}) if it needs one"
        )
    if running.printed > limits.command_bytes:
        return (
            f"stopped because it printed more than {limits.command_bytes:,} bytes;"
            " send its output to a file, or through head or grep"
        )
    await _at_most(limits.drain_seconds, running.closed)
    running.left_something = not running.closed.is_set()
    return None


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _clear(
    running: "_Running",
    starting: "asyncio.Future[tuple[asyncio.SubprocessTransport, _Running]]",
    limits: ToolLimits,
) -> None:
    """End the whole group, and wait for its leader to be gone and for what its pipes hold."""
    with suppress(OSError, ValueError):
        transport, _ = await starting
        running.signal_group(signal.SIGKILL)
        try:
            await _at_most(limits.grace_seconds, running.exited)
            await _at_most(limits.drain_seconds, running.closed)
        finally:
            transport.close()


class _Running(asyncio.SubprocessProtocol):
    """A command while it runs: what it has printed, and which ends it has reached.

    `exited`: the shell is gone. `closed`: nobody holds its pipes any more.
    `ended`: it has exited, or printed more than it may.
    """

    def __init__(self, limits: ToolLimits, on_output: OnOutput) -> None:
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self.ended = asyncio.Event()
        self.printed = 0
        self.left_something = False
        self._limits = limits
        self._on_output = on_output
        self._live_left = limits.live_characters
        self._kept = HeadAndTail(limits.output_characters)
        self._last = "\n"
        self._open = set(_CHANNELS)
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {channel: decoder("replace") for channel in _CHANNELS}
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.printed += len(data)
        if self.printed > self._limits.command_bytes:
            self.signal_group(signal.SIGKILL)
            self.ended.set()
            return
        self._take(fd, self._decoders[fd].decode(data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._take(fd, self._decoders[fd].decode(b"", final=True))
        self._open.discard(fd)
        if not self._open:
            self.closed.set()

    def process_exited(self) -> None:
        self.exited.set()
        self.ended.set()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the shell and to all that it started."""
        if self._transport is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)

    def outcome(self, why: str | None) -> ToolOutcome:
        """What the command came to, once it is gone. `why` it was stopped, if it was."""
        assert self._transport is not None
        code = self._transport.get_returncode()
        lines = [] if self._last == "\n" else [""]
        if why is not None:
            lines.append(f"[{why}]")
        elif self.left_something:
            lines.append("[what it left in the background was stopped]")
        if code is not None:
            killed = f"killed by {_signal_name(-code)}, " if code < 0 else ""
            lines.append(f"{killed}exit code {code}")
        return ToolOutcome(f"{self._kept}" + "\n".join(lines), why, code)

    def _take(self, fd: int, text: str) -> None:
        if not text:
            return
        self._kept.add(text)
        self._last = text[-1]
        if self._live_left >= 0:
            shown = text[: self._live_left]
            self._live_left -= len(text)
            self._on_output(_CHANNELS[fd], shown + _LIVE_END if self._live_left < 0 else shown)


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
