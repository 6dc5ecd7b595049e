"""`redact = "write"`: secrets reach tools, and neither the history, the screen nor a model."""

import asyncio
from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.model.event_json import entry_json
from lfgtui.text.redactor import Redactor
from tests.engine.harness import calls, finished, room, says, ticket
from tests.text.secrets import GITHUB, drawn

MARK = "[redacted: github token]"


def as_json(entries: list[e.Entry]) -> str:
    return "\n".join(map(entry_json, entries))


async def test_a_tool_gets_what_was_asked_for_and_the_history_does_not(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, approve="auto", prompt=f"Keep {GITHUB}")
    story = calls("write_file", {"path": "env", "content": f"T={GITHUB}\n"})
    async with finished(
        tmp_path, [mine], scenarios={"a": story}, redactor=Redactor(), headless=True
    ) as opened:
        assert opened.state("a") == "done"
        stored, seen = await asyncio.to_thread(opened.stored, "a"), opened.seen
    assert (tmp_path / "env").read_text() == f"T={GITHUB}\n"
    assert GITHUB not in as_json(stored)
    assert stored == seen
    assert [call.arguments for call in opened.events("a", e.ToolCallRequested)] == [
        {"path": "env", "content": f"T={MARK}\n"}
    ]
    assert e.UserMessage(f"Keep {MARK}") in opened.events("a")


async def test_what_a_tool_prints_does_not_go_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"T={GITHUB}\n")
    mine = ticket("a", tmp_path, approve="auto")
    story = calls("run_command", {"command": "cat env"})
    async with finished(
        tmp_path, [mine], scenarios={"a": story}, redactor=Redactor(), headless=True
    ) as opened:
        told = opened.engine.transcript("a").conversation.messages
    assert GITHUB not in repr(told)
    assert MARK in repr(told)
    assert GITHUB not in as_json(opened.seen)


KEY = drawn(20)


@pytest.mark.parametrize(
    ("secret", "mark"), [(GITHUB, MARK), (KEY, "[redacted: key in use]")], ids=("token", "key")
)
async def test_an_answer_is_whole_but_for_a_secret(tmp_path: Path, secret: str, mark: str) -> None:
    said = f"First. The token is {secret}, as you see; pip install sk-learn."
    mine = [ticket("a", tmp_path)]
    redactor = Redactor(keys=[KEY])
    async with finished(tmp_path, mine, scenarios={"a": says(said)}, redactor=redactor) as opened:
        assert opened.engine.transcript("a").answer == said.replace(secret, mark)
        stored = await asyncio.to_thread(opened.stored, "a")
    assert [entry.seq for entry in stored] == list(range(1, len(stored) + 1))


async def test_nobody_is_asked_about_what_cannot_be_shown(tmp_path: Path) -> None:
    """The card would say the mark; what runs is the secret, or what only looks like one."""
    command = f"echo {GITHUB} && touch ran"
    story = calls("run_command", {"command": command}, then="Understood.")
    async with finished(
        tmp_path, [ticket("a", tmp_path)], scenarios={"a": story}, redactor=Redactor()
    ) as opened:
        (answer,) = opened.events("a", e.ToolCallFinished)
        assert not opened.events("a", e.ApprovalRequested)
    assert answer.error == "denied"
    assert "nobody could see what would run" in answer.output
    assert not (tmp_path / "ran").exists()


async def test_a_secret_in_a_file_is_hidden_in_the_diff_beside_it(tmp_path: Path) -> None:
    env = tmp_path / "env"
    env.write_text(f"T={GITHUB}\nDEBUG=0\n")
    story = calls("edit_file", {"path": "env", "old": "DEBUG=0", "new": "DEBUG=1"})
    mine = [ticket("a", tmp_path)]
    async with room(tmp_path, mine, scenarios={"a": story}, redactor=Redactor()) as opened:
        asked = await opened.until_event("a", e.ApprovalRequested)
        assert asked.diff == f"@@ -1,2 +1,2 @@\n T={MARK}\n-DEBUG=0\n+DEBUG=1\n"
        await opened.approve("a")
        await opened.engine.wait_idle()
    assert env.read_text() == f"T={GITHUB}\nDEBUG=1\n"
