"""Whatever a person does, and whenever: nothing is lost, nothing hangs, nobody else is hurt."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.fold.items import NoteItem
from lfgtui.model.fold.states import ENDED
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket, side_by_side
from lfgtui.settings.config import BreakerPolicy
from tests.engine.harness import QUICK_RETRY, WIRES, Room, room, says, scenario, ticket

WRITE = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
COMMAND = {"name": "run_command", "arguments": {"command": "echo a; sleep 0.02; echo b"}}
SCENARIOS = {
    "plain": says("Hello there. " * 5),
    "slow": scenario(rate=2000, turn=[{"text": "word " * 300}]),
    "busy": says("At last.", fault=[{"status": 529, "times": 2}]),
    "limited": says("At last.", fault=[{"status": 429, "retry_after": 0.03, "times": 2}]),
    "full": says("Never.", fault=[{"status": 429, "retry_after": 3600, "times": 99}]),
    "cut": says("The whole answer is this.", cut={"after": 9}),
    "error": says("The whole answer is this.", cut={"after": 9, "how": "error", "times": 2}),
    "tools": scenario(
        turn=[
            {"reasoning": "Hm.", "text": "So.", "call": [COMMAND]},
            {"text": "And.", "call": [WRITE, WRITE]},
            {"text": "Done."},
        ]
    ),
}


SEEDS = range(16)
_ASIDE = (e.RuleWithdrawn, e.ChoiceMade)
"""What may come after an end."""


def tickets_of(rnd: random.Random, folder: Path) -> list[Ticket]:
    """Up to four tickets of any kind, some needing earlier ones, some as two copies."""
    names = [f"t{n}" for n in range(rnd.randint(1, 4))]
    tickets = [
        ticket(
            name,
            folder,
            model=rnd.choice(list(SCENARIOS)),
            provider=rnd.choice([*WIRES, *WIRES, "nowhere"]),
            fallback=[f"{wire}/plain" for wire in WIRES if rnd.random() < 0.2],
            needs=[need for need in names[:n] if rnd.random() < 0.3],
            approve=rnd.choice([None, "auto", "deny"]),
            max_turns=rnd.choice([30, 1, 2]),
        )
        for n, name in enumerate(names)
    ]
    return [copy for one in tickets for copy in side_by_side([one] * rnd.choice([1, 1, 2]))]


def any_command(rnd: random.Random, r: Room) -> c.Command:
    """A command for any ticket, an answer if one is waited for."""
    name = rnd.choice([t.id for t in r.engine.tickets])
    questions = r.engine.transcript(name).calls.waiting
    if questions and rnd.random() < 0.5:
        call = questions[0].call_id
        rule = ApprovalRule(questions[0].name, "tool", scope=rnd.choice(["ticket", "run"]))
        answers: list[c.Command] = [c.Approve(name, call), c.Approve(name, call, rule)]
        return rnd.choice([*answers, c.Deny(name, call)])
    if (rules := r.engine.transcript(name).rules) and rnd.random() < 0.2:
        return c.WithdrawRule(name, rules[0])
    if rnd.random() < 0.1:
        return c.SetConcurrency(rnd.choice([1, 2, 8]))
    if rnd.random() < 0.1:
        more = ticket(f"n{rnd.random()}", r.history.parent, model="plain", needs=[name])
        return c.Add((more,)) if rnd.random() < 0.5 else c.AddPrompt("One more.")
    if rnd.random() < 0.2:
        return c.Tell(name, f"And {rnd.random()}?", stops=rnd.random() < 0.5)
    if rnd.random() < 0.05:
        return c.Restart(name, "Do it well.")
    kinds: list[Callable[[str], c.Command]] = [c.Cancel, c.Retry, c.Retry, c.Pause, c.Resume]
    kinds += [c.Choose] * 2
    return rnd.choice(kinds)(name) if rnd.random() < 0.95 else c.CancelAll()


async def pass_turns(count: int) -> None:
    """Let the loop go round so often."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_commands_at_any_moment(tmp_path: Path, seed: int) -> None:
    rnd = random.Random(seed)
    tickets = tickets_of(rnd, tmp_path)
    concurrency = rnd.choice([1, 2, 8])
    on_cut = rnd.choice(["regenerate", "continue"])
    retry = msgspec.structs.replace(QUICK_RETRY, on_cut=on_cut, max_retry_after=0.02)
    breaker = BreakerPolicy(failures=rnd.choice([2, 5]), pause=0.01, max_pause=0.02)
    told: list[c.Tell] = []
    async with room(
        tmp_path,
        tickets,
        scenarios=SCENARIOS,
        concurrency=concurrency,
        hold_slot=rnd.random() < 0.2,
        retry=retry,
        breaker=breaker,
    ) as r:
        for _ in range(rnd.randint(0, 14)):
            command = any_command(rnd, r)
            told += [command] if isinstance(command, c.Tell) else []
            r.engine.send(command)
            await pass_turns(rnd.choice([0, 0, 1, 20, 200]))
    assert r.engine.tickets == tuple(await asyncio.to_thread(r.requested))
    for one in r.engine.tickets:
        stored = await asyncio.to_thread(r.stored, one.id)
        transcript = r.engine.transcript(one.id)
        assert [entry.seq for entry in stored] == list(range(1, len(stored) + 1))
        assert [entry for entry in r.seen if entry.ticket == one.id] == stored
        *_, last = (x.event for x in stored if not isinstance(x.event, _ASIDE))
        assert isinstance(last, e.Ending)
        messages = [x.event for x in stored if isinstance(x.event, e.UserMessage)]
        said = [message.text for message in messages if message.origin == "person"]
        assert said == [message.text for message in told if message.ticket == one.id]
        assert transcript.state != "done" or not transcript.conversation.said
        notes = [item for attempt in transcript.attempts for item in attempt.items]
        assert not [note for note in notes if isinstance(note, NoteItem) and "bug" in note.message]
        assert all(attempt.state in ENDED for attempt in transcript.attempts)
