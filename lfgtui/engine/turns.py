"""Whose turn it is: slots go to tickets in the order in which they wait.

The agents of the next tickets are started ahead of their turn, as far as memory allows, and for
the next one a connection to its server is opened.
"""

import asyncio
import logging
from asyncio import Task
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

from lfgtui.engine.session import Session
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.providers.base import Prepares, Request

_log = logging.getLogger(__name__)

_MOST_READ_AHEAD = 4
"""Most tickets whose files are read before they begin: more could take too much memory."""


class Turns:
    """The turns of a run's tickets. `held_back`: see `Health`."""

    def __init__(self, session: Session) -> None:
        self.held_back: dict[str, str] = {}
        self._session = session
        self._preparing: Task[None] | None = None
        self._reading: dict[str, Task[None]] = {}

    def due(
        self, runs: Collection[TicketRun], is_ready: Callable[[TicketRun], bool]
    ) -> Iterator[TicketRun]:
        """Yield the tickets to give a slot to, in order, and prepare the next ones.

        Give each its slot before asking for the next. `is_ready`: a ticket that has not begun
        waits only for a slot. Tickets that watch take no slot from others, and those of workers
        need none, since workers have slots of their own.
        """
        admission = self._session.admission
        here = (run for run in runs if run.slot.is_taken and not run.is_remote)
        working = {run.ticket.id: run.recovery.route.provider for run in here}
        waiting = [run for run in runs if run.slot.is_awaited or is_ready(run)]
        used = sum(run.slot.is_taken and run.needs_slot for run in runs)
        self.held_back = {}
        left = list[TicketRun]()
        for run in sorted(waiting, key=lambda run: run.slot.turn):
            ticket, provider = run.ticket.id, run.recovery.route.provider
            if run.is_remote:
                yield run
            elif used >= self._session.slots.number and run.needs_slot:
                left.append(run)
            elif refusal := admission.refusal(ticket, provider, working):
                self.held_back[ticket] = refusal
                left.append(run)
            else:
                yield run
                working[ticket] = provider
                used += run.needs_slot
        self._read_ahead(left)
        self._prepare_next(left, working)

    async def aclose(self) -> None:
        """Prepare nothing more."""
        tasks = [*self._reading.values()]
        tasks += [self._preparing] if self._preparing is not None else []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _read_ahead(self, left: list[TicketRun]) -> None:
        """Read the files that go with the prompts of the next tickets."""
        pending = [run for run in left[:_MOST_READ_AHEAD] if run.phase == "pending"]
        for run in pending:
            has_files = run.ticket.context and not run.transcript.conversation.messages
            # The folder of a ticket with a worktree is not there yet.
            if has_files and not run.ticket.worktree and run.ticket.id not in self._reading:
                reading = run.files.read_ahead(Path(run.transcript.workspace))
                self._reading[run.ticket.id] = asyncio.create_task(reading)

    def _prepare_next(self, left: list[TicketRun], working: dict[str, str]) -> None:
        """Have the first provider get ready that may do so; once it is, the next one."""
        if self._preparing is not None:
            return
        may = self._session.admission.may_prepare
        pending = [run for run in left if run.phase == "pending" and _has_folder(run)]
        for run in pending:
            of, is_next = (run.ticket.id, run.recovery.route.provider), run is pending[0]
            if not run.is_prepared and may(*of, working, is_next=is_next):
                run.is_prepared = True
                self._preparing = asyncio.create_task(self._prepare(run))
                self._preparing.add_done_callback(self._is_prepared)
                return

    async def _prepare(self, run: TicketRun) -> None:
        session = self._session
        await session.recorder.settle()
        provider = await session.providers.get(run.recovery.route.provider)
        if not await asyncio.to_thread(Path(run.transcript.workspace).is_dir):
            return  # its worktree was discarded
        if run.phase == "pending" and isinstance(provider, Prepares):
            name = run.recovery.route.provider
            _log.info("%s: %s gets ready ahead of its turn", run.ticket.id, name)
            provider.prepare(_request(run))

    def _is_prepared(self, task: Task[None]) -> None:
        self._preparing = None
        if not task.cancelled():
            with suppress(Exception):  # the ticket itself will meet it, and say so
                task.result()
            self._session.slots.on_change()


def _has_folder(run: TicketRun) -> bool:
    """Return True if the agent's folder exists already; a worktree is made in the ticket's turn."""
    ticket, transcript = run.ticket, run.transcript
    is_ready = transcript.worktree is not None and (transcript.is_set_up or not ticket.setup)
    return is_ready or not ticket.worktree


def _request(run: TicketRun) -> Request:
    """Return the ticket's next request, without the parts that are known only in its turn."""
    ticket, (provider, model) = run.ticket, run.recovery.route
    session = run.transcript.conversation.sessions.get(provider)
    return Request(
        model,
        (),
        ticket=ticket.id,
        workspace=run.transcript.workspace,
        confinement=run.confinement,
        session=session,
        mcp=ticket.mcp,
    )
