"""Rules of approval in a run: what they hold for, how long, and what the history has of them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import Room, room, scenario, ticket

ECHO = ApprovalRule("run_command", "prefix", "echo")
ECHO_EVERYWHERE = ApprovalRule("run_command", "prefix", "echo", "run")


def runs(*commands: str) -> Scenario:
    """A scenario that runs one command after the other."""
    turns = [{"call": [{"name": "run_command", "arguments": {"command": one}}]} for one in commands]
    return scenario(turn=[*turns, {"text": "Done."}])


def writes(*paths: str) -> Scenario:
    """A scenario that writes one file after the other."""
    calls = [{"name": "write_file", "arguments": {"path": one, "content": "x"}} for one in paths]
    return scenario(turn=[*({"call": [call]} for call in calls), {"text": "Done."}])


def cards(r: Room, name: str) -> Sequence[ToolItem]:
    return [call for attempt in r.attempts(name) for call in attempt.tools]


async def deny(r: Room, name: str, call: int) -> None:
    """Refuse the ticket's call of that number, once it is asked about."""
    await r.until(lambda: len(r.events(name, e.ApprovalRequested)) >= call)
    asked = r.events(name, e.ApprovalRequested)[call - 1]
    r.engine.send(c.Deny(name, asked.call_id, "no"))


async def test_what_a_rule_covers_runs_unasked_and_anything_else_is_asked_about(
    tmp_path: Path,
) -> None:
    commands = ("echo one", "echo one two", "echo one; echo two", "echo one -n")
    scenarios = {"a": runs(*commands)}
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios=scenarios) as r:
        await r.approve("a", ECHO)
        await deny(r, "a", 2)
        await deny(r, "a", 3)
        await r.engine.wait_idle()
        asked = [event.summary for event in r.events("a", e.ApprovalRequested)]
        assert asked == [f"$ {commands[0]}", f"$ {commands[2]}", f"$ {commands[3]}"]
        first, second, third, fourth = cards(r, "a")
        assert (first.grants, second.rule) == (ECHO, ECHO)
        assert (first.exit_code, second.exit_code) == (0, 0)
        assert third.denied and fourth.denied
        stored = [one.event for one in await asyncio.to_thread(r.stored, "a")]
        given = [event for event in stored if isinstance(event, e.ApprovalGiven)]
        assert [event.rule or event.grants for event in given] == [ECHO, ECHO]


async def test_a_rule_for_the_run_approves_what_waits_in_its_other_tickets(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    scenarios = {name: runs(f"echo one {name}", f"echo one {name} more") for name in names}
    scenarios["c"] = runs("true")
    tickets = [ticket(name, tmp_path) for name in names]
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        for name in names:
            await r.until_event(name, e.ApprovalRequested)
        await r.approve("a", ECHO_EVERYWHERE)
        await r.until(lambda: r.state("a") == r.state("b") == "done")
        assert r.state("c") == "needs_approval"
        assert [call.rule for call in cards(r, "b")] == [ECHO_EVERYWHERE] * 2
        assert len(r.events("b", e.ApprovalRequested)) == 1
        await r.approve("c")
        await r.engine.wait_idle()


async def test_a_rule_that_two_tickets_hold_for_the_run_is_withdrawn_from_both(
    tmp_path: Path,
) -> None:
    tickets = [ticket(name, tmp_path) for name in "ab"]
    scenarios = {name: runs("true", "echo one") for name in "ab"}
    true = ApprovalRule("run_command", "command", "true", "run")
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        for name in "ab":
            await r.until_event(name, e.ApprovalRequested)
        asked = {name: r.events(name, e.ApprovalRequested)[0] for name in "ab"}
        for name in "ab":
            r.engine.send(c.Approve(name, asked[name].call_id, true))
        await r.until(lambda: all(r.engine.transcript(name).rules for name in "ab"))
        r.engine.send(c.WithdrawRule("a", true))
        await r.until(lambda: not any(r.engine.transcript(name).rules for name in "ab"))


async def test_a_command_for_the_run_is_approved_in_one_workspace_alone(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    run_wide = {
        "a": ApprovalRule("run_command", "command", "./x.sh", "run"),
        "b": ECHO_EVERYWHERE,
        "c": ApprovalRule("run_command", "tool", scope="run"),
    }
    tickets = [*(ticket(name, tmp_path) for name in "abc"), ticket("d", there)]
    scenarios = {"a": runs("./x.sh"), "b": runs("echo one"), "c": runs("true")}
    scenarios["d"] = runs("./x.sh", "echo one", "true")
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        for name in "ab":
            await r.approve(name, run_wide[name])
        await r.until(lambda: r.state("a") == r.state("b") == "done")
        await deny(r, "d", 1)
        await deny(r, "d", 2)
        await r.until(lambda: len(r.events("d", e.ApprovalRequested)) == 3)
        await r.approve("c", run_wide["c"])
        await r.engine.wait_idle()
        assert [call.rule for call in cards(r, "d")] == [None, None, run_wide["c"]]


async def test_a_rule_of_one_ticket_approves_nothing_in_another(tmp_path: Path) -> None:
    scenarios = {"a": runs("echo one"), "b": runs("echo one")}
    tickets = [ticket(name, tmp_path) for name in "ab"]
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.until_event("b", e.ApprovalRequested)
        await r.approve("a", ECHO)
        await r.until(lambda: r.state("a") == "done")
        assert r.state("b") == "needs_approval"


@pytest.mark.parametrize("is_withdrawn", [False, True])
async def test_rules_outlive_a_resume_unless_withdrawn(tmp_path: Path, is_withdrawn: bool) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    scenarios = {"a": runs("echo one"), "b": runs("true", "echo one")}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.until_event("b", e.ApprovalRequested)
        await r.approve("a", ECHO_EVERYWHERE)
        await r.until(lambda: r.state("a") == "done")
        if is_withdrawn:  # from a ticket that has ended
            r.engine.send(c.WithdrawRule("a", ECHO_EVERYWHERE))
            assert await r.until_event("a", e.RuleWithdrawn) == e.RuleWithdrawn(ECHO_EVERYWHERE)
            assert not r.events("b", e.RuleWithdrawn)
        run = r.engine.run
    async with room(tmp_path, tickets, scenarios=scenarios, resumes=run) as r:
        await r.approve("b")
        if is_withdrawn:
            await r.approve("b")
        await r.engine.wait_idle()
        assert r.state("b") == "done"
        rule = None if is_withdrawn else ECHO_EVERYWHERE
        assert cards(r, "b")[-1].rule == rule


async def test_a_ticket_that_is_started_over_has_no_rule_of_its_own(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": runs("echo one")}) as r:
        await r.approve("a", ECHO)
        await r.until(lambda: r.state("a") == "done")
        r.engine.send(c.Retry("a"))
        await r.approve("a")
        await r.engine.wait_idle()
        assert [call.rule for call in cards(r, "a")] == [None, None]


async def test_a_rule_for_a_folder_ends_where_a_link_leads_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "link").symlink_to("../Makefile")
    rule = ApprovalRule("write_file", "folder", str(tmp_path / "src"))
    paths = ("src/a", "src/deep/../b", "src/link", "src/../c")
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": writes(*paths)}) as r:
        await r.approve("a", rule)
        await deny(r, "a", 2)
        await deny(r, "a", 3)
        await r.engine.wait_idle()
        asked = [event.path for event in r.events("a", e.ApprovalRequested)]
        assert asked == [str(tmp_path / name) for name in ("src/a", "Makefile", "c")]
        written = await asyncio.to_thread(lambda: sorted(p.name for p in tmp_path.rglob("[abcM]*")))
        assert written == ["a", "b"]


async def test_a_rule_does_not_allow_what_the_tickets_file_denies(tmp_path: Path) -> None:
    tickets = [
        ticket("a", tmp_path, approve={"run_command": "ask"}),
        ticket("b", tmp_path, approve={"run_command": "deny"}, needs=["a"]),
    ]
    scenarios = {"a": runs("echo one"), "b": runs("echo one")}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.approve("a", ApprovalRule("run_command", "tool", scope="run"))
        await r.engine.wait_idle()
        assert cards(r, "b")[0].error == "denied"
