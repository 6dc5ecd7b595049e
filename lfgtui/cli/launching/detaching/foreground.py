"""The process that a shell waits for, apart from the one that works.

When a person detaches from a run it goes on, and the shell is to show its prompt again; but the
shell waits for the very process that it started. So that one only waits, from before the first
frame, and a child of its own does all the work. Until the child lets go, the two are one to
whoever looks: signals are passed on, a stop and an exit code too, and neither outlives the other.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from lfgtui.engine.signals import ENDING

_PR_SET_PDEATHSIG = 1
"""<linux/prctl.h>"""

_LET_GO = signal.SIGUSR1

_HELD = (*ENDING, signal.SIGTSTP, signal.SIGCONT, signal.SIGCHLD, _LET_GO)
"""Signals that neither process gets between the fork and the moment when it can heed them."""


class Foreground:
    """The waiting process, as the one that works sees it."""

    def __init__(self, waiting: int) -> None:
        self._waiting = waiting

    def let_go(self) -> None:
        """Have the shell go on; from now on no terminal belongs to this process."""
        _end_with_parent(0)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)  # noqa: TID251  # nothing is printed
        os.close(null)
        if os.getppid() == self._waiting:
            os.kill(self._waiting, _LET_GO)


def split() -> Foreground | None:
    """Return in a new process, while this one waits for it; None where there can be no other.

    Call before there are threads: a new process has only the one that called.
    """
    waiting = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        child = os.fork()
    except OSError:  # no more processes: the run goes on, and ends with its terminal
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
    """Be what the child is: stopped while it is, and ended as it ends.

    The signals stay blocked and are waited for. A handler would not do: Python runs it between two
    instructions, so a signal that came just before `waitpid` would be heeded once that returns.
    """
    for number in _HELD:  # not ignored, as the last ones are by default, even while blocked
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
        if came != signal.SIGCHLD:  # a stop, too: the child restores the terminal, and is followed
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(child, came)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with suppress(OSError):  # SIGKILL has no handler that could be taken away
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _end_with_parent(number: int) -> None:
    """Have the kernel send the signal when the parent ends, 0 for none; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
