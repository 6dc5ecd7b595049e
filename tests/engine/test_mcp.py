"""A ticket with an MCP server: offered, asked about, called, replayed, ended."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.settings.mcp import McpServer
from tests.engine.harness import calls, finished, room, scenario, ticket
from tests.helpers.leash import Leash
from tests.mcp import scripted

pytest.importorskip("mcp")

ECHO = "mcp__s__echo"


def servers(*behaviours: str) -> Mapping[str, McpServer]:
    return {"s": McpServer(command=(sys.executable, "-I", scripted.__file__, *behaviours))}


def items(events: list[e.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_tool_of_a_server_is_asked_about_and_called(tmp_path: Path) -> None:
    leash = Leash(tmp_path / "leash")
    a = ticket("a", tmp_path, mcp=["s"], tools=[])
    scripts = {"a": calls(ECHO, {"text": "hi"})}
    async with room(tmp_path, [a], scenarios=scripts, mcp=servers("starts a daemon")) as opened:
        question = await opened.until_event("a", e.ApprovalRequested)
        assert question.summary == "s: echo 1 line" and question.definition
        await opened.approve("a")
        await opened.engine.wait_idle()
        assert opened.state("a") == "done"
        (call,) = opened.attempts("a")[0].tools
        assert (call.name, call.output, call.error) == (ECHO, "You said hi.", None)
        assert [event.message for event in opened.events("a", e.Status)] == [
            "connecting to the MCP server s"
        ]
        stored = [entry.event for entry in await asyncio.to_thread(opened.stored, "a")]
        assert items(stored) == items(opened.events("a"))
        await asyncio.to_thread(leash.wait_until_free)  # with the work, not with the run


async def test_a_rule_holds_for_a_tool_as_it_was_described(tmp_path: Path) -> None:
    a, b = (ticket(name, tmp_path, mcp=["s"], tools=[]) for name in "ab")
    again = [{"call": [{"name": ECHO, "arguments": {"text": str(n)}}]} for n in range(2)]
    scripts = {"a": scenario(turn=[*again, {"text": "Done."}]), "b": calls(ECHO, {"text": "b"})}
    b = ticket("b", tmp_path, mcp=["s"], tools=[], needs=["a"])
    async with room(tmp_path, [a, b], scenarios=scripts, mcp=servers()) as opened:
        question = await opened.until_event("a", e.ApprovalRequested)
        assert isinstance(question.definition, str)
        rule = ApprovalRule(ECHO, "tool", question.definition, "run")
        assert rule.description == f"every {ECHO}, as its server describes it now"
        await opened.approve("a", rule)
        await opened.until_event("a", e.TicketDone)
        (tmp_path / "changed").touch()  # before b's server says what it has
        await opened.until_event("b", e.ApprovalRequested)
        opened.engine.send(c.Deny("b", opened.engine.transcript("b").calls.waiting[0].call_id))
        await opened.engine.wait_idle()
    assert len(opened.events("a", e.ApprovalRequested)) == 1
    assert not [event for event in opened.events("b", e.ApprovalGiven) if event.rule]


async def test_tools_run_unasked_where_the_ticket_says_so(tmp_path: Path) -> None:
    a = ticket("a", tmp_path, mcp=["s"], tools=[], approve={"mcp__s": "auto", ECHO: "deny"})
    turns = [{"call": [{"name": name, "arguments": {}}]} for name in (ECHO, "mcp__s__change")]
    scripts = {"a": scenario(turn=[*turns, {"text": "Done."}])}
    async with finished(tmp_path, [a], scenarios=scripts, mcp=servers(), headless=True) as opened:
        outputs = [call.output for call in opened.attempts("a")[0].tools]
    changed = "s has changed its tool echo since it was first shown; lfg no longer calls it"
    assert outputs == ["denied: the tickets file denies this tool", "changed"]
    assert [event.message for event in opened.events("a", e.GuardTripped)] == [changed]


async def test_a_ticket_whose_server_cannot_be_had_fails(tmp_path: Path) -> None:
    a = ticket("a", tmp_path, mcp=["s"])
    async with finished(tmp_path, [a], mcp=servers("ends at once")) as opened:
        (failed,) = opened.events("a", e.TicketFailed)
    assert failed.message.startswith("the MCP server s cannot be used: it has ended (exit code 3)")
    assert failed.kind == "invalid_request"
    assert not opened.events("a", e.RequestSent)


async def test_a_cancelled_ticket_takes_its_server_along(tmp_path: Path) -> None:
    leash = Leash(tmp_path / "leash")
    a = ticket("a", tmp_path, mcp=["s"], tools=[], approve="auto")
    scripts = {"a": calls("mcp__s__slow", {})}
    async with room(tmp_path, [a], scenarios=scripts, mcp=servers("starts a daemon")) as opened:
        printed = await opened.until_event("a", e.ToolOutputDelta)
        assert printed.text.startswith("0 of 3: \\e[2Jstep")
        opened.engine.send(c.Cancel("a"))
        await opened.engine.wait_idle()
        await asyncio.to_thread(leash.wait_until_free)
        assert (tmp_path / "cancelled").exists()
        (item,) = opened.attempts("a")[0].tools
        assert item.state == "stopped"
