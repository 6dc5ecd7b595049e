"""The process that a shell waits for, apart from the one that works.

When a person detaches from a run, it continues and the shell must show its prompt again; but a
shell waits for the process that it started. So that process only waits, from before the first
frame, and its child does all the work. Until the child lets go, the two behave as one: signals,
stops and the exit code are passed on, and neither outlives the other.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from lfgtui.engine.signals import ENDING

_PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal to get when the parent dies."""

_LET_GO = signal.SIGUSR1
"""Tells the waiting process to exit, with code 0."""

_HELD = (*ENDING, signal.SIGTSTP, signal.SIGCONT, signal.SIGCHLD, _LET_GO)
"""Signals that are blocked around the fork: the child sets handlers, the parent waits for them."""


class Foreground:
    """The waiting process, for use in its child, which works. `waiting` is its process id."""

    def __init__(self, waiting: int) -> None:
        self._waiting = waiting

    def let_go(self) -> None:
        """End the waiting process, so that the shell continues, and give up the terminal."""
        _end_with_parent(0)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)  # noqa: TID251  # nothing is printed
        os.close(null)
        if os.getppid() == self._waiting:
            os.kill(self._waiting, _LET_GO)


def split() -> Foreground | None:
    """Fork, and return only in the child: the parent waits for it, and never returns.

    Returns None in the same process if there can be no child. Call it before there are threads,
    since the child has only the calling one.
    """
    waiting = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        child = os.fork()
    except OSError:  # too many processes: the run continues, but cannot be detached from
        child = -1
    if child > 0:
        _wait(child)
    if child == 0:
        _end_with_parent(signal.SIGKILL)
        if os.getppid() != waiting:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    return Foreground(waiting) if child == 0 else None


def _wait(child: int) -> NoReturn:
    """Pass signals on to the child, stop whenever it stops, and end as it ends.

    The signals stay blocked and are waited for. Python runs handlers between two instructions, so
    that of a signal which comes just before `waitpid` would run only after `waitpid` returned.
    """
    for number in _HELD:  # those ignored by default may be dropped even while blocked
        signal.signal(number, lambda *_: None)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if ended and not os.WIFSTOPPED(status):
            break
        if ended:
            os.kill(os.getpid(), signal.SIGSTOP)
        came = signal.sigwait(_HELD)
        if came == _LET_GO:
            os._exit(0)
        if came != signal.SIGCHLD:  # SIGTSTP, too: the child restores the terminal and stops
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(child, came)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with suppress(OSError):  # SIGKILL has no handler to reset
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _end_with_parent(number: int) -> None:
    """Have the kernel send this signal to this process when its parent ends, 0 for none.

    Only Linux can.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
