"""The ways out of the app: the run ends first, or goes on without a screen."""

import asyncio
import signal
import time
from collections.abc import Callable

from lfgtui.ui.run_view import AttachedRun, LiveRun, RunView, all_done

_IMPATIENT = 2.0
"""Seconds after which another signal ends at once; an earlier one is ignored, since signals
may come in bursts."""


class Leaving:
    """Ends the run and exits with its code, or leaves it at work and exits with 0.

    `exit_with` ends the app with a code; `stopping` is called when the run is about to be shut
    down, which may take a moment. A run that `outlives_terminal` is left at work when the
    terminal is closed.
    """

    def __init__(
        self,
        run: RunView | None,
        exit_with: Callable[[int], None],
        stopping: Callable[[], None],
        *,
        outlives_terminal: bool = False,
    ) -> None:
        self.is_detached = False
        """True once the screen was left with its run at work."""
        self._run = run
        self._exit = exit_with
        self._stopping = stopping
        self._outlives_terminal = outlives_terminal
        self._ending: asyncio.Task[None] | None = None
        self._signalled_at: float | None = None

    @property
    def _can_go_on(self) -> bool:
        """True while the run may go on without the terminal: it has begun and is unfinished."""
        is_at_work = isinstance(self._run, LiveRun) and bool(self._run.run and self._run.unfinished)
        return self._outlives_terminal and is_at_work

    @property
    def has_begun(self) -> bool:
        return self._ending is not None or self.is_detached

    def detach(self) -> None:
        """Leave the run at work."""
        if not self.has_begun:
            self.is_detached = True
            self._exit(0)

    def end(self, code: int | None) -> None:
        """Shut the run down and leave; with None the exit code follows from the tickets' ends."""
        if not self.has_begun:
            self._ending = asyncio.create_task(self._shut_down(code))

    def signalled(self, number: signal.Signals) -> None:
        """End with the signal's code, at once if it comes again."""
        at = time.monotonic()
        if number == signal.SIGHUP and self._can_go_on:
            self.detach()
        elif self._signalled_at is None:
            self._signalled_at = at
            self.end(
                128 + number
            )  # unless a key did: then the signal only hurries it the next time
        elif at - self._signalled_at >= _IMPATIENT:
            self._exit(128 + number)

    async def _shut_down(self, code: int | None) -> None:
        """Shut the run down, or leave an attached one at work, and exit."""
        goes_on = isinstance(self._run, AttachedRun) and not self._run.has_ended
        if code is None:
            code = int(self._run is not None and not (goes_on or all_done(self._run)))
        try:
            if isinstance(self._run, LiveRun):
                if not goes_on:
                    self._stopping()
                await self._run.shutdown()
        finally:
            self._exit(code)
