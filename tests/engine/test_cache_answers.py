"""Equal requests that are answered from the history, and all that are sent all the same."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lfgtui.engine import commands as c
from lfgtui.history import deletion
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.fold.items import NoteItem
from lfgtui.model.tickets import Ticket, side_by_side
from lfgtui.settings.providers import Price, ProviderConfig
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import WIRES, Room, calls, finished, room, says, scenario, ticket
from tests.faults.breaker import Breaker, upto

PRICE = Price(input=1.0, output=1.0)
LONG = "It is long. " * 40
SAYS = {"m": says(LONG)}


def asking(name: str, folder: Path, **keys: object) -> Ticket:
    """A ticket whose request is that of every other of these."""
    given: dict[str, object] = {"model": "m", "prompt": "Do it.", "cache_answers": True, **keys}
    return ticket(name, folder, **given)


async def again(r: Room, *tickets: Ticket) -> None:
    """Add tickets, and wait for their ends."""
    r.engine.send(c.Add(tickets))
    await r.engine.wait_idle()


def reused_of(history: Path) -> list[bool]:
    """Of each response, if it came from the history."""
    with Reader(history) as reader:
        return [one.is_reused for one in reader.requests()]


def text(r: Room, name: str) -> str:
    return r.attempts(name)[-1].text


@pytest.mark.parametrize("wire", WIRES)
async def test_an_equal_request_of_a_later_run_is_not_sent(tmp_path: Path, wire: str) -> None:
    story = scenario(turn=[{"reasoning": "Hm.", "text": LONG}])
    seen = Breaker({})
    how: dict[str, Any] = {"scenarios": {"m": story}, "front": seen, "price": PRICE}
    one = asking("a", tmp_path, provider=wire, reasoning="low")
    async with finished(tmp_path, [one], **how) as r:
        before, first = r.attempts("a")[0], r.engine.run
        (sent,) = r.events("a", e.RequestSent)
        (at,) = (x.at for x in r.seen if x.event == sent)
    async with finished(
        tmp_path, [asking("b", tmp_path, provider=wire, reasoning="low")], **how
    ) as r:
        after, (reused,) = r.attempts("b")[0], r.events("b", e.AnswerReused)
        stored = await asyncio.to_thread(r.stored, "b")
        meter = r.engine.meter("b")
    assert seen.asked == {"m": 1}
    assert (after.text, after.reasoning, after.state) == (before.text, before.reasoning, "done")
    tokens = before.usage.input + before.usage.output
    assert reused == e.AnswerReused(1, f"{first}/a", at, tokens)
    assert [x.event for x in stored if isinstance(x.event, e.RequestSent | e.Usage)] == []
    assert (after.usage.input, after.usage.output, after.usage.cost) == (0, 0, None)
    assert (after.tokens.total, meter.output_tokens()) == ((0, False), (0, False))
    assert (after.ttft, meter.ttft, meter.rate(stored[-1].at)) == (None, None, 0.0)
    assert (after.context, after.answers_reused) == (tokens, 1)
    notes = [item.message for item in after.items if isinstance(item, NoteItem)]
    assert notes[0].startswith("from cache, recorded 20")
    assert notes[0].endswith(f" in {first}/a; nothing was sent")


async def test_nothing_is_reused_unless_it_is_wanted(tmp_path: Path) -> None:
    seen = Breaker({})
    mine = [asking("a", tmp_path, cache_answers=None)]
    async with finished(tmp_path, mine, scenarios=SAYS, front=seen) as r:
        await again(r, asking("b", tmp_path, cache_answers=None))
        await again(r, asking("c", tmp_path))  # the others' requests were not noted
        await again(r, asking("d", tmp_path, cache_answers=False))
        assert seen.asked == {"m": 4}
        assert not r.events("b", e.AnswerReused)
        await again(r, asking("e", tmp_path))
        assert seen.asked == {"m": 4} and text(r, "e") == LONG.strip()


async def test_the_config_may_want_it_for_all(tmp_path: Path) -> None:
    seen = Breaker({})
    mine = [asking("a", tmp_path, cache_answers=None)]
    async with finished(tmp_path, mine, scenarios=SAYS, front=seen, cache_answers="7d") as r:
        await again(r, asking("b", tmp_path, cache_answers=None))
        await again(r, asking("c", tmp_path, cache_answers=False))
        assert seen.asked == {"m": 2}
        assert r.events("b", e.AnswerReused) and not r.events("c", e.AnswerReused)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Do it!"},
        {"model": "n"},
        {"system": "Be brief."},
        {"provider": "twin"},
        {"tools": ["read_file"]},
        {"max_output_tokens": 9000},
        {"stream": False},
        {"extra": {"seed": 1}},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_what_differs_in_anything_is_sent(tmp_path: Path, other: dict[str, object]) -> None:
    seen = Breaker({})
    stories = {"m": says(LONG), "n": says(LONG)}
    mine = [asking("a", tmp_path)]
    async with room(tmp_path, mine, scenarios=stories, front=seen) as r:
        await r.engine.wait_idle()
        chat = r.engine.config.provider("chat")
        r.engine.config.providers["twin"] = chat  # another name for the same server
        await again(r, asking("b", tmp_path, **other))
        assert r.state("b") == "done"
        assert sum(seen.asked.values()) == 2


async def test_another_key_or_header_is_another_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_ONE", "sk-one")
    monkeypatch.setenv("KEY_TWO", "sk-two")
    seen = Breaker({})

    async def ask(key: str, **headers: str) -> None:
        async with seen_at(seen) as root:
            own = ProviderConfig(
                wire="openai-chat", base_url=f"{root}/v1", api_key_env=key, headers=headers
            )
        how: dict[str, Any] = {"scenarios": SAYS, "front": seen, "more": {"own": own}}
        async with finished(tmp_path, [asking("a", tmp_path, provider="own")], **how) as r:
            assert r.state("a") == "done"

    for key, headers, count in (
        ("KEY_ONE", {}, 1),
        ("KEY_TWO", {}, 2),
        ("KEY_ONE", {"openai-project": "p"}, 3),
        ("KEY_ONE", {}, 3),
        ("KEY_TWO", {}, 3),
    ):
        await ask(key, **headers)
        assert seen.asked == {"m": count}


def seen_at(front: Breaker) -> Any:
    """The address that the front has, and keeps."""
    return front("http://127.0.0.1:9")


async def test_calls_of_an_answer_are_asked_about_and_run_as_any_other(tmp_path: Path) -> None:
    seen = Breaker({})
    story = calls("write_file", {"path": "x", "content": "1"})
    keys: dict[str, object] = {"provider": "anthropic"}
    async with room(
        tmp_path, [asking("a", tmp_path, **keys)], scenarios={"m": story}, front=seen
    ) as r:
        await r.approve("a")
        await r.engine.wait_idle()
        assert seen.asked == {"m": 2}
        await asyncio.to_thread((tmp_path / "x").unlink)
        r.engine.send(c.Add((asking("b", tmp_path, **keys),)))
        await r.until_event("b", e.ApprovalRequested)
        assert not (tmp_path / "x").exists()
        await r.approve("b")
        await r.engine.wait_idle()
        assert await asyncio.to_thread((tmp_path / "x").read_text) == "1"
        assert (r.state("b"), text(r, "b")) == ("done", "Let me see.Done.")
        # Its result was the same, and so was the next request.
        assert len(r.events("b", e.AnswerReused)) == 2 and seen.asked == {"m": 2}
        ids = {x.call_id for name in "ab" for x in r.events(name, e.ToolCallFinished)}
        assert ids == {"call00001"}
        r.engine.send(c.Add((asking("c", tmp_path, **keys),)))
        await r.until_event("c", e.ApprovalRequested)
        (question,) = r.events("c", e.ApprovalRequested)
        r.engine.send(c.Deny("c", question.call_id, "No."))
        await r.engine.wait_idle()
        assert len(r.events("c", e.AnswerReused)) == 1 and seen.asked == {"m": 3}


async def test_one_that_starts_over_is_sent_and_its_answer_is_the_one_from_then_on(
    tmp_path: Path,
) -> None:
    seen = Breaker({})
    mine = [asking("a", tmp_path)]
    async with finished(tmp_path, mine, scenarios=SAYS, front=seen) as r:
        await again(r, asking("b", tmp_path))
        assert seen.asked == {"m": 1}
        r.engine.send(c.Retry("b"))
        await r.engine.wait_idle()
        assert seen.asked == {"m": 2}
        r.engine.send(c.Restart("b", "Do it."))
        await r.engine.wait_idle()
        assert seen.asked == {"m": 3}
        r.engine.send(c.Tell("b", "Do it."))  # a follow-up is not asked again either
        await r.engine.wait_idle()
        assert seen.asked == {"m": 4} and len(r.events("b", e.AnswerReused)) == 1
        await again(r, asking("c", tmp_path))
        assert seen.asked == {"m": 4}
        assert r.events("c", e.AnswerReused)[0].source.endswith("/b")


async def test_copies_have_answers_of_their_own(tmp_path: Path) -> None:
    seen = Breaker({})
    copies = side_by_side([asking("a", tmp_path)] * 3)
    async with finished(tmp_path, copies, scenarios=SAYS, front=seen, concurrency=1):
        assert seen.asked == {"m": 3}


UNWELL: dict[str, Scenario] = {
    "cut": says(LONG, cut={"after": 20, "how": "connection", "times": 9}),
    "refused": says(LONG, fault=[{"status": 500, "times": 9}]),
}


@pytest.mark.parametrize("how", UNWELL)
async def test_what_broke_is_asked_for_again(tmp_path: Path, how: str) -> None:
    seen = Breaker({})
    stories = {"m": UNWELL[how]}
    async with finished(tmp_path, [asking("a", tmp_path)], scenarios=stories, front=seen) as r:
        assert (r.state("a"), seen.asked) == ("failed", {"m": 3})
        await again(r, asking("b", tmp_path))
        assert (r.state("b"), seen.asked) == ("failed", {"m": 6})


async def test_an_answer_that_was_stopped_or_cut_at_its_limit_is_asked_for_again(
    tmp_path: Path,
) -> None:
    stories = {"m": says(LONG), "n": says(LONG)}
    seen = Breaker({"m": [upto(b"long", "silence")]})
    async with room(tmp_path, [asking("a", tmp_path)], scenarios=stories, front=seen) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        await again(r, asking("b", tmp_path))
        assert (r.state("b"), seen.asked) == ("done", {"m": 2})
        short: dict[str, object] = {"model": "n", "max_output_tokens": 5}
        await again(r, asking("c", tmp_path, **short))
        await again(r, asking("d", tmp_path, **short))
        assert (r.state("d"), seen.asked) == ("limit", {"m": 2, "n": 2})


async def test_an_agent_server_is_always_asked(tmp_path: Path) -> None:
    mine = [asking("a", tmp_path, provider="agent")]
    async with finished(tmp_path, mine, scenarios=SAYS) as r:
        await again(r, asking("b", tmp_path, provider="agent"))
        assert r.state("b") == "done" and not r.events("b", e.AnswerReused)


async def test_a_run_that_was_deleted_answers_nothing(tmp_path: Path) -> None:
    seen = Breaker({})
    how: dict[str, Any] = {"scenarios": SAYS, "front": seen}
    async with finished(tmp_path, [asking("a", tmp_path)], **how) as r:
        run, history = r.engine.run, r.history
    await asyncio.to_thread(deletion.delete, history, [run])
    async with finished(tmp_path, [asking("a", tmp_path)], **how):
        assert seen.asked == {"m": 2}


async def test_a_resume_goes_on_from_a_reused_answer_as_from_any(tmp_path: Path) -> None:
    seen = Breaker({})
    story = calls("write_file", {"path": "x", "content": "1"})
    how: dict[str, Any] = {"scenarios": {"m": story}, "front": seen}
    async with room(tmp_path, [asking("a", tmp_path)], **how) as r:
        await r.approve("a")
        await r.engine.wait_idle()
    await asyncio.to_thread((tmp_path / "x").unlink)
    mine = [asking("b", tmp_path)]
    async with room(tmp_path, mine, **how) as r:
        await r.until_event("b", e.ApprovalRequested)
        run = r.engine.run
    async with room(tmp_path, mine, resumes=run, **how) as r:
        await r.approve("b")
        await r.engine.wait_idle()
        assert (r.state("b"), seen.asked) == ("done", {"m": 2})
        assert await asyncio.to_thread(reused_of, r.history) == [False, False, True, True]
