"""The limits of a run: what is counted, and what comes at a limit."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.run_limits import AtLimit, RunLimits
from lfgtui.settings.providers import Price
from tests.engine.harness import Room, finished, room, says, scenario, ticket
from tests.engine.test_tell import SILENT

LOOKS = {"text": "Let me see.", "call": [{"name": "list_files", "arguments": {}}]}
STEPS = scenario(turn=[LOOKS, LOOKS, {"text": "Done."}])
DEAR = 1e6
"""USD per million tokens: each costs a dollar."""


def limited(at_limit: AtLimit = "stop", **limits: float) -> RunLimits:
    values = {f"max_{name}": value for name, value in limits.items()}
    return msgspec.convert({**values, "at_limit": at_limit}, RunLimits)


def guards(r: Room, *names: str) -> list[str]:
    return [guard.message for name in names for guard in r.events(name, e.GuardTripped)]


SETTINGS: dict[str, Any] = {
    "scenarios": {"steps": STEPS, "silent": SILENT},
    "price": Price(DEAR, DEAR),
}


@pytest.mark.parametrize("limits", [{"run_cost": 5.0}, {"run_tokens": 5}])
async def test_at_a_limit_what_works_ends_before_its_next_request_and_the_rest_is_blocked(
    tmp_path: Path, limits: dict[str, float]
) -> None:
    mine = [ticket(name, tmp_path, model="steps") for name in "ab"]
    how = {**SETTINGS, "concurrency": 1, "run": limited("stop", **limits)}
    async with finished(tmp_path, mine, **how) as r:
        (name,) = limits
        assert r.events("a", e.TicketLimited) == [e.TicketLimited(name)]  # type: ignore[arg-type]  # a string of the parameters
        assert len(r.events("a", e.ResponseFinished)) == 1
        assert r.events("a", e.ToolCallFinished)
        (blocked,) = r.events("b", e.TicketBlocked)
        amount = "$5.00" if name == "run_cost" else "5 tokens"
        assert blocked.reason == f"the run reached max_{name} ({amount})"
        option = f"--max-{name.replace('_', '-')}"
        how_on = f"to continue: lfg resume {r.engine.run} {option} N"
        assert guards(r, "a", "b") == [f"{blocked.reason} and stops; {how_on}"]


async def test_a_response_that_ends_the_ticket_ends_it_well(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path)
    how = {**SETTINGS, "scenarios": {"a": says("Done.")}, "run": limited(run_cost=1.0)}
    async with finished(tmp_path, [mine], **how) as r:
        assert r.state("a") == "done"


@pytest.mark.parametrize("at_limit", ["hold", "ask"])
async def test_a_held_run_goes_on_once_the_limit_is_raised(
    tmp_path: Path, at_limit: AtLimit
) -> None:
    mine = [ticket(name, tmp_path, model="steps") for name in "ab"]
    limits = limited(at_limit, run_cost=5.0)
    async with room(tmp_path, mine, **SETTINGS, concurrency=1, run=limits) as r:
        await r.until(lambda: r.state("a") == r.state("b") == "paused")
        health = r.engine.health
        assert (health.held_at, health.asks_at_limit) == ("run_cost", at_limit == "ask")
        assert health.slots_in_use == 0
        r.engine.send(c.Resume("a"))
        r.engine.send(c.Retry("a"))
        assert r.events("a", e.Resumed) == []
        r.engine.send(c.SetRunLimits(limited(at_limit, run_cost=1e6)))
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("done", "done")
        assert r.engine.health.held_at is None
        assert [event.max_run_cost for event in r.events("a", e.RunLimitsSet)] == [5.0, 1e6]


async def test_the_person_may_stop_a_held_run(tmp_path: Path) -> None:
    mine = [ticket(name, tmp_path, model="steps") for name in "ab"]
    limits = limited("ask", run_cost=5.0)
    async with room(tmp_path, mine, **SETTINGS, concurrency=1, run=limits) as r:
        await r.until(lambda: r.state("a") == r.state("b") == "paused")
        r.engine.send(c.SetRunLimits(limited("stop", run_cost=5.0)))
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("limit", "blocked")


async def test_a_ticket_that_the_person_paused_stays_so(tmp_path: Path) -> None:
    mine = [ticket(name, tmp_path, model="steps") for name in "ab"]
    limits = limited("hold", run_cost=5.0)
    async with room(tmp_path, mine, **SETTINGS, concurrency=1, run=limits) as r:
        r.engine.send(c.Pause("b"))
        await r.until(lambda: r.state("a") == "paused" and r.engine.health.held_at)
        r.engine.send(c.SetRunLimits(limited(run_cost=1e6)))
        await r.until(lambda: r.state("a") == "done")
        assert r.state("b") == "paused"


async def test_where_nobody_can_be_asked_it_stops_and_says_so(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="steps")
    how = {**SETTINGS, "headless": True, "run": RunLimits(max_run_cost=5.0)}
    async with finished(tmp_path, [mine], **how) as r:
        assert r.state("a") == "limit"
        (message,) = guards(r, "a")
        how_on = f"to continue: lfg resume {r.engine.run} --max-run-cost N"
        assert message.endswith(f"($5.00) and stops, since nobody can be asked; {how_on}")


async def test_what_was_spent_before_a_resume_counts(tmp_path: Path) -> None:
    mine = [ticket("a", tmp_path, model="steps")]
    async with finished(tmp_path, mine, **SETTINGS, run=limited(run_cost=5.0)) as r:
        run = r.engine.run
    async with finished(tmp_path, mine, resumes=run, **SETTINGS) as r:
        assert r.state("a") == "blocked"
        assert r.events("a", e.RequestSent) == []
    higher = limited(run_cost=1e6)
    async with finished(tmp_path, mine, resumes=run, run_limits=higher, **SETTINGS) as r:
        assert r.state("a") == "done"


async def test_when_time_is_up_everything_stops_at_once(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="silent")
    async with finished(tmp_path, [mine], **SETTINGS, run=limited(run_time=1.0)) as r:
        assert r.events("a", e.TicketLimited) == [e.TicketLimited("run_time")]
        assert r.attempts("a")[0].text.startswith("I begin")


async def test_a_model_without_a_price_is_named_once(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="steps")
    how = {**SETTINGS, "price": None, "run": limited(run_cost=5.0)}
    async with finished(tmp_path, [mine], **how) as r:
        assert r.state("a") == "done"
        messages = [status.message for status in r.events("a", e.Status)]
        unknown = "its price is unknown; set `price` in the config"
        assert messages == [f"max_run_cost does not count chat/steps: {unknown}"]
