"""Agents that are processes: admitted by provider and by memory, and started ahead."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.engine import commands as c
from lfgtui.engine.admission import Admission
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.processes.agents import ASSUMED, AgentProcess, AgentProcesses
from lfgtui.settings.config import Config
from lfgtui.settings.providers import ProviderConfig
from lfgtui.simulator.server import Settings, running
from tests.acp.agent import Steps
from tests.acp.scripts import ScriptedAgent, scripted
from tests.engine.harness import Room, room, says, ticket
from tests.helpers.checkouts import configure_person, make_checkout
from tests.helpers.waiting import until
from tests.providers.loopback import Answer, Loopback

SAYS = {"says": says("Hi.")}
WAITS: Steps = [{"text": "I look."}, {"wait": {"file": "go"}}, {"text": " Done."}]


def agent(
    folder: Path, turn: Steps = WAITS, **settings: object
) -> tuple[ScriptedAgent, dict[str, ProviderConfig]]:
    mine = scripted(folder, turns=[turn])
    config = ProviderConfig(wire="acp", command=mine.command, **settings)  # type: ignore[arg-type]
    return mine, {"mine": config}


def mine(name: str, folder: Path, **keys: object) -> Ticket:
    return ticket(name, folder, provider="mine", model=None, **keys)


def most_at_once(r: Room) -> int:
    """The most tickets that had a request open at the same moment."""
    now = most = 0
    for entry in r.seen:
        now += isinstance(entry.event, e.RequestSent)
        now -= isinstance(entry.event, e.ResponseFinished)
        most = max(most, now)
    return most


async def test_a_provider_works_at_no_more_tickets_than_it_may(tmp_path: Path) -> None:
    """Those of other providers go past the ones that wait for it."""
    _, more = agent(tmp_path, concurrency=1)
    tickets = [mine("a", tmp_path), mine("b", tmp_path), ticket("c", tmp_path, model="says")]
    async with room(tmp_path, tickets, more=more, scenarios=SAYS) as r:
        await r.until_event("a", e.TextDelta)
        await r.until_event("c", e.TicketDone)
        assert r.engine.health.held_back == {"b": "a slot at mine (1 of 1 in use)"}
        assert r.state("b") == "queued"
        (tmp_path / "go").touch()
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert r.engine.health.held_back == {}


async def test_the_bound_holds_for_a_wire_without_processes_and_after_a_failover(
    tmp_path: Path,
) -> None:
    endless = says("It goes on.", cut={"after": 5, "how": "half-open"})
    tickets = [
        ticket("a", tmp_path, provider="few", model="endless"),
        ticket("b", tmp_path, provider="nowhere", fallback=["few/says"]),
    ]
    simulator = running(Settings(speed=0, scenarios={**SAYS, "endless": endless}))
    async with simulator as root:
        few = ProviderConfig(wire="openai-chat", base_url=f"{root}/v1", concurrency=1)
        async with room(tmp_path, tickets, more={"few": few}) as r:
            await r.until_event("a", e.TextDelta)
            await r.until_event("b", e.FailedOver)
            await r.until(lambda: r.engine.health.held_back)
            assert r.engine.health.held_back == {"b": "a slot at few (1 of 1 in use)"}
            r.engine.send(c.Cancel("a"))
            await r.engine.wait_idle()
            assert r.state("b") == "done"


async def test_a_ticket_waits_for_memory_and_goes_on_when_another_has_ended(
    tmp_path: Path,
) -> None:
    """One that lingers is ended for it; and the first always runs, however little there is."""
    started, more = agent(tmp_path)
    tickets = [mine(name, tmp_path) for name in "ab"]
    async with room(tmp_path, tickets, more=more, max_memory="10 MB") as r:
        await r.until_event("a", e.TextDelta)
        assert r.engine.health.held_back == {"b": "memory (750 of 10 MB set aside for agents)"}
        (tmp_path / "go").touch()
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert most_at_once(r) == 1
        assert len(started.log("closed")) >= 1  # the first one's, before the second was started
        assert len(started.log("started")) == 2


async def test_what_an_agent_needs_is_known_from_the_first_answer(tmp_path: Path) -> None:
    _, more = agent(tmp_path)
    tickets = [mine(name, tmp_path / name) for name in "abc"]
    for name in "abc":
        (tmp_path / name).mkdir()
    async with room(tmp_path, tickets, more=more, max_memory="1 GB") as r:
        await r.until_event("a", e.TextDelta)
        assert set(r.engine.health.held_back) == {"b", "c"}
        (tmp_path / "a/go").touch()
        await r.until_event("b", e.TextDelta)
        await r.until_event("c", e.TextDelta)
        assert (r.state("b"), r.state("c")) == ("streaming", "streaming")


async def test_agents_that_turn_out_to_be_small_leave_room_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured after a while, though none has answered yet."""
    _, more = agent(tmp_path)
    tickets = [mine(name, tmp_path) for name in "ab"]
    async with room(tmp_path, tickets, more=more, max_memory="1 GB") as r:
        await r.until_event("a", e.TextDelta)
        assert r.engine.health.held_back == {"b": "memory (750 MB of 1.0 GB set aside for agents)"}
        monkeypatch.setattr("lfgtui.processes.agents.GROWTH", 0.0)
        await r.until_event("b", e.TextDelta)
        assert r.state("a") == "streaming"


async def test_the_next_tickets_agent_is_started_ahead_of_its_turn(tmp_path: Path) -> None:
    started, more = agent(tmp_path)
    tickets = [mine(name, tmp_path) for name in "abcde"]
    async with room(tmp_path, tickets, more=more, concurrency=1, max_memory="90 GB") as r:
        await r.until_event("a", e.TextDelta)
        await asyncio.to_thread(until, lambda: len(started.received("session/new")) == 3)
        assert [r.state(name) for name in "bcde"] == ["queued"] * 4
        (tmp_path / "go").touch()
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert len(started.log("started")) == 5


async def test_a_connection_for_the_next_ticket_is_opened_ahead_of_its_turn(
    tmp_path: Path, server: Loopback
) -> None:
    _, more = agent(tmp_path)
    more["far"] = ProviderConfig(wire="openai-chat", base_url=f"{server.url}/v1")
    server.answer = Answer(
        [b'data: {"choices":[{"delta":{"content":"Hi."}}]}\n\n', b"data: [DONE]\n\n"]
    )
    tickets = [mine("a", tmp_path), ticket("b", tmp_path, provider="far", model="m")]
    async with room(tmp_path, tickets, more=more, concurrency=1) as r:
        await r.until_event("a", e.TextDelta)
        await asyncio.to_thread(until, lambda: server.connections == 1)
        assert r.state("b") == "queued" and not server.asked
        (tmp_path / "go").touch()
        await r.until_event("b", e.TextDelta)
        assert server.connections == len(server.asked) == 1


async def test_an_agent_whose_worktree_is_there_is_started_ahead_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_person(tmp_path, monkeypatch)
    project = make_checkout(tmp_path / "project").folder
    started, more = agent(tmp_path)
    tickets = [mine(name, project, worktree=True) for name in "ab"]
    async with room(tmp_path, tickets, more=more, concurrency=2) as r:
        await r.until_event("a", e.TextDelta)
        await r.until_event("b", e.TextDelta)
        run = r.engine.run
    async with room(tmp_path, tickets, more=more, concurrency=1, resumes=run) as r:
        await r.until_event("a", e.TextDelta)
        await asyncio.to_thread(until, lambda: len(started.log("started")) == 4)
        assert r.state("b") == "queued"


@pytest.mark.parametrize("memory", ["500 MB", "2 GB"])
async def test_no_agent_is_prepared_in_more_than_half_of_what_is_free(
    tmp_path: Path, memory: str
) -> None:
    started, more = agent(tmp_path)
    tickets = [mine(name, tmp_path) for name in "ab"]
    async with room(tmp_path, tickets, more=more, concurrency=1, max_memory=memory) as r:
        await r.until_event("a", e.TextDelta)
        (tmp_path / "go").touch()
        await r.until_event("b", e.TextDelta)
        began = [one.ticket for one in r.seen if isinstance(one.event, e.AttemptStarted)]
        assert began == ["a", "b"]
        assert not r.engine.health.held_back
    assert len(started.log("started")) == 2


async def test_what_was_prepared_for_a_ticket_that_is_cancelled_is_ended_at_once(
    tmp_path: Path,
) -> None:
    started, more = agent(tmp_path)
    tickets = [mine(name, tmp_path) for name in "ab"]
    async with room(tmp_path, tickets, more=more, concurrency=1, max_memory="90 GB") as r:
        await r.until_event("a", e.TextDelta)
        await asyncio.to_thread(until, lambda: started.received("session/new")[1:])
        r.engine.send(c.Cancel("b"))
        await asyncio.to_thread(until, lambda: started.log("closed"))
        assert r.state("a") == "streaming"


async def test_what_an_agent_uses_is_known_while_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfgtui.processes.agents.PERIOD", 0.01)
    _, more = agent(tmp_path)
    async with room(tmp_path, [mine("a", tmp_path)], more=more) as r:
        await asyncio.to_thread(until, lambda: r.engine.health.agents)
        assert r.engine.health.agents["a"].memory > 5_000_000
    assert r.engine.health.agents == {}


@given(
    st.integers(100, 10_000),
    st.lists(st.tuples(st.sampled_from(("begin", "stop")), st.integers(0, 7))),
)
def test_no_more_is_set_aside_than_there_is_and_nothing_waits_for_ever(
    megabytes: int, steps: list[tuple[str, int]]
) -> None:
    """Whatever begins, stops and goes on; but for the first one, which always has room."""

    async def live() -> None:
        agents, most = AgentProcesses(), megabytes * 1_000_000
        config = Config(
            providers={"mine": ProviderConfig(wire="acp", command=("mine",))},
            max_memory=f"{megabytes} MB",
        )
        admission = Admission(config, agents, available=0)
        working, running = dict[str, str](), dict[str, AgentProcess]()

        def end(ticket: str) -> None:
            agents.gone(running.pop(ticket))

        for step, number in steps:
            ticket = str(number)
            if step == "stop" and ticket in working:
                del working[ticket]
                running[ticket].spare(partial(end, ticket))
            elif step == "begin" and ticket not in working:
                if admission.refusal(ticket, "mine", working):  # what is spare is ended at once
                    assert admission.refusal(ticket, "mine", working) == "" or working
                    continue
                working[ticket] = "mine"
                if ticket not in running:
                    running[ticket] = agents.begin("mine", ticket)
                running[ticket].spare(None)
                assert agents.set_aside() <= max(most, ASSUMED)
        for ticket in list(running):
            end(ticket)
        assert admission.refusal("8", "mine", {}) == ""

    asyncio.run(live())
