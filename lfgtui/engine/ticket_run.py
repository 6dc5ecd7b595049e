"""One ticket at work: its fold, its gauges, its attempts, and what surrounds its agent."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from lfgtui.agent.context import Decision
from lfgtui.agent.loop import Agent
from lfgtui.engine.circuit import Circuits
from lfgtui.engine.deadline import Deadline
from lfgtui.engine.recovery import Recovery, Step, last_words
from lfgtui.errors import RETRYABLE_KINDS, LfgError, ProviderError, UsageError
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.metrics import Meter
from lfgtui.model.redaction import EventRedactor, is_empty_delta
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.providers.errors.mapping import as_provider_error, one_line
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config, Route, routes_of
from lfgtui.settings.credentials import secret_variables
from lfgtui.text.redaction.redactor import Redactor

_log = logging.getLogger(__name__)

Phase = Literal["pending", "running", "ended"]


@dataclass(frozen=True, slots=True)
class Shared:
    """State that the tickets of a run share.

    `environment` is added to that of commands. `file_changed` is told of each
    file that a tool of a ticket changed.
    """

    recorder: Recorder
    run: str
    config: Config
    providers: Providers
    circuits: Circuits
    headless: bool
    environment: dict[str, str]
    redactor: Redactor | None
    file_changed: Callable[["TicketRun", Path], None]


class TicketRun:
    """A ticket with everything that belongs to it while lfg runs; its agent's `AgentContext`.

    It goes `pending -> running -> ended`, and back by `queue`; the engine
    says when, the moves are made here.
    """

    def __init__(self, ticket: Ticket, shared: Shared) -> None:
        self.ticket = ticket
        self.transcript = Transcript()
        self.meter = Meter()
        self.phase: Phase = "pending"
        self.outcome: e.Ending | None = None
        self.is_blocked_by_need = False
        self.attempt = 0
        self.always: set[str] = set()
        self.environment = shared.environment
        self.secrets = secret_variables(shared.config)
        self.settle = shared.recorder.settle
        self.room = shared.recorder.room
        self._shared = shared
        self._redactor = EventRedactor(shared.redactor) if shared.redactor else None
        self._continues = False
        self._task: asyncio.Task[None] | None = None
        self._has_begun = False
        self._stopped_with: e.Ending | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._questions: dict[str, asyncio.Future[Decision]] = {}
        self._begin_anew()

    def _begin_anew(self) -> None:
        config = self._shared.config
        routes = routes_of(config, self.ticket)
        self._deadline = Deadline(self.ticket.timeout)
        self.holding_clock = self._deadline.held
        self._recovery = Recovery(config.retry, routes, random.random)

    @property
    def is_held(self) -> bool:
        """True once a pause was requested."""
        return not self._open.is_set()

    @property
    def is_done(self) -> bool:
        """True if tickets that need this one may start."""
        return self.phase == "ended" and isinstance(self.outcome, e.TicketDone)

    def apply(self, entry: e.Entry) -> None:
        """A delivered entry: fold it and gauge it. One that cannot be fails this ticket alone."""
        fault = self.transcript.apply(entry)
        self.meter.apply(entry)
        if isinstance(entry.event, e.AttemptStarted):
            self.attempt = max(self.attempt, entry.attempt)
        if fault is not None and self.phase == "running":
            self.stop(e.TicketFailed("internal", str(fault), retryable=False))

    # The course of a ticket

    def queue(self, *, continues: bool) -> None:
        """Wait for its turn, (again) from the prompt or from where it stands."""
        self.phase, self.outcome, self._continues = "pending", None, continues
        self.is_blocked_by_need = False
        if not continues:
            self.always.clear()
        self.emit(e.TicketQueued())

    def begin(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Run the work as a task of its own."""
        self.phase, self._has_begun, self._stopped_with = "running", False, None
        self._task = asyncio.create_task(work, name=self.ticket.id)
        return self._task

    def stop(self, ending: e.Ending) -> None:
        """Stop the work, to end so; the first who says it is heard.

        A task that is cancelled before its first step never runs at all, so
        one that has not begun is left to find out in `check_in`.
        """
        if self._stopped_with is None:
            self._stopped_with = ending
            if self._has_begun and self._task is not None:
                self._task.cancel()

    def check_in(self) -> None:
        """The work's first step; raises `CancelledError` where it was stopped before."""
        self._has_begun = True
        if self._stopped_with is not None:
            raise asyncio.CancelledError

    @property
    def stopped_with(self) -> e.Ending:
        """Return the ending of a cancelled task."""
        return self._stopped_with or e.TicketInterrupted()

    def end(self, ending: e.Ending) -> None:
        """The last event of this start; a hold ends with it."""
        self.phase, self.outcome = "ended", ending
        self._open.set()
        self.emit(ending)

    async def work(self, message: e.UserMessage) -> e.Ending:
        """Attempts until one ends; failures become values, cancellation passes through."""
        self._begin_anew()
        try:
            return await self._attempts(message)
        except ProviderError as error:
            told = last_words(self._shared.config.retry, error)
            return e.TicketFailed(error.kind, told, error.retryable)
        except TimeoutError:
            return e.TicketLimited("time")
        except LfgError as error:
            return e.TicketFailed("internal", one_line(str(error)), retryable=False)

    async def _attempts(self, message: e.UserMessage) -> e.Ending:
        keeps_partial: bool | msgspec.UnsetType = msgspec.UNSET
        while True:
            responses = self.transcript.conversation.responses
            route = self._recovery.route
            self.attempt += 1
            self.emit(e.AttemptStarted(*route, self._continues, keeps_partial))
            self._continues = True
            try:
                async with self._deadline.running():
                    return await (await self._agent(route)).run(message)
            except ProviderError as error:
                await self.settle()
                keeps_partial = self._can_go_on_from_partial() or msgspec.UNSET
                progressed = self.transcript.conversation.responses > responses
                rest = self._shared.circuits[route.provider].retry_after()
                step = self._recovery.after(error, progressed=progressed, rest=rest)
                if step is None:
                    raise
                broken = error
            await self._move_on(route, broken, step)

    async def _move_on(self, route: Route, error: ProviderError, step: Step) -> None:
        """Say what broke and what comes next, and wait until it is due."""
        delay = round(step.delay, 2)
        told = (self.ticket.id, route, error.kind, step.route, delay)
        _log.info("%s: %s broke (%s); next %s in %g s", *told)
        as_usual = error.retryable == (error.kind in RETRYABLE_KINDS)
        retryable = msgspec.UNSET if as_usual else error.retryable
        self.emit(e.Retrying(error.message, delay, self.attempt + 1, error.kind, retryable))
        if step.route != route:
            self.emit(e.FailedOver(str(route), str(step.route)))
        async with self._deadline.running():
            await asyncio.sleep(delay)
            await self.gate()

    def _can_go_on_from_partial(self) -> bool:
        """True if the next attempt continues the answer that was cut off."""
        if self._shared.config.retry.on_cut != "continue" or self.transcript.attempt is None:
            return False
        calls = (call for call in self.transcript.attempt.tools if not call.is_text_borne)
        if any(call.state in ("arriving", "requested") for call in calls):
            return False
        return bool(self.transcript.conversation.partial.strip())

    async def _agent(self, route: Route) -> Agent:
        try:
            provider = await self._shared.providers.get(route.provider)
        except UsageError as error:  # a key or a header that is not there when it is asked for
            raise ProviderError("auth", str(error)) from error
        except Exception as error:  # of an SDK's import, of certificates, of a server of ours
            raise as_provider_error(error) from error
        config = self._shared.config.provider(route.provider)
        return Agent(
            self, route.model, provider, price=config.price, leak_dialects=config.leak_dialects
        )

    # What the person does

    def pause(self) -> None:
        """Hold at the next gate."""
        if self.phase == "ended" or self.is_held:
            return
        self._open.clear()
        if self.phase == "pending":
            self.emit(e.Paused())
        else:
            self.emit(e.Status("pausing after this response"))

    def resume(self) -> None:
        """Open the gate."""
        if not self.is_held:
            return
        self._open.set()
        if self.phase == "pending":
            self.emit(e.Resumed())

    def decide(self, call_id: str, decision: Decision) -> None:
        """The person's word on a call; a call that waits for nothing is passed over."""
        question = self._questions.get(call_id)
        if question is not None and not question.done():
            question.set_result(decision)

    # What the agent does

    def emit(self, event: e.Event) -> None:
        at = now()
        for one in self._redacted(event):
            shared, attempt = self._shared, max(1, self.attempt)
            shared.recorder.submit(shared.run, self.ticket.id, attempt, at, one)

    def _redacted(self, event: e.Event) -> Sequence[e.Event]:
        redactor = self._shared.redactor
        if self._redactor is None or redactor is None or redactor.is_idle:
            return (event,)
        return [one for one in self._redactor.feed(event) if not is_empty_delta(one)]

    def file_changed(self, file: Path) -> None:
        self._shared.file_changed(self, file)

    async def gate(self) -> None:
        if not self.is_held:
            return
        self.emit(e.Paused())
        with self.holding_clock():
            await self._open.wait()
        self.emit(e.Resumed())

    async def ask(self, call_id: str) -> Decision | None:
        if self._shared.headless:
            return None
        question: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._questions[call_id] = question
        try:
            return await question
        finally:
            del self._questions[call_id]

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[Callable[[], None]]:
        provider = self._recovery.route.provider
        circuit = self._shared.circuits[provider]
        if rest := circuit.retry_after():
            told = f"{provider} keeps failing; "
            told += f"next try in {rest:.0f} s" if rest >= 1 else "one test request at a time"
            if self._recovery.has_fallback:
                raise ProviderError("overloaded", told)
            self.emit(e.Status(told))
        permit = await circuit.enter()
        try:
            yield permit.answered
        except ProviderError as error:
            permit.failed(error)
            raise
        finally:
            permit.leave()
