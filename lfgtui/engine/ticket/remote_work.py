"""Work that is done elsewhere: the engine's view of workers on other machines.

The engine stays the only scheduler: it decides when a ticket is handed out, and the ticket's
entries come back committed and numbered by the worker. While a worker has the ticket, nobody else
numbers its entries, so commands and events for it go to `TicketRun.forward`.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from lfgtui.engine import commands as c
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket


class RemoteWork(Protocol):
    """Workers that take tickets of one run; `server/workers/run_workers.py` implements it."""

    on_change: Callable[[], None]
    """Called when `lost` has changed."""

    @property
    def lost(self) -> str:
        """Why workers cannot be reached; "" while they can."""

    @property
    def waiting(self) -> Mapping[str, str]:
        """The tickets that no worker has taken yet, with what they wait for, as in `Health`."""

    def takes(self, ticket: Ticket) -> bool:
        """Return True for a ticket that a worker should do."""

    def is_out(self, ticket: str) -> bool:
        """Return True for a ticket that an earlier process of this run gave to a worker."""

    def start(self, runs: Mapping[str, TicketRun], send: Callable[[c.Command], None]) -> None:
        """Begin to receive the entries of `runs`; `send` gets commands that a worker missed."""

    async def work(self, run: TicketRun, answers: Mapping[str, str]) -> e.Ending:
        """Have a worker do the ticket, with the answers that it needs; return its ending.

        An ending that came as an entry is the same object as in the transcript. If cancelled, ask
        the worker to end the ticket as `run.stopped_with`, and wait a while for that.
        """

    async def aclose(self) -> None:
        """Stop receiving."""
