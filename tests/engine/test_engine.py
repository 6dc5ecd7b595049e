"""Many tickets at once, on real requests: when work starts, stops and starts again."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.engine.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.conversation import UserTurn
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.settings.config import BreakerPolicy, ProviderConfig
from tests.engine.harness import WIRES, calls, room, says, scenario, ticket

SLOW = scenario(rate=1000, turn=[{"text": "word " * 60, "stall": {"after": 40, "seconds": 600}}])


async def test_every_ticket_runs_and_the_run_is_done(tmp_path: Path) -> None:
    tickets = [ticket(name, tmp_path) for name in ("a", "b", "c")]
    scenarios = {t.id: says(f"I am {t.id}.") for t in tickets}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert [r.engine.transcript(t.id).answer for t in tickets] == [
            "I am a.",
            "I am b.",
            "I am c.",
        ]


async def test_sinks_see_exactly_what_is_stored(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": says("Hello.")}) as r:
        await r.engine.wait_idle()
        assert await asyncio.to_thread(r.stored, "a") == r.seen
        assert [entry.seq for entry in r.seen] == list(range(1, len(r.seen) + 1))


async def test_sixteen_tickets_run_at_once_on_three_wires(tmp_path: Path) -> None:
    tickets = [
        ticket(f"t{n}", tmp_path, provider=WIRES[n % 3], model="any", prompt=f"Number {n}")
        for n in range(16)
    ]
    scenarios = {"any": says("All of us.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=16) as r:
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert {r.engine.transcript(t.id).answer for t in tickets} == {"All of us."}


async def test_no_more_than_concurrency_run_at_once(tmp_path: Path) -> None:
    tickets = [ticket(f"t{n}", tmp_path, model="any") for n in range(7)]
    async with room(tmp_path, tickets, scenarios={"any": says("Hi.")}, concurrency=2) as r:
        await r.engine.wait_idle()
        running, most = 0, 0
        for entry in r.seen:
            running += isinstance(entry.event, e.AttemptStarted)
            running -= isinstance(entry.event, e.TicketDone)
            most = max(most, running)
        assert most == 2


async def test_a_need_comes_first_and_its_answer_is_handed_on(tmp_path: Path) -> None:
    tickets = [ticket("second", tmp_path, needs=["first"]), ticket("first", tmp_path)]
    scenarios = {"first": says("Two tables."), "second": says("Thanks.")}
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.engine.wait_idle()
        assert r.events("second", e.UserMessage) == [
            e.UserMessage("Do second.", {"first": "Two tables."})
        ]
        (message, *_) = r.engine.transcript("second").conversation.messages
        told = '<answer ticket="first">\nTwo tables.\n</answer>\n\nDo second.'
        assert message == UserTurn(told)


async def test_a_failure_stays_its_tickets_own_and_blocks_what_needs_it(tmp_path: Path) -> None:
    tickets = [
        ticket("last", tmp_path, needs=["middle"]),
        ticket("middle", tmp_path, needs=["broken"]),
        ticket("broken", tmp_path, provider="nowhere"),
        ticket("fine", tmp_path),
    ]
    async with room(tmp_path, tickets, scenarios={"fine": says("Hi.")}) as r:
        await r.engine.wait_idle()
        states = {t.id: r.state(t.id) for t in tickets}
        assert states == {
            "last": "blocked",
            "middle": "blocked",
            "broken": "failed",
            "fine": "done",
        }
        failed = r.events("broken", e.TicketFailed)[0]
        assert isinstance(failed, e.TicketFailed)
        assert failed.kind == "connection"
        blocked = r.events("middle", e.TicketBlocked)[0]
        assert blocked == e.TicketBlocked("it needs broken, which did not end well")


async def test_an_overload_is_tried_again_as_a_new_attempt(tmp_path: Path) -> None:
    busy = says("At last.", fault=[{"status": 529, "times": 2}])
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": busy}) as r:
        await r.engine.wait_idle()
        attempts = r.engine.transcript("a").attempts
        assert [attempt.state for attempt in attempts] == ["failed", "failed", "done"]
        assert [a.error and a.error.kind for a in attempts] == ["overloaded", "overloaded", None]


async def test_it_gives_up_after_the_policys_attempts(tmp_path: Path) -> None:
    busy = says("Never.", fault=[{"status": 529, "times": 9}])
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": busy}) as r:
        await r.engine.wait_idle()
        assert r.state("a") == "failed"
        assert len(r.engine.transcript("a").attempts) == 3


async def test_a_cut_keeps_the_partial_and_leaves_it_out_of_the_next_request(
    tmp_path: Path,
) -> None:
    cut = says("The whole answer.", cut={"after": 9})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": cut}) as r:
        await r.engine.wait_idle()
        broken, whole = r.engine.transcript("a").attempts
        assert broken.text
        assert "The whole answer.".startswith(broken.text)
        assert broken.error is not None
        assert broken.error.kind == "cut"
        assert whole.text == "The whole answer."
        assert r.engine.transcript("a").answer == "The whole answer."


async def test_cancel_stops_one_keeps_its_text_and_leaves_the_others(tmp_path: Path) -> None:
    tickets = [ticket("slow", tmp_path), ticket("fine", tmp_path)]
    async with room(tmp_path, tickets, scenarios={"slow": SLOW, "fine": says("Hi.")}) as r:
        await r.until_event("slow", e.TextDelta)
        r.engine.send(c.Cancel("slow"))
        await r.engine.wait_idle()
        assert (r.state("slow"), r.state("fine")) == ("cancelled", "done")
        attempt = r.engine.transcript("slow").attempt
        assert attempt is not None
        assert attempt.text.startswith("word ")


async def test_cancel_all_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="slow"), ticket("b", tmp_path, needs=["a"])]
    async with room(tmp_path, tickets, scenarios={"slow": SLOW}) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.CancelAll())
        await r.engine.wait_idle()
        assert r.state("a") == "cancelled"
        assert r.state("b") in ("cancelled", "blocked")


async def test_retry_starts_over_and_releases_what_was_blocked(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path, needs=["a"])]
    scenarios = {
        "a": says("Fine now.", fault=[{"status": 529, "times": 3}]),
        "b": says("Me too."),
    }
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("failed", "blocked")
        r.engine.send(c.Retry("a"))
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("done", "done")
        last = r.engine.transcript("a").attempt
        assert last is not None
        assert (last.number, last.continues) == (4, False)


async def test_pause_holds_after_the_response_and_resume_goes_on(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("content")
    reads = calls("read_file", {"path": "x.txt"})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": reads}) as r:
        r.engine.send(c.Pause("a"))
        await r.until_event("a", e.Paused)
        assert r.state("a") == "paused"
        r.engine.send(c.Resume("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_a_queued_ticket_can_be_paused(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="slow"), ticket("b", tmp_path)]
    scenarios = {"slow": SLOW, "b": says("Hi.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Pause("b"))
        r.engine.send(c.Cancel("a"))
        await r.until_event("b", e.Paused)
        r.engine.send(c.Resume("b"))
        await r.engine.wait_idle()
        assert r.state("b") == "done"


@pytest.mark.parametrize("always", [False, True])
async def test_writing_waits_for_approval(tmp_path: Path, always: bool) -> None:
    write = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
    twice = scenario(turn=[{"call": [write]}, {"call": [write]}, {"text": "Done."}])
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": twice}) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        assert not (tmp_path / "x").exists()
        assert isinstance(asked.event, e.ApprovalRequested)
        r.engine.send(c.Approve("a", asked.event.call_id, always=always))
        if not always:
            await r.until(lambda: len(r.events("a", e.ApprovalRequested)) == 2)
            second = r.events("a", e.ApprovalRequested)[1]
            assert isinstance(second, e.ApprovalRequested)
            r.engine.send(c.Approve("a", second.call_id))
        await r.engine.wait_idle()
        assert (tmp_path / "x").read_text() == "1"
        assert len(r.events("a", e.ApprovalRequested)) == (1 if always else 2)


async def test_a_denied_call_goes_back_to_the_model_with_its_reason(tmp_path: Path) -> None:
    writes = calls("write_file", {"path": "x", "content": "1"}, then="Understood.")
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": writes}) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        assert isinstance(asked.event, e.ApprovalRequested)
        r.engine.send(c.Deny("a", asked.event.call_id, "not in this folder"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        finished = r.events("a", e.ToolCallFinished)[0]
        assert isinstance(finished, e.ToolCallFinished)
        assert (finished.output, finished.error) == ("denied: not in this folder", "denied")
        assert not (tmp_path / "x").exists()


async def test_headless_nobody_can_approve_so_the_ticket_is_blocked(tmp_path: Path) -> None:
    writes = calls("write_file", {"path": "x", "content": "1"})
    tickets = [ticket("a", tmp_path)]
    async with room(tmp_path, tickets, scenarios={"a": writes}, headless=True) as r:
        await r.engine.wait_idle()
        blocked = r.events("a", e.TicketBlocked)
        assert blocked == [e.TicketBlocked("write_file needs an approval that nobody can give")]


async def test_unknown_tools_and_bad_arguments_go_back_to_the_model(tmp_path: Path) -> None:
    wrong = scenario(
        turn=[
            {"call": [{"name": "read_file", "arguments": {"pfad": "x"}}]},
            {"call": [{"name": "list_files", "arguments": {}}]},
            {"text": "Sorry."},
        ]
    )
    mine = ticket("a", tmp_path, tools=["read_file", "list_files"])
    async with room(tmp_path, [mine], scenarios={"a": wrong}) as r:
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        first, second = r.events("a", e.ToolCallFinished)
        assert isinstance(first, e.ToolCallFinished)
        assert isinstance(second, e.ToolCallFinished)
        assert first.error is not None
        assert "path" in first.error
        assert second.error is None


async def test_max_turns_is_a_limit(tmp_path: Path) -> None:
    forever = scenario(turn=[{"call": [{"name": "list_files", "arguments": {}}]}] * 9)
    mine = ticket("a", tmp_path, max_turns=3)
    async with room(tmp_path, [mine], scenarios={"a": forever}) as r:
        await r.engine.wait_idle()
        assert r.events("a", e.TicketLimited) == [e.TicketLimited("turns")]
        assert len(r.events("a", e.ResponseFinished)) == 3


async def test_an_answer_cut_by_max_output_tokens_is_a_limit(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, max_output_tokens=5)
    async with room(tmp_path, [mine], scenarios={"a": says("word " * 100)}) as r:
        await r.engine.wait_idle()
        assert r.events("a", e.TicketLimited) == [e.TicketLimited("tokens")]


async def test_the_tickets_time_is_a_limit(tmp_path: Path) -> None:
    command = {"name": "run_command", "arguments": {"command": "sleep 600"}}
    mine = ticket("a", tmp_path, timeout=0.5, approve="auto")
    async with room(tmp_path, [mine], scenarios={"a": scenario(turn=[{"call": [command]}])}) as r:
        await r.engine.wait_idle()
        assert r.events("a", e.TicketLimited) == [e.TicketLimited("time")]


async def test_two_tickets_in_one_file_are_a_conflict_once_unless_one_needs_the_other(
    tmp_path: Path,
) -> None:
    tickets = [
        ticket("a", tmp_path, model="writes", approve="auto"),
        ticket("b", tmp_path, model="writes", approve="auto"),
        ticket("c", tmp_path, model="writes", approve="auto", needs=["a", "b"]),
    ]
    write = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
    writes = scenario(turn=[{"call": [write, write]}, {"text": "Done."}])
    async with room(tmp_path, tickets, scenarios={"writes": writes}, concurrency=1) as r:
        await r.engine.wait_idle()
        assert r.events("a", e.ConflictDetected) == r.events("c", e.ConflictDetected) == []
        assert r.events("b", e.ConflictDetected) == [e.ConflictDetected("x", ("a",))]


async def test_shutdown_interrupts_kills_children_and_can_be_resumed(tmp_path: Path) -> None:
    command = {"name": "run_command", "arguments": {"command": "echo $$; exec sleep 600"}}
    turns = scenario(turn=[{"call": [command]}, {"text": "Went on."}])
    mine = ticket("a", tmp_path, approve="auto")
    async with room(tmp_path, [mine], scenarios={"a": turns}) as r:
        printed = await r.until_event("a", e.ToolOutputDelta)
        run = r.engine.run
    assert isinstance(printed.event, e.ToolOutputDelta)
    with pytest.raises(ProcessLookupError):
        os.kill(int(printed.event.text), 0)
    assert r.events("a")[-1] == e.TicketInterrupted()
    async with room(tmp_path, [mine], scenarios={"a": turns}, resumes=run) as r:
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        answered = r.events("a", e.ToolCallFinished)[0]
        assert isinstance(answered, e.ToolCallFinished)
        assert answered.error == "interrupted"


@pytest.mark.parametrize("wire", WIRES)
async def test_resume_continues_a_reasoning_tool_loop_as_the_wire_demands(
    tmp_path: Path, wire: str
) -> None:
    """The simulator refuses a request without its signature, reasoning item or call id."""
    sleep = {"name": "run_command", "arguments": {"command": "echo started; exec sleep 600"}}
    turns = scenario(
        turn=[
            {"reasoning": "First I look.", "call": [{"name": "list_files", "arguments": {}}]},
            {"reasoning": "Now I wait.", "text": "Waiting.", "call": [sleep]},
            {"reasoning": "So it was.", "text": "Finished."},
        ]
    )
    keys = {"provider": wire, "reasoning": "low", "approve": "auto"}
    mine = ticket("a", tmp_path, **keys)
    async with room(tmp_path, [mine], scenarios={"a": turns}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        run = r.engine.run
    async with room(tmp_path, [mine], scenarios={"a": turns}, resumes=run) as r:
        await r.engine.wait_idle()
        assert r.events("a", e.TicketFailed) == []
        assert r.engine.transcript("a").answer == "Finished."
        reasoning = "".join(a.reasoning for a in r.engine.transcript("a").attempts)
        assert reasoning == "First I look.Now I wait.So it was."


async def test_a_providers_key_does_not_reach_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_CLAUDE", "hush")
    shows = calls("run_command", {"command": "echo [$MY_CLAUDE]"})
    mine = ticket("a", tmp_path, approve="auto")
    keyed = ProviderConfig(wire="openai-chat", base_url="http://x/v1", api_key_env="MY_CLAUDE")
    async with room(tmp_path, [mine], scenarios={"a": shows}, more={"keyed": keyed}) as r:
        await r.engine.wait_idle()
        finished = r.events("a", e.ToolCallFinished)[0]
        assert isinstance(finished, e.ToolCallFinished)
        assert finished.output.startswith("[]")


async def test_pausing_during_the_last_response_lets_it_end(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": says("All.")}) as r:
        await r.until_event("a", e.RequestSent)
        r.engine.send(c.Pause("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_cancelled_before_its_first_step_a_ticket_ends_all_the_same(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    scenarios = {"a": says("A."), "b": says("B.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("cancelled", "done")


async def test_a_hold_ends_with_its_start(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1")
    reads = calls("read_file", {"path": "x"})
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": reads}) as r:
        r.engine.send(c.Pause("a"))
        await r.until_event("a", e.Paused)
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        r.engine.send(c.Retry("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


async def test_an_impossible_entry_fails_its_ticket_and_no_other(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="slow"), ticket("b", tmp_path)]
    async with room(tmp_path, tickets, scenarios={"slow": SLOW, "b": says("B.")}) as r:
        await r.until_event("a", e.TextDelta)
        r.recorder.submit(r.engine.run, "a", 1, 0.0, e.ApprovalGiven("nothing"))
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("failed", "done")


async def test_always_holds_for_the_rest_of_the_ticket_retries_included(tmp_path: Path) -> None:
    write = {"name": "write_file", "arguments": {"path": "x", "content": "1"}}
    turns = scenario(
        turn=[{"call": [write]}, {"call": [write], "fault": [{"status": 529}]}, {"text": "Done."}]
    )
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": turns}) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        assert isinstance(asked.event, e.ApprovalRequested)
        r.engine.send(c.Approve("a", asked.event.call_id, always=True))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert len(r.events("a", e.ApprovalRequested)) == 1
        assert len(r.events("a", e.AttemptStarted)) == 2


async def test_a_question_nobody_could_answer_is_asked_anew_on_resume(tmp_path: Path) -> None:
    writes = calls("write_file", {"path": "x", "content": "1"})
    mine = ticket("a", tmp_path)
    async with room(tmp_path, [mine], scenarios={"a": writes}, headless=True) as r:
        await r.engine.wait_idle()
        run = r.engine.run
    async with room(tmp_path, [mine], scenarios={"a": writes}, resumes=run) as r:
        asked = await r.until_event("a", e.ApprovalRequested)
        assert isinstance(asked.event, e.ApprovalRequested)
        r.engine.send(c.Approve("a", asked.event.call_id))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert (tmp_path / "x").read_text() == "1"


async def test_a_need_that_ends_well_at_last_releases_what_was_tried_meanwhile(
    tmp_path: Path,
) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path, needs=["a"])]
    scenarios = {"a": says("A.", fault=[{"status": 529, "times": 6}]), "b": says("B.")}
    breaker = BreakerPolicy(pause=0.01, max_pause=0.01)
    async with room(tmp_path, tickets, scenarios=scenarios, breaker=breaker) as r:
        for command in (c.Retry("a"), c.Retry("b"), c.Retry("a")):
            await r.engine.wait_idle()
            r.engine.send(command)
        await r.engine.wait_idle()
        assert (r.state("a"), r.state("b")) == ("done", "done")


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
    async with room(tmp_path, tickets, scenarios=scenarios) as r:
        await r.engine.wait_idle()
        failed = r.events("a")[-1]
        assert isinstance(failed, e.TicketFailed)
        assert type(error).__name__ in failed.message
        assert len(failed.message) <= 400
        assert r.state("b") == "done"


async def test_an_end_that_cannot_be_stored_is_a_failure_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = TicketRun.work

    async def ends_oddly(run: TicketRun, message: e.UserMessage) -> e.Ending:
        ending = await work(run, message)
        return e.TicketDone(object()) if run.ticket.id == "a" else ending  # type: ignore[arg-type]

    monkeypatch.setattr(TicketRun, "work", ends_oddly)
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    async with room(tmp_path, tickets, scenarios={"a": says("x"), "b": says("y")}) as r:
        async with asyncio.timeout(20):
            await r.engine.wait_idle()
        failed = r.events("a")[-1]
        assert isinstance(failed, e.TicketFailed)
        assert "cannot store how the ticket ended" in failed.message
        assert r.state("b") == "done"
