"""A run as the screen sees it, live or stored, and the one thing it can send back."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from lfgtui.engine.commands import Command
from lfgtui.model.events import Sink
from lfgtui.model.metrics import Meter
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript


class RunView(Protocol):
    """What panes, header and table read. They change nothing in it."""

    @property
    def run(self) -> str:
        """The run's id."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def tickets(self) -> Sequence[Ticket]:
        """In file order."""
        ...

    @property
    def behind(self) -> str | None:
        """Why history cannot be written just now; None when all is saved."""
        ...

    @property
    def resting(self) -> Mapping[str, float]:
        """Providers that do not answer and are left alone: seconds until the next try."""
        ...

    @property
    def queued_bytes(self) -> int:
        """How much has arrived and is not in the history yet."""
        ...

    def transcript(self, ticket: str) -> Transcript:
        """The ticket's fold; it grows in place on the screen's own loop."""
        ...

    def meter(self, ticket: str) -> Meter: ...


@runtime_checkable
class LiveRun(RunView, Protocol):
    """A run that is being worked on: the engine."""

    def subscribe(self, sink: Sink) -> None:
        """Have the sink called, on the loop, with each batch of new entries."""
        ...

    def send(self, command: Command) -> None:
        """Have something done; what comes of it arrives as entries."""
        ...

    def start(self) -> None:
        """Queue the tickets and begin. Call once, from the running loop."""
        ...

    async def shutdown(self) -> None:
        """End what still runs as interrupted, kill its processes, close the books."""
        ...

    @property
    def unfinished(self) -> Sequence[str]:
        """Tickets that have not ended."""
        ...
