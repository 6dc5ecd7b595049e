"""run_command: a shell command, its output as it comes, and its end with all that it started.

A command runs under a supervisor of its own (`processes`), which keeps hold
of all that it starts, new sessions included, and in the sandbox if there is
one (`processes.sandbox`). It can end in five ways; after each of them all its
processes are gone and nothing more is read:

    it ends             its pipes are read to their end, for at most `drain_seconds`, since
                        a child left in the background may never close them
    its time is up      SIGTERM to all, `grace_seconds` to put things in order, SIGKILL
    it prints too much  SIGKILL (past `command_bytes`; memory is bounded long before)
    it uses too much    SIGKILL (`processes.limits`: memory, CPU time, processes, size of a file)
    it is cancelled     SIGKILL at once, and the cancellation goes on to the caller

So however `run_command` is left, at last it has the supervisor kill what still runs
and waits for its report. The outcome names processes that could not be killed, and
says so if the command has killed its supervisor.
"""

import asyncio
import codecs
import shutil
from asyncio import Event
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import UnsetType

from lfgtui.errors import ToolError, too_many_files
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.supervised import Supervised, exit_in_words
from lfgtui.processes.waiting import within
from lfgtui.tools.arguments import RunCommand
from lfgtui.tools.files import require_workspace
from lfgtui.tools.limits import HeadAndTail, ToolLimits, ToolOutcome

Channel: TypeAlias = Literal["stdout", "stderr"]
OnOutput: TypeAlias = Callable[[Channel, str], None]
"""Takes output as it comes; "" stands for output beyond `ToolLimits.live_characters`."""

_CHANNELS: dict[int, Channel] = {1: "stdout", 2: "stderr"}
_LIVE_END = "\n[there is more output; it is not shown here]\n"


async def run_command(
    arguments: RunCommand,
    workspace: Path,
    limits: ToolLimits,
    on_output: OnOutput,
    environment: Mapping[str, str],
    wall: Wall | None = None,
) -> ToolOutcome:
    """Run the command to its end; raises `ToolError` if it cannot start."""
    seconds = limits.command_seconds
    if not isinstance(arguments.timeout, UnsetType):
        seconds = min(arguments.timeout, limits.longest_command_seconds)
    shell, folder = await asyncio.to_thread(_shell_and_folder, workspace)
    running = _Running(limits, on_output)
    try:
        await running.start(
            [shell, "-c", arguments.command],
            folder,
            environment,
            limits=limits.processes,
            wall=wall,
        )
        why = await _until_end(running, seconds, limits)
    except (OSError, ValueError) as error:
        reason = too_many_files(error) or getattr(error, "strerror", None) or error
        raise ToolError(f"run_command: the command cannot be started: {reason}") from None
    finally:
        await running.clear(limits.drain_seconds)
    return running.outcome(why)


def _shell_and_folder(workspace: Path) -> tuple[str, Path]:
    folder = workspace.resolve()
    require_workspace(folder)
    return shutil.which("bash") or "/bin/sh", folder


async def _until_end(running: "_Running", seconds: float, limits: ToolLimits) -> str | None:
    """Wait for the end of the command; return why it was stopped, None if it ended by itself."""
    reports = running.reports
    if not await within(seconds, running.ended):
        running.ask(b"term\n")
        await within(limits.grace_seconds, reports.exited)
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
        raise reports.failure
    await within(limits.drain_seconds, running.closed)
    if reports.leader is None:
        raise ValueError(f"its supervisor ended at once: {running.kept}")
    return None


class _Running(Supervised):
    """A command while it runs: an asyncio protocol that takes its output.

    `ended`: it has exited, or printed more than it may. `printed` is in bytes; `kept` is the part
    of the output that the model gets.
    """

    def __init__(self, limits: ToolLimits, on_output: OnOutput) -> None:
        super().__init__()
        self.ended = Event()
        self.printed = 0
        self.kept = HeadAndTail(limits.output_characters)
        self._last = "\n"  # the last character of the output
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
        self._take(_CHANNELS[fd], self._decoders[fd].decode(b"", final=True))
        super().pipe_connection_lost(fd, exc)

    def program_exited(self) -> None:
        self.ended.set()

    def outcome(self, why: str | None) -> ToolOutcome:
        """Return the result, once all processes are gone; `why` says why it was stopped, if so."""
        reports = self.reports
        if reports.excess:
            why = self._limits.processes.excess(reports.excess)
        why = why or self._limits.processes.excess_of(reports.code) or None
        lines = [] if self._last == "\n" else [""]
        if why is not None:
            lines.append(f"[{why}]")
        elif reports.killed:
            lines.append("[what it left in the background was stopped]")
        if reports.loss:
            lines.append(f"[the command's {reports.loss}]")
            why = why or f"the command's {reports.loss}"
        if self.undone:
            lines.append(f"[{self.undone}]")
        if reports.left:
            lines.append(f"[could not be stopped and still running: {', '.join(reports.left)}]")
        if reports.code is not None:  # `simulator.request` recognizes a failure by these words
            lines.append(exit_in_words(reports.code))
        return ToolOutcome(f"{self.kept}" + "\n".join(lines), why, reports.code)

    def _take(self, channel: Channel, text: str) -> None:
        """Keep output for the model, and show it as long as `live_characters` last."""
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
