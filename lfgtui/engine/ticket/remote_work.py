"""Work that is done elsewhere: the engine's view of workers on other machines.

The engine stays the only scheduler: it decides when a ticket is handed out, and all that happens
to it comes back as entries that a worker has committed and numbered. As long as a worker has the
ticket, nobody else numbers entries of it, so `TicketRun.forward` takes what is to happen to it.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from lfgtui.engine import commands as c
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket


class RemoteWork(Protocol):
    """Workers that take tickets of one run."""

    on_change: Callable[[], None]
    """Called when `lost` has changed."""

    @property
    def lost(self) -> str:
        """The reason for which workers cannot be reached; "" while they can."""

    @property
    def waiting(self) -> Mapping[str, str]:
        """The tickets that no worker has taken yet, with what they wait for, as in `Health`."""

    def takes(self, ticket: Ticket) -> bool:
        """Return True for a ticket that is a worker's to do."""

    def is_out(self, ticket: str) -> bool:
        """Return True for one that a worker was given by an earlier process of this run."""

    def start(self, runs: Mapping[str, TicketRun], send: Callable[[c.Command], None]) -> None:
        """Begin to listen for what comes of `runs`; `send` gets commands that a worker missed."""

    async def work(self, run: TicketRun, answers: Mapping[str, str]) -> e.Ending:
        """Have a worker do the ticket, with the answers of those it needs; return its ending.

        If that came as an entry, it is the very one that the transcript has. When it is cancelled
        it asks the worker to end the ticket as `run.stopped_with`, and waits for that a while.
        """

    async def aclose(self) -> None:
        """Listen no more."""
