"""A terminal that may go away: its window closed, its connection lost.

Textual writes from a thread of its own, through a queue of 30. When the
terminal is gone, the thread's write fails, the thread dies, the queue fills
up, and the next paint blocks the loop for good: no shutdown, no exit. Here
such a write succeeds and is lost, so SIGHUP is handled like any other end.
"""

import io
import sys
from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from textual.app import App


class _Raw(io.FileIO):
    """A file descriptor whose writes cannot fail."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError:
            return memoryview(data).nbytes


class Terminal(LinuxDriver):
    """Textual's driver for POSIX terminals, writing to a file that does not break."""

    def __init__(
        self,
        app: "App[object]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = lasting(self._file.fileno())


def lasting(descriptor: int) -> io.TextIOWrapper:
    """Text output to the descriptor, kept open; what cannot be written is dropped."""
    encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"
    raw = io.BufferedWriter(_Raw(descriptor, "w", closefd=False))
    return io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="")
