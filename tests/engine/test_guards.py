"""Guards at work: an engine on the simulator, with rules for what streams."""

import asyncio
from pathlib import Path

import msgspec

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.event_json import entry_json
from lfgtui.model.fold.items import NoteItem, TextItem, ToolItem
from lfgtui.model.ticket_keys.guards import Guard
from lfgtui.text.redactor import Redactor
from tests.engine.harness import calls, finished, room, says, scenario, ticket
from tests.text.secrets import GITHUB, drawn

PUSH = Guard("no-force", match=r"git\s+push\s.*--force", action="pause")
SAID = "First this. Then git push origin --force and that is all there is to say of it."


async def test_a_secret_on_its_way_out_is_flagged_wherever_it_goes(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"T={GITHUB}\n")
    stories = {
        "says": says(f"The token is {GITHUB}, as you see."),
        "thinks": scenario(turn=[{"reasoning": f"It is {GITHUB}, I think.", "text": "Hm."}]),
        "calls": calls("write_file", {"path": "x", "content": f"T={GITHUB}\n"}),
        "reads": calls("read_file", {"path": "env"}),
        "prints": calls("run_command", {"command": "cat env"}),
        "nothing": says("pip install sk-learn; see task-2024-11."),
    }
    mine = [ticket(name, tmp_path, approve="auto", reasoning="high") for name in stories]
    async with finished(tmp_path, mine, scenarios=stories, headless=True) as opened:
        told = {name: opened.events(name, e.GuardTripped) for name in stories}
        states = {opened.state(name) for name in stories}
        flagged = {name for name in stories if opened.engine.transcript(name).guard_at is not None}
    where = {
        "says": "the answer",
        "thinks": "the reasoning",
        "calls": "the arguments of write_file",
        "reads": "the output of read_file",
        "prints": "the output of run_command",
    }
    assert told == {
        **{
            name: [e.GuardTripped("secrets", f"github token in {place}", "flag")]
            for name, place in where.items()
        },
        "nothing": [],
    }
    assert flagged == where.keys()
    assert states == {"done"}


async def test_the_built_in_guard_can_be_switched_off(tmp_path: Path) -> None:
    story = {"a": says(f"The token is {GITHUB}, as you see.")}
    mine, off = [ticket("a", tmp_path)], (Guard("secrets", action="off"),)
    async with finished(tmp_path, mine, scenarios=story, guards=off) as opened:
        assert opened.events("a", e.GuardTripped) == []


async def test_a_flag_comes_behind_the_text_that_it_would_cut_in_two(tmp_path: Path) -> None:
    text = f"```sh\nexport T={GITHUB}\n```\n" + "And so on. " * 20 + "Done."
    off = Guard("asides", phrase="and so", action="redact")
    mine = [ticket("a", tmp_path, tools=[])]
    async with finished(tmp_path, mine, scenarios={"a": says(text)}, guards=(off,)) as opened:
        kinds = [type(event) for event in opened.events("a")]
        (item,) = [i for i in opened.attempts("a")[-1].items if isinstance(i, TextItem)]
    assert item.text == text.replace("And so", "[redacted: asides]")
    assert kinds.count(e.GuardTripped) == 2
    assert kinds.index(e.GuardTripped) < kinds.index(e.ResponseFinished)


async def test_a_pause_stops_the_answer_keeps_it_and_asks(tmp_path: Path) -> None:
    story = scenario(turn=[{"text": SAID}], follow_up=[{"text": "Very well."}])
    mine = [ticket("a", tmp_path)]
    async with room(tmp_path, mine, scenarios={"a": story}, guards=(PUSH,)) as opened:
        await opened.until_event("a", e.Paused)
        engine = opened.engine
        assert opened.state("a") == "paused"
        assert engine.transcript("a").guard_at is not None
        assert "git push origin --force" in repr(engine.transcript("a").conversation.messages[1])
        assert opened.events("a", e.ResponseFinished)[0].stop_reason == e.STOPPED
        await opened.resume_when_paused("a")
        assert opened.state("a") == "done"
        assert engine.transcript("a").guard_at is None
        assert engine.transcript("a").answer == "Very well."
        told = [one.text for one in opened.events("a", e.UserMessage)]
    seen = '"git push origin --force" in the answer'
    assert opened.events("a", e.GuardTripped) == [e.GuardTripped("no-force", seen, "pause")]
    assert told[1].startswith(f'lfg stopped this: its guard "no-force" saw {seen}.')


async def test_a_call_whose_arguments_pause_is_not_run(tmp_path: Path) -> None:
    command = 'touch ran; echo "git push  --force"'
    call = {"name": "run_command", "arguments": {"command": command}}
    story = scenario(turn=[{"text": "Now.", "call": [call]}], follow_up=[{"text": "I see."}])
    mine = [msgspec.structs.replace(ticket("a", tmp_path, approve="auto"), guards=(PUSH,))]
    async with room(tmp_path, mine, scenarios={"a": story}) as opened:
        await opened.resume_when_paused("a")
        assert opened.state("a") == "done"
        (made,) = [i for i in opened.attempts("a")[0].items if isinstance(i, ToolItem)]
    assert made.state in ("stopped", "finished")
    answers = opened.events("a", e.ToolCallFinished)
    assert all(one.output.startswith("not run: ") for one in answers)
    assert not (tmp_path / "ran").exists()
    assert len(opened.events("a", e.GuardTripped)) == 1


async def test_what_a_command_prints_stops_the_command(tmp_path: Path) -> None:
    guard = Guard("fire", phrase="core meltdown", on=("output",), action="pause")
    command = "echo Core; echo meltdown; echo; sleep 60; touch ran"
    story = calls("run_command", {"command": command}, then="I see.")
    mine = [ticket("a", tmp_path, approve="auto")]
    async with room(tmp_path, mine, scenarios={"a": story}, guards=(guard,)) as opened:
        await opened.resume_when_paused("a")
        (answer,) = opened.events("a", e.ToolCallFinished)
    assert answer.error == "stopped"
    assert not (tmp_path / "ran").exists()
    assert [one.message for one in opened.events("a", e.GuardTripped)] == [
        '"Core meltdown" in the output of run_command'
    ]


async def test_nobody_to_look_at_it_ends_the_ticket(tmp_path: Path) -> None:
    mine = [ticket("a", tmp_path)]
    async with finished(
        tmp_path, mine, scenarios={"a": says(SAID)}, guards=(PUSH,), headless=True
    ) as opened:
        (end,) = opened.events("a", e.Ending)
    assert end == e.TicketBlocked(
        'paused by the guard "no-force", with nobody to look at it:'
        ' "git push origin --force" in the answer'
    )


async def test_a_guard_cancels_with_its_reason(tmp_path: Path) -> None:
    guard = Guard("no-force", phrase="GIT push", on=("text",), action="cancel", tickets=("a",))
    mine = [ticket(name, tmp_path) for name in ("a", "b")]
    stories = {"a": says(SAID), "b": says(SAID)}
    async with finished(tmp_path, mine, scenarios=stories, guards=(guard,)) as opened:
        states = opened.state("a"), opened.state("b")
        (end,) = opened.events("a", e.Ending)
        transcript = opened.engine.transcript("a")
        notes = [
            item.message for item in transcript.attempts[-1].items if isinstance(item, NoteItem)
        ]
    assert states == ("cancelled", "done")
    assert end == e.TicketCancelled('by the guard "no-force": "git push" in the answer')
    assert notes[-1] == 'cancelled by the guard "no-force": "git push" in the answer'
    assert "Then git push" in transcript.conversation.partial


async def test_what_is_redacted_is_nowhere_and_a_call_runs_as_it_was_made(tmp_path: Path) -> None:
    customer = "customer-" + drawn(6, "0123456789")
    guard = Guard("customers", match=r"customer-\d+", action="redact")
    call = {"name": "run_command", "arguments": {"command": f"echo {customer} | tee out"}}
    story = scenario(
        turn=[
            {"reasoning": f"See {customer}.", "text": f"It is {customer}!", "call": [call]},
            {"text": "Done."},
        ]
    )
    mine = [ticket("a", tmp_path, approve="auto"), ticket("b", tmp_path, needs=["a"])]
    stories = {"a": story, "b": says("Fine.")}
    redactor = Redactor(keys=["a-key-of-mine-1234"])
    async with finished(
        tmp_path, mine, scenarios=stories, guards=(guard,), headless=True, redactor=redactor
    ) as opened:
        stored = await asyncio.to_thread(opened.stored, "a")
        tripped = opened.events("a", e.GuardTripped)
        texts = [one.text for one in opened.events("a", e.TextDelta)]
    assert (tmp_path / "out").read_text() == f"{customer}\n"
    assert customer not in "\n".join(map(entry_json, stored))
    assert stored == [entry for entry in opened.seen if entry.ticket == "a"]
    assert "".join(texts).startswith("It is [redacted: customers]!")
    marks = e.GuardTripped("customers", "a match was redacted before it was stored", "redact")
    assert tripped == [marks]


async def test_built_in_secrets_can_be_redacted(tmp_path: Path) -> None:
    guard = Guard("secrets", action="redact")
    mine = [ticket("a", tmp_path)]
    async with finished(
        tmp_path, mine, scenarios={"a": says(f"It is {GITHUB}.")}, guards=(guard,)
    ) as opened:
        assert opened.engine.transcript("a").answer == "It is [redacted: github token]."
        assert opened.engine.transcript("a").guard_at is None
        (event,) = opened.events("a", e.GuardTripped)
    assert event == e.GuardTripped(
        "secrets", "github token was redacted before it was stored", "redact"
    )


async def test_a_paused_ticket_can_be_cancelled(tmp_path: Path) -> None:
    mine = [ticket("a", tmp_path)]
    async with room(tmp_path, mine, scenarios={"a": says(SAID)}, guards=(PUSH,)) as opened:
        await opened.until_event("a", e.Paused)
        opened.engine.send(c.Cancel("a"))
        await opened.engine.wait_idle()
        assert opened.state("a") == "cancelled"
