"""A ticket that this worker has: its engine, its lease, and the entries still to be sent."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from redis.exceptions import RedisError

from lfgtui.engine import commands as c
from lfgtui.engine.engine import Engine
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.processes.waiting import until_one_ends
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.connection import Connection, Patience, cancel

AT_ONCE = 500
"""Most entries in one message."""

_MARGIN, _LAST_MARGIN = 5, 10
"""Divisors: a fifth of the lease before its end the ticket is ended, and a tenth of it before its
end the supervisors kill what its tools then still run."""

_OUT_OF_REACH = (RedisError, OSError, TimeoutError)  # raised while Redis cannot be reached


class Held:
    """The ticket of `job`, held by the worker called `worker`.

    `renew` it first, since this takes the lease, and again and again from then on; then `start`,
    `work` and `finish` it. `refuse` or `keep`, if called, come before `finish`.
    """

    def __init__(self, connection: Connection, worker: str, job: p.Job) -> None:
        self.job = job
        self.shipped = asyncio.Event()
        """Set once Redis has all entries."""
        self.is_late = False
        """True once the lease was not renewed in time; then it must not be renewed any more."""
        self.is_lost = False
        """True once the run has taken the ticket back."""
        self._redis = connection
        self._worker = worker
        self._until = 0.0
        """Monotonic time when the lease ends, as far as this worker knows."""
        self.deadline = SharedDeadline(self._until)
        """When all processes of the ticket's tools end, even while this process is stopped."""
        self._engine: Engine | None = None
        self._base = job.entries[-1].seq if job.entries else 0
        """Number of the last entry that came with the job."""
        self._entries: list[e.Entry] = []
        """All entries that were committed here; the first one has the number `_base + 1`."""
        self._sent = self._base
        """Number of the last entry that was sent."""
        self._news = asyncio.Event()
        self._stopped = asyncio.Event()
        self._is_over = False
        self._refusal = self._why_kept = ""
        self._answers: dict[int, p.Answered] = {}
        """Answers to requests that were carried out, which may come again, by their ids."""
        self._early: list[p.Request] = []
        """Requests that came before there was an engine."""
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def state(self) -> str:
        """The state of the ticket, in words."""
        if self._refusal:
            return f"is refused: {self._refusal}"
        if self.is_lost:
            return "was taken over by another worker"  # or taken back by its run
        engine = self._engine
        return "" if engine is None else str(engine.transcript(self.job.ticket.id).state)

    def start(self) -> None:
        """Begin to send entries, and to watch the lease; call it after the first `renew`."""
        self._tasks = [asyncio.create_task(self._ship()), asyncio.create_task(self._guard())]

    async def aclose(self) -> None:
        """Send nothing more."""
        await cancel(self._tasks)

    # The work

    async def work(self, engine: Engine) -> None:
        """Do the ticket to its end, or until `end` or `lose`."""
        self._engine = engine
        engine.subscribe(self._take)
        engine.watch((self.job.ticket.id,), self)
        engine.start()
        try:
            for request in self._early:
                with suppress(*_OUT_OF_REACH):  # the run sends the request again
                    await self.obey(request)
            await until_one_ends(engine.wait_idle(), self._stopped.wait())
        finally:
            await engine.shutdown()

    def finish(self) -> None:
        """Note that no more entries come: once all are sent, the run is told so."""
        self._is_over = True
        self._news.set()

    def refuse(self, reason: str) -> None:
        """Note that the ticket cannot be done here."""
        self._refusal = reason

    def keep(self, why: str) -> None:
        """Note that the ticket was done, but its files stay here."""
        self._why_kept = why

    async def end(self) -> None:
        """End the ticket as interrupted, and all processes that it started."""
        self._stopped.set()
        if self._engine is not None:
            await self._engine.shutdown()

    async def lose(self) -> None:
        """End the ticket, since the run has taken it back; unsent entries still go to the run."""
        self.is_lost = True
        await self.end()

    def _take(self, entries: Sequence[e.Entry]) -> None:
        self._entries += entries
        self._news.set()

    # The lease

    async def renew(self) -> bool:
        """Take or renew the lease; return False if the ticket is no longer this worker's."""
        asked = time.monotonic()
        last = self._entries[-1].seq if self._entries else self._base
        lease = p.Lease(self._worker, self.job.fence, last, self._is_over and not self._refusal)
        held = await self._redis.hold(self.job.run, self.job.ticket.id, lease, self.job.lease)
        if held:
            self._until = asked + self.job.lease
            self.deadline.put_off(self._until - self.job.lease / _LAST_MARGIN)
        return held

    async def _guard(self) -> None:
        """End the ticket before its lease ends."""
        margin = self.job.lease / _MARGIN
        while True:
            left = self._until - margin - time.monotonic()
            if left <= 0:
                self.is_late = True
                return await self.end()
            await asyncio.sleep(left)

    # Records to the run

    async def _tell(self, what: p.Word) -> None:
        """Append a record to the run's stream."""
        record = p.Record(self._worker, self.job.ticket.id, self.job.fence, what)
        await self._redis.add(p.entries_key(self.job.run), p.encode(record))

    async def _ship(self) -> None:
        """Send `Claimed`, then all entries in the order of their numbers, then how it ended.

        If the run asks for entries again (`Resend`), they and the end are sent again.
        """
        patience = Patience()
        is_claimed = is_told = False
        while True:
            self._news.clear()
            unsent = self._entries[self._sent - self._base :][:AT_ONCE]
            try:
                if not is_claimed:
                    await self._tell(p.Claimed())
                    is_claimed = True
                if unsent:
                    await self._tell(p.Happened(p.numbered(unsent), now()))
                    self._sent, is_told = unsent[-1].seq, False
                    continue
                if self._is_over and not is_told:
                    released = p.Released(self._sent, self._why_kept)
                    await self._tell(p.Refused(self._refusal) if self._refusal else released)
                    is_told = True
                    self.shipped.set()
                patience.reset()
            except _OUT_OF_REACH:
                await asyncio.sleep(patience.next())
                continue
            await self._news.wait()

    # Requests of the run

    async def obey(self, request: p.Request) -> None:
        """Carry out a request of the run once, however often it comes, and answer each time."""
        if isinstance(request.what, p.Resend):
            self._sent = max(self._base, min(self._sent, request.what.after))
            self._news.set()
            return
        if request.id not in self._answers:
            if self._engine is None and not self._is_over:
                self._early.append(request)
                return
            self._answers[request.id] = p.Answered(request.id, self._done(request.what))
        await self._tell(self._answers[request.id])

    def _done(self, what: p.Order) -> str:
        """Carry out an order; return why that is impossible, or ""."""
        engine, name = self._engine, self.job.ticket.id
        if engine is None or engine.is_closing or not engine.unfinished:
            return "it has ended"
        match what:
            case p.Stop(ending):
                event = p.event_of(ending)
                run = engine.ticket_run(name)
                if isinstance(event, e.TicketInterrupted) or not isinstance(event, e.Ending):
                    self._stopped.set()
                elif run.phase == "running":
                    run.stop(event)
                else:
                    engine.send(c.Cancel(name))
            case p.Note(event):
                engine.ticket_run(name).emit(p.event_of(event))
            case p.Resend():
                pass
            case _:
                engine.send(what)
        return ""
