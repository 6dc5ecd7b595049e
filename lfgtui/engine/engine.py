"""The engine: many tickets at once, in the order they need each other.

It decides only *when* work starts and stops. All that happens is an event, and it takes one way:
`TicketRun.emit` hands it to the recorder's thread, which commits it and hands an entry back;
`Delivery.deliver`, on the loop again, folds each entry into its ticket and then shows the batch to
the sinks. So nothing that a person sees, and nothing that an agent builds its next request on, is
ahead of the disk.

Every change that could let another ticket start has to end in `_schedule`, which looks at all
tickets anew: with tens of tickets that costs little, and nothing can be forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import assert_never

import msgspec
from msgspec import UNSET

from lfgtui.agent.schema import prompt_of
from lfgtui.engine import commands as c
from lfgtui.engine.alarm import Alarm
from lfgtui.engine.conflicts.conflicts import Conflicts
from lfgtui.engine.delivery import Delivery
from lfgtui.engine.folder_changes import FolderChanges
from lfgtui.engine.needs import Needs
from lfgtui.engine.run_limits import RunLimiter
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.outcomes import Outcome
from lfgtui.engine.ticket.remote_work import RemoteWork
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.engine.turns import Turns
from lfgtui.engine.watch.watching import Watchers
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import Health, HistoryTrouble, Meter
from lfgtui.model.fold.states import RunState
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.redaction import redacted_ticket
from lfgtui.model.tickets import Ticket, ticket_like


class Engine:
    """Runs one run's tickets; the `ui.run_view.LiveRun` of the screen. All of it is on the loop.

    `stored` are, for a resume, each ticket's entries in the history; they are folded before
    anything starts. `answers` are, by ticket, those of needed tickets that are not in this process.
    Workers do the tickets that `remote` takes. `on_close` is awaited when all work has ended.
    """

    def __init__(
        self,
        session: Session,
        title: str,
        tickets: Sequence[Ticket],
        *,
        stored: Mapping[str, Sequence[e.Entry]] | None = None,
        answers: Mapping[str, dict[str, str]] | None = None,
        remote: RemoteWork | None = None,
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.run = session.run
        self.title = title
        self.config = session.config
        self.recorder = session.recorder
        self.settle = self.recorder.settle
        self.watch = session.in_view.watch
        self._session, self._on_close = session, on_close
        self._remote, self._answers = remote, answers or {}
        self._idle, self._closed = asyncio.Event(), asyncio.Event()
        self.is_closing = False
        """True once `shutdown` was called: no command is taken, and no ticket started."""
        self._is_started = False
        self._alarm = Alarm(self._schedule, session.limits.clock)
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._runs: dict[str, TicketRun] = {}
        self.delivery = Delivery(self._runs)
        self.subscribe = self.delivery.subscribe
        self.ticket_run = self._runs.__getitem__
        self._conflicts = Conflicts(self._runs, session)
        self.subscribe(self._of_here(self._conflicts.take))
        self._folders = FolderChanges(self._runs, session.config)
        self.subscribe(self._of_here(self._folders.take))
        self._needs = Needs(self._runs, headless=session.headless)
        self._turns = Turns(session)
        self._limiter = RunLimiter(session, self._runs, self._schedule)
        self._watchers = Watchers(self._runs, session.limits.clock)
        self.subscribe(self._watchers.take)
        for ticket in tickets:
            self._add_run(ticket)
        for entries in (stored or {}).values():
            for entry in entries:
                self.delivery.apply(entry)
                self._conflicts.recall(entry)
        self._watchers.recall((stored or {}).values())

    # What the screen reads

    @property
    def tickets(self) -> Sequence[Ticket]:
        return tuple(run.ticket for run in self._runs.values())

    @property
    def health(self) -> Health:
        remote = self._remote
        elsewhere = remote.waiting if remote is not None else {}
        return Health(
            self.delivery.behind,
            self._session.circuits.open,
            self.recorder.queued_bytes,
            self._session.slots.number,
            sum(run.slot.is_taken and run.needs_slot for run in self._runs.values()),
            frozenset(ticket for ticket, run in self._runs.items() if run.slot.is_awaited),
            {**self._turns.held_back, **self._watchers.waiting, **elsewhere},
            self._session.providers.agents.usage,
            self._limiter.held_at,
            self._limiter.asks,
            sum(run.lacks_wall for run in self._runs.values()),
            remote.lost if remote is not None else "",
        )

    @property
    def unfinished(self) -> Sequence[str]:
        return [ticket for ticket, run in self._runs.items() if run.phase != "ended"]

    @property
    def all_done(self) -> bool:
        """True if every ticket is done, or another copy was chosen in its place."""
        return all(map(self._needs.is_settled, self._runs.values()))

    def transcript(self, ticket: str) -> Transcript:
        return self._runs[ticket].transcript

    def meter(self, ticket: str) -> Meter:
        return self._runs[ticket].meter

    def painted(self, tickets: Collection[str]) -> None:
        """Note that the frame just painted shows all that was delivered for these tickets."""
        for ticket in tickets:
            self._runs[ticket].times.painted()

    # The course of a run

    def start(self) -> None:
        """Queue the tickets and begin. Call once, from the running loop."""
        self.recorder.attach(self.delivery.deliver, self.delivery.fall_behind)
        self._is_started = True
        if self._remote is not None:
            self._remote.on_change = partial(self.delivery.show, ())
            self._remote.start(self._runs, self.send)
        limits, runs = self._session.limits, self._runs.values()
        limits.recall(
            [(run.recovery.own, run.transcript) for run in runs], self.config.retry.max_park
        )
        limits.on_change = self._schedule
        session = self._session
        session.slots.on_change = session.providers.agents.on_change = self._slots_changed
        for run in self._runs.values():
            if run.transcript.state == "done":
                run.phase, run.outcome = "ended", run.transcript.ending
        self._needs.recall()
        for run in self._runs.values():
            if self._needs.is_settled(run):
                run.phase, run.outcome = "ended", run.transcript.ending
            elif self._remote is not None and self._remote.is_out(run.ticket.id):
                self._begin(run)
            else:
                run.queue(continues=run.has_past, is_said=run.transcript.state == "queued")
        self._watchers.resume()
        self.subscribe(self._limiter.take)
        self._limiter.start()
        self._schedule()

    async def wait_idle(self) -> None:
        """Wait until every ticket, added ones included, has ended and everything is saved."""
        while self.unfinished:
            self._idle.clear()
            await self._idle.wait()
        await self.recorder.settle()
        if self.unfinished:  # tickets were added in the meantime
            await self.wait_idle()

    async def shutdown(self) -> None:
        """End running tickets as interrupted, and close everything; later callers wait, too."""
        if self.is_closing:
            await self._closed.wait()
            return
        self.is_closing = True
        if not self._is_started:
            self.start()
        try:
            await self._stop()
        finally:
            self._closed.set()

    async def _stop(self) -> None:
        self._alarm.cancel()
        self._limiter.alarm.cancel()
        for run in self._runs.values():
            if run.phase == "pending":
                self._end(run, e.TicketInterrupted())
            elif run.phase == "running":
                run.stop(e.TicketInterrupted())
        await asyncio.wait([*self._tasks, asyncio.create_task(self._turns.aclose())])
        await self._folders.close()
        await self._conflicts.close()
        async with AsyncExitStack() as closing:  # each is closed, whatever another raises
            closing.push_async_callback(self.recorder.finish, self.run, self._state())
            if self._on_close is not None:
                closing.push_async_callback(self._on_close)
            closing.push_async_callback(self._session.providers.aclose)
            if self._remote is not None:
                closing.push_async_callback(self._remote.aclose)

    def send(self, command: c.Command, by: str = "") -> None:
        """Carry out a command, unless it no longer applies; `by` names a sender elsewhere."""
        if self.is_closing:
            return
        match command:
            case c.CancelAll():
                for run in self._runs.values():
                    self._cancel(run)
            case c.SetConcurrency(slots):
                self._session.slots.number = max(1, slots)
                self._slots_changed()
            case c.SetRunLimits(limits):
                self._limiter.set(limits)
            case c.Add(tickets):
                self._add(tickets)
            case c.AddPrompt(prompt):
                self._add([ticket_like(self.tickets, prompt)])
            case _:
                if by:
                    self._runs[command.ticket].emit(c.taken(command, by))
                self._send_to(self._runs[command.ticket], command)

    def _send_to(self, run: TicketRun, command: c.TicketCommand) -> None:
        match command:
            case c.Cancel():
                self._cancel(run)
            case c.Retry():
                self._retry(run)
            case c.Restart(_, prompt):
                self._restart(run, prompt)
            case c.Pause():
                run.pause()
            case c.Resume():
                if not self._limiter.is_held(run):  # such a ticket goes on when the limit is raised
                    run.resume()
                    self._schedule()
            case c.Approve() | c.Deny():
                (run.forward or run.person.carry_out)(command)
            case c.WithdrawRule(ticket, rule):
                self._session.rules.withdraw(ticket, rule)
            case c.Tell(_, text, stops):
                run.tell(text, stops=stops)
                self._go_on()
            case c.Choose():
                self._needs.choose(run)
                self._schedule()
            case c.NoteDiscard():
                if (opened := run.transcript.worktree) is not None:
                    run.emit(e.WorktreeDiscarded(opened.branch))
            case _:
                assert_never(command)

    def _add(self, tickets: Sequence[Ticket]) -> None:
        added = [redacted_ticket(self._session.redactor, ticket) for ticket in tickets]
        self.recorder.add_tickets(self.run, added)
        for ticket in added:
            self._add_run(ticket).queue(continues=False)
        self._go_on()

    def _add_run(self, ticket: Ticket) -> TicketRun:
        run = TicketRun(ticket, self._session, self._conflicts)
        run.is_remote = self._remote is not None and self._remote.takes(ticket)
        self._runs[ticket.id] = run
        self._watchers.add(run)
        return run

    # Scheduling

    def _schedule(self) -> None:
        """Start, block, hold or end all tickets for which it is time."""
        if self.is_closing:
            return
        self._limiter.enforce(self._end)
        self._needs.choose_unasked()
        while self._needs.release() or self._needs.block(self._end):
            pass
        for run in self._runs.values():
            if self._is_due(run):
                run.update_parking()
        self._give_slots()
        limits = [run.parking.limit for run in self._runs.values() if self._is_due(run)]
        self._alarm.set(limit.until for limit in limits if limit is not None)
        if not self.unfinished:
            self.recorder.mark_run(self.run, self._state())
            self._idle.set()

    def _give_slots(self) -> None:
        for run in self._turns.due(self._runs.values(), self._is_ready):
            if run.phase == "running":
                run.slot.take()
            else:
                self._begin(run)

    def _begin(self, run: TicketRun) -> None:
        task = run.start(self._work(run))
        self._tasks.add(task)
        task.add_done_callback(partial(self._work_ended, run))

    def _slots_changed(self) -> None:
        self._schedule()
        self.delivery.show(())

    def _is_ready(self, run: TicketRun) -> bool:
        """Return True for a ticket that waits only for a slot."""
        return self._is_due(run) and run.parking.limit is None

    def _is_due(self, run: TicketRun) -> bool:
        """Return True for a ticket that waits only for its providers or a slot."""
        return run.phase == "pending" and not run.hold.is_begun and self._needs.are_met(run)

    async def _work(self, run: TicketRun) -> Outcome:
        answers = self._needs.answers(run) or self._answers.get(run.ticket.id) or UNSET
        if run.is_remote and self._remote is not None:
            return await self._remote.work(run, answers or {})
        await self.recorder.settle()
        await self._folders.record(run)
        return await run.work(e.UserMessage(prompt_of(run.ticket), answers))

    def _work_ended(self, run: TicketRun, task: "asyncio.Task[Outcome]") -> None:
        """End the ticket whose task is done, or queue it again if it is to go on."""
        self._tasks.discard(task)
        if (ending := run.outcome_of(task)) is not None:
            self._end(run, ending)
        if run.is_restarted:
            run.queue(continues=False)
        elif run.has_follow_up and run.phase == "ended":
            run.queue(continues=run.has_past)
        run.has_follow_up = False
        if run.phase == "pending":
            self.recorder.mark_run(self.run, "running")
            if self.is_closing:  # a resume goes on with it
                self._end(run, e.TicketInterrupted())
        self._schedule()

    def _end(self, run: TicketRun, ending: e.Ending) -> None:
        try:
            run.end(ending)
        except Exception as error:  # the ending cannot be stored, but counts all the same
            self.delivery.fall_behind(HistoryTrouble(str(error)))
        self._watchers.look_again()

    def _of_here(self, sink: e.Sink) -> e.Sink:
        """Return a sink that leaves out the entries of workers' tickets: their files are there."""
        runs = self._runs
        if self._remote is None:
            return sink
        return lambda entries: sink([one for one in entries if not runs[one.ticket].is_remote])

    def _cancel(self, run: TicketRun) -> None:
        if run.phase == "running":
            run.stop(e.TicketCancelled())
        elif run.phase == "pending":
            self._end(run, e.TicketCancelled())
            self._session.providers.agents.end_spare(run.ticket.id)
            self._schedule()

    def _restart(self, run: TicketRun, prompt: str) -> None:
        ticket = msgspec.structs.replace(run.ticket, prompt=prompt)
        run.ticket = redacted_ticket(self._session.redactor, ticket)
        if run.phase != "ended":
            run.emit(e.RestartRequested(), run.ticket)
        run.is_restarted = run.phase == "running"
        self._cancel(run)
        if run.phase == "ended":
            self._retry(run)

    def _go_on(self) -> None:
        """Note that the run, which may have ended, has something to do again."""
        self._watchers.resume()
        self.recorder.mark_run(self.run, "running")
        self._schedule()

    def _retry(self, run: TicketRun) -> None:
        if run.phase == "ended":
            run.queue(continues=False)
            self._go_on()
        elif run.parking.limit is not None and not run.hold.is_begun:
            run.parking.try_now()
            self._schedule()

    def _state(self) -> RunState:
        if self.all_done:
            return "done"
        is_cut = any(isinstance(run.outcome, e.TicketInterrupted) for run in self._runs.values())
        return "interrupted" if is_cut else "failed"
