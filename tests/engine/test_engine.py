"""Many tickets at once, on real requests: when work starts, stops and starts again."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lfgtui.agent.questions import UNASKABLE
from lfgtui.engine import commands as c
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import UserTurn
from lfgtui.model.fold.metrics import HistoryTrouble, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.providers.base import Request
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.sdk.provider import SdkProvider
from lfgtui.settings.config import BreakerPolicy
from tests.engine.harness import WIRES, Room, calls, finished, room, says, scenario, ticket

SLOW = scenario(rate=1000, turn=[{"text": "word " * 60, "stall": {"after": 40, "seconds": 600}}])
WRITE = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
WRITES = calls("write_file", {"path": "x", "content": "1"})


def states(r: Room) -> dict[str, str | None]:
    return {one.id: r.state(one.id) for one in r.engine.tickets}


# One after the other, and side by side


@pytest.mark.parametrize("concurrency", [2, 16])
async def test_tickets_run_at_once_on_three_wires_and_sinks_see_what_is_stored(
    tmp_path: Path, concurrency: int
) -> None:
    tickets = [ticket(f"t{n}", tmp_path, provider=WIRES[n % 3], model="any") for n in range(16)]
    said = says("All of us.")
    async with finished(tmp_path, tickets, scenarios={"any": said}, concurrency=concurrency) as r:
        assert r.engine.all_done
        assert {r.engine.transcript(t.id).answer for t in tickets} == {"All of us."}
        for one in tickets:
            seen = [entry for entry in r.seen if entry.ticket == one.id]
            assert await asyncio.to_thread(r.stored, one.id) == seen
        running, most = 0, 0
        for entry in r.seen:
            running += isinstance(entry.event, e.AttemptStarted)
            running -= isinstance(entry.event, e.TicketDone)
            most = max(most, running)
        assert most == concurrency


async def test_a_need_comes_first_and_its_answer_is_handed_on(tmp_path: Path) -> None:
    tickets = [ticket("second", tmp_path, needs=["first"]), ticket("first", tmp_path)]
    scenarios = {"first": says("Two tables."), "second": says("Thanks.")}
    async with finished(tmp_path, tickets, scenarios=scenarios) as r:
        message = e.UserMessage("Do second.", {"first": "Two tables."})
        assert r.events("second", e.UserMessage) == [message]
        (turn, *_) = r.engine.transcript("second").conversation.messages
        told = '<answer ticket="first">\nTwo tables.\n</answer>\n\nDo second.'
        assert turn == UserTurn(told)


async def test_a_failure_stays_its_tickets_own_and_blocks_what_needs_it(tmp_path: Path) -> None:
    tickets = [
        ticket("last", tmp_path, needs=["middle"]),
        ticket("middle", tmp_path, needs=["broken"]),
        ticket("broken", tmp_path, provider="nowhere"),
        ticket("fine", tmp_path),
    ]
    async with finished(tmp_path, tickets, scenarios={"fine": says("Hi.")}) as r:
        assert states(r) == {
            "last": "blocked", "middle": "blocked", "broken": "failed", "fine": "done",
        }  # fmt: skip
        assert r.events("broken", e.TicketFailed)[0].kind == "connection"
        assert r.events("middle", e.TicketBlocked) == [e.TicketBlocked("“broken” failed")]


# Commands


async def test_cancel_stops_one_keeps_its_text_and_leaves_the_others(tmp_path: Path) -> None:
    tickets = [ticket("slow", tmp_path), ticket("fine", tmp_path), ticket("unbegun", tmp_path)]
    scenarios = {"slow": SLOW, "fine": says("Hi."), "unbegun": says("No.")}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        r.engine.send(c.Cancel("unbegun"))  # before its first step
        await r.until_event("slow", e.TextDelta)
        r.engine.send(c.Cancel("slow"))
        await r.engine.wait_idle()
        assert states(r) == {"slow": "cancelled", "fine": "done", "unbegun": "cancelled"}
        assert r.attempts("slow")[-1].text.startswith("word ")


async def test_cancel_all_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="slow"), ticket("b", tmp_path, needs=["a"])]
    async with room(tmp_path, tickets, scenarios={"slow": SLOW}) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.CancelAll())
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"
        assert r.state("b") in ("cancelled", "blocked")


async def test_retry_starts_over_and_releases_what_was_blocked_meanwhile(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path, needs=["a"])]
    scenarios = {"a": says("A.", fault=[{"status": 529, "times": 6}]), "b": says("B.")}
    breaker = BreakerPolicy(pause=0.01, max_pause=0.01)
    async with finished(tmp_path, tickets, scenarios=scenarios, breaker=breaker) as r:
        assert states(r) == {"a": "failed", "b": "blocked"}
        for command in (c.Retry("a"), c.Retry("b"), c.Retry("a")):
            r.engine.send(command)
            await r.engine.wait_idle()
        assert states(r) == {"a": "done", "b": "done"}
        last = r.attempts("a")[-1]
        assert (last.number, last.continues) == (7, False)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_pause_holds_until_resume_or_the_end(tmp_path: Path, is_cancelled: bool) -> None:
    reads = calls("list_files", {})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": reads}) as r:
        r.engine.send(c.Pause("a"))
        await r.until_event("a", e.Paused)
        assert r.state("a") == "paused"
        r.engine.send(c.Cancel("a") if is_cancelled else c.Resume("a"))
        await r.engine.wait_idle()
        if is_cancelled:
            r.engine.send(c.Retry("a"))
            await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_pausing_during_the_last_response_lets_it_end(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": says("All.")}) as r:
        await r.until_event("a", e.RequestSent)
        r.engine.send(c.Pause("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_a_ticket_is_paused_after_a_response_that_is_not_the_last(tmp_path: Path) -> None:
    endless = says("It goes on.", cut={"after": 5, "how": "half-open"})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": endless}) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Pause("a"))
        r.engine.send(c.Tell("a", "Stop.", stops=True))
        await r.until_event("a", e.Paused)
        assert r.state("a") == "paused"
        r.engine.send(c.Resume("a"))
        await r.until(lambda: len(r.events("a", e.RequestSent)) == 2)


async def test_a_queued_ticket_can_be_paused(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="slow"), ticket("b", tmp_path)]
    scenarios = {"slow": SLOW, "b": says("Hi.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Pause("b"))
        r.engine.send(c.Cancel("a"))
        await r.resume_when_paused("b")
        assert r.state("b") == "done"


# Approvals


@pytest.mark.parametrize("rule", [None, ApprovalRule("write_file", "tool")])
async def test_writing_waits_for_approval_and_a_rule_holds_for_the_ticket_retries_included(
    tmp_path: Path, rule: ApprovalRule | None
) -> None:
    again = {"call": [WRITE], "fault": [{"status": 529}]}
    twice = scenario(turn=[{"call": [WRITE]}, again, {"text": "Done."}])
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": twice}) as r:
        await r.until_event("a", e.ApprovalRequested)
        assert not (tmp_path / "x").exists()
        await r.approve("a", rule)
        if rule is None:
            await r.approve("a")
        await r.engine.wait_idle()
        assert (tmp_path / "x").read_text() == "1"
        assert len(r.events("a", e.ApprovalRequested)) == (2 if rule is None else 1)
        assert len(r.events("a", e.AttemptStarted)) == 2


async def test_a_denied_call_goes_back_to_the_model_with_its_reason(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": WRITES}) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        r.engine.send(c.Deny("a", asked.call_id, "not in this folder"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        (answer,) = r.events("a", e.ToolCallFinished)
        assert (answer.output, answer.error) == ("denied: not in this folder", "denied")
        assert not (tmp_path / "x").exists()


async def test_headless_a_ticket_is_blocked_by_an_approval_until_resumed(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path)
    async with finished(tmp_path, [mine], scenarios={"a": WRITES}, headless=True) as r:
        blocked = e.TicketBlocked(UNASKABLE.format("write_file"))
        assert r.events("a", e.TicketBlocked) == [blocked]
        run = r.engine.run
    async with room(tmp_path, [mine], scenarios={"a": WRITES}, resumes=run) as r:
        await r.approve("a")
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert (tmp_path / "x").read_text() == "1"


# Limits


@pytest.mark.parametrize(
    ("keys", "turn", "limit"),
    [
        ({"max_turns": 3}, {"call": [{"name": "list_files", "arguments": {}}]}, "turns"),
        ({"max_output_tokens": 5}, {"text": "word " * 100}, "tokens"),
        (
            {"timeout": 0.5, "approve": "auto"},
            {"call": [{"name": "run_command", "arguments": {"command": "sleep 600"}}]},
            "time",
        ),
    ],
)
async def test_a_limit_ends_the_ticket(
    tmp_path: Path, keys: dict[str, object], turn: dict[str, object], limit: str
) -> None:
    mine = ticket("a", tmp_path, **keys)
    forever = scenario(turn=[turn] * 9)
    async with finished(tmp_path, [mine], scenarios={"a": forever}) as r:
        (ending,) = r.events("a", e.TicketLimited)
        assert ending.limit == limit
        assert len(r.events("a", e.ResponseFinished)) == (3 if limit == "turns" else 1)


# Resuming


async def test_shutdown_interrupts_kills_children_and_can_be_resumed(tmp_path: Path) -> None:
    command = {"name": "run_command", "arguments": {"command": "echo $$; exec sleep 600"}}
    turns = scenario(turn=[{"call": [command]}, {"text": "Went on."}])
    mine = ticket("a", tmp_path, approve="auto")
    async with room(tmp_path, [mine], scenarios={"a": turns}) as r:
        printed = await r.until_event("a", e.ToolOutputDelta)
        run = r.engine.run
    with pytest.raises(ProcessLookupError):
        os.kill(int(printed.text), 0)
    assert r.events("a")[-1] == e.TicketInterrupted()
    async with finished(tmp_path, [mine], scenarios={"a": turns}, resumes=run) as r:
        assert r.state("a") == "done"
        assert r.events("a", e.ToolCallFinished)[0].error == "interrupted"


async def test_a_call_that_waited_for_approval_waits_again_when_resumed(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path)
    async with room(tmp_path, [mine], scenarios={"a": WRITES}) as r:
        await r.until_event("a", e.ApprovalRequested)
        run = r.engine.run
    for _ in range(2):  # left again, with the request still open
        async with room(tmp_path, [mine], scenarios={"a": WRITES}, resumes=run) as r:
            await r.until_event("a", e.ApprovalRequested)
            (card,) = r.engine.transcript("a").calls.waiting
            assert list(r.attempts("a")[-1].tools) == [card]
    async with room(tmp_path, [mine], scenarios={"a": WRITES}, resumes=run) as r:
        await r.approve("a")
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert (tmp_path / "x").read_text() == "1"
        stored = Transcript()
        for entry in await asyncio.to_thread(r.stored, "a"):
            stored.apply(entry)
        for attempts in (r.attempts("a"), stored.attempts):
            states = [[call.state for call in attempt.tools] for attempt in attempts]
            assert states == [["stopped"]] * 3 + [["finished"]]


@pytest.mark.parametrize("wire", WIRES)
async def test_resume_continues_a_reasoning_loop_as_wires_ask(tmp_path: Path, wire: str) -> None:
    """The simulator refuses a request without its signature, reasoning item or call id."""
    sleep = {"name": "run_command", "arguments": {"command": "echo started; exec sleep 600"}}
    turns = scenario(
        turn=[
            {"reasoning": "First I look.", "call": [{"name": "list_files", "arguments": {}}]},
            {"reasoning": "Now I wait.", "text": "Waiting.", "call": [sleep]},
            {"reasoning": "So it was.", "text": "Finished."},
        ]
    )
    mine = ticket("a", tmp_path, provider=wire, reasoning="low", approve="auto")
    async with room(tmp_path, [mine], scenarios={"a": turns}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        run = r.engine.run
    async with finished(tmp_path, [mine], scenarios={"a": turns}, resumes=run) as r:
        assert r.events("a", e.TicketFailed) == []
        assert r.engine.transcript("a").answer == "Finished."
        reasoning = "".join(attempt.reasoning for attempt in r.attempts("a"))
        assert reasoning == "First I look.Now I wait.So it was."


# What must not happen


async def test_an_impossible_entry_fails_its_ticket_and_no_other(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="asks"), ticket("b", tmp_path)]
    async with room(tmp_path, tickets, scenarios={"asks": WRITES, "b": says("B.")}) as r:
        await r.until_event("a", e.ApprovalRequested)
        r.recorder.submit(r.engine.run, "a", 1, 0.0, e.RequestSent(9))
        await r.engine.wait_idle()
        assert states(r) == {"a": "failed", "b": "done"}


@pytest.mark.parametrize("error", [RecursionError("deep"), AssertionError(), KeyError("x" * 9999)])
async def test_whatever_a_decoder_raises_ends_its_own_ticket_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    feed = ChatDecoder.feed

    def raises(decoder: ChatDecoder, name: str, data: str | bytes) -> Sequence[e.WireEvent]:
        if b"poison" in (data if isinstance(data, bytes) else data.encode()):
            raise error
        return feed(decoder, name, data)

    monkeypatch.setattr(ChatDecoder, "feed", raises)
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    scenarios = {"a": says("It is poison"), "b": says("All is well.")}
    async with finished(tmp_path, tickets, scenarios=scenarios) as r:
        (failed,) = r.events("a", e.TicketFailed)
        assert type(error).__name__ in failed.message
        assert len(failed.message) <= 400
        assert r.state("b") == "done"


GOOD_AND_BAD = {"good": says("All is well."), "bad": says("Something else.")}


async def test_a_bug_in_the_fold_is_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Meter.apply

    def broken(self: Meter, entry: e.Entry) -> None:
        if entry.ticket == "bad" and isinstance(entry.event, e.TextDelta):
            raise ZeroDivisionError("by nought")
        original(self, entry)

    monkeypatch.setattr(Meter, "apply", broken)
    tickets = [ticket("bad", tmp_path), ticket("good", tmp_path)]
    async with finished(tmp_path, tickets, scenarios=GOOD_AND_BAD) as r:
        assert states(r) == {"bad": "failed", "good": "done"}
        (failed,) = r.events("bad", e.TicketFailed)
        assert failed.message == "a bug in lfg: ZeroDivisionError: by nought"


async def test_a_bug_in_a_sink_stops_neither_the_run_nor_the_other_sinks(tmp_path: Path) -> None:
    def broken(entries: object) -> None:
        raise ZeroDivisionError

    async with room(tmp_path, [ticket("good", tmp_path)], scenarios=GOOD_AND_BAD) as r:
        r.engine.subscribe(broken)
        later: list[e.Entry] = []
        r.engine.subscribe(later.extend)
        await r.engine.wait_idle()
        assert r.state("good") == "done"
        assert later == r.seen[-len(later) :] != []


@pytest.mark.parametrize("can_say_so", [True, False])
async def test_an_ending_that_cannot_be_stored_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_say_so: bool
) -> None:
    original = Recorder.submit

    def broken(self: Recorder, run: str, ticket: str, *rest: Any) -> None:  # as `submit`
        unstorable = e.TicketDone if can_say_so else e.Ending
        if ticket == "bad" and isinstance(rest[2], unstorable):
            raise ZeroDivisionError("by nought")
        original(self, run, ticket, *rest)

    monkeypatch.setattr(Recorder, "submit", broken)
    tickets = [ticket("bad", tmp_path), ticket("good", tmp_path, needs=("bad",))]
    async with finished(tmp_path, tickets, scenarios=GOOD_AND_BAD) as r:
        assert r.state("good") == "blocked"
        failures = [failed.message for failed in r.events("bad", e.TicketFailed)]
        told = "cannot store how the ticket ended: ZeroDivisionError: by nought"
        assert failures == [told] * can_say_so
        assert ("by nought" in str(r.engine.health.behind)) is not can_say_so


async def test_who_shows_the_run_is_told_when_only_its_health_changed(tmp_path: Path) -> None:
    async with finished(tmp_path, [ticket("good", tmp_path)], scenarios=GOOD_AND_BAD) as r:
        told: list[tuple[int, HistoryTrouble | None]] = []
        r.engine.subscribe(lambda entries: told.append((len(entries), r.engine.health.behind)))
        trouble = HistoryTrouble("the disk is full")
        r.recorder.on_behind(trouble)
        r.recorder.on_behind(None)
        await r.recorder.settle()
        assert told == [(0, trouble), (0, None)]


@pytest.mark.parametrize("headless", [False, True])
async def test_requests_know_if_their_ticket_is_in_view_where_anybody_looks(
    tmp_path: Path, headless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: dict[str, Request] = {}
    stream = SdkProvider.stream

    def noted(provider: SdkProvider, request: Request) -> AsyncGenerator[e.WireEvent, None]:
        requests[request.model] = request
        return stream(provider, request)

    monkeypatch.setattr(SdkProvider, "stream", noted)
    tickets = [ticket(name, tmp_path) for name in ("a", "b")]
    scenarios = {"a": says("A."), "b": says("B.")}
    async with finished(tmp_path, tickets, headless=headless, scenarios=scenarios) as r:
        for in_view in (set[str](), {"a"}, {"a", "b"}):
            r.engine.watch(in_view)
            asked = {name: one.is_seen for name, one in requests.items()}
            assert asked.keys() == {"a", "b"}
            if headless:
                assert set(asked.values()) == {None}
            else:
                assert {name for name, is_seen in asked.items() if is_seen and is_seen()} == in_view
