"""An engine on the real simulator, the real SDKs and a real history file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, overload

import msgspec

from lfgtui.engine import commands as c
from lfgtui.engine.engine import Engine
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.remote_work import RemoteWork
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.run_limits import NO_LIMITS, RunLimits
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.walls import Walls
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config, RetryPolicy
from lfgtui.settings.providers import Price, ProviderConfig
from lfgtui.simulator.scenario import Scenario
from lfgtui.simulator.server import Settings, running
from lfgtui.text.redactor import Redactor
from lfgtui.workspace.kept import KeptFiles

QUICK_RETRY = RetryPolicy(attempts=3, base_delay=0.01, max_delay=0.02)
_E = TypeVar("_E", bound=e.Event)
WIRES = ("chat", "anthropic", "responses")


def scenario(**keys: object) -> Scenario:
    """A scenario as its TOML would say it."""
    return msgspec.convert(keys, Scenario)


def says(text: str, **keys: object) -> Scenario:
    """One turn that says something."""
    return scenario(turn=[{"text": text, **keys}])


def calls(name: str, arguments: dict[str, object], then: str = "Done.") -> Scenario:
    """One tool call, then a closing line."""
    call = {"name": name, "arguments": arguments}
    return scenario(turn=[{"text": "Let me see.", "call": [call]}, {"text": then}])


@dataclass
class Room:
    """A running engine, and what its sinks saw."""

    engine: Engine
    recorder: Recorder
    history: Path
    seen: list[e.Entry] = field(default_factory=list)
    _answered: set[tuple[str, str]] = field(default_factory=set)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def sink(self, entries: Sequence[e.Entry]) -> None:
        self.seen += entries
        self._tasks = [asyncio.ensure_future(self._tell())]

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until entries have made the condition true."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: bool(condition()))

    async def until_event(self, ticket: str, kind: type[_E]) -> _E:
        """Wait for the ticket's first event of that kind."""
        await self.until(lambda: self.events(ticket, kind))
        return self.events(ticket, kind)[0]

    @overload
    def events(self, ticket: str) -> list[e.Event]: ...
    @overload
    def events(self, ticket: str, kind: type[_E]) -> list[_E]: ...
    def events(self, ticket: str, kind: type[e.Event] = e.Event) -> list[Any]:
        """The ticket's events of that kind so far."""
        return [s.event for s in self.seen if s.ticket == ticket and isinstance(s.event, kind)]

    def attempts(self, ticket: str) -> list[Attempt]:
        """The ticket's attempts, as the fold has them."""
        return self.engine.transcript(ticket).attempts

    async def approve(self, ticket: str, rule: ApprovalRule | None = None) -> None:
        """Wait for a question, and allow what is asked, with a rule if one is given."""
        new = partial(self._questions, ticket)
        await self.until(new)
        (call_id,) = new()
        self._answered.add((ticket, call_id))
        self.engine.send(c.Approve(ticket, call_id, rule))

    def _questions(self, ticket: str) -> set[str]:
        calls = self.engine.transcript(ticket).calls.waiting
        return {call.call_id for call in calls if (ticket, call.call_id) not in self._answered}

    async def resume_when_paused(self, ticket: str) -> None:
        """Wait for a pause, let the ticket go on, and wait until all have ended."""
        await self.until_event(ticket, e.Paused)
        self.engine.send(c.Resume(ticket))
        await self.engine.wait_idle()

    def state(self, ticket: str) -> str | None:
        return self.engine.transcript(ticket).state

    def stored(self, ticket: str) -> list[e.Entry]:
        with Reader(self.history) as reader:
            return list(reader.entries(self.engine.run, ticket))

    def requested(self) -> list[Ticket]:
        """The run's tickets as they are stored."""
        with Reader(self.history) as reader:
            return [stored.ticket for stored in reader.tickets(self.engine.run)]


def ticket(name: str, workspace: Path, **keys: object) -> Ticket:
    """A ticket on the simulator's chat wire; its model is the scenario of its own name."""
    given: dict[str, object] = {"provider": "chat", "model": name, "prompt": f"Do {name}."}
    given |= {"id": name, "workspace": str(workspace), **keys}
    return msgspec.convert(given, Ticket)


def configured(
    root: str,
    more: dict[str, ProviderConfig] | None = None,
    price: Price | None = None,
    context_window: int | None = None,
    **settings: object,
) -> Config:
    """Providers, one a wire, all on the simulator at `root`, with a context of that size."""
    providers = {
        "chat": ProviderConfig(wire="openai-chat", base_url=f"{root}/v1", price=price),
        "anthropic": ProviderConfig(wire="anthropic", base_url=root),
        "responses": ProviderConfig(wire="openai-responses", base_url=f"{root}/v1"),
        "nowhere": ProviderConfig(wire="openai-chat", base_url="http://127.0.0.1:9/v1"),
        "agent": ProviderConfig(wire="agent-websocket", base_url=f"{root}/agent"),
        **(more or {}),
    }
    if context_window is not None:
        for name, one in providers.items():
            providers[name] = msgspec.structs.replace(one, context_window=context_window)
    config = Config(providers=providers, retry=QUICK_RETRY)
    return msgspec.structs.replace(config, **settings)


@asynccontextmanager
async def room(
    folder: Path,
    tickets: Sequence[Ticket],
    *,
    headless: bool = False,
    resumes: str | None = None,
    scenarios: dict[str, Scenario] | None = None,
    more: dict[str, ProviderConfig] | None = None,
    front: Callable[[str], AbstractAsyncContextManager[str]] = nullcontext,
    redactor: Redactor | None = None,
    run_limits: RunLimits = NO_LIMITS,
    walls: Walls | None = None,
    remote: Callable[[Session], RemoteWork] | None = None,
    **settings: object,
) -> AsyncIterator[Room]:
    """An engine that has started, shut down at the end.

    `front` puts something before the simulator: from its root to the root that is asked.
    """
    history = folder / "data" / "history.db"
    simulator = running(Settings(speed=0, scenarios=scenarios or {}))
    async with simulator as behind, front(behind) as root:
        recorder = await asyncio.to_thread(Recorder, history)
        stored = None
        if resumes is None:
            run = await asyncio.to_thread(recorder.start_run, "Test", tickets, None)
        else:
            run, stored = resumes, await asyncio.to_thread(_stored, history, resumes)
            with_workers = remote is not None
            await asyncio.to_thread(recorder.resume_run, run, with_workers=with_workers)
        config = configured(root, more, **settings)  # type: ignore[arg-type]  # also the price
        session = Session(
            run=run,
            recorder=recorder,
            config=config,
            kept=KeptFiles.beside(history, 10**6, 10**5),
            providers=Providers(config),
            redactor=redactor or Redactor(rules=()),
            headless=headless,
            run_limits=run_limits,
            walls=walls,
        )
        workers = None if remote is None else await asyncio.to_thread(remote, session)
        engine = Engine(session, "Test", tickets, stored=stored, remote=workers)
        opened = Room(engine, recorder, history)
        engine.subscribe(opened.sink)
        engine.start()
        try:
            yield opened
        finally:
            await engine.shutdown()
            await asyncio.to_thread(recorder.close)


@asynccontextmanager
async def finished(folder: Path, tickets: Sequence[Ticket], **how: Any) -> AsyncIterator[Room]:
    """An engine all of whose tickets have ended; `how` as for `room`."""
    async with room(folder, tickets, **how) as opened:
        async with asyncio.timeout(60):
            await opened.engine.wait_idle()
        yield opened


def _stored(history: Path, run: str) -> dict[str, list[e.Entry]]:
    with Reader(history) as reader:
        return {t.ticket.id: list(reader.entries(run, t.ticket.id)) for t in reader.tickets(run)}
