"""The engine: many tickets at once, in the order they need each other.

It decides only *when* work starts and stops. What happens is events, and an
event takes one way: `emit` hands it to the history's writer thread; the
writer commits and hands entries back; `_deliver`, on the loop again, folds
each into its ticket and then shows the batch to the sinks. So nothing that a
person sees, and nothing that an agent builds its next request on, is ahead
of the disk.

Every change that could let another ticket start ends in `_schedule`, which
looks at all tickets anew: with tens of tickets that is cheaper than being
clever.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import assert_never

from msgspec import UNSET

from lfgtui.agent.context import Decision
from lfgtui.engine import commands as c
from lfgtui.engine.circuit import Circuits
from lfgtui.engine.ticket_run import Shared, TicketRun
from lfgtui.errors import HistoryError, too_many_files
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.metrics import Meter
from lfgtui.model.states import RunState
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.providers.errors.mapping import one_line
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config
from lfgtui.text.redaction.redactor import Redactor

_log = logging.getLogger(__name__)

_OUTCOMES: dict[type[e.Ending] | type[None], str] = {
    e.TicketFailed: "failed",
    e.TicketCancelled: "was cancelled",
    e.TicketLimited: "reached a limit",
    e.TicketBlocked: "is blocked",
    e.TicketInterrupted: "was interrupted",
}


class Engine:
    """Runs one run's tickets; `LiveRun` to the screen.

    `stored` gives, for a resume, the entries the history holds of each
    ticket; they are folded before anything starts. With a `redactor`, what is
    secret goes neither to the history nor, since requests are made from it, to
    a model.
    """

    def __init__(
        self,
        recorder: Recorder,
        run: str,
        title: str,
        tickets: Sequence[Ticket],
        *,
        config: Config,
        providers: Providers,
        headless: bool = False,
        stored: Mapping[str, Sequence[e.Entry]] | None = None,
        environment: dict[str, str] | None = None,
        on_close: Callable[[], Awaitable[None]] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.config = config
        self.headless = headless
        self.title = title
        self.tickets = tuple(tickets)
        self.behind: str | None = None
        self.run = run
        self._recorder = recorder
        self._providers = providers
        self._on_close = on_close
        self._changed_by: defaultdict[Path, list[str]] = defaultdict(list)
        self._circuits = Circuits(config.breaker)
        self._sinks: list[e.Sink] = []
        self.subscribe = self._sinks.append
        self._idle = asyncio.Event()
        self._closing = False
        self._closed = asyncio.Event()
        self._is_started = False
        self._tasks: set[asyncio.Task[None]] = set()
        shared = Shared(
            recorder,
            run,
            config,
            providers,
            self._circuits,
            headless,
            environment or {},
            redactor,
            self._file_changed,
        )
        self._runs = {ticket.id: TicketRun(ticket, shared) for ticket in tickets}
        for entries in (stored or {}).values():
            for entry in entries:
                self._apply(self._runs[entry.ticket], entry)

    # What the screen reads

    @property
    def queued_bytes(self) -> int:
        return self._recorder.queued_bytes

    @property
    def unfinished(self) -> Sequence[str]:
        return [ticket for ticket, run in self._runs.items() if run.phase != "ended"]

    @property
    def all_done(self) -> bool:
        """True if every ticket is done."""
        return all(run.is_done for run in self._runs.values())

    @property
    def open_circuits(self) -> Mapping[str, float]:
        """Providers that do not answer and are left alone: seconds until the next try."""
        return self._circuits.open

    def transcript(self, ticket: str) -> Transcript:
        return self._runs[ticket].transcript

    def meter(self, ticket: str) -> Meter:
        return self._runs[ticket].meter

    # The course of a run

    def start(self) -> None:
        """Queue the tickets and begin. Call once, from the running loop."""
        self._recorder.attach(self._deliver, self._fall_behind)
        self._is_started = True
        for run in self._runs.values():
            if run.transcript.state == "done":
                run.phase, run.outcome = "ended", run.transcript.ending
            else:
                run.queue(continues=bool(run.transcript.conversation.messages))
        self._schedule()

    async def wait_idle(self) -> None:
        """Wait until every ticket has ended and all of it is saved."""
        while self.unfinished:
            self._idle.clear()
            await self._idle.wait()
        await self._recorder.settle()

    async def shutdown(self) -> None:
        """End what still runs as interrupted, kill its processes, close the books.

        Doing so twice is harmless: a second caller waits for the first.
        """
        if self._closing:
            await self._closed.wait()
            return
        self._closing = True
        if not self._is_started:
            self.start()
        try:
            await self._stop()
        finally:
            self._closed.set()

    async def _stop(self) -> None:
        for run in self._runs.values():
            if run.phase == "pending":
                self._end(run, e.TicketInterrupted())
            elif run.phase == "running":
                run.stop(e.TicketInterrupted())
        await asyncio.gather(*self._tasks)
        async with AsyncExitStack() as closing:  # each is closed, whatever another raises
            closing.push_async_callback(self._recorder.finish, self.run, self._state())
            if self._on_close is not None:
                closing.push_async_callback(self._on_close)
            closing.push_async_callback(self._providers.aclose)

    def send(self, command: c.Command) -> None:
        """Carry out what the person asked for; one that no longer applies is passed over."""
        if self._closing:
            return
        if isinstance(command, c.CancelAll):
            for run in self._runs.values():
                self._cancel(run)
            return
        run = self._runs[command.ticket]
        match command:
            case c.Cancel():
                self._cancel(run)
            case c.Retry():
                self._retry(run)
            case c.Pause():
                run.pause()
            case c.Resume():
                run.resume()
                self._schedule()
            case c.Approve(_, call_id, always):
                run.decide(call_id, Decision("always" if always else "approve"))
            case c.Deny(_, call_id, reason):
                run.decide(call_id, Decision("deny", reason))
            case _:
                assert_never(command)

    def _file_changed(self, run: TicketRun, file: Path) -> None:
        """Remark that other tickets changed the file before; once for each pair."""
        changed_by = self._changed_by[file]
        if run.ticket.id in changed_by:
            return
        known = self._all_needs(run)  # whose answer it was told: no surprise
        others = tuple(ticket for ticket in changed_by if ticket not in known)
        changed_by.append(run.ticket.id)
        if others:
            inside = file.is_relative_to(run.ticket.workspace)  # not if it was named by a link
            name = file.relative_to(run.ticket.workspace) if inside else file
            run.emit(e.ConflictDetected(str(name), others))

    # Scheduling

    def _schedule(self) -> None:
        if self._closing:
            return
        while self._release_blocked() or self._block_lost():
            pass
        free = self.config.concurrency - sum(r.phase == "running" for r in self._runs.values())
        ready = [run for run in self._runs.values() if self._is_ready(run)]
        for run in ready[: max(0, free)]:
            task = run.begin(self._work(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not self.unfinished:
            self._recorder.mark_run(self.run, self._state())
            self._idle.set()

    def _is_ready(self, run: TicketRun) -> bool:
        if run.phase != "pending" or run.is_held:
            return False
        return all(need.is_done for need in self._needs(run))

    def _needs(self, run: TicketRun) -> list[TicketRun]:
        return [self._runs[need] for need in run.ticket.needs]

    def _all_needs(self, run: TicketRun) -> set[str]:
        """The ids of what it needs, directly or through others."""
        needs = self._needs(run)
        return {n.ticket.id for n in needs}.union(*(self._all_needs(need) for need in needs))

    def _lost_needs(self, run: TicketRun) -> list[TicketRun]:
        return [need for need in self._needs(run) if need.phase == "ended" and not need.is_done]

    def _block_lost(self) -> bool:
        """Block what can no longer start; says whether there was any."""
        lost = [run for run in self._runs.values() if run.phase == "pending"]
        lost = [run for run in lost if self._lost_needs(run)]
        for run in lost:
            lost_needs = self._lost_needs(run)
            why = [f"{need.ticket.id} {_OUTCOMES[type(need.outcome)]}" for need in lost_needs]
            self._end(run, e.TicketBlocked(" and ".join(why)))
            run.is_blocked_by_need = True
        return bool(lost)

    def _release_blocked(self) -> bool:
        """Queue again what waits for a need that is tried anew; says whether there was any."""
        blocked = [run for run in self._runs.values() if run.is_blocked_by_need]
        released = [run for run in blocked if not self._lost_needs(run)]
        for run in released:
            run.queue(continues=False)
        return bool(released)

    async def _work(self, run: TicketRun) -> None:
        try:
            run.check_in()
            await self._recorder.settle()
            answers = {need.ticket.id: need.transcript.answer for need in self._needs(run)}
            ending = await run.work(e.UserMessage(run.ticket.prompt, answers or UNSET))
        except asyncio.CancelledError:
            ending = run.stopped_with
        except Exception as error:
            message = too_many_files(error) or one_line(f"{type(error).__name__}: {error}")
            ending = e.TicketFailed("internal", message, retryable=False)
        self._end(run, ending)
        self._schedule()

    def _end(self, run: TicketRun, ending: e.Ending) -> None:
        try:
            try:
                run.end(ending)
            except HistoryError:
                raise
            except Exception as error:  # this ending cannot be stored; one that says so can
                told = f"cannot store how the ticket ended: {type(error).__name__}: {error}"
                run.end(e.TicketFailed("internal", one_line(told), retryable=False))
        except Exception as error:  # nothing can be; the ticket has ended all the same
            self.behind = str(error)

    def _cancel(self, run: TicketRun) -> None:
        if run.phase == "running":
            run.stop(e.TicketCancelled())
        elif run.phase == "pending":
            self._end(run, e.TicketCancelled())
            self._schedule()

    def _retry(self, run: TicketRun) -> None:
        if run.phase != "ended":
            return
        run.queue(continues=False)
        self._recorder.mark_run(self.run, "running")
        self._schedule()

    # Delivery

    def _deliver(self, entries: Sequence[e.Entry]) -> None:
        for entry in entries:
            self._apply(self._runs[entry.ticket], entry)
        for sink in self._sinks:
            try:
                sink(entries)
            except Exception as error:  # one sink's failure is not the others'
                told = {"message": "a sink failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(told)

    def _apply(self, run: TicketRun, entry: e.Entry) -> None:
        """Fold an entry; a bug in the fold ends its ticket, and no other."""
        try:
            run.apply(entry)
        except Exception as error:
            _log.debug("cannot fold %s", e.event_type(entry.event), exc_info=error)
            if run.phase == "running":
                message = one_line(f"a bug in lfg: {type(error).__name__}: {error}")
                run.stop(e.TicketFailed("internal", message, retryable=False))

    def _fall_behind(self, message: str | None) -> None:
        self.behind = message
        if message is None:  # it has caught up: what was shown unsaved is saved now
            for run in self._runs.values():
                run.transcript.mark_saved()

    def _state(self) -> RunState:
        outcomes = [run.outcome for run in self._runs.values()]
        if any(isinstance(outcome, e.TicketInterrupted) for outcome in outcomes):
            return "interrupted"
        return "done" if self.all_done else "failed"
