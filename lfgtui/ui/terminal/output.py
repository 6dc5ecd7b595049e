"""Output to a terminal that may lag, hang, or go away.

Textual queues 30 writes and then waits, on the event loop: with a terminal
that stops reading (a hung ssh) everything stops. Here nothing waits. Output is
queued up to a bound and dropped beyond it; once the terminal has read the rest,
a full repaint is requested.
"""

import contextlib
import os
import select
import sys
import termios
import threading
from collections.abc import Callable

BEHIND = 8 * 1024
"""Waiting characters above which no more frames should be drawn."""

MOST = 256 * 1024
"""Waiting characters above which new output is dropped: a few whole frames."""

LAST_SECONDS = 0.5
"""Seconds at the end that the terminal has to read the rest."""

_LOOK = 0.05
"""Seconds between checks for the end while the terminal does not read."""

_STRING_TERMINATOR = "\x1b\\"
"""Ends any sequence that an abandoned write broke off."""


def is_behind(driver: object) -> bool:
    """Return True while so much waits for the terminal that no more should be drawn."""
    return bool(getattr(driver, "is_behind", False))


def suspended_at(driver: object) -> float | None:
    """Return when, by `model/clock.py`, the shell last got the terminal back; None if never."""
    at: float | None = getattr(driver, "suspended_at", None)
    return at


def show_title(driver: object, title: str) -> None:
    """Show the title in the terminal's window, if it has one."""
    if (show := getattr(driver, "show_title", None)) is not None:
        show(title)


def write_sequence(driver: object, sequence: str) -> None:
    """Write an escape sequence, if there is a terminal that takes it."""
    if sequence and (write := getattr(driver, "write_sequence", None)) is not None:
        write(sequence)


class TerminalOutput(threading.Thread):
    """A thread that writes to a terminal, in order; it replaces Textual's `WriterThread`.

    `on_caught_up` is called, in this thread, when everything is written after
    output was dropped. `descriptor` is left as it is, since others share it. At the
    end come `begin_last_words`, the writes that restore the terminal, and `stop`.
    """

    def __init__(self, descriptor: int, on_caught_up: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._descriptor = _own(descriptor)
        self._encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"
        self._on_caught_up = on_caught_up
        self._more = threading.Condition()
        self._texts: list[str] = []
        self._last: list[str] | None = None  # what was written since `begin_last_words`
        self.queued = 0
        """Characters that wait for the terminal."""
        self._has_dropped = False
        self._is_stopping = False
        self._is_abandoned = False
        self.is_gone = False
        """True once the terminal cannot be written to any more."""

    @property
    def is_behind(self) -> bool:
        """True while so much waits for the terminal that no more should be drawn."""
        return self.queued > BEHIND

    def write(self, text: str) -> None:
        """Queue the text, or drop it if too much waits already. Never blocks."""
        with self._more:
            if self._last is not None:
                self._last.append(text)
            elif self.queued > MOST:
                self._has_dropped = True
                return
            self._texts.append(text)
            self.queued += len(text)
            self._more.notify()

    def run(self) -> None:
        while True:
            with self._more:
                while not self._texts:
                    if self._is_stopping:
                        return
                    self._more.wait()
                texts, self._texts = self._texts, []
            text = "".join(texts)
            self._write_out(text)
            with self._more:
                self.queued -= len(text)
                caught_up = self._has_dropped and not self._texts
                self._has_dropped = self._has_dropped and not caught_up
            if caught_up and not self._is_stopping:
                self._on_caught_up()

    def begin_last_words(self) -> None:
        """Never drop the following output, which restores the terminal."""
        with self._more:
            self._last = []

    def stop(self) -> None:
        """End, within a second, whether the terminal reads or not.

        If it does not, discard unread output, so that the kernel's buffer has room
        for the last words.
        """
        with self._more:
            self._is_stopping = True
            self._more.notify()
        self.join(LAST_SECONDS)
        if not self.is_alive():
            os.close(self._descriptor)
            return
        self._is_abandoned = True
        self.join(2 * _LOOK)
        with contextlib.suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
        if not self.is_alive():
            self._is_abandoned = False
            last = _STRING_TERMINATOR + "".join(self._last or ())
            with contextlib.suppress(OSError):
                os.write(self._descriptor, last.encode(self._encoding, "backslashreplace"))
            os.close(self._descriptor)

    def _write_out(self, text: str) -> None:
        """Write the text as the terminal reads it, until that is gone or the thread abandoned."""
        data = memoryview(text.encode(self._encoding, "backslashreplace"))
        ready = select.poll()
        ready.register(self._descriptor, select.POLLOUT)
        while data and not (self.is_gone or self._is_abandoned):
            if not ready.poll(_LOOK * 1000):
                continue
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                continue
            except OSError:  # its window was closed, its connection is lost
                self.is_gone = True


def _own(descriptor: int) -> int:
    """Return the same terminal, opened once more as non-blocking.

    If it cannot be opened (e.g. as it is another user's), writes may block, and the
    thread is abandoned at the end.
    """
    try:
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(descriptor), flags)
    except OSError:
        return os.dup(descriptor)
