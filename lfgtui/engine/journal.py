"""One run's line to the history: events out, committed entries back on the loop."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lfgtui.errors import HistoryError
from lfgtui.history.reader import RunState
from lfgtui.history.recording.store import History
from lfgtui.history.storage.file import Durability
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket

Deliver = Callable[[Sequence[e.Entry]], None]
Behind = Callable[[str | None], None]

PENDING_BYTES = 8 * 1024 * 1024
"""More than this on its way to the disk holds back whoever reads from a socket."""


PENDING_EVENTS = 1000
"""As many events do the same. Each takes up to 0.1 ms to write, however small it is, and
what another ticket says meanwhile is written after them."""


class Journal:
    """Writes one run. Open it, begin or resume a run, `attach` it to a loop, `close` it.

    The writer's thread commits and calls back; entries reach `deliver` on the
    loop in the order they were committed.
    """

    def __init__(self, path: Path, durability: Durability = "process") -> None:
        self._history = History.open(
            path,
            on_entries=self._on_entries,
            on_behind=self._on_behind,
            durability=durability,
        )
        self._run = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._deliver: Deliver | None = None
        self._behind: Behind | None = None
        self._progress = asyncio.Event()
        self._marking: asyncio.Task[None] | None = None
        self._finishing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._history.close()

    @property
    def run(self) -> str:
        """The id of the run that is written."""
        return self._run

    @property
    def has_remains(self) -> bool:
        """Whether something is left of runs that were deleted."""
        return self._history.has_remains

    @property
    def lost(self) -> list[str]:
        """Runs that were begun and of which the history knows nothing: its log was gone."""
        return self._history.lost

    @property
    def failure(self) -> BaseException | None:
        """Why something could not be saved for good; None as long as all was."""
        return self._history.failure

    @property
    def remarks(self) -> list[str]:
        """Changes to the history's file during the run, one line each, for a person."""
        return self._history.remarks

    @property
    def queued_bytes(self) -> int:
        """What was submitted and is not saved yet."""
        return self._history.pending_bytes + self._history.backlog_bytes

    def begin(self, title: str, tickets: Sequence[Ticket], source: Path | None) -> None:
        """Start a new run."""
        self._run = self._history.start_run(title, tickets, source)

    def resume(self, run: str) -> None:
        """Go on writing a stored run; raises `HistoryError` if another lfg runs it."""
        self._history.resume_run(run)
        self._run = run

    def attach(self, loop: asyncio.AbstractEventLoop, deliver: Deliver, behind: Behind) -> None:
        """Say where committed entries go."""
        self._loop, self._deliver, self._behind = loop, deliver, behind

    def submit(self, ticket: str, attempt: int, at: float, event: e.Event) -> None:
        """Hand over an event; never waits."""
        self._history.submit(self._run, ticket, attempt, at, event)

    async def settle(self, *, saved: bool = False) -> None:
        """Wait until all that was submitted before is delivered; `saved`: is on the disk."""
        # Shielded: a cancelled waiter must not cancel the writer's side of it.
        await asyncio.shield(asyncio.wrap_future(self._history.flush(saved=saved)))

    async def room(self) -> None:
        """Wait while too much is on its way, or unsaved."""
        while self._is_full:
            self._progress.clear()
            await self._progress.wait()

    @property
    def _is_full(self) -> bool:
        history = self._history
        if history.pending_events > PENDING_EVENTS or history.pending_bytes > PENDING_BYTES:
            return True
        return history.backlog_full

    def mark(self, state: RunState) -> None:
        """Store how the run stands, if it can be; it goes on being ours."""
        self._marking = asyncio.create_task(self._mark(state, self._marking))

    async def finish(self, state: RunState) -> None:
        """Store how the run ended, once all its entries are saved, and let go of it.

        Raises `HistoryError` where that cannot be, or where the run had to be
        saved in another place than the history.
        """
        self._finishing = True
        if self._marking is not None:
            await self._marking
        await asyncio.to_thread(self._history.finish_run, self._run, state)
        if self._history.rescued is not None:
            raise HistoryError(self._history.rescued)

    async def _mark(self, state: RunState, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await earlier
        if self._finishing:
            return
        with suppress(HistoryError):  # `behind` says so already, and `finish` tries again
            await asyncio.to_thread(self._history.mark_run, self._run, state)

    def _received(self, entries: list[e.Entry]) -> None:
        self._progress.set()
        if self._deliver is not None:
            self._deliver(entries)

    def _fell_behind(self, message: str | None) -> None:
        if self._behind is not None:
            self._behind(message)
        self._progress.set()

    # On the writer's thread.

    def _on_entries(self, entries: list[e.Entry]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._received, entries)

    def _on_behind(self, message: str | None) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._fell_behind, message)
