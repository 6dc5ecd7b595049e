"""Agents that are started before their ticket's turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model.events import TextDelta, WireEvent
from lfgtui.model.fold.conversation import Session, UserTurn
from lfgtui.processes.agents import AgentProcesses
from lfgtui.providers.acp import pool
from lfgtui.providers.acp.stream import AcpProvider
from lfgtui.providers.base import Request
from lfgtui.settings.providers import ProviderConfig
from tests.acp.scripts import MISBEHAVIOUR, ScriptedAgent, scripted
from tests.helpers.waiting import until


@dataclass
class Prepared:
    """An agent that can be prepared."""

    agent: ScriptedAgent
    provider: AcpProvider
    agents: AgentProcesses
    folder: Path

    def request(self, session: Session | None = None, model: str = "") -> Request:
        where = str(self.folder)
        return Request(model, (UserTurn("Go."),), ticket="a", workspace=where, session=session)

    async def turn(self, request: Request) -> list[WireEvent]:
        async with aclosing(self.provider.stream(request)) as events:
            return [event async for event in events]

    async def until(self, kind: str, count: int) -> None:
        await asyncio.to_thread(until, lambda: len(self.agent.log(kind)) == count)

    async def until_opened(self) -> None:
        await asyncio.to_thread(until, lambda: self.agents.has("mine", "a") and self.is_opened)

    @property
    def is_opened(self) -> bool:
        return bool(self.agent.received("session/new"))


@asynccontextmanager
async def prepared(folder: Path, **script: object) -> AsyncIterator[Prepared]:
    agent = scripted(folder, **{"turns": [[{"text": "Hello."}]], **script})  # type: ignore[arg-type]
    agents = AgentProcesses()
    provider = AcpProvider("mine", ProviderConfig(wire="acp", command=agent.command), agents)
    mine = Prepared(agent, provider, agents, folder)
    provider.prepare(mine.request())
    try:
        yield mine
    finally:
        await provider.aclose()
        assert agents.set_aside() == 0


async def test_the_turn_goes_to_the_agent_that_was_prepared_for_it(tmp_path: Path) -> None:
    async with prepared(tmp_path) as mine:
        await mine.until_opened()
        mine.provider.prepare(mine.request())  # again changes nothing
        assert TextDelta("Hello.") in await mine.turn(mine.request())
        assert len(mine.agent.log("started")) == len(mine.agent.received("session/new")) == 1


async def test_a_turn_waits_for_an_agent_that_is_being_prepared(tmp_path: Path) -> None:
    async with prepared(tmp_path, start=[{"wait": {"file": "go"}}]) as mine:
        await mine.until("started", 1)
        turn = asyncio.create_task(mine.turn(mine.request()))
        await asyncio.sleep(0)
        (tmp_path / "go").touch()
        assert TextDelta("Hello.") in await turn
        assert len(mine.agent.log("started")) == 1


async def test_a_turn_that_is_stopped_meanwhile_ends_the_agent(tmp_path: Path) -> None:
    async with prepared(tmp_path, start=[{"wait": {"file": "never"}}]) as mine:
        await mine.until("started", 1)
        turn = asyncio.create_task(mine.turn(mine.request()))
        await asyncio.sleep(0)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        await asyncio.to_thread(until, lambda: mine.agents.set_aside() == 0)


async def test_a_request_of_another_kind_gets_an_agent_of_its_own(tmp_path: Path) -> None:
    async with prepared(tmp_path) as mine:
        await mine.until_opened()
        await mine.turn(mine.request(Session("another", told=0)))
        assert len(mine.agent.log("started")) == 2
        await mine.until("closed", 1)


async def test_one_that_nobody_uses_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PREPARED", 0.0)
    async with prepared(tmp_path) as mine:
        await mine.until("closed", 1)
        await asyncio.to_thread(until, lambda: mine.agents.set_aside() == 0)


@pytest.mark.parametrize("started", [False, True])
async def test_one_can_be_ended_at_any_time(tmp_path: Path, started: bool) -> None:
    """Also before it has begun to start."""
    async with prepared(tmp_path, start=[{"wait": {"file": "never"}}]) as mine:
        if started:
            await mine.until("started", 1)
        mine.agents.end_spare("a")
        await asyncio.to_thread(until, lambda: mine.agents.set_aside() == 0)
        assert not mine.agents.has("mine", "a")


@pytest.mark.parametrize("how", ["exits at once", "wants a login", "opens no session"])
async def test_what_fails_is_left_to_the_turn(tmp_path: Path, how: str) -> None:
    async with prepared(tmp_path, **MISBEHAVIOUR[how]) as mine:
        await asyncio.to_thread(until, lambda: mine.agents.set_aside() == 0)
        with pytest.raises(ProviderError):
            await mine.turn(mine.request())
        assert len(mine.agent.log("started")) == 2
