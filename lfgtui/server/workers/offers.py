"""Offers of a run's tickets to workers, each under a fence higher than any before.

Any worker with the labels may take an offer. Once a worker has refused the ticket, the next offer
is for one other worker alone, in that worker's own stream.
"""

import random
from collections.abc import Mapping, Sequence

from msgspec import UNSET

from lfgtui.engine.session import Session
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.connection import Connection, Received
from lfgtui.server.workers.hand_out import HandOut

ENOUGH = 3
"""Most workers that may be lost with a ticket before it fails."""


class Offers:
    """The offers of one run. `fences` are the highest that it has seen, by ticket."""

    def __init__(self, session: Session, connection: Connection, fences: Mapping[str, int]) -> None:
        self._run = session.run
        self._recorder = session.recorder
        self._redis = connection
        self._fences = dict(fences)
        self._lost: dict[str, list[str]] = {}
        """The workers that were lost with a ticket, by ticket."""
        self._hints: dict[str, str] = {}
        """The hint how to start a worker for a ticket that none could take, by ticket."""

    def fence(self, ticket: str) -> int:
        """Return the ticket's highest fence."""
        return self._fences[ticket]

    async def raise_fence(self, ticket: str) -> int:
        """Return a new fence for the ticket; no worker can hold it under an earlier one now."""
        seen = self._fences.get(ticket, 0)
        self._fences[ticket] = await self._redis.fence(self._run, ticket, seen)
        return self._fences[ticket]

    async def offer(self, out: HandOut) -> None:
        """Offer the ticket to all workers with its labels or, if one refused it, to another one."""
        others = await self.others(out) if out.refusals else ()
        out.offered_to = random.choice(others).name if others else ""
        stream = p.tickets_key(out.run.ticket.requires)
        if out.offered_to:
            stream = p.own_tickets_key(out.offered_to)
        id_ = await self._redis.add(stream, out.job)
        out.offered = Received(stream, id_, b"")

    async def offer_again(self, out: HandOut) -> None:
        """Offer a ticket, which no worker has begun, under a new fence."""
        name = out.run.ticket.id
        out.begin_again(await self.raise_fence(name))
        self._recorder.hand_out(self._run, name, out.fence, is_out=True)
        await self.offer(out)

    async def withdraw(self, out: HandOut) -> None:
        """Take the offer back, if nobody has taken it."""
        if out.offered is not None:
            await self._redis.drop(out.offered)

    async def stands(self, out: HandOut) -> bool:
        """Return True if somebody may still take the offer."""
        if out.worker or out.offered is None or not await self._redis.has(out.offered):
            return False
        if not out.offered_to:
            return True
        (there,) = await self._redis.get([p.presence_key(out.offered_to)])
        return there is not None

    def lost_with(self, out: HandOut) -> e.Ending:
        """Note that the ticket's worker was lost; return the ending: a failure after `ENOUGH`.

        Otherwise it is interrupted, and is offered again.
        """
        lost_workers = self._lost.setdefault(out.run.ticket.id, [])
        lost_workers += [out.worker] if out.worker else []
        if len(lost_workers) < ENOUGH:
            lost = f"worker {out.worker} was lost" if out.worker else UNSET
            return e.TicketInterrupted(lost)
        message = f"{ENOUGH} workers were lost while they had it: {', '.join(lost_workers)}"
        return e.TicketFailed("internal", message, retryable=False)

    async def others(self, out: HandOut) -> Sequence[p.Presence]:
        """Return the workers that could do the ticket and have not refused it."""
        able = await self._able(out.run.ticket)
        return [one for one in able if one.name not in out.refusals]

    async def seek(self, ticket: Ticket) -> bool:
        """Return True if a worker is running that could take the ticket; `wanted` depends on it."""
        able = bool(await self._able(ticket))
        options = "".join(f" --label {one}" for one in sorted(ticket.requires))
        hint = "" if able else f"; to start one: lfg worker {self._redis.address}{options}"
        self._hints[ticket.id] = hint
        return able

    def wanted(self, ticket: Ticket) -> str:
        """Return in words who may take the ticket, and how to start a worker if none runs."""
        labels = ", ".join(sorted(ticket.requires))
        kind = "labels" if len(ticket.requires) > 1 else "label"
        who = f"a worker with {kind} {labels}" if labels else "a worker"
        return who + self._hints.get(ticket.id, "")

    async def _able(self, ticket: Ticket) -> Sequence[p.Presence]:
        labels = set(ticket.requires)
        return [one for one in await self._redis.present() if labels <= set(one.labels)]
