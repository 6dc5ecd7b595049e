"""One ticket that is handed out: the state of its offer, its entries, and the requests about it.

The worker numbers the entries without a gap, so the last stored one shows which are still to come.
Entries that come twice are dropped; missing ones are asked for, and the worker sends them again.
"""

import asyncio
from collections.abc import Sequence
from itertools import count

import msgspec

from lfgtui.engine import commands as c
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.event_json import encode_event
from lfgtui.server.workers.connection import Received
from lfgtui.server.workers.protocol import (
    Answered,
    Happened,
    Lease,
    Note,
    Numbered,
    Order,
    Request,
    Resend,
    Stop,
    encode,
    job_decoder,
)

_ids = count(round(now() * 1e6))
"""Ids of requests: higher than those of an earlier process, which a worker may have answered."""


class HandOut:
    """A ticket that is offered to workers or that one of them has; `fence` is the present one.

    `RunWorkers` and `Offers` read and set its attributes. `worker` is "" until one has taken the
    offer. `offered` is the message of the offer, which is for one worker alone if `offered_to`
    names it; `job` is its body, empty if an earlier process made it. `refusals` are the reasons of
    the workers that cannot do the ticket. `last` is the number of the newest entry that was handed
    to the recorder. `asked` are the requests that the worker has not answered, by id; `unsent`
    those to be sent, again or for the first time. `missed_since` is the monotonic time since which
    neither a lease nor the offer was found, None while one is. `why_kept`: see `Released`. `ended`
    gets the ending once no worker has the ticket any more.
    """

    def __init__(self, run_id: str, run: TicketRun, fence: int) -> None:
        self.run = run
        self._run_id = run_id
        self.fence = fence
        self.worker = ""
        self.offered: Received | None = None
        self.offered_to = ""
        self.refusals: dict[str, str] = {}
        self.last = self._began_at = run.transcript.last_seq
        self.why_kept = ""
        self.job = b""
        self.ended: asyncio.Future[e.Ending] = asyncio.get_running_loop().create_future()
        self.asked: dict[int, Request] = {}
        self.unsent: list[Request] = []
        self._rejected: list[Request] = []  # those that the worker answered with an error
        self.missed_since: float | None = None
        self._later: float | None = None  # see `later`; None before the first entry
        # The value of `last` when entries were asked for, and when a lease named later ones.
        self._asked_at = self._behind_at = -1

    # Out

    def forward(self, what: c.TicketCommand | e.Event) -> None:
        """Send the worker a command or event for the ticket, as soon as one has it."""
        self.ask(Note(_raw(what)) if isinstance(what, e.Event) else what)

    def stop(self, ending: e.Ending) -> None:
        """Have the worker end the ticket with `ending`."""
        self.ask(Stop(_raw(ending)))

    def ask(self, what: Order) -> None:
        """Send the worker an order."""
        name = self.run.ticket.id
        request = Request(next(_ids), self._run_id, name, self.fence, what)
        if not isinstance(what, Resend):  # answered by the entries themselves
            self.asked[request.id] = request
        self.unsent.append(request)

    def begin_again(self, fence: int) -> None:
        """Prepare to offer the ticket under a new fence; only while no worker has begun it."""
        job = msgspec.structs.replace(job_decoder.decode(self.job), fence=fence)
        self.fence, self.job, self.worker, self.missed_since = fence, encode(job), "", None
        again = [msgspec.structs.replace(one, fence=fence) for one in self.asked.values()]
        self.asked = {one.id: one for one in again}
        self.unsent = again

    def ask_again(self) -> None:
        """Have all requests sent once more that were not answered."""
        others = [one for one in self.unsent if one.id not in self.asked]
        self.unsent = [*others, *self.asked.values()]

    def answered(self, answer: Answered) -> None:
        """Note an answer."""
        request = self.asked.pop(answer.id, None)
        if request is not None and answer.error:
            self._rejected.append(request)

    def came_too_late(self) -> list[c.Tell]:
        """Return the messages that the worker did not take, for the ticket's next worker."""
        left = [request.what for request in (*self._rejected, *self.asked.values())]
        return [one for one in left if isinstance(one, c.Tell)]

    # In

    def take(self, happened: Happened, at: float) -> Sequence[Numbered]:
        """Return the new entries of a message, or none if earlier ones are missing.

        `at` is when Redis got the message, by this machine's clock.
        """
        new = [one for one in happened.entries if one.seq > self.last]
        if new and new[0].seq != self.last + 1:
            if self._asked_at != self.last:
                self.ask_for_missing()
            return ()
        late = at - happened.sent
        self._later = late if self._later is None else min(self._later, late)
        return new

    @property
    def is_untouched(self) -> bool:
        """True while no entry has come from a worker, and this process made the offer."""
        return self.last == self._began_at and bool(self.job)

    @property
    def later(self) -> float:
        """Seconds to add to the worker's times; 0 if the clocks agree within a second.

        The estimate is the smallest difference seen between a message's arrival in Redis, by this
        machine's clock, and its sending, by the worker's. It is too large by that message's way.
        """
        return self._later if self._later is not None and abs(self._later) > 1.0 else 0.0

    def ask_for_missing(self) -> None:
        """Ask the worker for the entries after the last one that has come."""
        self._asked_at = self.last
        self.ask(Resend(self.last))

    def renewed(self, lease: Lease) -> None:
        """Note a lease in force, and ask for entries that it names but that do not come."""
        self.worker, self.missed_since = lease.worker, None
        is_behind = lease.seq > self.last
        if is_behind and self._behind_at == self.last:  # nothing came since the last look
            self.ask_for_missing()
        self._behind_at = self.last if is_behind else -1

    def is_over(self, lease: Lease) -> bool:
        """Return True if all entries have come, and the worker has ended."""
        return lease.is_over and self.last >= lease.seq


def _raw(event: e.Event) -> msgspec.Raw:
    return msgspec.Raw(encode_event(event))
