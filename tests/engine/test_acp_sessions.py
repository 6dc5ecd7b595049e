"""The sessions of an agent: turns that are stopped, broken off or resumed, and what they cost."""

import os
from pathlib import Path
from typing import cast

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.run_limits import AtLimit, RunLimits
from lfgtui.providers.acp import pool
from tests.acp.agent import Json, Steps
from tests.acp.scripts import MISBEHAVIOUR, ended, scripted, shell, update
from tests.engine.acp import calls, mine, prompts, text, working
from tests.engine.harness import says, scenario

WAITS: Steps = [{"text": "One"}, {"wait": {}}]
TWO: Steps = [{"text": "Two."}]
USD = "USD"


def costs(amount: float) -> Json:
    return update("usage_update", used=10, size=1000, cost={"amount": amount, "currency": USD})


def dies(*steps: Json) -> Steps:
    return [*steps, {"stderr": "panic\n"}, {"exit": 1}]


async def test_a_turn_that_is_cancelled_goes_on_in_the_same_session(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[WAITS, TWO])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"
        r.engine.send(c.Tell("a", "Go on."))
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "Two.")
        assert len(agent.received("session/new")) == len(agent.log("started")) == 1
        assert prompts(agent)[1].endswith("Go on.")


async def test_a_turn_that_is_stopped_goes_on_with_what_the_person_said(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[WAITS, TWO])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", "Rather two.", stops=True))
        await r.engine.wait_idle()
        assert (r.state("a"), text(r), prompts(agent)) == (
            "done", "OneTwo.", ["Do a.", "Rather two."],
        )  # fmt: skip
        assert len(agent.received("session/new")) == len(agent.log("started")) == 1


async def test_one_that_starts_over_has_another_session(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[WAITS])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Restart("a", "Do b."))
        await r.until(lambda: len(r.events("a", e.TextDelta)) == 2)
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        assert prompts(agent) == ["Do a.", "Do b."]
        assert len(agent.received("session/new")) == 2


async def test_one_that_is_retried_has_another_session(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[TWO])
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        r.engine.send(c.Retry("a"))
        await r.until(lambda: len(r.attempts("a")) == 2)
        await r.engine.wait_idle()
        assert prompts(agent) == ["Do a."] * 2 and text(r) == "Two."
        assert len(agent.received("session/new")) == 2


async def test_a_follow_up_goes_to_the_same_process(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "One."}], TWO])
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        r.engine.send(c.Tell("a", "And?"))
        await r.until(lambda: len(r.attempts("a")) == 2)
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "Two.")
        assert prompts(agent) == ["Do a.", "And?"]
        assert len(agent.log("started")) == len(agent.received("session/new")) == 1


@pytest.mark.parametrize("dies", [True, False])
async def test_a_follow_up_resumes_the_session_of_a_process_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    """One that has died may be noticed as late as by the prompt, which it never got then."""
    monkeypatch.setattr(pool, "LINGER", 60.0 if dies else 0.0)
    exits: Steps = [{"stop": "end_turn"}, {"exit": 0}] if dies else []
    agent = scripted(tmp_path, turns=[[{"text": "One."}, *exits]])
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        scripted(tmp_path, turns=[TWO])
        r.engine.send(c.Tell("a", "And?"))
        await r.until(lambda: len(r.attempts("a")) >= 2)
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "Two.")
        assert prompts(agent)[-1].endswith("And?")
        assert len(agent.log("started")) == 2 and len(agent.received("session/new")) == 1


async def test_a_pause_begins_after_the_response(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "One."}, {"wait": {"file": "go"}}], TWO])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Pause("a"))
        r.engine.send(c.Tell("a", "And?"))
        (tmp_path / "go").touch()
        await r.resume_when_paused("a")
        assert (r.state("a"), text(r)) == ("done", "One.Two.")


async def test_a_retry_goes_on_in_the_session_and_shows_nothing_twice(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[dies(*shell("echo ran"), {"text": "Half. "})])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.Retrying)
        scripted(tmp_path, turns=[[{"text": "Rest."}]])
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "Rest.")
        assert r.attempts("a")[0].text == "Half. "
        assert [call.output for call in calls(r)] == ["ran\n"]
        assert len(agent.received("session/new")) == 1
        assert prompts(agent)[-1].startswith("You were interrupted")
        assert prompts(agent)[-1].endswith("Do a.")


async def test_an_agent_that_always_dies_is_given_up(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[dies({"text": "Half. "})])
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        ending = r.engine.transcript("a").ending
        assert isinstance(ending, e.TicketFailed)
        assert (ending.kind, ending.message) == ("cut", "the agent ended (exit code 1): panic")
        assert len(r.attempts("a")) == 3


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("exits at once", "the agent ended (exit code 3): agent: no licence was found"),
        ("wants a login", "mine is not signed in"),
        (
            "has a newer protocol",
            "mine speaks version 2 of the Agent Client Protocol, lfg version 1",
        ),
    ],
)
async def test_no_retry_for_an_agent_that(what: str, message: str, tmp_path: Path) -> None:
    agent = scripted(tmp_path, **MISBEHAVIOUR[what])
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        ending = r.engine.transcript("a").ending
        assert isinstance(ending, e.TicketFailed) and ending.message == message
        assert len(r.attempts("a")) == 1


async def test_a_turn_that_the_agent_cancels_after_a_refusal_is_over(tmp_path: Path) -> None:
    asks: Json = {"ask": {"toolCall": {"toolCallId": "x", "title": "Deploy it", "kind": "execute"}}}
    agent = scripted(tmp_path, turns=[[asks, {"stop": "cancelled"}], TWO])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.ApprovalRequested)
        (call,) = r.engine.transcript("a").calls.waiting
        r.engine.send(c.Deny("a", call.call_id))
        await r.engine.wait_idle()
        assert len(prompts(agent)) == 1 and r.state("a") == "cancelled"
        run = r.engine.run
    scripted(tmp_path, turns=[TWO])
    async with working(tmp_path, agent, resumes=run) as r:
        await r.engine.wait_idle()
        assert (r.state("a"), text(r), prompts(agent)[1:]) == ("done", "Two.", ["Go on."])


async def test_a_turn_is_charged_with_its_part_of_the_sum(tmp_path: Path) -> None:
    turns: list[Steps] = [[costs(0.25), {"text": "One."}], [costs(0.75), {"text": "Two."}]]
    agent = scripted(tmp_path, turns=turns)
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        r.engine.send(c.Tell("a", "And?"))
        await r.until(lambda: len(r.attempts("a")) == 2)
        await r.engine.wait_idle()
        assert [attempt.usage.cost for attempt in r.attempts("a")] == [0.25, 0.5]


@pytest.mark.parametrize(("then", "rest"), [(1.0, 0.75), (0.1, 0.1)])
async def test_a_turn_that_breaks_off_has_cost_something(
    tmp_path: Path, then: float, rest: float
) -> None:
    """Some count on in a new process, some begin with nothing again."""
    agent = scripted(tmp_path, turns=[dies(costs(0.25), {"text": "One."})])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.Retrying)
        scripted(tmp_path, turns=[[costs(then), {"text": "Two."}]])
        await r.engine.wait_idle()
        assert [attempt.usage.cost for attempt in r.attempts("a")] == [0.25, rest]
        assert r.engine.transcript("a").cost_since_start == 0.25 + rest


async def test_an_agent_that_spends_too_much_is_stopped_within_its_turn(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[costs(0.25), {"text": "One."}, {"wait": {}}]])
    async with working(tmp_path, agent, [mine(tmp_path, max_cost=0.2)]) as r:
        await r.engine.wait_idle()
        assert r.engine.transcript("a").ending == e.TicketLimited("cost")
        assert r.engine.transcript("a").cost_since_start == 0.25
        assert len(agent.received("session/cancel")) == 1


@pytest.mark.parametrize("at_limit", ["stop", "hold"])
async def test_a_limit_of_the_run_stops_an_agent_within_its_turn(
    tmp_path: Path, at_limit: AtLimit
) -> None:
    agent = scripted(tmp_path, turns=[[costs(0.25), {"text": "One."}, {"wait": {}}], TWO])
    limits = RunLimits(max_run_cost=0.2, at_limit=at_limit)
    async with working(tmp_path, agent, run_limits=limits) as r:
        if at_limit == "hold":
            await r.until(lambda: r.state("a") == "paused")
            r.engine.send(c.SetRunLimits(RunLimits(max_run_cost=1.0)))
        await r.engine.wait_idle()
        assert r.state("a") == ("limit" if at_limit == "stop" else "done")
        assert len(agent.received("session/cancel")) == 1


async def test_a_turn_that_ends_with_its_cost_is_done(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "One."}, costs(0.25)]])
    async with working(tmp_path, agent, [mine(tmp_path, max_cost=0.2)]) as r:
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_tokens_are_estimated_where_the_agent_tells_the_cost_alone(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[costs(0.25), {"text": "word " * 100}]])
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        tokens, is_estimated = r.attempts("a")[-1].tokens.total
        assert tokens > 50 and is_estimated
        assert r.attempts("a")[-1].usage.cost == 0.25


async def test_a_model_goes_on_where_an_agent_failed(tmp_path: Path) -> None:
    agent = scripted(tmp_path, **MISBEHAVIOUR["exits at once"])
    asked = [mine(tmp_path, fallback=["chat/next"])]
    async with working(tmp_path, agent, asked, scenarios={"next": says("From a model.")}) as r:
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "From a model.")
        scripted(tmp_path, turns=[TWO])
        r.engine.send(c.Tell("a", "And?"))
        await r.until(lambda: len(r.attempts("a")) == 3)
        await r.engine.wait_idle()
        assert "<assistant>\nFrom a model." in prompts(agent)[-1]
        assert prompts(agent)[-1].endswith("And?")


async def test_an_agent_hears_what_a_model_did_in_its_stead(tmp_path: Path) -> None:
    """It broke off, a model answered, and the next message goes to the agent's own session."""
    agent = scripted(tmp_path, turns=[dies({"text": "Half. "})])
    asked = [mine(tmp_path, fallback=["chat/next"])]
    async with working(tmp_path, agent, asked, scenarios={"next": says("From a model.")}) as r:
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "From a model.")
        scripted(tmp_path, turns=[TWO])
        before = len(r.attempts("a"))
        r.engine.send(c.Tell("a", "And?"))
        await r.until(lambda: len(r.attempts("a")) == before + 1)
        await r.engine.wait_idle()
        assert len(agent.received("session/new")) == 1 and text(r) == "Two."
        prompt = prompts(agent)[-1]
        assert "From a model." in prompt and prompt.endswith("And?")
        assert not prompt.startswith("You were interrupted")


async def test_an_agent_goes_on_where_a_model_failed(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[TWO])
    call = {"name": "run_command", "arguments": {"command": "echo from-the-tool"}}
    model = scenario(
        turn=[{"text": "Let me see.", "call": [call]}, {"fault": [{"status": 500, "times": 99}]}]
    )
    asked = [
        mine(tmp_path, provider="chat", model="a", fallback=["mine"], tools=["run_command"],
             approve="auto")
    ]  # fmt: skip
    async with working(tmp_path, agent, asked, scenarios={"a": model}) as r:
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "Two.")
        (prompt,) = prompts(agent)
        assert "<user>\nDo a.\n</user>" in prompt and "from-the-tool" in prompt


async def test_an_answer_is_handed_on(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "You said: {prompt}"}]])
    tickets = [mine(tmp_path), mine(tmp_path, "b", needs=["a"])]
    async with working(tmp_path, agent, tickets) as r:
        await r.engine.wait_idle()
        assert '<answer ticket="a">\nYou said: Do a.' in text(r, "b")


async def test_a_long_call_is_no_stall_and_a_silent_agent_is(tmp_path: Path) -> None:
    """Some agents say of a call only that it is pending, until it has ended."""
    call: Json = {"toolCallId": "x", "title": "Test it", "status": "pending",
                  "rawInput": {"command": "make test"}}  # fmt: skip
    takes_long: Json = {"shell": "sleep 1; touch end", "background": True}
    turn: Steps = [{"text": "Hm. "}, update("tool_call", **call), {"command": takes_long},
                   {"wait": {"file": "end"}}, ended("x", "ok"), {"text": "Done."},
                   {"wait": {}}]  # fmt: skip
    agent = scripted(tmp_path, turns=[turn])
    async with working(tmp_path, agent, [mine(tmp_path, idle_timeout=0.3)]) as r:
        stalled = await r.until_event("a", e.Retrying)
        assert stalled.kind == "timeout" and text(r) == "Hm. Done."
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()


async def test_no_process_is_left(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[*shell("sleep 600 & sleep 600")]])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.ToolCallRequested)
    for pid in cast(list[int], [*agent.log("started"), *agent.log("child")]):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
