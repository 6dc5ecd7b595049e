"""A helper program, e.g. ripgrep, run to its end within bounds; the environment of commands."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import ToolError
from lfgtui.settings import environment
from lfgtui.text.redactor import Redactor

_PIECE = 65_536  # bytes of one read
_MOST_STDERR = 10_000  # bytes
_UNATTENDED = {  # keeps programs from paging, prompting and colours
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
}


class Deadline:
    """A time limit of a search: for programs, and for work in a thread, which has to `check` it.

    `until` is in monotonic seconds.
    """

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.error = ToolError(f"stopped after {seconds:g} s; narrow it with path or a glob")

    def check(self) -> None:
        """Raise `ToolError` if the time is over."""
        if time.monotonic() > self.until:
            raise self.error


class ProgramOutput(NamedTuple):
    """The output of a program; `complete` is False if it was stopped for printing too much."""

    stdout: bytes
    stderr: str
    exit_code: int
    complete: bool


async def run_program(
    command: Sequence[str], folder: Path, deadline: Deadline, *, most_bytes: int
) -> ProgramOutput:
    """Run the program; raises `ToolError` if it takes too long.

    However this ends, the program and all of its process group are killed and waited for.
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

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    try:
        async with asyncio.timeout(deadline.until - time.monotonic()):
            stdout, stderr = await asyncio.gather(
                _read(process.stdout, most_bytes, kill),
                _read(process.stderr, _MOST_STDERR, lambda: None),
            )
            code = await process.wait()
    except TimeoutError:
        raise deadline.error from None
    finally:
        if process.returncode is None:
            kill()
            await process.communicate()  # `wait` alone would hang on a pipe that nobody reads
    text = stderr[:_MOST_STDERR].decode("utf-8", "replace")
    return ProgramOutput(stdout[:most_bytes], text, code, len(stdout) <= most_bytes)


async def _read(stream: asyncio.StreamReader | None, most: int, stop: Callable[[], None]) -> bytes:
    """Read to the end; after `most` bytes call `stop` and keep no more."""
    assert stream is not None
    kept = bytearray()
    while piece := await stream.read(_PIECE):
        if len(kept) <= most:
            kept += piece
            if len(kept) > most:
                stop()
    return bytes(kept)


def command_environment(
    inherited: Mapping[str, str], extra: Mapping[str, str] | None, secrets: frozenset[str]
) -> dict[str, str]:
    """Return the environment of a command.

    It has the `inherited` variables except those that are secret by name or value
    (a key, a URL with a password) or named in `secrets`; then variables that keep
    programs from paging and prompting; at last `extra`, which so can pass a token on.
    """
    redactor = _redactor()
    withheld = environment.secret_names(
        inherited, secrets, lambda value: redactor.text(value) != value
    )
    kept = {name: value for name, value in inherited.items() if name not in withheld}
    return {**kept, **_UNATTENDED, **(extra or {})}


@cache
def _redactor() -> Redactor:
    return Redactor()
