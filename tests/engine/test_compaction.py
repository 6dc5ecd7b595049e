"""Old tool output leaves the requests when the context is full, on every wire."""

from pathlib import Path
from typing import Any

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import ToolResult, UserTurn
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import WIRES, Room, finished, room, scenario, ticket

WINDOW = 7500
FILES = 14


def reads(workspace: Path, window: int | None = None) -> Scenario:
    """A model that reads one file after the other, each about four hundred tokens."""
    turns = []
    for number in range(FILES):
        workspace.joinpath(f"{number}.txt").write_text(f"{number % 10} words\n" * 200)
        call = {"name": "read_file", "arguments": {"path": f"{number}.txt"}}
        turns.append({"text": f"File {number}.", "reasoning": "Next.", "call": [call]})
    return scenario(turn=[*turns, {"text": "All read."}], context_window=window)


def reader(workspace: Path, **keys: object) -> Ticket:
    return ticket("reads", workspace, **{"reasoning": "low", "max_output_tokens": 600, **keys})


def results(opened: Room) -> list[str]:
    messages = opened.engine.transcript("reads").conversation.messages
    return [message.output for message in messages if isinstance(message, ToolResult)]


def left_out(opened: Room) -> list[bool]:
    return [output.startswith("[output left out") for output in results(opened)]


def replayed(opened: Room) -> Transcript:
    """The fold of what is stored, as a process that resumes makes it."""
    again = Transcript(opened.engine.transcript("reads").workspace)
    for entry in opened.seen:
        again.apply(entry)
    return again


@pytest.mark.parametrize("wire", WIRES)
async def test_the_oldest_output_leaves_before_the_window_is_full(
    tmp_path: Path, wire: str
) -> None:
    models = {"reads": reads(tmp_path, WINDOW)}  # the server would refuse what is longer
    mine = reader(tmp_path, provider=wire)
    how: dict[str, Any] = {"scenarios": models, "context_window": WINDOW}
    async with finished(tmp_path, [mine], **how) as opened:
        assert opened.state("reads") == "done"
        gone = left_out(opened)
        assert gone[0] and not any(gone[-3:]) and gone == sorted(gone, reverse=True)
        told = opened.events("reads", e.ContextCompacted)
        assert 1 <= len(told) <= 2 and sum(len(one.calls) for one in told) == sum(gone)
        assert "characters of read_file; run it again if needed]" in results(opened)[0]
        messages = opened.engine.transcript("reads").conversation.messages
        assert replayed(opened).conversation.messages == messages
        assert len(opened.events("reads", e.RequestSent)) == FILES + 1  # none was refused


@pytest.mark.parametrize("wire", WIRES)
async def test_what_a_server_refuses_is_sent_once_more_without_old_output(
    tmp_path: Path, wire: str
) -> None:
    models = {"reads": reads(tmp_path, WINDOW)}
    async with finished(tmp_path, [reader(tmp_path, provider=wire)], scenarios=models) as opened:
        assert opened.state("reads") == "done"
        assert left_out(opened)[0] and not left_out(opened)[-1]
        refused = len(opened.events("reads", e.ContextCompacted))
        assert len(opened.events("reads", e.RequestSent)) == FILES + 1 + refused
        assert len(opened.attempts("reads")) == 1


async def test_off_leaves_it_to_the_server(tmp_path: Path) -> None:
    mine, models = reader(tmp_path, compact="off"), {"reads": reads(tmp_path, WINDOW)}
    how: dict[str, Any] = {"scenarios": models, "context_window": WINDOW}
    async with finished(tmp_path, [mine], **how) as opened:
        assert not opened.events("reads", e.ContextCompacted)
        (failed,) = opened.events("reads", e.TicketFailed)
        assert failed.kind == "context_overflow"


async def test_a_person_who_is_asked_may_allow_it_or_not(tmp_path: Path) -> None:
    mine, models = reader(tmp_path, compact="ask"), {"reads": reads(tmp_path)}
    how: dict[str, Any] = {"scenarios": models, "context_window": 5500}
    async with room(tmp_path, [mine], **how) as opened:
        asked = await opened.until_event("reads", e.ApprovalRequested)
        assert asked.name == "compact_context" and "of the context" in str(asked.reason)
        await opened.approve("reads")
        await opened.until_event("reads", e.ContextCompacted)
        await opened.until(lambda: len(opened.events("reads", e.ApprovalRequested)) > 1)
        ((call,),) = [opened.engine.transcript("reads").calls.waiting]
        opened.engine.send(c.Deny("reads", call.call_id))
        await opened.engine.wait_idle()
        assert opened.state("reads") == "done"
        assert len(opened.events("reads", e.ContextCompacted)) == 1
        assert len(opened.events("reads", e.ApprovalRequested)) == 2  # not with each request
        assert len(results(opened)) == FILES
        replay = replayed(opened)
        assert (
            replay.conversation.messages == opened.engine.transcript("reads").conversation.messages
        )


async def test_without_a_screen_nobody_can_allow_it(tmp_path: Path) -> None:
    mine, models = reader(tmp_path, compact="ask"), {"reads": reads(tmp_path)}
    how: dict[str, Any] = {"scenarios": models, "context_window": WINDOW, "headless": True}
    async with finished(tmp_path, [mine], **how) as opened:
        (blocked,) = opened.events("reads", e.TicketBlocked)
        assert "needs approval, but this run has no screen" in blocked.reason
        run = opened.engine.run
    how = {"scenarios": models, "context_window": WINDOW, "resumes": run}
    async with room(tmp_path, [mine], **how) as opened:
        await opened.approve("reads")
        await opened.until_event("reads", e.ContextCompacted)


async def test_a_context_that_is_soon_full_is_remarked_on_once(tmp_path: Path) -> None:
    mine, models = reader(tmp_path, compact="off"), {"reads": reads(tmp_path)}
    how: dict[str, Any] = {"scenarios": models, "context_window": 10_000}
    async with finished(tmp_path, [mine], **how) as opened:
        (remark,) = opened.events("reads", e.GuardTripped)
        assert remark.guard == "context" and "of 10.0k tokens" in remark.message
        assert (opened.attempts("reads")[0].context_share or 0) > 0.8
        assert (replayed(opened).attempts[0].context_share or 0) > 0.8


@pytest.mark.parametrize(("asked", "remarks"), [(5000, 1), (900, 0)])
async def test_no_ticket_exceeds_the_configs_bound_on_output(
    tmp_path: Path, asked: int, remarks: int
) -> None:
    mine = ticket("short", tmp_path, max_output_tokens=asked)
    models = {"short": scenario(turn=[{"text": "word " * 3000}])}
    how: dict[str, Any] = {"scenarios": models, "max_output_tokens": 1000}
    async with finished(tmp_path, [mine], **how) as opened:
        assert opened.state("short") == "limit"
        assert opened.attempts("short")[0].usage.output <= min(asked, 1000)
        bounded = [s for s in opened.events("short", e.Status) if "by the config" in s.message]
        assert len(bounded) == remarks


async def test_who_says_something_instead_is_asked_again_behind_it(tmp_path: Path) -> None:
    mine, models = reader(tmp_path, compact="ask"), {"reads": reads(tmp_path)}
    how: dict[str, Any] = {"scenarios": models, "context_window": WINDOW}
    async with room(tmp_path, [mine], **how) as opened:
        await opened.until_event("reads", e.ApprovalRequested)
        opened.engine.send(c.Tell("reads", "Only the even ones.", stops=True))
        await opened.until(lambda: len(opened.events("reads", e.ApprovalRequested)) > 1)
        (call,) = opened.engine.transcript("reads").calls.waiting
        opened.engine.send(c.Approve("reads", call.call_id))
        await opened.engine.wait_idle()
        assert opened.state("reads") == "done"
        messages = opened.engine.transcript("reads").conversation.messages
        assert UserTurn("Only the even ones.", is_said=True) in messages
        assert len(opened.events("reads", e.ContextCompacted)) == 1
