"""A terminal that lags, hangs or goes away holds nothing up."""

import asyncio
import fcntl
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from textual.app import App

from lfgtui.ui.terminal.driver import SelectableEvent, Terminal
from lfgtui.ui.terminal.output import BEHIND, MOST, TerminalOutput

PATIENCE = 30.0
FRAME = "\x1b[1;1H" + "x" * 1000


class Pty:
    """A terminal of which a test reads as much as it likes."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        tty.setraw(self.theirs)
        self.caught_up = threading.Event()
        self.output = TerminalOutput(self.theirs, self.caught_up.set)
        self.output.start()

    def read(self, until: str = "", seconds: float = 0.2) -> str:
        """What it shows, up to a text or to a silence."""
        seen = b""
        while select.select([self.ours], [], [], PATIENCE if until else seconds)[0]:
            seen += os.read(self.ours, 65536)
            if until and until.encode() in seen:
                break
        return seen.decode(errors="replace")

    def close(self) -> None:
        for descriptor in (self.ours, self.theirs):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def terminal() -> Iterator[Pty]:
    terminal = Pty()
    yield terminal
    terminal.output.stop()
    terminal.close()


def test_a_signal_to_stop_waits_for_the_end_of_what_it_interrupts() -> None:
    later: list[Callable[[], object]] = []
    driver = Terminal.__new__(Terminal)  # as it is in the middle of a write
    driver._loop = SimpleNamespace(call_soon_threadsafe=later.append)  # type: ignore[assignment]
    driver._sigtstp_application()
    assert len(later) == 1


def test_a_terminal_that_was_given_back_keeps_its_own_title(terminal: Pty) -> None:
    async def make() -> Terminal:  # in a loop, which it takes a note of
        return Terminal(App[None]())

    driver = asyncio.run(make())
    driver._output = terminal.output
    driver.exit_event = SelectableEvent()
    driver.show_title("5 running")
    driver.stop_application_mode()
    driver.show_title("6 waiting")  # lfg's clock ticks once more before it ends
    driver.exit_event.close()
    driver.write("prompt of the shell")
    shown = terminal.read("prompt of the shell")
    assert "5 running" in shown
    assert "6 waiting" not in shown


def test_what_is_written_arrives_in_order(terminal: Pty) -> None:
    for number in range(1000):
        terminal.output.write(f"{number} ✓\n")
    written = "".join(f"{number} ✓\n" for number in range(1000))
    assert terminal.read(until="999 ✓\n") == written


def test_a_terminal_that_does_not_read_holds_up_no_writer(terminal: Pty) -> None:
    for _ in range(10_000):  # 10 MB: any queue that waits is full by now
        terminal.output.write(FRAME)
    assert terminal.output.is_behind
    assert terminal.output.queued <= MOST + len(FRAME)
    assert not terminal.caught_up.is_set()


def test_when_it_reads_again_the_whole_picture_is_asked_for(terminal: Pty) -> None:
    for _ in range(1000):
        terminal.output.write(FRAME)
    reading = threading.Thread(target=terminal.read, kwargs={"until": "the whole"}, daemon=True)
    reading.start()
    assert terminal.caught_up.wait(PATIENCE)
    assert not terminal.output.is_behind
    terminal.output.write("the whole")
    reading.join(PATIENCE)
    assert not reading.is_alive()


def test_what_a_terminal_reads_in_time_is_never_asked_for_again(terminal: Pty) -> None:
    terminal.output.write("x" * BEHIND)
    assert "x" in terminal.read()
    assert not terminal.caught_up.is_set()


def test_the_last_words_reach_a_terminal_that_hangs() -> None:
    terminal = Pty()
    for _ in range(1000):
        terminal.output.write(FRAME)
    terminal.output.begin_last_words()
    terminal.output.write("\x1b[?1049l")
    terminal.output.stop()
    assert not terminal.output.is_alive()
    os.write(terminal.theirs, b"there is room")  # what lfg says last would wait here
    assert terminal.read().endswith("\x1b\\\x1b[?1049lthere is room")
    terminal.close()


def test_a_terminal_that_is_gone_is_no_error() -> None:
    terminal = Pty()
    os.close(terminal.ours)
    terminal.ours = -1
    for _ in range(1000):
        terminal.output.write(FRAME)
    terminal.output.stop()
    assert not terminal.output.is_alive() and terminal.output.is_gone
    terminal.close()


def test_others_may_still_wait_on_the_terminal(terminal: Pty) -> None:
    flags = fcntl.fcntl(terminal.theirs, fcntl.F_GETFL)
    assert not flags & os.O_NONBLOCK
