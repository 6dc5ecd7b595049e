"""The workers of one run, as its engine sees them: `RemoteWork` over Redis.

Redis alone decides who has a ticket. Each time a ticket is handed out it gets a new fence, a number
higher than any before, under which a worker takes the lease and renews it; a worker cannot renew it
once the fence is higher. So a ticket is taken back by raising its fence: what its old worker still
sends has an earlier fence, and changes no state (`late`).

Redis may lose its memory at any time. The fences that this run saw are in its history and only
rise, workers take their leases again, a lost offer is made again under a new fence, and missing
entries are asked for. Entries must not be lost, so Redis may drop them only once they are in the
history.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import msgspec
from redis.exceptions import RedisError

from lfgtui.engine import commands as c
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.outcomes import ending_of
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import SETTLING_PATIENCE
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.server.workers import protocol as p
from lfgtui.server.workers.connection import Connection, Patience, cancel, unreachable
from lfgtui.server.workers.files import Files
from lfgtui.server.workers.hand_out import HandOut
from lfgtui.server.workers.inbox import Inbox
from lfgtui.server.workers.late import TakenBack
from lfgtui.server.workers.offers import Offers
from lfgtui.settings import paths
from lfgtui.workspace.git import GitError

LAST_WORDS = 5.0
"""Seconds that a worker has to end a stopped ticket before it is taken back."""

_WITH_FILES = 20.0
"""The same for a ticket whose files are to come back."""

_OUT_OF_REACH = (RedisError, OSError, TimeoutError)  # raised while Redis cannot be reached

_log = logging.getLogger(__name__)


class RunWorkers:
    """Hands out a run's tickets, and takes in their entries: the engine's `RemoteWork`.

    `lease` is in seconds. `out` has, for a resume, the fences of tickets that were handed out
    before, and whether they still are; `remote` is the git remote for tickets' worktrees.
    """

    def __init__(
        self,
        session: Session,
        title: str,
        connection: Connection,
        lease: float,
        out: Mapping[str, tuple[int, bool]],
        remote: str,
    ) -> None:
        self._session = session
        self._title = title
        self._redis = connection
        self._lease = lease
        self._files = Files(paths.worktrees_dir(), session.run, session.workspaces, remote)
        fences = {ticket: fence for ticket, (fence, _) in out.items()}
        self._offers = Offers(session, connection, fences)
        self._had = {ticket for ticket, (_, is_out) in out.items() if is_out}  # before this process
        self._out: dict[str, HandOut] = {}  # by ticket, as are the next ones
        self._taken_back = TakenBack()
        self._starting: dict[str, Ticket] = {}  # without a fence so far, as Redis is out of reach
        self._unsaid: dict[str, list[c.Tell]] = {}  # messages that no worker took
        self._kept: dict[str, str] = {}  # why a worker keeps files
        self._inbox = Inbox(connection, session.run)
        self._send: Callable[[c.Command], None] = lambda _: None
        self._runs: Mapping[str, TicketRun] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._to_send = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        self.lost = ""

    # What the engine asks

    @property
    def waiting(self) -> Mapping[str, str]:
        if self.lost:
            return dict.fromkeys([*self._starting, *self._out], self._redis.address)
        free = {ticket: out.run.ticket for ticket, out in self._out.items() if not out.worker}
        return {ticket: self._offers.wanted(one) for ticket, one in (self._starting | free).items()}

    def takes(self, ticket: Ticket) -> bool:
        return not ticket.watch

    def is_out(self, ticket: str) -> bool:
        return ticket in self._had

    def start(self, runs: Mapping[str, TicketRun], send: Callable[[c.Command], None]) -> None:
        self._runs, self._send = runs, send
        for ticket in [*self._had]:
            if runs[ticket].transcript.ending is not None:  # its ending was stored before lfg ended
                self._had.discard(ticket)
                continue
            self._note(HandOut(self._session.run, runs[ticket], self._offers.fence(ticket)))
        loops = (self._listen, self._look, self._ask)
        self._tasks = [asyncio.create_task(self._keep_on(loop)) for loop in loops]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def work(self, run: TicketRun, answers: Mapping[str, str]) -> e.Ending:
        if (task := asyncio.current_task()) is not None:
            # After the engine's own callback, which may queue the ticket again.
            task.add_done_callback(lambda _: self._say_again(run.ticket.id))
        try:
            ending = await self._work(run, answers)
        except GitError as error:  # from sending its files
            return ending_of(error, self._session.config.retry)
        is_whole = await self._files.bring_back(run, self._kept.pop(run.ticket.id, ""))
        if isinstance(ending, e.TicketDone) and not is_whole:
            return e.TicketFailed("connection", "not all of its work is here", retryable=False)
        return ending

    async def _work(self, run: TicketRun, answers: Mapping[str, str]) -> e.Ending:
        out = self._out.get(run.ticket.id)
        try:
            out = out or await self._hand_out(run, answers)
            if run.stopped_with is not None:  # redis-py may have swallowed the cancellation
                raise asyncio.CancelledError
            return await asyncio.shield(out.ended)
        except asyncio.CancelledError:
            out = out or self._out.get(run.ticket.id)
            if out is None:  # Redis could not be reached so far
                raise
            return await self._stop(out, run.stopped_with or e.TicketInterrupted())

    async def aclose(self) -> None:
        await cancel(self._tasks)
        if all(run.phase == "ended" for run in self._runs.values()):
            with suppress(*_OUT_OF_REACH):
                await self._inbox.delete()
        await self._redis.aclose()

    # A ticket's way out and back

    def _note(self, out: HandOut) -> None:
        """Count the ticket as handed out: commands and events for it go to its worker."""
        self._out[out.run.ticket.id] = out
        out.run.forward = lambda what: self._forward(out, what)

    def _forward(self, out: HandOut, what: c.TicketCommand | e.Event) -> None:
        out.forward(what)
        self._to_send.set()

    async def _hand_out(self, run: TicketRun, answers: Mapping[str, str]) -> HandOut:
        """Offer the ticket to the workers, as soon as Redis can be reached."""
        recorder, name = self._session.recorder, run.ticket.id
        self._starting[name] = run.ticket
        try:
            fence = await self._first_fence(run)
        finally:
            del self._starting[name]
        source = await self._files.send(run)
        await recorder.settle(saved=True)  # the worker numbers its entries after the stored ones
        out = HandOut(self._session.run, run, fence)
        self._note(out)
        recorder.hand_out(self._session.run, name, fence, is_out=True)
        await recorder.settle(saved=True)
        entries = await asyncio.to_thread(self._entries, name)
        how = (self._title, self._lease, self._session.headless)
        so_far = (p.numbered(entries), dict(answers), source)
        out.job = p.encode(p.Job(self._session.run, run.ticket, fence, *how, *so_far))
        with suppress(*_OUT_OF_REACH):  # then `_look_for` takes the offer for lost, and makes it
            await self._offers.offer(out)
        return out

    async def _first_fence(self, run: TicketRun) -> int:
        """Return a fence for a ticket that is to be handed out, once Redis can be reached."""
        patience = Patience()
        while True:
            try:
                if not await self._offers.seek(run.ticket):
                    run.emit(e.Status(f"waiting for {self._offers.wanted(run.ticket)}"))
                return await self._offers.raise_fence(run.ticket.id)
            except _OUT_OF_REACH as error:
                if run.stopped_with is not None:
                    raise asyncio.CancelledError from None
                self._note_lost(error)
                await asyncio.sleep(patience.next())

    def _entries(self, ticket: str) -> Sequence[e.Entry]:
        with Reader(self._session.recorder.file.path) as history:
            return list(history.whole_entries(self._session.run, ticket))

    async def _let_go(self, out: HandOut) -> None:
        """End a ticket whose entries have all come; its worker learns by the fence to forget it."""
        await self._finish(out)
        name = out.run.ticket.id
        if name not in self._out:
            await self._offers.raise_fence(name)

    async def _take_back(self, out: HandOut, ending: e.Ending) -> None:
        """End the ticket here; whatever its worker still does no longer counts."""
        name = out.run.ticket.id
        self._taken_back.add(out)
        with suppress(*_OUT_OF_REACH):  # then the worker cannot renew its lease, either
            await self._offers.raise_fence(name)
            await self._offers.withdraw(out)
        await self._finish(out, ending)

    async def _finish(self, out: HandOut, ending: e.Ending | None = None) -> None:
        """Take the ticket off the list of those handed out, and set its ending.

        That is the one in its entries or, without one, `ending`.
        """
        recorder, name, run = self._session.recorder, out.run.ticket.id, out.run
        if self._out.get(name) is not out:
            return
        del self._out[name]
        self._had.discard(name)
        try:
            with suppress(HistoryError):
                await recorder.settle(saved=True)
                recorder.hand_out(self._session.run, name, self._offers.fence(name), is_out=False)
        finally:
            run.forward = None
        if out.why_kept:
            self._kept[name] = f"worker {out.worker}: {out.why_kept}"
        ending = run.transcript.ending or ending
        if ending is None:
            early = f"worker {out.worker} released the ticket before it ended"
            ending = e.TicketFailed("internal", early, retryable=True)
        is_cut = isinstance(ending, e.TicketInterrupted)
        if is_cut and run.stopped_with is None and not out.ended.done():
            run.has_follow_up = True  # so the engine queues it again, for another worker
        if run.stopped_with is None:
            self._unsaid[name] = out.came_too_late()
        if not out.ended.done():
            out.ended.set_result(ending)

    def _say_again(self, ticket: str) -> None:
        """Send the messages again that the worker did not take: the ticket is queued anew."""
        for message in self._unsaid.pop(ticket, ()):
            self._send(message)

    async def _stop(self, out: HandOut, ending: e.Ending) -> e.Ending:
        """Have the worker end the ticket; if it does not do so soon, take the ticket back."""
        if out.worker:
            out.stop(ending)
            self._to_send.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_WITH_FILES if out.run.ticket.worktree else LAST_WORDS):
                    return await asyncio.shield(out.ended)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING_PATIENCE):
                await self._take_back(out, ending)
                return await asyncio.shield(out.ended)
        out.run.forward = None  # the history cannot be written; lfg ends all the same
        return ending

    # Records from workers

    async def _keep_on(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step until cancelled, with pauses while Redis cannot be reached."""
        patience = Patience()
        while True:
            try:
                await step()
                patience.reset()
            except _OUT_OF_REACH as error:
                self._note_lost(error)
                for out in self._out.values():
                    out.missed_since = None  # leases cannot be seen now, so none is missed
                self._inbox.rewind()
                self._to_send.set()
                await asyncio.sleep(patience.next())

    def _note_lost(self, error: BaseException | None) -> None:
        """Note an error of Redis or of the way there, or a success."""
        lost = "" if error is None else f"cannot reach {self._redis.address}"  # for the header
        if lost != self.lost:
            self.lost = lost
            self.on_change()
        if error is not None:
            _log.info("run %s: %s", self._session.run, unreachable(self._redis.address, error))

    async def _listen(self) -> None:
        """Take in workers' records; Redis may forget each once it is stored."""
        received = await self._inbox.receive()
        self._note_lost(None)
        for record, at in received:
            out = self._out.get(record.ticket)
            if out is None or record.fence != out.fence:
                with suppress(msgspec.MsgspecError):
                    self._taken_back.take(record, at)
            else:
                try:
                    await self._take(out, record, at)
                except msgspec.MsgspecError as error:
                    message = f"worker {record.worker} runs a different version of lfg: {error}"
                    await self._take_back(out, e.TicketFailed("protocol", message, False))
        if self._inbox.has_received:
            await self._session.recorder.settle(saved=True)
            await self._inbox.forget()

    async def _take(self, out: HandOut, record: p.Record, at: float) -> None:
        """Take in a record from the ticket's worker; `at`: when Redis got it, by our clock."""
        if out.worker not in ("", record.worker):
            return
        out.worker, out.missed_since = record.worker, None
        match record.what:
            case p.Claimed():
                self._to_send.set()
            case p.Refused(reason):
                await self._refuse(out, record.worker, reason)
            case p.Answered():
                out.answered(record.what)
            case p.Happened():
                await self._store(out, out.take(record.what, at))
            case p.Released(seq, why_kept):
                out.why_kept = why_kept
                if out.last >= seq:
                    await self._let_go(out)
                else:
                    out.ask_for_missing()
        if out.unsent:
            self._to_send.set()

    async def _refuse(self, out: HandOut, worker: str, reason: str) -> None:
        """Offer a ticket that a worker refused to another worker; end it if there is none."""
        out.refusals[worker] = reason
        if out.is_untouched and await self._offers.others(out):
            out.forward(e.Status(f"worker {worker} cannot do it: {reason}"))
            await self._offers.offer_again(out)
        else:
            message = "; ".join(f"worker {name}: {why}" for name, why in out.refusals.items())
            await self._take_back(out, e.TicketFailed("invalid_request", message, False))

    async def _store(self, out: HandOut, new: Sequence[p.Numbered]) -> None:
        if new:
            recorder = self._session.recorder
            name = out.run.ticket.id
            recorder.submit_numbered(p.entries_of(self._session.run, name, new, out.later))
            out.last = new[-1].seq
            await recorder.room()

    async def _look(self) -> None:
        """Read the leases, and take tickets back from workers that have not renewed theirs."""
        await asyncio.sleep(self._lease / 4)
        outs = [*self._out.values()]
        names = [out.run.ticket.id for out in outs]
        leases = await self._redis.get([p.lease_key(self._session.run, name) for name in names])
        for out, value in zip(outs, leases, strict=True):
            lease = p.lease_of(value)
            if lease is None or lease.fence != out.fence:
                await self._look_for(out)
                continue
            out.renewed(lease)
            if out.is_over(lease):
                await self._let_go(out)
            out.ask_again()
        self._to_send.set()

    async def _look_for(self, out: HandOut) -> None:
        """Decide about a ticket without a lease: still offered, offer lost, or worker lost."""
        if await self._offers.stands(out):
            out.missed_since = None
            return
        out.missed_since = out.missed_since or time.monotonic()
        if time.monotonic() - out.missed_since < self._lease / 2:
            return
        name = out.run.ticket.id
        if out.worker or not out.job:
            await self._take_back(out, self._offers.lost_with(out))
        elif self._out.get(name) is out:  # its offer was lost
            await self._offers.offer_again(out)

    async def _ask(self) -> None:
        """Send the workers their requests, as soon as there are any."""
        await self._to_send.wait()
        self._to_send.clear()
        for out in [*self._out.values()]:
            while out.worker and out.unsent:
                request = out.unsent[0]
                await self._redis.add(p.requests_key(out.worker), p.encode(request))
                if request in out.unsent:  # `begin_again` may have replaced it
                    out.unsent.remove(request)


def _report(task: "asyncio.Task[None]") -> None:
    """Report a bug that ended one of the loops of `start`."""
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": "workers are listened to no more", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
