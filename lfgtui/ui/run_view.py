"""The screens' view of the rest of lfg: a run, live or stored, and the history file.

Screens know a run only by these protocols, so any may stand in for another; a change here has to
be made in all that implement them.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, runtime_checkable

from lfgtui.engine.commands import Command
from lfgtui.model.choices import is_settled
from lfgtui.model.events import Sink
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.model.tickets import Ticket


class RunView(Protocol):
    """A run as panes, header and table read it, without changing it.

    Besides live runs, `StoredRun`, `ReplayedRun`, `AttemptsView` and `CopiesView` implement it.
    """

    @property
    def run(self) -> str:
        """The run's id."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def tickets(self) -> Sequence[Ticket]:
        """The tickets in file order, then added ones, which the screen sees with their entries."""
        ...

    @property
    def health(self) -> Health: ...

    def transcript(self, ticket: str) -> Transcript:
        """Return the ticket's fold; it grows in place on the screen's own loop."""
        ...

    def meter(self, ticket: str) -> Meter: ...


def limits_of(run: RunView) -> RunLimits:
    """Return the limits of the run as a whole."""
    stored = (run.transcript(ticket.id).run_limits for ticket in run.tickets)
    return next((limits for limits in stored if limits is not None), RunLimits())


def all_done(run: RunView) -> bool:
    """Return True if all tickets are done, or another copy was chosen."""
    return all(is_settled(run, ticket) for ticket in run.tickets)


@runtime_checkable
class LiveRun(RunView, Protocol):
    """A run that is being worked on: the `Engine`, or a `RemoteRun` (`server/remote_run.py`)."""

    def subscribe(self, sink: Sink) -> None:
        """Call the sink, on the loop, with each batch of new entries.

        An empty batch means that only `health` changed.
        """
        ...

    def watch(self, tickets: Collection[str]) -> None:
        """Note which tickets a person can see from now on: these are read sooner."""
        ...

    def painted(self, tickets: Collection[str]) -> None:
        """Note that the frame just painted shows all that was delivered for these tickets."""
        ...

    def send(self, command: Command) -> None:
        """Carry out a command; its effects arrive as entries."""
        ...

    def start(self) -> None:
        """Queue the tickets and begin. Call once, from the running loop."""
        ...

    async def shutdown(self) -> None:
        """End running tickets as interrupted, kill their processes, close everything."""
        ...

    @property
    def unfinished(self) -> Sequence[str]:
        """Tickets that have not ended."""
        ...


@runtime_checkable
class AttachedRun(LiveRun, Protocol):
    """A run in another process, which goes on when its screen is left: a `RemoteRun`.

    `host` is the machine it is on, "" for this one. A command may be refused later, or may not
    arrive: `on_refusal`, which the screen sets, is called with the command and the reason.
    `has_ended` once its process has: then it takes no more commands.
    """

    host: str
    has_ended: bool
    on_refusal: Callable[[Command, str], object]


class HistoryActions(Protocol):
    """Changes to the history file, by `FileHistoryActions` in `cli/launching/past_runs.py`.

    Each takes a moment: call it in a thread. Each raises `LfgError` with a line to show if it is
    impossible.
    """

    def delete(self, run: str) -> None:
        """Delete the run for good; refused while it is being run."""
        ...

    def pin(self, run: str, pinned: bool) -> None:
        """Pin the run, so that it is kept when old ones are pruned; or unpin it."""
        ...

    def annotate(self, run: str, note: str) -> None:
        """Set the run's note, which replaces an earlier one."""
        ...

    def check_resume(self, run: str, *, is_ours: bool) -> None:
        """Raise if the run could not be resumed: nothing left to do, no key, no folder.

        `is_ours`: this process runs it, and will have let go of it before it is resumed.
        """
        ...
