"""Copies of a ticket on the real simulator: one is chosen, and handed on."""

import asyncio
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.choices import choice_refusal, due_choices, open_needs
from lfgtui.model.choices import choices as choices_made
from lfgtui.model.event_json import entry_json
from lfgtui.model.tickets import Ticket
from tests.engine.harness import Room, finished, room, says, scenario, ticket

SCENARIOS = {
    "one": says("The first answer."),
    "two": says("The second answer."),
    "silent": scenario(turn=[{"text": "I begin. " * 20, "cut": {"after": 60, "how": "half-open"}}]),
}

_PROVIDERS = {"one": "chat", "two": "anthropic", "silent": "chat", "broken": "nowhere"}


def group(folder: Path, *models: str, **keys: object) -> list[Ticket]:
    """Copies of `a` on these models, and `b`, which needs it."""
    copies = [
        ticket(name, folder, model=model, copy_of="a", tools=[], provider=_PROVIDERS[model], **keys)
        for name, model in zip(("a.1", "a.2", "a.3"), models, strict=False)
    ]
    return [*copies, ticket("b", folder, model="one", tools=[], needs=["a"])]


async def ended(r: Room, *copies: str) -> None:
    await r.until(lambda: all(isinstance(r.engine.transcript(n).ending, e.Ending) for n in copies))


def choices(r: Room, copy: str) -> list[bool]:
    return [event.chosen for event in r.events(copy, e.ChoiceMade)]


async def state_in_history(r: Room) -> str:
    def read() -> str:
        with Reader(r.history) as reader:
            return reader.run(r.engine.run).state

    return await asyncio.to_thread(read)


async def test_what_needs_copies_waits_until_one_is_chosen_and_gets_its_answer(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, group(tmp_path, "one", "two"), scenarios=SCENARIOS) as r:
        await ended(r, "a.1", "a.2")
        assert (r.state("b"), due_choices(r.engine)) == ("queued", {"a": ["a.1", "a.2"]})
        assert open_needs(r.engine, r.engine.tickets[2]) == ["a"]
        r.engine.send(c.Choose("b"))  # is none to choose
        r.engine.send(c.Choose("a.2"))
        await r.engine.wait_idle()
        assert r.events("b", e.UserMessage)[0].answers == {"a": "The second answer."}
        assert (choices_made(r.engine), due_choices(r.engine)) == ({"a": "a.2"}, {})
        assert choice_refusal(r.engine, "a.1") == "“b” has already started with the earlier choice"
        r.engine.send(c.Choose("a.1"))
        await r.engine.settle()
        assert (choices(r, "a.1"), choices(r, "a.2")) == ([], [True])
    *_, last = await asyncio.to_thread(r.stored, "a.2")
    assert entry_json(last).endswith('"type":"choice_made","chosen":true}')
    assert await state_in_history(r) == "done"


async def test_a_choice_is_changed_until_what_needs_it_begins(tmp_path: Path) -> None:
    tickets = group(tmp_path, "one", "two")
    async with room(tmp_path, tickets, scenarios=SCENARIOS) as r:
        r.engine.send(c.Pause("b"))
        await ended(r, "a.1", "a.2")
        for name in ("a.1", "a.1", "a.2"):
            r.engine.send(c.Choose(name))
        await r.engine.settle()
        assert (choices(r, "a.1"), choices(r, "a.2")) == ([True, False], [True])
        r.engine.send(c.Resume("b"))
        await r.engine.wait_idle()
        assert r.events("b", e.UserMessage)[0].answers == {"a": "The second answer."}


async def test_a_choice_whose_copy_is_not_done_any_more_is_made_again(tmp_path: Path) -> None:
    tickets = group(tmp_path, "one", "two")
    async with room(tmp_path, tickets, scenarios=SCENARIOS) as r:
        await ended(r, "a.1", "a.2")
        r.engine.send(c.Choose("a.1"))
        await r.engine.wait_idle()
        for command in (c.Retry("a.1"), c.Cancel("a.1"), c.Retry("b")):
            r.engine.send(command)
        await r.until(lambda: r.state("a.1") == "cancelled")
        await r.engine.settle()
        assert (r.state("b"), due_choices(r.engine)) == ("queued", {"a": ["a.2"]})
        assert choice_refusal(r.engine, "a.2") == ""
        r.engine.send(c.Choose("a.2"))
        await r.engine.wait_idle()
        *_, prompt = r.events("b", e.UserMessage)
        assert prompt.answers == {"a": "The second answer."}
        assert choices(r, "a.1") == [True, False]


async def test_a_copy_can_be_chosen_as_soon_as_it_is_done_and_the_others_matter_no_more(
    tmp_path: Path,
) -> None:
    tickets = group(tmp_path, "one", "silent", "broken")
    async with room(tmp_path, tickets, scenarios=SCENARIOS) as r:
        await ended(r, "a.1", "a.3")
        assert due_choices(r.engine) == {}
        r.engine.send(c.Choose("a.3"))  # it failed
        r.engine.send(c.Choose("a.1"))
        await ended(r, "b")
        r.engine.send(c.Cancel("a.2"))
        await r.engine.wait_idle()
        assert r.engine.all_done
    assert (r.state("a.2"), r.state("a.3"), await state_in_history(r)) == (
        "cancelled",
        "failed",
        "done",
    )
    async with finished(tmp_path, tickets, resumes=r.engine.run, scenarios=SCENARIOS) as again:
        assert again.seen == []


async def test_a_resume_keeps_the_choice_and_the_copies(tmp_path: Path) -> None:
    tickets = group(tmp_path, "one", "two")
    async with room(tmp_path, tickets, scenarios=SCENARIOS) as r:
        r.engine.send(c.Pause("b"))
        await ended(r, "a.1", "a.2")
        r.engine.send(c.Choose("a.2"))
    requested = await asyncio.to_thread(r.requested)
    assert (requested, await state_in_history(r)) == (tickets, "interrupted")
    async with finished(tmp_path, tickets, resumes=r.engine.run, scenarios=SCENARIOS) as again:
        assert again.events("b", e.UserMessage)[0].answers == {"a": "The second answer."}
        assert not again.events("a.1") and not again.events("a.2")


async def test_without_a_choice_a_resume_waits_for_it_again(tmp_path: Path) -> None:
    tickets = group(tmp_path, "one", "two")
    async with room(tmp_path, tickets, scenarios=SCENARIOS) as r:
        await ended(r, "a.1", "a.2")
    async with room(tmp_path, tickets, resumes=r.engine.run, scenarios=SCENARIOS) as again:
        await again.until_event("b", e.TicketQueued)
        assert due_choices(again.engine) == {"a": ["a.1", "a.2"]}
        again.engine.send(c.Choose("a.1"))
        await again.engine.wait_idle()
        assert again.engine.all_done


@pytest.mark.parametrize("headless", [False, True])
async def test_the_first_that_is_done_is_taken_if_the_ticket_says_so(
    tmp_path: Path, headless: bool
) -> None:
    tickets = group(tmp_path, "silent", "two", choose="first")
    async with room(tmp_path, tickets, scenarios=SCENARIOS, headless=headless) as r:
        await ended(r, "b")
        assert r.events("b", e.UserMessage)[0].answers == {"a": "The second answer."}


async def test_where_nobody_can_choose_one_of_several_is_not_taken(tmp_path: Path) -> None:
    tickets = group(tmp_path, "one", "two")
    async with finished(tmp_path, tickets, scenarios=SCENARIOS, headless=True) as r:
        (blocked,) = r.events("b", e.TicketBlocked)
        assert blocked.reason == "no copy of “a” was chosen: `lfg choose`, then `lfg resume`"
        assert not r.engine.all_done


async def test_where_nobody_can_choose_the_only_one_that_is_done_is_taken(tmp_path: Path) -> None:
    tickets = group(tmp_path, "broken", "two")
    async with finished(tmp_path, tickets, scenarios=SCENARIOS, headless=True) as r:
        assert r.events("b", e.UserMessage)[0].answers == {"a": "The second answer."}
        assert (choices(r, "a.2"), r.engine.all_done) == ([True], True)


async def test_a_person_chooses_also_where_only_one_is_done(tmp_path: Path) -> None:
    async with room(tmp_path, group(tmp_path, "broken", "two"), scenarios=SCENARIOS) as r:
        await ended(r, "a.1", "a.2")
        assert (due_choices(r.engine), r.state("b")) == ({"a": ["a.2"]}, "queued")


async def test_without_any_that_is_done_what_needs_them_is_blocked_until_one_is(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, group(tmp_path, "broken", "silent"), scenarios=SCENARIOS) as r:
        await ended(r, "a.1")
        r.engine.send(c.Cancel("a.2"))
        (blocked,) = [await r.until_event("b", e.TicketBlocked)]
        assert blocked.reason == "“a.1” failed and “a.2” was cancelled"
        r.engine.send(c.Retry("a.2"))
        await r.until(lambda: r.state("b") == "queued")


async def test_copies_that_may_write_are_told_to_share_their_workspace(tmp_path: Path) -> None:
    tickets = [
        ticket("a.1", tmp_path, model="one", copy_of="a", tools=["read_file"]),
        ticket("a.2", tmp_path, model="one", copy_of="a", tools=["write_file"], approve="deny"),
        ticket("a.3", tmp_path, model="one", copy_of="a"),
        ticket("b", tmp_path, model="one"),
    ]
    async with finished(tmp_path, tickets, scenarios=SCENARIOS) as r:
        warned = [one.id for one in tickets if r.events(one.id, e.GuardTripped)]
        assert warned == ["a.3"]
