"""A worker that does what the test says."""

import asyncio

from lfgtui.model import events as e
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.connection import Connection


class Raw:
    """A worker that does what the test says."""

    def __init__(self, url: str, name: str) -> None:
        self.redis = Connection(url)
        self.name = name
        self._after: dict[str, str] = {}

    async def appear(self) -> None:
        there = p.Presence(self.name, (), 1)
        await self.redis.put(p.presence_key(self.name), p.encode(there), 600.0)

    async def take(self) -> p.Job:
        streams = [p.own_tickets_key(self.name), p.tickets_key(())]
        await self.redis.join(streams)
        async with asyncio.timeout(60):
            while not (taken := await self.redis.take(streams, self.name, 60.0)):
                pass
        await self.redis.drop(taken[0])
        return p.job_decoder.decode(taken[0].body)

    async def next_in(self, stream: str) -> bytes:
        async with asyncio.timeout(60):
            while not (received := await self.redis.read(stream, self._after.get(stream, "0"), 1)):
                pass
        self._after[stream] = received[0].id
        return received[0].body

    async def claim(self, lease: float) -> p.Job:
        job = await self.take()
        held = p.Lease(self.name, job.fence, 0)
        assert await self.redis.hold(job.run, job.ticket.id, held, lease)
        await self.say(job, p.Claimed())
        return job

    async def refuse(self, reason: str) -> None:
        await self.say(await self.take(), p.Refused(reason))

    async def say(self, job: p.Job, what: p.Word) -> None:
        record = p.Record(self.name, job.ticket.id, job.fence, what)
        await self.redis.add(p.entries_key(job.run), p.encode(record))


def happened(job: p.Job, *events: e.Event, after: int | None = None) -> p.Happened:
    """These events, behind the entries that came with the job."""
    last = job.entries[-1].seq if after is None else after
    entries = [e.Entry("", "", 1, last + n, 1e9, one) for n, one in enumerate(events, 1)]
    return p.Happened(p.numbered(entries), 1e9)
