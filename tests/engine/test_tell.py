"""Messages of the person to an agent: at work, at a tool, waiting, ended; and across a resume."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lfgtui.engine import commands as c
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import ToolResult, UserTurn
from lfgtui.model.fold.items import PromptItem, TextItem
from tests.engine.harness import WIRES, Room, calls, finished, room, says, scenario, ticket

SAID = "Use pathlib please"
SILENT = scenario(
    turn=[{"text": "I begin like this. " * 20, "cut": {"after": 60, "how": "half-open"}}]
)
WRITES = calls("write_file", {"path": "x", "content": "1"})
SLEEPS = calls("run_command", {"command": "echo begun; sleep 600"})


def said(room: Room, name: str = "a") -> list[str]:
    """The person's messages in the conversation, as the next request would have them."""
    messages = room.engine.transcript(name).conversation.messages
    return [turn.text for turn in messages if isinstance(turn, UserTurn) and turn.is_said]


def shown(room: Room, name: str = "a") -> list[str]:
    """The prompts and the beginnings of the answers, in the order of the screen."""
    items = [item for attempt in room.attempts(name) for item in attempt.items]
    return [item.text[:30] for item in items if isinstance(item, PromptItem | TextItem)]


@pytest.mark.parametrize("wire", WIRES)
async def test_it_goes_with_the_next_request_and_is_answered(tmp_path: Path, wire: str) -> None:
    mine = ticket("a", tmp_path, provider=wire, model="any", tools=[])
    async with room(tmp_path, [mine]) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", SAID))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert said(r) == [SAID]
        assert r.engine.transcript("a").answer.startswith(f"## {SAID}")
        assert shown(r)[::2] == ["Do a.", SAID]
        stored = await asyncio.to_thread(r.stored, "a")
        assert [type(entry.event) for entry in stored].count(e.UserMessage) == 2


@pytest.mark.parametrize("wire", WIRES)
async def test_a_response_stopped_for_it_keeps_what_it_said(tmp_path: Path, wire: str) -> None:
    mine = ticket("a", tmp_path, provider=wire, model="silent")
    async with room(tmp_path, [mine], scenarios={"silent": SILENT}) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", SAID, stops=True))
        await r.until(lambda: len(shown(r)) == 4)
        finished = r.events("a", e.ResponseFinished)
        assert [event.stop_reason for event in finished] == ["stopped"]
        assert said(r) == [SAID]
        assert len(r.attempts("a")) == 1
        prompt, partial, message, again = (text[:7] for text in shown(r))
        assert (prompt, partial, message, again) == ("Do a.", "I begin", SAID[:7], "I begin")


@pytest.mark.parametrize("wire", WIRES)
async def test_said_during_a_call_it_follows_the_result(tmp_path: Path, wire: str) -> None:
    mine = ticket("a", tmp_path, provider=wire, model="writes")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:
        await r.until_event("a", e.ApprovalRequested)
        r.engine.send(c.Tell("a", SAID))
        await r.until(lambda: r.engine.transcript("a").unsent)
        assert said(r) == []
        await r.approve("a")
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        messages = r.engine.transcript("a").conversation.messages
        assert isinstance(messages[-3], ToolResult)
        assert messages[-2] == UserTurn(SAID, is_said=True)


async def test_a_call_that_waits_is_denied_when_one_stops_it_to_speak(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:
        await r.until_event("a", e.ApprovalRequested)
        r.engine.send(c.Tell("a", SAID, stops=True))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert r.events("a", e.ToolCallFinished)[0].output.startswith("not run: ")
        assert not (tmp_path / "x").exists()


async def test_a_command_is_stopped_for_it(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="sleeps", approve="auto", tools=["run_command"])
    async with room(tmp_path, [mine], scenarios={"sleeps": SLEEPS}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        r.engine.send(c.Tell("a", SAID, stops=True))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert [event.error for event in r.events("a", e.ToolCallFinished)] == ["stopped"]


async def test_to_a_ticket_that_has_ended_it_is_a_follow_up(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="any", tools=[], max_turns=1)
    async with finished(tmp_path, [mine]) as r:
        r.engine.send(c.Tell("a", SAID))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        _, second = r.attempts("a")
        assert second.continues
        assert r.engine.transcript("a").answer.startswith(f"## {SAID}")
        assert [item.text for item in second.items if isinstance(item, PromptItem)] == [SAID]


async def test_said_before_a_ticket_begins_it_follows_the_prompt(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path, model="silent"), ticket("b", tmp_path, model="any")]
    async with room(tmp_path, tickets, scenarios={"silent": SILENT}, concurrency=1) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("b", SAID))
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        messages = r.engine.transcript("b").conversation.messages
        assert messages[:2] == [UserTurn("Do b."), UserTurn(SAID, is_said=True)]
        assert shown(r, "b")[:2] == ["Do b.", SAID]


async def test_it_is_there_once_after_a_process_died_before_it_was_taken(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="silent")
    scenarios = {"silent": SILENT}
    async with room(tmp_path, [mine], scenarios=scenarios) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Tell("a", SAID))
        await r.until(lambda: r.engine.transcript("a").unsent)
        run = r.engine.run
    async with finished(tmp_path, [mine], resumes=run, scenarios={"silent": says("Ok.")}) as r:
        assert r.state("a") == "done"
        assert said(r) == [SAID]
        assert [event.text for event in r.events("a", e.UserMessage)] == []
        assert shown(r).count(SAID) == 1


async def test_a_ticket_at_work_is_started_over_with_another_prompt(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="silent")
    async with room(tmp_path, [mine], scenarios={"silent": SILENT}) as r:
        await r.until_event("a", e.TextDelta)
        r.engine.send(c.Restart("a", "Do it well."))
        await r.until(lambda: sum(text.startswith("I begin") for text in shown(r)) == 2)
        assert "Do it well." in shown(r)
        first, second = r.attempts("a")
        assert (first.state, second.continues) == ("cancelled", False)


async def test_said_between_the_ends_of_work_and_ticket_it_is_a_follow_up(tmp_path: Path) -> None:
    async with room(tmp_path, [ticket("a", tmp_path, model="any", tools=[])]) as r:
        await r.until_event("a", e.TextDelta)
        (work,) = (task for task in asyncio.all_tasks() if task.get_name() == "a")
        unfinished: list[str] = []

        def tell_once_done() -> None:
            if work.done():
                unfinished.extend(r.engine.unfinished)
                r.engine.send(c.Tell("a", SAID))
            else:
                asyncio.get_running_loop().call_soon(tell_once_done)

        tell_once_done()
        await r.engine.wait_idle()
        assert unfinished == ["a"]
        assert r.state("a") == "done"
        assert len(r.attempts("a")) == 2
        assert r.engine.transcript("a").answer.startswith(f"## {SAID}")


TWO_CALLS = scenario(
    turn=[
        {
            "text": "Two.",
            "call": [
                {"name": "run_command", "arguments": {"command": "echo begun; sleep 600"}},
                {"name": "write_file", "arguments": {"path": "x", "content": "1"}},
            ],
        },
        {"text": "Done."},
    ]
)


async def test_a_follow_up_is_read_before_a_call_that_a_cancel_left(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="two", approve="auto")
    async with room(tmp_path, [mine], scenarios={"two": TWO_CALLS}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        r.engine.send(c.Tell("a", "Leave x alone"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        answers = [event.error for event in r.events("a", e.ToolCallFinished)]
        assert answers == ["interrupted", "not run"]
        assert not (tmp_path / "x").exists()


async def test_a_follow_up_is_read_before_approval_is_requested_again(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:
        await r.until_event("a", e.ApprovalRequested)
        r.engine.send(c.Cancel("a"))
        await r.engine.wait_idle()
        r.engine.send(c.Tell("a", "Leave x alone"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert len(r.events("a", e.ApprovalRequested)) == 1


@pytest.mark.parametrize("again", [c.Retry("a"), c.Restart("a", "Do it well.")], ids=("r", "E"))
async def test_said_before_it_starts_over_it_is_heard(tmp_path: Path, again: c.Command) -> None:
    tickets = [ticket("a", tmp_path, model="any", tools=[]), ticket("b", tmp_path, model="silent")]
    async with room(tmp_path, tickets, scenarios={"silent": SILENT}, concurrency=1) as r:
        await r.until_event("b", e.TextDelta)
        r.engine.send(again)
        r.engine.send(c.Tell("a", SAID))
        await r.until(lambda: r.engine.transcript("a").unsent)
        r.engine.send(c.Cancel("b"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert said(r) == [SAID]


LISTS = calls("list_files", {})


async def test_said_during_the_last_turn_a_ticket_may_take_it_is_answered(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="lists", max_turns=1)
    async with room(tmp_path, [mine], scenarios={"lists": LISTS}) as r:
        await r.until_event("a", e.RequestSent)
        r.engine.send(c.Tell("a", SAID))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert said(r) == [SAID]


async def test_a_follow_up_to_a_ticket_at_its_last_turn_is_answered(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="lists", max_turns=1)
    async with finished(tmp_path, [mine], scenarios={"lists": LISTS}) as r:
        assert r.state("a") == "limit"
        r.engine.send(c.Tell("a", SAID))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert said(r) == [SAID]


@pytest.mark.parametrize("stop", [c.Cancel("a"), c.Restart("a", "Do it well.")], ids=("c", "E"))
async def test_said_while_a_ticket_stops_it_is_a_follow_up(tmp_path: Path, stop: c.Command) -> None:
    mine = ticket("a", tmp_path, model="sleeps", approve="auto", tools=["run_command"])
    async with room(tmp_path, [mine], scenarios={"sleeps": SLEEPS}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        r.engine.send(stop)
        r.engine.send(c.Tell("a", SAID))
        await r.until(lambda: said(r))
        assert said(r) == [SAID]
        assert len(r.attempts("a")) == 2
        r.engine.send(c.CancelAll())


@pytest.mark.parametrize("stop", [c.Cancel("a"), c.Restart("a", "Do it well.")], ids=("c", "E"))
async def test_nothing_is_lost_that_is_said_while_a_ticket_is_stopped_and_lfg_quits(
    tmp_path: Path, stop: c.Command
) -> None:
    mine = ticket("a", tmp_path, model="sleeps", approve="auto", tools=["run_command"])
    async with room(tmp_path, [mine], scenarios={"sleeps": SLEEPS}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        r.engine.send(stop)
        r.engine.send(c.Tell("a", SAID))
    (mine,) = await asyncio.to_thread(r.requested)
    again = {"sleeps": says("Ok.")}
    async with finished(tmp_path, [mine], resumes=r.engine.run, scenarios=again) as r:
        messages = r.engine.transcript("a").conversation.messages
        assert (r.state("a"), said(r)) == ("done", [SAID])
        assert messages[0] == UserTurn(r.engine.tickets[0].prompt)
        assert (mine.prompt == "Do it well.") is isinstance(stop, c.Restart)


async def test_a_call_that_was_approved_is_stopped_before_it_runs(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:

        def stop_once_approved(entries: Sequence[e.Entry]) -> None:
            if any(isinstance(entry.event, e.ApprovalGiven) for entry in entries):
                r.engine.send(c.Tell("a", SAID, stops=True))

        r.engine.subscribe(stop_once_approved)
        await r.approve("a")
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert [event.error for event in r.events("a", e.ToolCallFinished)] == ["not run"]
        assert not (tmp_path / "x").exists()


async def test_a_call_is_not_run_when_its_response_is_stopped_once_whole(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="writes", approve="auto")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:

        def stop_once_whole(entries: Sequence[e.Entry]) -> None:
            ends = [x.event for x in entries if isinstance(x.event, e.ResponseFinished)]
            if any(end.stop_reason == "tool_use" for end in ends):
                r.engine.send(c.Tell("a", SAID, stops=True))

        r.engine.subscribe(stop_once_whole)
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert [event.error for event in r.events("a", e.ToolCallFinished)] == ["not run"]
        assert not (tmp_path / "x").exists()


async def test_what_is_stopped_twice_is_stopped_once(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, model="sleeps", approve="auto", tools=["run_command"])
    async with room(tmp_path, [mine], scenarios={"sleeps": SLEEPS}) as r:
        await r.until_event("a", e.ToolOutputDelta)
        r.engine.send(c.Tell("a", SAID, stops=True))
        for _ in range(3):
            await asyncio.sleep(0)
        r.engine.send(c.Tell("a", "And quickly", stops=True))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert said(r) == [SAID, "And quickly"]
        assert [event.error for event in r.events("a", e.ToolCallFinished)] == ["stopped"]


async def test_a_response_that_waits_for_the_disk_once_it_is_whole_ends_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_whole, waits = asyncio.Event(), asyncio.Event()
    submit = Recorder.submit

    def note_whole(
        recorder: Recorder, run: str, name: str, attempt: int, at: float, event: e.Event, *rest: Any
    ) -> None:
        submit(recorder, run, name, attempt, at, event, *rest)
        if isinstance(event, e.ResponseFinished):
            is_whole.set()

    async def has_no_room(recorder: Recorder) -> None:
        if is_whole.is_set() and not waits.is_set():
            waits.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(Recorder, "submit", note_whole)
    monkeypatch.setattr(Recorder, "room", has_no_room)
    mine = ticket("a", tmp_path, model="writes", approve="auto")
    async with room(tmp_path, [mine], scenarios={"writes": WRITES}) as r:
        await waits.wait()
        r.engine.send(c.Tell("a", SAID, stops=True))
        await r.engine.wait_idle()
        assert r.state("a") == "done"
        assert [event.turn for event in r.events("a", e.ResponseFinished)] == [1, 2]
        assert [event.error for event in r.events("a", e.ToolCallFinished)] == ["not run"]


async def test_the_model_need_not_repeat_the_calls_of_a_stopped_response(tmp_path: Path) -> None:
    turn = {
        "call": [
            {"name": "list_files", "arguments": {}},
            {"name": "write_file", "arguments": {"path": "x", "content": "1" * 3000}},
        ],
        "cut": {"after": 400, "how": "half-open"},
    }
    mine = ticket("a", tmp_path, provider="anthropic", model="two")
    scenarios = {"two": scenario(turn=[turn, {"text": "Done."}])}
    async with room(tmp_path, [mine], scenarios=scenarios) as r:
        await r.until_event("a", e.ToolCallRequested)
        r.engine.send(c.Tell("a", SAID, stops=True))
        await r.until_event("a", e.ToolCallFinished)
        (answer,) = r.events("a", e.ToolCallFinished)
        assert "make the call again" not in answer.output
