"""Words that come at the wrong time: the person's within a turn, the agent's after it."""

from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.providers.acp import stream
from tests.acp.agent import Json, Script, Steps
from tests.acp.scripts import MISBEHAVIOUR, ended, scripted, update
from tests.engine.acp import calls, notes, prompts, text, working

STEERS: Json = {"_meta": {"steering": {"supported": True}}}
STALE: Json = {"outcome": "promptRequired", "reason": "noRunningTurn"}


@pytest.mark.parametrize(
    "script",
    [
        {},
        {"initialize": STEERS, "refuses": {"_session/steering": {"code": -32603, "message": "no"}}},
        {"initialize": STEERS, "answers": {"_session/steering": STALE}},
        {"initialize": STEERS, "ignores": ["_session/steering"]},
    ],
)
async def test_a_message_that_a_turn_does_not_take_goes_with_the_next_prompt(
    tmp_path: Path, script: Script
) -> None:
    turns: list[Steps] = [[{"text": "One. "}, {"wait": {"file": "go"}}], [{"text": "Two."}]]
    script["turns"] = turns
    agent = scripted(tmp_path, **script)
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", "Be brief."))
        if "initialize" not in script or "ignores" in script:
            await r.until(lambda: r.events("a", e.UserMessage)[1:])
        else:
            await r.until(lambda: any("message" in note for note in notes(r)))
        (tmp_path / "go").touch()
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "One. Two.")
        assert prompts(agent) == ["Do a.", "Be brief."]
        assert not r.events("a", e.MessageTaken)


async def test_a_message_that_a_turn_takes_is_sent_once(tmp_path: Path) -> None:
    turn: Steps = [{"text": "One. "}, {"wait": {"method": "_session/steering"}}]
    turn.append({"text": "{steered}"})
    agent = scripted(tmp_path, initialize=STEERS, turns=[turn])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", "Be brief."))
        await r.engine.wait_idle()
        assert (r.state("a"), text(r), prompts(agent)) == ("done", "One. Be brief.", ["Do a."])


async def test_what_an_agent_says_after_a_turn_is_shown_in_the_next(tmp_path: Path) -> None:
    call: Json = {"toolCallId": "x", "title": "Test it", "status": "in_progress"}
    late: Steps = [ended("x", "ok"), {"text": "One more thing. "}]
    turns: list[Steps] = [
        [{"text": "One."}, update("tool_call", **call), {"stop": "end_turn"}, *late],
        [{"text": "Two."}],
    ]
    agent = scripted(tmp_path, turns=turns)
    async with working(tmp_path, agent) as r:
        await r.engine.wait_idle()
        r.engine.send(c.Tell("a", "And?"))
        await r.until(lambda: len(r.attempts("a")) == 2)
        await r.engine.wait_idle()
        assert (r.state("a"), len(prompts(agent))) == ("done", 2)
        assert (r.attempts("a")[0].text + text(r)) == "One.One more thing. Two."
        assert not [call for call in calls(r) if call.state not in ("finished", "stopped")]
        assert "bug" not in repr(r.attempts("a"))


@pytest.mark.parametrize("what", ["ignores cancel", "ignores everything"])
async def test_an_agent_that_cannot_be_stopped_is_ended_and_goes_on_anew(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CANCEL_GRACE", 0.1)
    agent = scripted(tmp_path, **MISBEHAVIOUR[what])
    async with working(tmp_path, agent) as r:
        await r.until_event("a", e.TextDelta)
        scripted(tmp_path, turns=[[{"text": "Two."}]])
        r.engine.send(c.Tell("a", "Be brief.", stops=True))
        await r.engine.wait_idle()
        assert (r.state("a"), text(r)) == ("done", "Hello.Two.")
        assert prompts(agent)[-1] == "Be brief."
        assert len(agent.received("session/new")) == 1 and len(agent.log("started")) == 2
