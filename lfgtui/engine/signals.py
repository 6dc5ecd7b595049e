"""The signals that end lfg: the first one ends it, and later ones cannot disturb the ending.

Python raises KeyboardInterrupt wherever SIGINT arrives, and asyncio restores
that behaviour as soon as its loop closes: a second signal then interrupts the
shutdown with a traceback, and work is not stored. Here a handler is always
installed. Before there is an event loop the first signal raises an exception; while
the loop runs it becomes a call there; all others are ignored.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing asyncio takes time, and the first signal may come at any moment
    from asyncio import AbstractEventLoop
    from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end lfg."""


class EndedBySignal(BaseException):
    """Raised by the first signal, to unwind and exit with its code."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def raise_on_first() -> None:
    """Install handlers: the first signal raises `EndedBySignal`, the others are ignored.

    `__main__` calls it before it imports anything slow.
    """
    for number in ENDING:
        signal.signal(number, _raise)


def are_ours() -> bool:
    """Return True if the process is lfg's own, not one that imports it."""
    return signal.getsignal(signal.SIGTERM) is _raise


def block() -> None:
    """Block the signals for the rest of the process, whose exit code is already decided."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def _raise(number: int, _frame: "FrameType | None") -> None:
    # Not SIG_IGN: Python prints a complaint about a signal that came just before.
    for each in ENDING:
        signal.signal(each, _ignore)
    raise EndedBySignal(number)


def _ignore(_number: int, _frame: "FrameType | None") -> None:
    pass


@contextmanager
def delivered(loop: "AbstractEventLoop", take: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `take` on the loop for each signal that arrives within the context.

    Afterwards handle signals as before, or ignore them if one came, since lfg is ending.
    """
    has_come = is_delivering = False

    def deliver(number: int, _frame: "FrameType | None") -> None:
        nonlocal has_come, is_delivering
        if is_delivering:
            return  # in a storm of signals, each would interrupt the handler of the one before
        has_come = is_delivering = True
        try:
            if not loop.is_closed():
                loop.call_soon_threadsafe(take, signal.Signals(number))
        finally:
            is_delivering = False

    before = {number: signal.signal(number, deliver) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            is_ours = handler is _raise
            signal.signal(number, _ignore if has_come and is_ours else handler)
