"""Tickets that are added or changed while the run goes on, and after it has ended."""

import asyncio
from pathlib import Path

from lfgtui.engine import commands as c
from lfgtui.history.reader import Reader, StoredTicket
from lfgtui.model import events as e
from lfgtui.text.redactor import Redactor
from tests.engine.harness import Room, finished, room, says, scenario, ticket

SCENARIOS = {
    "quick": says("Here you are."),
    "silent": scenario(turn=[{"text": "I begin. " * 20, "cut": {"after": 60, "how": "half-open"}}]),
}


async def in_history(r: Room) -> tuple[str, list[StoredTicket]]:
    """The run's state as it is stored, and its tickets in their order."""

    def read() -> tuple[str, list[StoredTicket]]:
        with Reader(r.history) as reader:
            return reader.run(r.engine.run).state, list(reader.tickets(r.engine.run))

    return await asyncio.to_thread(read)


async def test_they_stand_behind_the_others_and_wait_for_what_they_need(tmp_path: Path) -> None:
    mine = [ticket("a", tmp_path, model="silent"), ticket("b", tmp_path, model="quick")]
    later = ticket("later", tmp_path, model="quick", needs=["soon"])
    soon = ticket("soon", tmp_path, model="quick", needs=["b"])
    never = ticket("never", tmp_path, model="quick", needs=["a"])
    async with room(tmp_path, mine, scenarios=SCENARIOS) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Add((later, soon, never)))
        await r.until_event("later", e.TicketDone)
        assert r.events("later", e.UserMessage)[0].answers == {"soon": "Here you are."}
        assert r.state("never") == "queued"
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        state, stored = await in_history(r)
        assert [one.ticket for one in stored] == [*mine, later, soon, never]
        assert r.engine.tickets == (*mine, later, soon, never)
        ends = ["cancelled", "done", "done", "done", "blocked"]
        assert (state, [one.state for one in stored]) == ("failed", ends)


async def test_an_ended_run_goes_on_and_one_that_is_resumed_has_them(tmp_path: Path) -> None:
    mine = [ticket("a", tmp_path, model="quick")]
    async with finished(tmp_path, mine, scenarios=SCENARIOS) as r:
        r.engine.send(c.Add((ticket("b", tmp_path, model="silent"),)))
        assert r.engine.unfinished == ["b"]
        await r.until_event("b", e.TextDelta)
        assert (await in_history(r))[0] == "running"
    _, stored = await in_history(r)
    assert [one.state for one in stored] == ["done", "interrupted"]
    mine, quick = [one.ticket for one in stored], {"silent": SCENARIOS["quick"]}
    async with finished(tmp_path, mine, resumes=r.engine.run, scenarios=quick) as again:
        assert again.engine.all_done


async def test_a_prompt_becomes_a_ticket_like_most_of_the_others(tmp_path: Path) -> None:
    common = {"model": "quick", "tools": ["read_file"], "timeout": 60}
    mine = [
        ticket("prompt", tmp_path, model="quick", system="You are a poet."),
        ticket("b", tmp_path, **common),
        ticket("c", tmp_path, **common, title="C", needs=["b"], system="You are a critic."),
    ]
    secret = "sk-ant-api03-" + "x" * 40
    redactor = Redactor(keys=[secret], rules=())
    async with room(tmp_path, mine, scenarios=SCENARIOS, redactor=redactor) as r:
        r.engine.send(c.AddPrompt(f"Use {secret}."))
        r.engine.send(c.AddPrompt("And rhyme."))
        *_, first, second = r.engine.tickets
        assert (first.id, second.id, first.system, second.needs) == (
            "prompt-2",
            "prompt-3",
            None,
            (),
        )
        assert (second.prompt, second.tools, second.timeout) == ("And rhyme.", ("read_file",), 60)
        await r.engine.wait_idle()
        assert r.engine.all_done
    _, stored = await in_history(r)
    assert tuple(one.ticket for one in stored) == r.engine.tickets
    assert secret not in str(stored) and secret not in str(r.seen)


async def test_a_ticket_that_has_ended_is_started_over_with_another_prompt(tmp_path: Path) -> None:
    mine = [ticket("a", tmp_path, model="any", tools=[]), ticket("b", tmp_path, model="silent")]
    async with room(tmp_path, mine, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        r.engine.send(c.Restart("a", "Do it well."))
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert r.engine.transcript("a").answer.startswith("## Do it well.")
        r.engine.send(c.Retry("b"))
        await r.until(lambda: len(r.attempts("b")) == 2)
        r.engine.send(c.Restart("a", "Do it better."))  # ended with the process, before it began
    _, stored = await in_history(r)
    mine, again = [one.ticket for one in stored], {"silent": SCENARIOS["quick"]}
    async with finished(tmp_path, mine, resumes=r.engine.run, scenarios=again) as r:
        assert r.engine.transcript("a").answer.startswith("## Do it better.")
        assert [attempt.continues for attempt in r.attempts("a")] == [False] * 3
