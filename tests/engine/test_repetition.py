"""A ticket that goes in circles asks, whatever its tools may do by themselves."""

from collections.abc import Mapping
from pathlib import Path

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.simulator.scenario import Scenario
from tests.acp.scripts import scripted, shell
from tests.engine.acp import mine, working
from tests.engine.harness import finished, room, scenario, ticket


def again(call: Mapping[str, object], times: int) -> Scenario:
    turns = [{"text": "Now.", "call": [call]} for _ in range(times)]
    return scenario(turn=[*turns, {"text": "Done."}])


def lists(times: int) -> Scenario:
    return again({"name": "list_files", "arguments": {}}, times)


async def test_the_third_call_waits_for_the_person(tmp_path: Path) -> None:
    own, models = ticket("loop", tmp_path, approve="auto"), {"loop": lists(3)}
    async with room(tmp_path, [own], scenarios=models) as opened:
        asked = await opened.until_event("loop", e.ApprovalRequested)
        assert len(opened.events("loop", e.ToolCallFinished)) == 2
        assert "third identical call of list_files" in str(asked.reason)
        assert opened.events("loop", e.GuardTripped) == [
            e.GuardTripped("repetition", str(asked.reason))
        ]
        opened.engine.send(c.Deny("loop", asked.call_id))
        await opened.engine.wait_idle()
        assert opened.state("loop") == "done"
        third = opened.events("loop", e.ToolCallFinished)[2]
        assert third.error == "denied" and "do something else" in third.output


async def test_one_that_is_allowed_goes_on(tmp_path: Path) -> None:
    own, models = ticket("loop", tmp_path), {"loop": lists(5)}
    async with room(tmp_path, [own], scenarios=models) as opened:
        await opened.approve("loop")
        await opened.engine.wait_idle()
        assert opened.state("loop") == "done"  # the count begins anew
        assert all(one.error is None for one in opened.events("loop", e.ToolCallFinished))


async def test_without_a_screen_it_is_blocked_and_a_resume_asks(tmp_path: Path) -> None:
    own, models = ticket("loop", tmp_path, approve="auto"), {"loop": lists(4)}
    async with finished(tmp_path, [own], scenarios=models, headless=True) as opened:
        (blocked,) = opened.events("loop", e.TicketBlocked)
        assert "third identical call" in blocked.reason and "no screen to ask on" in blocked.reason
        run = opened.engine.run
    async with room(tmp_path, [own], scenarios=models, resumes=run) as opened:
        await opened.approve("loop")
        await opened.engine.wait_idle()
        assert opened.state("loop") == "done"


async def test_an_edit_that_fails_each_time_is_a_circle(tmp_path: Path) -> None:
    edit = {"path": "a", "old": "x", "new": "y"}
    call = {"name": "edit_file", "arguments": edit}
    models = {"loop": again(call, 3)}
    own = ticket("loop", tmp_path, approve="auto")
    async with room(tmp_path, [own], scenarios=models) as opened:
        asked = await opened.until_event("loop", e.ApprovalRequested)
        assert "would fail" in asked.summary
        opened.engine.send(c.Deny("loop", asked.call_id, "stop it"))
        await opened.engine.wait_idle()


async def test_a_command_whose_output_differs_is_none(tmp_path: Path) -> None:
    call = {"name": "run_command", "arguments": {"command": "wc -c < log; echo x >> log"}}
    models = {"loop": again(call, 4)}
    tmp_path.joinpath("log").write_text("")
    own = ticket("loop", tmp_path, approve="auto")
    async with finished(tmp_path, [own], scenarios=models) as opened:
        assert opened.state("loop") == "done"
        assert not opened.events("loop", e.GuardTripped)


async def test_an_agent_that_repeats_a_call_is_flagged(tmp_path: Path) -> None:
    steps = [step for n in range(4) for step in shell("echo same", call_id=f"run-{n}")]
    agent = scripted(tmp_path, turns=[[*steps, {"text": "Done."}]])
    async with working(tmp_path, agent) as opened:
        await opened.engine.wait_idle()
        (flagged,) = opened.events("a", e.GuardTripped)
        assert (flagged.guard, flagged.action) == ("repetition", "flag")
        assert opened.engine.transcript("a").guard_at is not None  # the inbox has it


async def test_a_ticket_that_waits_for_something_may_repeat_its_calls(tmp_path: Path) -> None:
    own = ticket("loop", tmp_path, approve="auto", repetition="off")
    async with finished(tmp_path, [own], scenarios={"loop": lists(9)}) as opened:
        assert opened.state("loop") == "done"
        assert len(opened.events("loop", e.ToolCallFinished)) == 9
        assert not opened.events("loop", e.GuardTripped)


async def test_an_agent_that_waits_for_something_is_not_flagged(tmp_path: Path) -> None:
    steps = [step for n in range(4) for step in shell("echo same", call_id=f"run-{n}")]
    agent = scripted(tmp_path, turns=[[*steps, {"text": "Done."}]])
    async with working(tmp_path, agent, [mine(tmp_path, repetition="off")]) as opened:
        await opened.engine.wait_idle()
        assert not opened.events("a", e.GuardTripped)
