"""A helper program (ripgrep, say) run to its end, within bounds, and its environment."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from lfgtui.errors import ToolError
from lfgtui.settings import environment
from lfgtui.text.redaction.redactor import Redactor

T = TypeVar("T")

_PIECE = 65_536
_MOST_STDERR = 10_000
_UNATTENDED = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
}


class Deadline:
    """A time limit for programs, and for work in a thread, which nobody can stop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return self._until - time.monotonic()

    def check(self) -> None:
        """Raise `ToolError` where it is past."""
        if self.left < 0:
            raise self.error()

    def error(self) -> ToolError:
        return ToolError(f"stopped after {self._seconds:g} s; narrow it with path or a glob")


@dataclass(frozen=True, slots=True)
class Printed:
    """The output of a program; `complete` is False where it was stopped for printing too much."""

    stdout: bytes
    stderr: str
    exit_code: int
    complete: bool


async def run_program(
    command: Sequence[str], folder: Path, deadline: Deadline, *, most_bytes: int
) -> Printed:
    """Run the program; raises `ToolError` where it takes too long.

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
        async with asyncio.timeout(deadline.left):
            (stdout, complete), stderr = await asyncio.gather(
                _read_stdout(process, most_bytes), _read_stderr(process)
            )
            code = await process.wait()
    except TimeoutError:
        raise deadline.error() from None
    finally:
        if process.returncode is None:
            _kill(process)
            await process.communicate()  # `wait` alone waits for ever for a pipe nobody reads
    return Printed(stdout, stderr.decode("utf-8", "replace"), code, complete)


async def _read_stdout(process: Process, most_bytes: int) -> tuple[bytes, bool]:
    assert process.stdout is not None
    kept = bytearray()
    while piece := await process.stdout.read(_PIECE):
        if len(kept) > most_bytes:
            continue  # it is dead: this is what its pipe still held
        kept += piece
        if len(kept) > most_bytes:
            _kill(process)
    return bytes(kept[:most_bytes]), len(kept) <= most_bytes


async def _read_stderr(process: Process) -> bytes:
    assert process.stderr is not None
    kept = bytearray()
    while piece := await process.stderr.read(_PIECE):
        kept += piece[: _MOST_STDERR - len(kept)]
    return bytes(kept)


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def command_environment(
    inherited: Mapping[str, str], extra: Mapping[str, str] | None, secrets: frozenset[str]
) -> dict[str, str]:
    """Return the environment of a command.

    It holds lfg's own variables except those that are secret by name or value
    (a key, a URL with a password) or listed in `secrets`; then those that tell
    programs not to page or to prompt; then `extra`, which comes last and so can
    pass a token on.
    """
    withheld = environment.secret_names(inherited, secrets, _is_secret)
    kept = {name: value for name, value in inherited.items() if name not in withheld}
    return {**kept, **_UNATTENDED, **(extra or {})}


def _is_secret(value: str) -> bool:
    return _rules().text(value) != value


@cache
def _rules() -> Redactor:
    return Redactor()


async def finish(work: Coroutine[None, None, T]) -> T:
    """Return the work's result; cancellations are passed on once the work has ended."""
    working = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait([working])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        working.exception()  # it is nobody's now
        raise cancelled
    return working.result()
