"""One ticket at work: its fold, its gauges, its attempts, and the context of its agent."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType

from lfgtui.agent.context import Decision
from lfgtui.agent.guards import Trip
from lfgtui.agent.loop import Agent
from lfgtui.engine import commands as c
from lfgtui.engine.person import Person
from lfgtui.engine.recovery.limits import Limit, RunLimitError, can_park
from lfgtui.engine.recovery.parking import Parking
from lfgtui.engine.recovery.recovery import Recovery, Step
from lfgtui.engine.session import Session
from lfgtui.engine.slots import Slot
from lfgtui.engine.ticket.change_watch import ChangeWatch
from lfgtui.engine.ticket.guarding import Guarding, act_on
from lfgtui.engine.ticket.hold import Hold
from lfgtui.engine.ticket.outcomes import EXPECTED, Outcome, ending_of, failed, outcome_of
from lfgtui.engine.ticket.response_times import ResponseTimes
from lfgtui.engine.ticket.servers import tools_of_servers
from lfgtui.engine.ticket.time_limit import TimeLimit
from lfgtui.errors import RETRYABLE_KINDS, HistoryError, ProviderError
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement
from lfgtui.settings.config import Route, routes_of
from lfgtui.settings.credentials import secret_variables
from lfgtui.settings.prices import ModelFacts, model_facts
from lfgtui.tools.context_files import ContextFiles
from lfgtui.workspace.kept import TicketFiles

_log = logging.getLogger(__name__)

_COPIES = "shared by all copies, which see each other's changes; worktree = true separates them"
_SHARED = e.GuardTripped("workspace", _COPIES)
TICKET_VARIABLE = "LFG_TICKET"
"""The variable that tells a command its ticket: RUN/TICKET."""

Phase = Literal["pending", "running", "ended"]
Forward: TypeAlias = Callable[[c.TicketCommand | e.Event], None]
"""Takes commands and events for a ticket that a worker has."""


class TicketRun:
    """A ticket with all that belongs to it while lfg runs.

    It is its agent's `AgentContext`, which explains the attributes that have no comment here. It
    goes `pending -> running -> ended`, and back to `pending` by `queue` or, parked, from `running`.
    The engine decides when to move; the moves are made here.
    """

    def __init__(self, ticket: Ticket, session: Session, changes: ChangeWatch) -> None:
        self.ticket = ticket
        self.transcript = Transcript(ticket.workspace)
        self.meter = Meter()
        self.times = ResponseTimes()
        self.phase: Phase = "pending"
        self.outcome: e.Ending | None = None  # how the last start ended, while `phase` is "ended"
        self.slot = Slot(session.slots)
        self.is_blocked_by_need = False  # set by `Needs`; cleared by `queue`, as the next two are
        self.is_prepared = False  # set by `Turns`: the agent was started ahead of its turn
        self.is_restarted = False  # set by the engine: stopped to be started over
        self.has_follow_up = False  # it is to be queued again when it has ended, for a message
        self.is_remote = False  # set by the engine: workers do it
        self.forward: Forward | None = None
        """Takes all that is for the ticket while a worker has it, which alone numbers entries."""
        self.environment = {**session.environment, TICKET_VARIABLE: f"{session.run}/{ticket.id}"}
        self.secrets = secret_variables(session.config)
        self.lacks_wall = session.lacks_wall(ticket)
        self.is_seen = None if session.headless else self._is_seen
        self.settle = session.recorder.settle
        self.room = session.recorder.room
        self.files = ContextFiles(ticket.context)
        self.answers = session.answers_for(ticket)
        self.kept = TicketFiles(store, session.run, ticket.id) if (store := session.kept) else None
        self.watching_command = partial(changes.watching, ticket.id)
        self.changes_kept = partial(changes.kept, ticket.id)
        self.person = Person(self.emit, self.settle)
        self.rules = partial(session.rules.of, ticket)
        session.rules.add(ticket, self.transcript, self.person, self._approve_by)
        session.workspaces.add(ticket, self.transcript)
        self.say = partial(self.person.say, stops=False)
        self.hear = self.person.hear
        self.heard_by = self.person.heard_by
        # Does an attempt's work with its agent; `watch.watching` replaces it for watchers.
        self.work_with: Callable[[Agent, e.UserMessage], Awaitable[e.Ending]] = Agent.run
        self.stoppable = self.person.stoppable
        self._session = session
        guards, redactor = session.config.guards, session.redactor
        self._guarding = Guarding(ticket, guards, redactor, self._act_on)
        self._servers = tools_of_servers(self, session.config)
        self._attempt = 0  # the number of the newest attempt, 0 before any
        self._continues = False  # the next attempt goes on from the conversation
        self._keeps_partial: bool | UnsetType = UNSET  # ... and from the response that broke off
        self._task: asyncio.Task[Outcome] | None = None
        self.stopped_with: e.Ending | None = None
        """The ending that `stop` was called with; None while nobody stopped this start."""
        self.hold = Hold(self.slot, self.emit, self.holding_clock)
        self.gate = self.hold.gate
        self._begin_anew()

    def _begin_anew(self) -> None:
        config = self._session.config
        self._time_limit = TimeLimit(self.ticket.timeout)
        self.recovery = Recovery(config.retry, routes_of(config, self.ticket), random.random)
        self.parking = Parking(self._session.limits, self.recovery)
        self._keeps_partial = UNSET

    @property
    def confinement(self) -> Confinement:
        """The wall around the ticket's programs, for its present workspace."""
        walls = self._session.walls
        if walls is None:
            return UNCONFINED
        opened = self.transcript.worktree
        return walls.of(self.ticket, self.transcript.workspace, opened.path if opened else "")

    @property
    def has_past(self) -> bool:
        """True if the ticket has a conversation to continue."""
        return bool(self.transcript.conversation.messages)

    @property
    def needs_slot(self) -> bool:
        """True if the ticket takes a slot from others while it works."""
        return not (self.ticket.watch or self.is_remote)

    @property
    def is_done(self) -> bool:
        """True if tickets that need this one may start."""
        return self.phase == "ended" and isinstance(self.outcome, e.TicketDone)

    @property
    def is_ending(self) -> bool:
        """True from the stop or end of the work until the ticket has ended."""
        if self.phase != "running" or self._task is None:
            return False
        return self.stopped_with is not None or self._task.done()

    def apply(self, entry: e.Entry) -> None:
        """Fold a delivered entry, update the gauges. A bug or impossible entry ends the ticket."""
        fault: Exception | None
        try:
            fault = self.transcript.apply(entry)
            self.meter.apply(entry)
            self.times.apply(entry)
        except Exception as error:
            _log.debug("cannot fold %s", e.event_type(entry.event), exc_info=error)
            fault = error
        self.person.apply(entry)
        self._session.rules.apply(entry.event)
        if isinstance(entry.event, e.AttemptStarted):
            self._attempt = max(self._attempt, entry.attempt)
        if fault is not None and self.phase == "running":
            self.stop(failed("a bug in lfg: ", fault))

    def _is_seen(self) -> bool:
        return self.ticket.id in self._session.in_view

    def _approve_by(self, call_id: str, rule: ApprovalRule) -> None:
        """Approve a call that a rule covers; if a worker has the ticket, send it the approval."""
        if self.forward is None:
            self.person.decide(call_id, Decision("approve", rule=rule))
        elif call_id not in self.person.decided:
            self.person.decided.add(call_id)
            self.forward(c.Approve(self.ticket.id, call_id, rule))

    # The course of a ticket

    def queue(self, *, continues: bool, is_said: bool = False) -> None:
        """Wait for a turn, to start over or, if it `continues`, to go on where it stands.

        `is_said`: stored entries say already that it is queued, so no event does.
        """
        self.phase, self.outcome, self._continues = "pending", None, continues
        self.is_blocked_by_need = self.is_restarted = self.is_prepared = False
        self._begin_anew()
        self.slot.line_up(has_begun=continues)
        starts_over = self._attempt > 0 and not continues
        if starts_over and self.answers is not None:
            self.answers = self.answers.unread()
        if not is_said:
            self.emit(e.TicketQueued(starts_over or UNSET), self.ticket)

    def update_parking(self) -> None:
        """While pending: park for the providers' limits, or queue again if they have ended."""
        if self.parking.update():
            limit = self.parking.limit
            self.slot.line_up(has_begun=self._continues)
            self.emit(e.TicketQueued() if limit is None else e.Parked(*limit))

    def start(self, work: Coroutine[None, None, Outcome]) -> "asyncio.Task[Outcome]":
        """Run the work as a task of its own; `outcome_of` reads its ending."""
        self.phase, self.stopped_with = "running", None
        self.slot.take()
        self._task = asyncio.create_task(work, name=self.ticket.id)
        return self._task

    def stop(self, ending: e.Ending) -> None:
        """Stop the work and end the ticket with `ending`; later calls change nothing."""
        if self.stopped_with is None and self._task is not None:
            self.stopped_with = ending
            self.person.leave_listener()
            self._task.cancel()

    def outcome_of(self, task: "asyncio.Task[Outcome]") -> Outcome:
        """Return how the work ended, once its task is done."""
        return outcome_of(task, self.stopped_with)

    def end(self, ending: e.Ending) -> None:
        """Emit the ending of this start, unless it came from a worker; free the slot, end a hold.

        An ending that cannot be stored becomes one that says so; raises if that fails, too.
        """
        self.phase, self.outcome = "ended", ending
        self.slot.is_taken = False
        self.hold.end()
        try:
            if ending is not self.transcript.ending:
                self.emit(ending)
        except HistoryError:
            raise
        except Exception as error:
            self.outcome = failed("cannot store how the ticket ended: ", error)
            self.emit(self.outcome)

    async def work(self, message: e.UserMessage) -> Outcome:
        """Make attempts until one ends the ticket or parks it (None); failures become endings."""
        try:
            return await self._attempts(message)
        except EXPECTED as error:
            return ending_of(error, self._session.config.retry)
        finally:
            await self._servers.aclose()

    async def _attempts(self, message: e.UserMessage) -> Outcome:
        """Make attempts, each with one route, as `recovery` decides."""
        policy = self._session.config.retry
        while True:
            responses = self.transcript.conversation.responses
            route = self.recovery.route
            self._attempt += 1
            facts = await asyncio.to_thread(model_facts, self._session.config, route)
            on = (facts.context_window or UNSET, self._session.worker)
            self.emit(e.AttemptStarted(*route, self._continues, self._keeps_partial, *on))
            self._continues = True
            is_shared = self.ticket.copy_of and not self.ticket.worktree
            if self._attempt == 1 and is_shared and self.ticket.may_write:
                self.emit(_SHARED)
            try:
                async with self._time_limit.running():
                    await self._session.workspaces.prepare(self)
                    return await self.work_with(await self._agent(route, facts), message)
            except ProviderError as error:
                await self.settle()
                goes_on = policy.on_cut == "continue" and self.transcript.can_go_on_from_partial
                self._keeps_partial = goes_on or UNSET
                progressed = self.transcript.conversation.responses > responses
                rest = self._session.circuits.slowest(route).retry_after()
                self._session.limits.note_refusal(policy, route, error)
                step = self.recovery.after(error, progressed=progressed, rest=rest)
                if step is None:
                    raise
                broken = error
            if step.is_parked and self._park(route):
                return None
            await self._move_on(route, broken, step)

    def _park(self, route: Route) -> bool:
        """Wait without a slot for a limit to end; return False if it has ended meanwhile."""
        if (limit := self.parking.begin()) is None:
            return False
        _log.info("%s: %s has a limit; parked", self.ticket.id, route)
        self.phase, self.slot.is_taken = "pending", False
        self.emit(e.Parked(*limit))
        if self.hold.is_begun:
            self.emit(e.Paused())
        return True

    async def _move_on(self, route: Route, error: ProviderError, step: Step) -> None:
        """Emit what broke and what comes next, and wait until it is due."""
        delay = round(step.delay, 2)
        details = (self.ticket.id, route, error.kind, step.route, delay)
        _log.info("%s: %s broke (%s); next %s in %g s", *details)
        as_usual = error.retryable == (error.kind in RETRYABLE_KINDS)
        retryable = UNSET if as_usual else error.retryable
        self.emit(e.Retrying(error.message, delay, self._attempt + 1, error.kind, retryable))
        if step.route != route:
            self.emit(e.FailedOver(str(route), str(step.route)))
            if self._session.admission.is_bounded(step.route.provider):
                self.slot.is_taken = False  # it may have to wait there
        async with self._time_limit.running():
            if delay:
                async with self.hold.without_slot():
                    await asyncio.sleep(delay)
            await self.gate()

    async def _agent(self, route: Route, facts: ModelFacts) -> Agent:
        provider = await self._session.provider(route.provider)
        config = self._session.config.provider(route.provider)
        dialects, boxes = config.leak_dialects, () if config.is_agent else (self._servers,)
        return Agent(
            self, route.model, provider, facts=facts, leak_dialects=dialects, toolboxes=boxes
        )

    # What the person does

    def pause(self) -> None:
        """Hold the ticket: at once, or at the next gate if it is at work."""
        if self.forward is not None:
            self.forward(c.Pause(self.ticket.id))
        elif self.phase != "ended":
            self.hold.begin(at_once=self.phase == "pending")

    def resume(self) -> None:
        """End the hold."""
        if self.forward is not None:
            return self.forward(c.Resume(self.ticket.id))
        return self.hold.end(says_so=self.phase == "pending")

    def tell(self, text: str, *, stops: bool) -> None:
        """Send the agent a message. A ticket that has ended, or is about to, is queued again."""
        if self.forward is not None:
            return self.forward(c.Tell(self.ticket.id, text, stops))
        self.has_follow_up = self.is_ending
        if self.phase == "ended":
            self.queue(continues=self.has_past)
        return self.person.say(text, stops=stops and not self.has_follow_up)

    # What the agent does

    def emit(self, event: e.Event, requested: Ticket | None = None) -> None:
        if self.forward is not None:
            return self.forward(event)
        session, at, attempt = self._session, now(), max(1, self._attempt)
        record, of = session.recorder.submit, (session.run, self.ticket.id, attempt, at)
        event = self.times.added_to(event)
        return self._guarding.feed(event, lambda one: record(*of, one, requested))

    def _act_on(self, trip: Trip) -> None:
        act_on(trip, self.hold, self.person, self.stop, can_ask=self.can_ask)

    async def take_slot(self, *, beside: bool = False) -> None:
        await self.hold.take_slot(nullcontext if beside else self.stoppable, holds=not beside)

    def holding_clock(self) -> AbstractContextManager[None]:
        return self._time_limit.held()

    @property
    def can_ask(self) -> bool:
        return not self._session.headless

    async def ask(self, call_id: str) -> Decision | None:
        if not self.can_ask:
            return None
        self.slot.give_up()
        return await self.person.decision(call_id)

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[Callable[[e.Event], None]]:
        route, circuits = self.recovery.route, self._session.circuits
        self.parking.check()
        await self.hold.take_slot()
        if (reached := self._session.run_limit) is not None:
            raise RunLimitError(reached)
        circuit = circuits.slowest(route)
        if rest := circuit.retry_after():
            message = f"{circuit.name} keeps failing; "
            message += f"next try in {rest:.0f} s" if rest >= 1 else "one test request at a time"
            if self.recovery.has_fallback:
                raise ProviderError("overloaded", message)
            self.emit(e.Status(message))
        async with circuits.permit(route, self.hold.without_slot) as answered:
            try:
                limit = self.parking.check()
                yield partial(self._answered_with, limit, answered)
            except ProviderError as error:
                if can_park(self._session.config.retry, error):
                    answered()  # a provider that names its limit's end is not dead
                raise

    def _answered_with(
        self, limit: Limit | None, answered: Callable[[], None], event: e.Event
    ) -> None:
        answered()
        if limit is not None:
            self.parking.answered(limit, event)
