"""Guards on what an installed agent says and does in its own process."""

from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.guards import Guard
from tests.acp.agent import Json, Steps
from tests.acp.scripts import scripted, update
from tests.engine.acp import prompts, working
from tests.text.secrets import GITHUB

PUSH = Guard("no-force", match=r"git\s+push\s.*--force", action="pause")
CALL: Json = {"toolCallId": "x", "title": "Push", "kind": "execute", "status": "in_progress"}
DIFF: Json = {"type": "diff", "path": "/w/x", "oldText": "", "newText": "git push --force\n"}


@pytest.mark.parametrize(
    ("step", "where"),
    [
        ({"text": "I shall git push --force, I think. "}, "the answer"),
        (update("tool_call", **CALL, rawInput={"command": "git push --force"}), "the arguments of"),
        (update("tool_call", **CALL, content=[DIFF]), "the arguments of"),
    ],
)
async def test_its_turn_is_cancelled_and_it_hears_why(
    tmp_path: Path, step: Json, where: str
) -> None:
    turns: list[Steps] = [[step, {"wait": {"method": "session/cancel"}}], [{"text": "Fine."}]]
    agent = scripted(tmp_path, turns=turns)
    async with working(tmp_path, agent, guards=(PUSH,)) as r:
        await r.until_event("a", e.Paused)
        assert len(agent.received("session/cancel")) == 1
        r.engine.send(c.Resume("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        (event,) = r.events("a", e.GuardTripped)
        assert event.message.startswith(f'"git push --force" in {where}')
        assert prompts(agent)[1].startswith('lfg stopped this: its guard "no-force" saw "git push')


async def test_what_is_redacted_of_it_is_nowhere(tmp_path: Path) -> None:
    call = update("tool_call", **CALL, rawInput={"command": f"echo {GITHUB}"})
    diff: Json = {**DIFF, "newText": f"T={GITHUB}\n"}
    printed = update("tool_call_update", toolCallId="x", status="completed", content=[diff])
    agent = scripted(tmp_path, turns=[[{"text": f"It is {GITHUB}. "}, call, printed]])
    redact = Guard("secrets", action="redact")
    async with working(tmp_path, agent, guards=(redact,)) as r:
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert GITHUB not in repr(r.seen)
        assert "It is [redacted: github token]. " in [x.text for x in r.events("a", e.TextDelta)]
