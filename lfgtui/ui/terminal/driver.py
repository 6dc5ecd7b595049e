"""lfg's driver for terminals that may send anything, read nothing, or go away.

Textual's own driver ends the program for a byte that is not UTF-8, waits on the
event loop for a terminal that does not read, and panics when it is closed.
"""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from asyncio import run_coroutine_threadsafe
from collections.abc import Iterable
from concurrent.futures import Future

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from lfgtui.model.clock import now
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.terminal.input import TerminalInput
from lfgtui.ui.terminal.output import TerminalOutput

COLUMNS, ROWS = 1000, 400
"""The largest screen that is drawn, whatever the terminal's size."""

# Xterm's sequences that save the window's title and restore it.
_PUSH_TITLE, _POP_TITLE = "\x1b[22;0t", "\x1b[23;0t"
_NO_TITLE = "\x1b]0;\x07"
"""For terminals that cannot restore their own title: better none than lfg's."""

_READ = 4096
"""Most bytes read at a time."""

_TICK = 0.1
"""Seconds without a byte after which an unfinished sequence may be complete."""

_AT_ONCE = 32
"""Messages after which the input waits for the app, so that a flood fills no memory."""


class SelectableEvent(threading.Event):
    """An event that `select` can wait for; to be closed in the end."""

    def __init__(self) -> None:
        super().__init__()
        self._readable, self._writable = socket.socketpair()

    def fileno(self) -> int:
        """Return a descriptor that can be read from while the event is set; -1 once closed."""
        return self._readable.fileno()

    def set(self) -> None:
        if not self.is_set():
            super().set()
            self._writable.send(b"!")

    def clear(self) -> None:
        if self.is_set():
            super().clear()
            self._readable.recv(1)

    def close(self) -> None:
        """Release the descriptors."""
        self._readable.close()
        self._writable.close()


class Terminal(LinuxDriver):
    """Textual's driver for POSIX terminals with input and output of our own.

    Textual calls it; the rest of lfg uses it by the functions in `output.py`, which also take
    other drivers. `run_input_thread`, and what it calls, runs in a thread of its own.
    """

    exit_event: SelectableEvent
    _output: TerminalOutput | None = None
    _title = ""
    _is_given_back = False  # True while the terminal is the shell's
    suspended_at: float | None = None
    """When the terminal was last given back to the shell, by `model/clock.py`."""
    _is_suspending = False
    _sent: "Future[bool] | None" = None  # done once the app has the last message

    def start_application_mode(self) -> None:
        self.exit_event = SelectableEvent()  # the one before is closed once lfg was suspended
        was_suspended = self._output is not None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        title, self._title, self._is_given_back = self._title, "", False
        self.show_title(title)
        if was_suspended:  # the terminal's other screen is blank
            self._caught_up()

    def _sigtstp_application(self, *_: object) -> None:
        # Between two steps of the loop. The signal may come in the middle of a write, which holds
        # the lock that the output needs to restore the terminal before all stands still. It comes
        # twice where it was sent to all of the shell's job.
        if not self._is_suspending:
            self._is_suspending = True
            self._loop.call_soon_threadsafe(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        if self._is_suspending:
            self._is_suspending = False
            super()._sigcont_application()
        else:
            self._caught_up()  # it was stopped without a warning, or is continued once more

    def close(self) -> None:
        super().close()
        if isinstance(self.exit_event, SelectableEvent):  # it is Textual's if we never started
            self.exit_event.close()

    # Output

    @property  # type: ignore[override]  # another thread than Textual's, which does the same
    def _writer_thread(self) -> TerminalOutput | None:
        return self._output

    @_writer_thread.setter
    def _writer_thread(self, thread: object) -> None:
        """Do nothing: Textual sets its own thread, which waits; ours is used instead."""
        if thread is not None and self._file is not None:
            self._output = TerminalOutput(self._file.fileno(), self._caught_up)

    @property
    def is_behind(self) -> bool:
        """True while drawing is useless, since the terminal has not read the last frames."""
        return self._output is not None and self._output.is_behind

    def _caught_up(self) -> None:
        """Have everything painted; called from the output's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._paint_all)

    def _paint_all(self) -> None:
        if self._app._running:
            self._app.screen.refresh()

    def stop_application_mode(self) -> None:
        self.suspended_at = now()
        if self._output is not None:
            self._output.begin_last_words()
            if self._title:
                self.write(_NO_TITLE + _POP_TITLE)
        self._is_given_back = True
        super().stop_application_mode()

    def show_title(self, title: str) -> None:
        """Show the title instead of the terminal's own until the end."""
        if title != self._title and not self._is_given_back:
            self.write(f"{'' if self._title else _PUSH_TITLE}\x1b]0;{visible_line(title)}\x07")
            self._title = title

    def write_sequence(self, sequence: str) -> None:
        """Write an escape sequence that paints nothing."""
        self.write(sequence)

    # Size

    def _get_terminal_size(self) -> tuple[int, int]:
        width, height = super()._get_terminal_size()
        return min(width, COLUMNS), min(height, ROWS)

    def _query_in_band_window_resize(self) -> None:
        """Request no size reports: they could hold anything, and SIGWINCH does the same."""

    # Input

    def run_input_thread(self) -> None:
        """Read until the end, or until the terminal is gone."""
        terminal = TerminalInput()
        try:
            while not self.exit_event.is_set():
                patience = _TICK if terminal.begun else None
                ready, _, _ = select.select([self.fileno, self.exit_event], [], [], patience)
                if self.fileno in ready:
                    if not (data := os.read(self.fileno, _READ)):
                        break
                    self._post(terminal.feed(data, time.monotonic()))
                elif not ready:
                    self._post(terminal.tick(time.monotonic()))
        except OSError:  # EIO: the terminal's other end, such as its window, was closed
            pass
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGHUP)  # what the kernel sends a session's leader

    def _post(self, messages: Iterable[Message]) -> None:
        """Pass messages on to the app, not faster than it takes them."""
        width, height = self._app.size
        focus: Message | None = None
        for number, message in enumerate(messages, 1):
            if isinstance(message, events.AppFocus | events.AppBlur):
                focus = message  # each restyles the screen: only the last one counts
                continue
            if isinstance(message, events.MouseEvent) and not (
                0 <= message.x < width and 0 <= message.y < height
            ):
                continue
            self.process_message(message)
            if number % _AT_ONCE == 0:
                self._wait_until_taken()
        if focus is not None:
            self.process_message(focus)
        self._wait_until_taken()

    def send_message(self, message: Message) -> None:
        self._sent = run_coroutine_threadsafe(self._app._post_message(message), loop=self._loop)

    def _wait_until_taken(self) -> None:
        while not self.exit_event.is_set():
            if (self._sent is None or self._sent.done()) and self._untaken() < _AT_ONCE:
                return
            self.exit_event.wait(0.005)

    def _untaken(self) -> int:
        """Return the number of messages that wait in the app, its screens and the focus."""
        screens = list(self._app.screen_stack)
        pumps = [self._app, *screens, *(screen.focused for screen in screens[-1:])]
        return sum(pump.message_queue_size for pump in pumps if pump is not None)
