"""A worker: takes tickets from Redis, has the ordinary engine do them, and sends their entries.

It has a ticket as long as it can renew the lease. It counts the lease from the moment at which it
asked for it, so for the worker the lease ends before it does in Redis; some time before that it
stops the ticket's tools. Their supervisors do so if the worker itself was stopped (SIGSTOP).
Entries are sent in the order of their numbers, until Redis has them; they stay here until the run
raises the fence, a sign that it has all of them.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import msgspec
from redis.exceptions import RedisError

from lfgtui import __version__
from lfgtui.engine.engine import Engine
from lfgtui.errors import LfgError
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.processes.waiting import within
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.checkout import FilesKeptError
from lfgtui.server.workers.connection import Connection, Patience, Received, cancel, unreachable
from lfgtui.server.workers.held import Held

IDLE = 15.0
"""Seconds after which a ticket that a worker took but did not begin is taken by another."""

LAST_WORDS = 5.0
"""Seconds that the last entries have to reach Redis when the worker ends."""

WITH_FILES = 20.0
"""The same if files are to be pushed first."""

_OUT_OF_REACH = (RedisError, OSError, TimeoutError)  # raised while Redis cannot be reached

_log = logging.getLogger(__name__)

Open = Callable[[p.Job, SharedDeadline], AbstractAsyncContextManager[Engine]]
"""Opens the engine for a job, and closes it in the end; its programs are killed at the deadline.

Raises `LfgError` if the job cannot be done here, and `FilesKeptError` in the end if its files could
not be pushed. The one in use is in `cli.launching.remote.worker`.
"""


class Worker:
    """A worker with `slots`, for tickets that require only labels that it has.

    `say` gets a line for the person when a ticket comes or goes.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        open_: Open,
        *,
        slots: int,
        labels: Sequence[str] = (),
        say: Callable[[str], None],
    ) -> None:
        self.name = name
        self._redis = connection
        self._open = open_
        self._slots = slots
        self._labels = tuple(labels)
        self._streams = [p.own_tickets_key(name), *p.ticket_keys(labels)]
        self._say = say
        self._held: dict[tuple[str, str], Held] = {}
        """The tickets whose leases are renewed, by run and id."""
        self._working: set[asyncio.Task[None]] = set()
        """The tickets that take a slot, until Redis has all their entries."""
        self._is_free, self._has_begun = asyncio.Event(), asyncio.Event()
        self._after = "0"
        """The id of the newest request that was carried out."""
        self._lost = ""
        """Why Redis cannot be reached; "" while it can."""

    async def run(self, stopped: "asyncio.Future[signal.Signals]") -> None:
        """Work until `stopped`; then hand back what is unfinished."""
        loops = (self._take, self._obey, self._renew)
        tasks = [asyncio.create_task(self._keep_on(loop)) for loop in loops]
        try:
            waiting: list[asyncio.Future[Any]] = [stopped, *tasks]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            tasks[0].cancel()
            for held in [*self._held.values()]:
                await held.end()
            if self._working:
                has_files = any(held.job.source for held in self._held.values())
                patience = WITH_FILES if has_files else LAST_WORDS
                await asyncio.wait(self._working, timeout=patience)
        finally:
            await cancel([*tasks, *self._working])
            for held in self._held.values():
                await held.aclose()
            with suppress(*_OUT_OF_REACH):
                keys = (p.presence_key, p.requests_key, p.own_tickets_key)
                await self._redis.delete(*(key(self.name) for key in keys))
            await self._redis.aclose()
        for task in tasks:
            if not task.cancelled():
                task.result()  # a bug

    async def _keep_on(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step until cancelled; join the streams' groups whenever Redis has none."""
        patience = Patience()
        while True:
            try:
                await step()
                patience.reset()
            except _OUT_OF_REACH as error:
                if "NOGROUP" in str(error):
                    with suppress(*_OUT_OF_REACH):
                        await self._redis.join(self._streams)
                        continue
                self._say_lost(error)
                await asyncio.sleep(patience.next())

    def _say_lost(self, error: BaseException | None) -> None:
        """Note an error of Redis, or a success, and tell the person when that changes."""
        if error is not None and not self._lost:
            self._lost = unreachable(self._redis.address, error)
            self._say(f"{self._lost}; trying again")
        elif error is None and self._lost:
            self._lost = ""
            self._say(f"reached {self._redis.address} again")

    async def _take(self) -> None:
        """Take the next ticket; while no slot is free, wait for one."""
        self._is_free.clear()
        if len(self._working) >= self._slots:
            await self._is_free.wait()
            return
        for one in await self._redis.take(self._streams, self.name, IDLE):
            if len(self._working) < self._slots:
                await self._begin(one)
            else:  # each of several streams may have given one: put it back
                await self._redis.add(one.stream, one.body)
                await self._redis.drop(one)

    async def _begin(self, one: Received) -> None:
        """Begin with a ticket, unless another worker has."""
        job = await self._job(one)
        if job is None:
            return
        key = job.run, job.ticket.id
        before = self._held.get(key)
        if before is not None and before.job.fence >= job.fence:  # the same offer, or an older one
            await self._redis.drop(one)
            return
        if before is not None:
            del self._held[key]
            await before.lose()
        held = Held(self._redis, self.name, job)
        if await held.renew():
            self._held[key] = held
            held.start()
            self._has_begun.set()
            task = asyncio.create_task(self._work(held))
            self._working.add(task)
            task.add_done_callback(self._ended)
        await self._redis.drop(one)

    async def _job(self, one: Received) -> p.Job | None:
        """Return the job of an offer; if it cannot be done here, tell the run and return None."""
        reason = ""
        try:
            head = p.head_decoder.decode(one.body)
        except msgspec.MsgspecError as error:
            _log.warning("not a ticket: %s", error)
            await self._redis.drop(one)
            return None
        try:
            if head.protocol == p.PROTOCOL:
                return p.job_decoder.decode(one.body)
        except msgspec.MsgspecError as error:
            reason = f": {error}"
        other = "an older" if head.protocol < p.PROTOCOL else "a newer"
        if head.protocol == p.PROTOCOL:
            other = "a different"
        of = f"the run is of {other} lfg ({head.version})"
        message = f"it runs lfg {__version__}, {of}{reason}"
        refused = p.Record(self.name, head.ticket.id, head.fence, p.Refused(message))
        await self._redis.add(p.entries_key(head.run), p.encode(refused))
        await self._redis.drop(one)
        return None

    async def _work(self, held: Held) -> None:
        """Do a ticket, and keep its entries until its run has them."""
        name = f"{held.job.run}/{held.job.ticket.id}"
        self._say(f"{name} begins")
        try:
            async with self._open(held.job, held.deadline) as engine:
                await held.work(engine)
        except FilesKeptError as error:
            held.keep(str(error))
            self._say(f"{name}: {error}")
        except LfgError as error:
            held.refuse(str(error))
        except Exception as error:  # a bug ends only this ticket
            _log.exception("%s", name)
            held.refuse(f"a bug in lfg: {type(error).__name__}: {error}")
        self._say(f"{name} {held.state}")
        held.finish()
        try:
            await held.shipped.wait()
        finally:
            if held.is_lost:
                await held.aclose()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._working.discard(task)
        self._is_free.set()

    async def _obey(self) -> None:
        """Carry out runs' requests."""
        stream = p.requests_key(self.name)
        received = await self._redis.read(stream, self._after)
        self._say_lost(None)
        for one in received:
            try:
                request = p.request_decoder.decode(one.body)
            except msgspec.MsgspecError as error:
                _log.warning("not a request: %s", error)
            else:
                held = self._held.get((request.run, request.ticket))
                if held is not None and held.job.fence == request.fence:
                    await held.obey(request)
            self._after = one.id
            await self._redis.trim(stream, one.id)

    async def _renew(self) -> None:
        """Renew the leases, and announce that this worker is running."""
        self._has_begun.clear()
        pause = min([IDLE, *(held.job.lease for held in self._held.values())]) / 3
        there = p.Presence(self.name, self._labels, self._slots)
        await self._redis.put(p.presence_key(self.name), p.encode(there), 2 * IDLE)
        await self._redis.keep(p.own_tickets_key(self.name))
        for key, held in [*self._held.items()]:
            if held.is_late:
                if held.shipped.is_set() and self._held.get(key) is held:
                    del self._held[key]
                    await held.aclose()
                continue
            is_ours = await held.renew()
            if not is_ours and self._held.get(key) is held:
                del self._held[key]
                await held.lose()
        await within(pause, self._has_begun)
