"""What a server lets through as text, from the wire to the record."""

from pathlib import Path

import pytest

from lfgtui.engine.commands import Cancel
from lfgtui.model import events as e
from lfgtui.model.fold.attempts import Attempt
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import room, says, scenario, ticket

LEAKY = """<think>
The person wants "hello".
</think>

Hello!
<tool_call>
{"name": "run_command", "arguments": {"command": "ls"}}
</tool_call>"""


async def answered(folder: Path, played: Scenario, **keys: object) -> Attempt:
    mine = ticket("a", folder, approve="auto", **keys)
    async with room(folder, [mine], scenarios={"a": played}) as opened:
        await opened.until_event("a", e.TicketDone)
    return opened.attempts("a")[-1]


@pytest.mark.parametrize("stream", [True, False])
async def test_the_answer_has_no_markup_and_the_rest_is_kept(tmp_path: Path, stream: bool) -> None:
    attempt = await answered(tmp_path, says(LEAKY), stream=stream)
    assert (attempt.text, attempt.reasoning) == ("Hello!\n", 'The person wants "hello".\n')
    (call,) = attempt.tools
    assert (call.name, call.state) == ("tool_call", "written")  # not asked for: it never ran
    assert str(call.json) == LEAKY[LEAKY.index("<tool_call>") :]


async def test_a_wire_with_channels_of_its_own_is_left_alone(tmp_path: Path) -> None:
    assert (await answered(tmp_path, says(LEAKY), provider="responses")).text == LEAKY


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_what_was_held_back_at_the_end_is_kept(tmp_path: Path, is_cancelled: bool) -> None:
    breaks = {"cut": {"after": 9, "how": "connection", "times": 1}}
    stalls = {"stall": {"after": 9, "seconds": 60}}
    text = "Hello.\n<thinking about it"
    played = scenario(turn=[{"text": text, **(stalls if is_cancelled else breaks)}])
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios={"a": played}) as opened:
        if is_cancelled:
            await opened.until_event("a", e.Heartbeat)  # the stall has begun
            opened.engine.send(Cancel("a"))
        await opened.engine.wait_idle()
        first, *rest = opened.attempts("a")
        assert first.text.startswith("Hello.\n<")  # as much as had come
        assert [attempt.text for attempt in rest] == ([] if is_cancelled else [text])
