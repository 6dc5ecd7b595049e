"""A helper program (ripgrep, say) run to its end, within bounds."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lfgtui.errors import ToolError
from lfgtui.tools.variables import command_environment

_PIECE = 65_536
_MOST_COMPLAINT = 10_000


@dataclass(frozen=True, slots=True)
class Printed:
    """What the program printed; `complete` is False where it was stopped for printing too much."""

    stdout: bytes
    stderr: str
    exit_code: int
    complete: bool


async def printed_by(
    command: Sequence[str],
    folder: Path,
    *,
    seconds: float,
    most_bytes: int,
    until: float | None = None,
) -> Printed:
    """Run the program; raises `ToolError` where it takes too long.

    `until`, on the loop's clock, is where `seconds` end that began earlier.

    It is killed with all that it started, and waited for, however this is left.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=command_environment(os.environ, None, frozenset()),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout_at(until or asyncio.get_running_loop().time() + seconds):
            (stdout, complete), stderr = await asyncio.gather(
                _output(process, most_bytes), _complaint(process)
            )
            code = await process.wait()
    except TimeoutError:
        raise ToolError(f"stopped after {seconds:g} s; narrow it with path or a glob") from None
    finally:
        if process.returncode is None:
            _kill(process)
            await process.communicate()  # `wait` alone waits for ever for a pipe nobody reads
    return Printed(stdout, stderr.decode("utf-8", "replace"), code, complete)


async def _output(process: Process, most_bytes: int) -> tuple[bytes, bool]:
    assert process.stdout is not None
    kept = bytearray()
    while piece := await process.stdout.read(_PIECE):
        if len(kept) > most_bytes:
            continue  # it is dead: this is what its pipe still held
        kept += piece
        if len(kept) > most_bytes:
            _kill(process)
    return bytes(kept[:most_bytes]), len(kept) <= most_bytes


async def _complaint(process: Process) -> bytes:
    assert process.stderr is not None
    kept = bytearray()
    while piece := await process.stderr.read(_PIECE):
        kept += piece[: _MOST_COMPLAINT - len(kept)]
    return bytes(kept)


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
