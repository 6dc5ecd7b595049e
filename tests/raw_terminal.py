"""What a program writes to a terminal, as raw bytes, and what of it is not lfg's own.

A pty gives the bytes before any emulator makes sense of them. They are cut
into characters and escape sequences, and every sequence has to be on the list
of those that lfg, or Textual for it, writes.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PATIENCE = 60.0
"""Seconds until a program that neither writes nor ends is given up."""

# A sequence as ECMA-48 has them, well formed or not, and the characters of which none may stand
# alone. In a text that is decoded, so that C1 is a character and not a byte of another one.
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)

STYLES = r"\x1b\[(?:0|1|2|3[0-7]|9[0-7]|39)?(?:;3[0-7])?m"
"""What a command that prints writes: one style, and its end."""

SCREEN = "|".join(
    (
        r"\x1b\[[0-9;]*m",  # styles, in true colour too
        r"\x1b\[\d+;\d+H",  # to a cell
        r"\x1b\[[0-9]*[ABCDGJK]",
        r"\x1b\[\?(?:25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]",
        r"\x1b\[\?(?:2026|2048)\$p",  # does the terminal have these two
        r"\x1b\[[<>]\d*u",  # keys of Kitty's protocol
        r"\x1b\]8;id=[0-9-]+;https?://[!-~]*\x1b\\",
        r"\x1b\]8;;\x1b\\",
        r"\x1b\]22;[a-z-]+\x07",  # the shape of the mouse pointer
        r"\x1b\]0;[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\)",
    )
)
"""What the screen writes besides."""


def strangers(raw: bytes | str, own: str = STYLES) -> list[str]:
    """The sequences and control characters that are none of our own; bytes that are no UTF-8."""
    try:
        text = raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError as error:
        return [repr(error)]
    text = text.replace("\r\n", "\n")  # the terminal's line discipline put it in
    allowed = re.compile(own)
    found = (match.group() for match in _SEQUENCE.finditer(text))
    return [repr(each) for each in dict.fromkeys(found) if not allowed.fullmatch(each)]


class Ended(NamedTuple):
    """What a program wrote, and its exit code."""

    raw: bytes
    code: int


Steps = Sequence[tuple[bytes, bytes]]
"""What to wait for in what comes from then on, and what to type then."""


def on_terminal(
    command: Sequence[str | bytes],
    environment: Mapping[str, str],
    folder: Path,
    steps: Steps = (),
    size: tuple[int, int] = (40, 120),
) -> Ended:
    """Run it with a terminal for all three streams."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        raw = _all_of(ours, steps)
        return Ended(raw, process.wait(PATIENCE))
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def forked_on_terminal(
    program: Callable[[], int], environment: Mapping[str, str], folder: Path, steps: Steps = ()
) -> Ended:
    """The same for a function in a fork of this process: what it imports is there already.

    For a process with no other thread at work.
    """
    ours, theirs = pty.openpty()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.login_tty(theirs)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
            sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
            sys.stderr = sys.__stderr__ = open(2, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
            code = program()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(theirs)
    try:
        raw = _all_of(ours, steps)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
        os.close(ours)
    return Ended(raw, os.waitstatus_to_exitcode(status))


def _all_of(ours: int, steps: Steps) -> bytes:
    """Everything that is written until nobody holds the other end any more."""
    raw, seen, waiting = b"", 0, list(steps)
    given_up = time.monotonic() + PATIENCE
    while True:
        while waiting and (at := raw.find(waiting[0][0], seen)) >= 0:
            awaited, typed = waiting.pop(0)
            seen = at + len(awaited)
            os.write(ours, typed)
        if not select.select([ours], [], [], 0.2)[0]:
            late = f"waiting for {waiting[:1]} after {raw[-2000:]!r}"
            assert time.monotonic() < given_up, late
            continue
        try:
            more = os.read(ours, 65536)
        except OSError:  # so Linux says that
            return raw
        if not more:
            return raw
        raw += more
        given_up = time.monotonic() + PATIENCE
