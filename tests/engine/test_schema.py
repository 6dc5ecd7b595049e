"""Answers that must fit a JSON Schema: they go back once, then the ticket fails."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("jsonschema_rs")

from lfgtui.agent.schema import misfit, prompt_of
from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import finished, room, says, scenario, ticket

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
GOOD = '{"n": 3}'
AGAIN = (
    'Your answer does not match the required JSON Schema: at /n: "3" is not of type'
    ' "integer". Answer again, with the corrected JSON alone.'
)


def checked(folder: Path, name: str = "a", **keys: object) -> Ticket:
    return msgspec.structs.replace(ticket(name, folder, **keys), schema=SCHEMA)


def answers(*texts: str) -> Scenario:
    """The first answer, then those to plain messages."""
    first, *others = texts
    return scenario(turn=[{"text": first}], follow_up=[{"text": text} for text in others])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GOOD, ""),
        (f" {GOOD}\n", ""),
        (f"```json\n{GOOD}\n```", ""),
        (f"Here it is:\n\n```\n{GOOD}\n```\nDone.", ""),
        ("{}", '"n" is a required property'),
        ("[1, 2]", '[1,2] is not of type "object"'),
        ("I think so.", "not valid JSON: invalid character (byte 0)"),
        ("", "not valid JSON: Input data was truncated"),
        (f"```\n{GOOD}\n```\n```\n{GOOD}\n```", "not valid JSON: "),
        ("[" * 100_000, "not valid JSON: "),
        ("1" * 1_000_001, "it has more than 1,000,000 characters"),
    ],
)
def test_an_answer_is_a_bare_value_or_one_block(tmp_path: Path, answer: str, why: str) -> None:
    told = misfit(checked(tmp_path), answer)
    assert told.startswith(why) and bool(told) == bool(why)


async def test_an_answer_that_fits_is_handed_on_as_its_json(tmp_path: Path) -> None:
    mine = [checked(tmp_path), ticket("b", tmp_path, needs=["a"])]
    stories = {"a": says(f"Sure:\n```json\n{GOOD}\n```"), "b": says("Fine.")}
    async with finished(tmp_path, mine, scenarios=stories) as opened:
        (asked,) = opened.events("a", e.UserMessage)
        (handed,) = opened.events("b", e.UserMessage)
    assert asked.text == prompt_of(mine[0]) and json.dumps(SCHEMA, indent=2) in asked.text
    assert handed.answers == {"a": GOOD}


@pytest.mark.parametrize("wire", ["chat", "anthropic", "responses"])
async def test_one_that_does_not_goes_back_once(tmp_path: Path, wire: str) -> None:
    story = answers('{"n": "3"}', GOOD)
    mine = [checked(tmp_path, provider=wire)]
    async with finished(tmp_path, mine, scenarios={"a": story}, headless=True) as opened:
        assert opened.state("a") == "done"
        assert opened.engine.transcript("a").answer == GOOD
        assert [one.text for one in opened.events("a", e.UserMessage)][1:] == [AGAIN]


async def test_the_next_one_fails_the_ticket(tmp_path: Path) -> None:
    story = answers('{"n": "3"}', "{}")
    async with finished(tmp_path, [checked(tmp_path)], scenarios={"a": story}) as opened:
        (end,) = opened.events("a", e.Ending)
    why = 'the answer does not fit the ticket\'s schema: "n" is a required property'
    assert end == e.TicketFailed("schema", why, retryable=False)


async def test_one_that_has_no_turn_left_does_not_go_back(tmp_path: Path) -> None:
    mine = [checked(tmp_path, max_turns=1)]
    async with finished(tmp_path, mine, scenarios={"a": says("{}")}) as opened:
        (end,) = opened.events("a", e.Ending)
    assert isinstance(end, e.TicketFailed) and end.kind == "schema"
    assert len(opened.events("a", e.RequestSent)) == 1


async def test_a_person_who_says_something_gives_it_another_try(tmp_path: Path) -> None:
    story = answers("no", "no")
    async with room(tmp_path, [checked(tmp_path)], scenarios={"a": story}) as opened:
        await opened.engine.wait_idle()
        assert opened.state("a") == "failed"
        opened.engine.send(c.Tell("a", "Just the number, please"))
        await opened.engine.wait_idle()
        went_back = [x for x in opened.events("a", e.UserMessage) if x.text.startswith("Your ans")]
    assert len(went_back) == 2


async def test_a_killed_process_counts_what_went_back(tmp_path: Path) -> None:
    """Its last entries are those up to the request for the second answer."""
    mine = [checked(tmp_path)]
    story = scenario(
        turn=[{"text": '{"n": "3"}'}],
        follow_up=[{"text": "{", "cut": {"after": 1, "how": "half-open"}}],
    )
    async with room(tmp_path, mine, scenarios={"a": story}) as opened:
        await opened.until(lambda: len(opened.events("a", e.RequestSent)) == 2)
        run = opened.engine.run
    again = answers("no", "no")
    async with finished(tmp_path, mine, scenarios={"a": again}, resumes=run) as opened:
        (end,) = opened.events("a", e.TicketFailed)
        stored = await asyncio.to_thread(opened.stored, "a")
    assert end.kind == "schema"
    texts = [x.event.text for x in stored if isinstance(x.event, e.UserMessage)]
    assert [text == AGAIN for text in texts].count(True) == 1
