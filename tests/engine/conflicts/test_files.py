"""Tickets at work in one folder: both are told who changed what the other has read or changed."""

import asyncio
from pathlib import Path

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.simulator.scenario import Scenario
from tests.acp.scripts import call, ended, scripted, write
from tests.engine.acp import mine, working
from tests.engine.harness import Room, finished, room, scenario, ticket

Call = dict[str, object]
WRITE: Call = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
OTHER: Call = {"name": "write_file", "arguments": {"path": "./y", "content": "1"}}
HOLD: Call = {"name": "run_command", "arguments": {"command": "true"}}
READ: Call = {"name": "read_file", "arguments": {"path": "x"}}
SEARCH: Call = {"name": "search_files", "arguments": {"pattern": "old"}}


def turns(*calls: Call) -> Scenario:
    """A turn for each of the calls."""
    return scenario(turn=[*({"call": [call]} for call in calls), {"text": "Done."}])


def held(name: str, folder: Path) -> Ticket:
    """A ticket that writes unasked, and asks before a command."""
    return ticket(name, folder, approve={"write_file": "auto", "run_command": "ask"})


def conflicts(r: Room, ticket: str) -> list[e.ConflictDetected]:
    return r.events(ticket, e.ConflictDetected)


async def test_two_tickets_in_one_file_conflict_once_but_not_by_need(tmp_path: Path) -> None:
    keys = {"model": "writes", "approve": "auto"}
    tickets = [ticket(name, tmp_path, **keys) for name in "ab"]
    tickets.append(ticket("c", tmp_path, **keys, needs=["a", "b"]))
    writes = scenario(turn=[{"call": [WRITE, WRITE]}, {"text": "Done."}])
    async with finished(tmp_path, tickets, scenarios={"writes": writes}, concurrency=1) as r:
        assert conflicts(r, "a") == conflicts(r, "c") == []  # a had ended
        assert conflicts(r, "b") == [e.ConflictDetected("x", ("a",))]


async def test_both_are_told_while_they_work_and_it_is_stored(tmp_path: Path) -> None:
    tickets = [held(name, tmp_path) for name in "ab"]
    scenarios = {"a": turns(WRITE, HOLD), "b": turns(HOLD, WRITE)}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.until_event("a", e.ApprovalRequested)
        await r.approve("b")
        await r.until(lambda: conflicts(r, "a") and conflicts(r, "b"))
        assert conflicts(r, "a") == [e.ConflictDetected("x", ("b",))]
        assert conflicts(r, "b") == [e.ConflictDetected("x", ("a",))]
        assert r.engine.transcript("a").conflict == e.ConflictDetected("x", ("b",))
        await r.approve("a")
        await r.engine.wait_idle()
        stored = await asyncio.to_thread(r.stored, "a")
        assert [o.event for o in stored if isinstance(o.event, e.ConflictDetected)] == conflicts(
            r, "a"
        )
        assert r.state("a") == r.state("b") == "done"


async def test_one_that_has_read_what_another_changes_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old\n")
    tickets = [held(name, tmp_path) for name in ("reads", "finds", "writes")]
    scenarios = {
        "reads": turns(READ, HOLD),
        "finds": turns(SEARCH, HOLD),
        "writes": turns(HOLD, WRITE),
    }
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.until_event("reads", e.ApprovalRequested)
        await r.until_event("finds", e.ApprovalRequested)
        await r.approve("writes")
        await r.until(lambda: len(conflicts(r, "reads")) == len(conflicts(r, "finds")) == 1)
        (told,) = conflicts(r, "writes")
        assert (told.path, set(told.tickets), told.kind) == ("x", {"reads", "finds"}, "read")
        stale = e.ConflictDetected("x", ("writes",), "stale")
        assert conflicts(r, "reads") == conflicts(r, "finds") == [stale]
        assert stale.in_words == "x was changed by writes after it was read here"
        await r.approve("reads")
        await r.approve("finds")
        await r.engine.wait_idle()


async def test_who_reads_what_was_changed_before_is_in_no_conflict(tmp_path: Path) -> None:
    tickets = [held(name, tmp_path) for name in ("writes", "reads")]
    scenarios = {"writes": turns(WRITE, HOLD), "reads": turns(HOLD, READ)}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.until_event("writes", e.ApprovalRequested)
        await r.approve("reads")
        await r.until(lambda: r.state("reads") == "done")
        await r.approve("writes")
        await r.engine.wait_idle()
        assert conflicts(r, "writes") == conflicts(r, "reads") == []


async def test_tickets_in_different_folders_are_in_no_conflict(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    tickets = [ticket(f.name, f, model="writes", approve="auto") for f in folders]
    async with finished(tmp_path, tickets, scenarios={"writes": turns(WRITE)}) as r:
        assert conflicts(r, "a") == conflicts(r, "b") == []


async def test_a_resumed_run_remembers_who_changed_what(tmp_path: Path) -> None:
    tickets = [held(name, tmp_path) for name in "ab"]
    scenarios = {"a": turns(WRITE, HOLD), "b": turns(HOLD, WRITE)}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.until_event("a", e.ApprovalRequested)
        await r.until_event("b", e.ApprovalRequested)
        run = r.engine.run
    async with room(tmp_path, tickets, scenarios=scenarios, resumes=run) as r:
        await r.approve("b")
        await r.until_event("b", e.ConflictDetected)
        assert conflicts(r, "b") == [e.ConflictDetected("x", ("a",))]
        r.engine.send(c.CancelAll())
        await r.engine.wait_idle()


async def test_an_installed_agents_reads_and_changes_count(tmp_path: Path) -> None:
    file = tmp_path / "x"
    read = call("1", "Read x", "read", {"file_path": str(file)}, locations=[{"path": str(file)}])
    agent = scripted(tmp_path, turns=[[*read, ended("1", "old"), *write(tmp_path / "y", "mine")]])
    tickets = [mine(tmp_path, "agent"), held("writes", tmp_path)]
    writes = scenario(turn=[{"call": [HOLD]}, {"call": [WRITE, OTHER]}, {"text": "Done."}])
    async with working(tmp_path, agent, tickets, scenarios={"writes": writes}) as r:
        await r.until_event("agent", e.ApprovalRequested)
        await r.approve("writes")
        await r.until(lambda: r.state("writes") == "done")
        assert conflicts(r, "agent") == [e.ConflictDetected("x", ("writes",), "stale")]
        await r.approve("agent")
        await r.engine.wait_idle()
        assert conflicts(r, "agent")[1:] == [e.ConflictDetected("y", ("writes",))]
        assert conflicts(r, "writes") == [e.ConflictDetected("x", ("agent",), "read")]
