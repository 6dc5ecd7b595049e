"""Slots: who waits for something else gives its slot up, and takes one again in its turn."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.settings.config import BreakerPolicy
from tests.engine.harness import QUICK_RETRY, WIRES, Room, calls, room, says, scenario, ticket
from tests.providers.virtual_time import pausing

ENDLESS = says("It goes on.", cut={"after": 5, "how": "half-open"})
SCENARIOS = {
    "writes": calls("write_file", {"path": "x", "content": "1"}),
    "also writes": calls("write_file", {"path": "y", "content": "1"}),
    "says": says("Hi."),
    "busy": says("At last.", fault=[{"status": 529}]),
    "limited": says("At last.", fault=[{"status": 429, "retry_after": 3600}]),
    "endless": ENDLESS,
}


def requests(r: Room) -> list[str]:
    """Tickets in the order of their requests."""
    return [entry.ticket for entry in r.seen if isinstance(entry.event, e.RequestSent)]


def work(r: Room) -> list[tuple[float, float, str]]:
    """Begin, end and ticket of each request and each tool's run, in order."""
    done: list[tuple[float, float, str]] = []
    sent: dict[str, float] = {}
    for entry in r.seen:
        match entry.event:
            case e.RequestSent():
                sent[entry.ticket] = entry.at
            case e.ResponseFinished() | e.Retrying() | e.Ending():
                if entry.ticket in sent:
                    done.append((sent.pop(entry.ticket), entry.at, entry.ticket))
            case e.ToolCallFinished(error=None, seconds=seconds):
                done.append((entry.at - seconds, entry.at, entry.ticket))
    return sorted(done)


def one_at_a_time(r: Room) -> bool:
    """True if no two tickets worked at the same moment; `seconds` are rounded."""
    return all(one[1] <= other[0] + 0.001 for one, other in pairwise(work(r)) if one[2] != other[2])


async def test_others_work_while_tickets_wait_for_an_approval(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="also writes")]
    tickets.append(ticket("c", tmp_path, model="says"))
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until(lambda: r.state("c") == "done")
        assert [r.state(name) for name in "ab"] == ["needs_approval"] * 2
        assert r.engine.health.slots_in_use == 0
        await r.approve("b")
        await r.approve("a")
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert requests(r) == ["a", "b", "c", "b", "a"]
        assert len(work(r)) == 7
        assert one_at_a_time(r)


async def test_an_approved_call_shows_so_and_runs_once_there_is_a_slot(tmp_path: Path) -> None:
    """In the order of the approvals, and before a ticket that has not begun."""
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="also writes")]
    tickets += [ticket("c", tmp_path, model="endless"), ticket("d", tmp_path, model="says")]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("c", e.TextDelta)
        await r.approve("b")
        await r.until_event("b", e.ApprovalGiven)
        await r.approve("a")
        await r.until_event("a", e.ApprovalGiven)
        health = r.engine.health
        assert (health.slots, health.slots_in_use) == (1, 1)
        assert health.waiting_for_slot == {"a", "b"}
        assert [r.state(name) for name in "abcd"] == [
            "running_tool",
            "running_tool",
            "streaming",
            "queued",
        ]
        assert not (tmp_path / "x").exists()
        r.engine.send(c.Cancel("c"))
        await r.engine.wait_idle()
        assert requests(r) == ["a", "b", "c", "b", "a", "d"]
        assert one_at_a_time(r)


async def test_an_approved_call_is_checked_again_once_it_has_its_slot(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="endless")]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        await r.approve("a")
        await r.until_event("a", e.ApprovalGiven)
        (tmp_path / "x").symlink_to("other")
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        (finished,) = r.events("a", e.ToolCallFinished)
        assert "has changed since approval was requested" in finished.output
        assert not (tmp_path / "other").exists()


async def test_what_follows_a_denied_call_waits_for_a_slot(tmp_path: Path) -> None:
    write = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
    lists = {"name": "list_files", "arguments": {}}
    both = scenario(turn=[{"call": [write, lists]}, {"text": "Done."}])
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path, model="endless")]
    scenarios = {**SCENARIOS, "a": both}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        (call,) = r.engine.transcript("a").calls.waiting
        r.engine.send(c.Deny("a", call.call_id))
        await r.until(lambda: r.events("a", e.ToolCallFinished))
        await r.until(lambda: r.engine.health.waiting_for_slot == {"a"})
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert one_at_a_time(r)


async def test_others_work_while_a_ticket_is_paused(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="says"), ticket("b", tmp_path, model="endless")]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        r.engine.send(c.Pause("a"))
        await r.until_event("a", e.Paused)
        await r.until_event("b", e.TextDelta)
        r.engine.send(c.Resume("a"))
        await r.until_event("a", e.Resumed)
        assert r.engine.health.waiting_for_slot == {"a"}
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_others_work_during_a_retrys_delay_and_it_comes_in_its_turn(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="busy"), ticket("b", tmp_path, model="endless")]
    tickets.append(ticket("c", tmp_path, model="says"))
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        await r.until(lambda: r.engine.health.waiting_for_slot == {"a"})
        assert r.state("a") == "retrying"
        assert len(r.events("a", e.AttemptStarted)) == 1
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert requests(r) == ["a", "b", "a", "c"]
        assert one_at_a_time(r)


async def test_a_switch_to_the_fallback_is_no_wait_and_keeps_the_slot(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="busy", fallback=["anthropic/says"])
    tickets = [mine, ticket("b", tmp_path, model="says")]
    retry = msgspec.structs.replace(QUICK_RETRY, attempts=1)
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1, retry=retry) as r:
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert requests(r) == ["a", "a", "b"]


async def test_others_work_while_a_circuit_is_open(tmp_path: Path) -> None:
    tickets = [ticket(name, tmp_path, model="busy") for name in "ab"]
    tickets.append(ticket("c", tmp_path, model="says"))
    breaker = BreakerPolicy(failures=1, pause=3600, max_pause=3600)
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1, breaker=breaker) as r:
        await r.until(lambda: r.state("c") == "done")
        assert requests(r) == ["a", "c"]
        assert [type(event) for event in r.events("b")][-1] is e.Status
        assert r.engine.health.slots_in_use == 0


async def test_all_go_on_one_at_a_time_when_a_circuit_closes(tmp_path: Path) -> None:
    """Each is refused once, and a failed probe is a failure of all who wait."""
    tickets = [ticket(name, tmp_path, model="busy") for name in "abcde"]
    breaker = BreakerPolicy(failures=1, pause=0.01, max_pause=0.02)
    retry = msgspec.structs.replace(QUICK_RETRY, attempts=len(tickets) + 1)
    async with room(
        tmp_path, tickets, scenarios=SCENARIOS, concurrency=1, breaker=breaker, retry=retry
    ) as r:
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert one_at_a_time(r)


async def test_a_parked_ticket_goes_on_before_one_that_has_not_begun(tmp_path: Path) -> None:
    tickets = [
        ticket("late", tmp_path, model="says"),
        ticket("a", tmp_path, model="limited", provider="anthropic"),
        ticket("b", tmp_path, model="endless"),
    ]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        r.engine.send(c.Cancel("late"))
        await r.until_event("b", e.TextDelta)
        r.engine.send(c.Retry("late"))
        r.engine.send(c.Retry("a"))
        await r.until(lambda: r.state("a") == "queued")
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert requests(r) == ["a", "b", "a", "late"]


@pytest.mark.parametrize("ending", ["cancelled", "done", "interrupted"])
async def test_who_waits_for_a_slot_can_pause_and_end_at_once(tmp_path: Path, ending: str) -> None:
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="endless")]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        await r.approve("a")
        await r.until_event("a", e.ApprovalGiven)
        r.engine.send(c.Pause("a"))
        await r.until_event("a", e.Paused)
        assert r.engine.health.waiting_for_slot == set()
        r.engine.send(c.Resume("a"))
        await r.until_event("a", e.Resumed)
        assert r.engine.health.waiting_for_slot == {"a"}
        if ending == "cancelled":
            r.engine.send(c.Cancel("a"))
            await r.until_event("a", e.TicketCancelled)
            assert r.state("b") == "streaming"
        elif ending == "done":
            r.engine.send(c.Cancel("b"))
            await r.engine.wait_idle()
    assert r.state("a") == ending
    assert (tmp_path / "x").exists() == (ending == "done")


async def test_an_approved_call_that_waits_for_a_slot_can_still_be_stopped(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="endless")]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        await r.approve("a")
        await r.until_event("a", e.ApprovalGiven)
        r.engine.send(c.Tell("a", "No, leave it.", stops=True))
        finished = await r.until_event("a", e.ToolCallFinished)
        assert finished.error == "not run"
        assert r.state("b") == "streaming"
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert not (tmp_path / "x").exists()


async def test_waiting_for_a_slot_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = [ticket("a", tmp_path, model="writes", timeout=900)]
    tickets.append(ticket("b", tmp_path, model="endless"))
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        await r.approve("a")
        await r.until_event("a", e.ApprovalGiven)
        await r.until(lambda: r.engine.health.waiting_for_slot == {"a"})
        await pausing(monkeypatch, 1000)()
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_a_run_that_ended_in_that_state_is_resumed_and_the_model_told(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="endless")]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        await r.approve("a")
        await r.until_event("a", e.ApprovalGiven)
    assert [r.state(name) for name in "ab"] == ["interrupted"] * 2
    assert not (tmp_path / "x").exists()
    run, scenarios = r.engine.run, {**SCENARIOS, "endless": says("B.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1, resumes=run) as r:
        await r.engine.wait_idle()
        assert r.engine.all_done
        (finished,) = r.events("a", e.ToolCallFinished)
        assert "before this had finished" in finished.output


async def test_the_setting_keeps_slots_while_tickets_wait(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="writes"), ticket("b", tmp_path, model="busy")]
    tickets.append(ticket("c", tmp_path, model="says"))
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1, hold_slot=True) as r:
        await r.until(lambda: r.state("a") == "needs_approval")
        assert r.engine.health.slots_in_use == 1
        await r.approve("a")
        await r.engine.wait_idle()
        assert requests(r) == ["a", "a", "b", "b", "c"]


# The number of slots


async def test_the_number_of_slots_changes_while_tickets_work(tmp_path: Path) -> None:
    tickets = [ticket(name, tmp_path, model="endless") for name in "abc"]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=1) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.SetConcurrency(2))
        await r.until_event("b", e.TextDelta)
        assert (r.engine.health.slots, r.engine.health.slots_in_use) == (2, 2)
        r.engine.send(c.SetConcurrency(1))
        r.engine.send(c.Cancel("a"))
        await r.until_event("a", e.TicketCancelled)
        assert (r.engine.health.slots, r.engine.health.slots_in_use) == (1, 1)
        assert r.state("c") == "queued"
        r.engine.send(c.SetConcurrency(0))
        assert r.engine.health.slots == 1
        r.engine.send(c.Cancel("b"))
        await r.until_event("c", e.TextDelta)


@pytest.mark.parametrize("wire", WIRES)
async def test_a_ticket_that_waited_finds_a_connection_open(tmp_path: Path, wire: str) -> None:
    tickets = [ticket(name, tmp_path, provider=wire, model="says") for name in "abcdef"]
    async with room(tmp_path, tickets, scenarios=SCENARIOS, concurrency=2) as r:
        await r.engine.wait_idle()
        connects = [r.events(name, e.ResponseStarted)[0].connect for name in "abcdef"]
        assert connects[0] is not None  # the second may come when the first is done
        assert connects[2:] == [None] * 4
