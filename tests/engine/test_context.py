"""Files that go with a prompt: what the model gets, what is stored, and what a resume sends."""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.fold.items import PromptItem
from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.text.redactor import Redactor
from tests.acp.agent import Json
from tests.acp.scripts import scripted
from tests.engine.acp import mine, prompts, working
from tests.engine.harness import WIRES, calls, finished, room, says, ticket
from tests.faults.breaker import Breaker
from tests.helpers.checkouts import configure_person, make_checkout
from tests.text.secrets import GITHUB

STORIES = {"a": says("Fine."), "b": says("Fine."), "c": says("Fine.")}
GUIDE = "Always " * 800


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace beside what lfg keeps."""
    folder = tmp_path / "place"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "guide.md").write_text(GUIDE)
    (folder / "api.py").write_text("def api(): ...\n")
    return folder


def given(*names: str) -> str:
    """What the model gets of these files."""
    texts = {"docs/guide.md": GUIDE.rstrip(), "api.py": "def api(): ..."}
    tagged = [f'<file path="{name}">\n{texts[name]}\n</file>' for name in names]
    return "\n\n".join(["Files of the workspace, as they were when this began:", *tagged])


def begins(body: dict[str, Any]) -> str:
    """The texts of a request up to its first answer, whatever its wire."""
    messages = body.get("input") or body["messages"]
    first = [one for one in messages[:2] if one.get("role") == "user"]
    parts = [one["content"] for one in first]
    texts = [part if isinstance(part, str) else [p["text"] for p in part] for part in parts]
    return "\n\n".join("\n\n".join([one] if isinstance(one, str) else one) for one in texts)


@pytest.mark.parametrize("wire", WIRES)
async def test_they_stand_before_the_prompt_and_in_the_history(
    tmp_path: Path, place: Path, wire: str
) -> None:
    one = ticket("a", place, provider=wire, context=["docs/*.md", "api.py"])
    seen = Breaker({})
    async with finished(tmp_path, [one], scenarios=STORIES, front=seen) as r:
        assert r.state("a") == "done"
        stored = await asyncio.to_thread(r.stored, "a")
        transcript = r.engine.transcript("a")
    (body,) = seen.bodies
    assert begins(body) == given("api.py", "docs/guide.md") + "\n\nDo a."
    (asked,) = [x.event for x in stored if isinstance(x.event, e.UserMessage)]
    data = (place / "docs" / "guide.md").read_bytes()
    assert asked.text == "Do a." and isinstance(asked.context, tuple)
    assert asked.context[1] == ContextFile(
        "docs/guide.md", len(data), sha256(data).hexdigest(), GUIDE
    )
    (prompt,) = [x for x in transcript.attempts[0].items if isinstance(x, PromptItem)]
    assert (prompt.text, prompt.company) == ("Do a.", "2 files (6 kB)")


async def test_the_next_ticket_with_the_same_files_reads_them_from_the_cache(
    tmp_path: Path, place: Path
) -> None:
    """The simulator keeps what Anthropic's service does: what ends at a mark, and no more."""
    keys: dict[str, object] = {"provider": "anthropic", "context": ["docs/*.md"]}
    mine = [ticket(name, place, **keys, model="a") for name in ("a", "b")]
    mine.append(ticket("c", place, **{**keys, "cache": False}, model="a"))
    async with finished(tmp_path, mine, scenarios=STORIES, concurrency=1) as r:
        (first,), (second,), (third,) = (r.events(name, e.Usage)[-1:] for name in "abc")
    assert (first.cached, third.cached) == (0, 0)
    assert isinstance(first.cache_write, int) and first.cache_write > len(GUIDE) / 4
    assert second.cached > len(GUIDE) / 4 and second.cached > 0.8 * second.input


async def test_a_resume_sends_the_same_bytes_whatever_became_of_the_files(
    tmp_path: Path, place: Path
) -> None:
    one = ticket("a", place, context=["docs/*.md"])
    story = calls("write_file", {"path": "docs/guide.md", "content": "other"})
    before = Breaker({})
    async with room(tmp_path, [one], scenarios={"a": story}, front=before) as r:
        await r.approve("a")
        await r.until(lambda: len(before.bodies) == 2)
        run = r.engine.run
    assert await asyncio.to_thread((place / "docs" / "guide.md").read_text) == "other"
    after = Breaker({})
    how: dict[str, Any] = {"scenarios": {"a": story}, "front": after, "resumes": run}
    async with finished(tmp_path, [one], **how) as r:
        assert r.state("a") == "done"
        said = r.engine.transcript("a").conversation.messages
        assert sum(isinstance(x.event, e.UserMessage) for x in r.seen) == 0
    bodies = [*before.bodies, *after.bodies]
    assert {begins(body) for body in bodies} == {given("docs/guide.md") + "\n\nDo a."}
    assert given("docs/guide.md") == said[0].text  # type: ignore[union-attr]


async def test_one_that_starts_over_gets_them_as_they_are_now(tmp_path: Path, place: Path) -> None:
    one = ticket("a", place, context=["api.py"])
    async with finished(tmp_path, [one], scenarios=STORIES) as r:
        await asyncio.to_thread((place / "api.py").write_text, "def api(x): ...")
        r.engine.send(c.Retry("a"))
        await r.engine.wait_idle()
        texts = [x.context[0].text for x in r.events("a", e.UserMessage) if x.context]
    assert texts == ["def api(): ...\n", "def api(x): ..."]


async def test_files_of_a_ticket_before_are_read_once_that_is_done(
    tmp_path: Path, place: Path
) -> None:
    write = calls("write_file", {"path": "plan.md", "content": "The plan."})
    mine = [ticket("plan", place, approve="auto"), ticket("a", place, needs=["plan"])]
    mine[1] = ticket("a", place, needs=["plan"], context=["plan.md"])
    async with finished(tmp_path, mine, scenarios={"plan": write, **STORIES}) as r:
        (asked,) = r.events("a", e.UserMessage)
        assert asked.answers == {"plan": "Done."}
        assert [file.text for file in asked.context or ()] == ["The plan."]


async def test_they_are_read_while_the_ticket_waits_for_a_slot(tmp_path: Path, place: Path) -> None:
    silent = says("It goes on.", cut={"after": 5, "how": "half-open"})
    mine = [ticket("busy", place), ticket("a", place, context=["docs/*.md"])]
    async with room(tmp_path, mine, scenarios={"busy": silent, **STORIES}, concurrency=1) as r:
        await r.until_event("busy", e.TextDelta)
        (reading,) = r.engine._turns._reading.values()
        await reading
        assert [*r.engine._runs["a"].files._known] == ["docs/guide.md"]
        r.engine.send(c.Cancel("busy"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert [*r.engine._runs["a"].files._known] == []


async def test_a_ticket_with_a_worktree_gets_what_is_in_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_person(tmp_path, monkeypatch)
    checkout = await asyncio.to_thread(make_checkout, tmp_path / "project")
    committed = await asyncio.to_thread((checkout.folder / "a.txt").read_text)
    await asyncio.to_thread((checkout.folder / "a.txt").write_text, "not committed")
    one = ticket("a", checkout.folder, worktree=True, context=["a.txt"])
    async with finished(tmp_path, [one], scenarios=STORIES) as r:
        (asked,) = r.events("a", e.UserMessage)
        assert asked.context and asked.context[0].text == committed


async def test_what_cannot_be_given_fails_the_ticket_before_anything_is_sent(
    tmp_path: Path, place: Path
) -> None:
    mine = [ticket("a", place, context=["none.md"]), ticket("b", place)]
    seen = Breaker({})
    async with finished(tmp_path, mine, scenarios=STORIES, front=seen) as r:
        (failed,) = r.events("a", e.TicketFailed)
        assert (failed.kind, failed.retryable) == ("invalid_request", False)
        assert failed.message == f'context: there is no "none.md" in {place}'
        assert (r.state("b"), seen.asked) == ("done", {"b": 1})
        await asyncio.to_thread((place / "none.md").write_text, "There now.")
        r.engine.send(c.Retry("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_secrets_in_them_are_redacted_as_anywhere(tmp_path: Path, place: Path) -> None:
    await asyncio.to_thread((place / "api.py").write_text, f"key = '{GITHUB}'")
    one = ticket("a", place, context=["api.py"])
    seen = Breaker({})
    how: dict[str, Any] = {"scenarios": STORIES, "front": seen, "redactor": Redactor()}
    async with finished(tmp_path, [one], **how) as r:
        (asked,) = r.events("a", e.UserMessage)
    assert asked.context and asked.context[0].text == "key = '[redacted: github token]'"
    assert GITHUB not in str(seen.bodies)


# Agents


def resource(place: Path, name: str, text: str) -> Json:
    uri = (place / name).as_uri()
    return {"type": "resource", "resource": {"uri": uri, "mimeType": "text/plain", "text": text}}


EMBEDS: Json = {"agentCapabilities": {"promptCapabilities": {"embeddedContext": True}}}


async def test_an_agent_that_takes_resources_gets_them_as_such(tmp_path: Path, place: Path) -> None:
    agent = scripted(tmp_path, initialize=EMBEDS, turns=[[{"text": "Fine."}]])
    one = mine(place, context=["docs/*.md", "api.py"], system="Be brief.")
    async with working(tmp_path, agent, [one]) as r:
        await r.engine.wait_idle()
        r.engine.send(c.Tell("a", "And now?"))
        await r.engine.wait_idle()
    first, second = (p["prompt"] for p in agent.received("session/prompt"))
    assert first == [
        resource(place, "api.py", "def api(): ...\n"),
        resource(place, "docs/guide.md", GUIDE),
        {"type": "text", "text": "Be brief.\n\nDo a."},
    ]
    assert second == [{"type": "text", "text": "And now?"}]


async def test_any_other_agent_gets_them_as_text(tmp_path: Path, place: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "Fine."}]])
    async with working(tmp_path, agent, [mine(place, context=["api.py"])]) as r:
        await r.engine.wait_idle()
    assert prompts(agent) == [given("api.py") + "\n\nDo a."]


async def test_an_agent_whose_session_is_gone_gets_them_again(tmp_path: Path, place: Path) -> None:
    begun = {**cast(Json, EMBEDS["agentCapabilities"]), "loadSession": False}
    dies: list[Json] = [{"text": "One"}, {"stderr": "panic\n"}, {"exit": 1}]
    agent = scripted(tmp_path, initialize={"agentCapabilities": begun}, turns=[dies])
    async with working(tmp_path, agent, [mine(place, context=["api.py"])]) as r:
        await r.engine.wait_idle()
    asked = [p["prompt"] for p in agent.received("session/prompt")]
    assert len(asked) == 3
    for blocks in cast(list[list[Json]], asked):
        assert blocks[0] == resource(place, "api.py", "def api(): ...\n")
        assert str(blocks[1]["text"]).endswith("Do a.")
