"""A damaged record in a response, over real HTTP: no call of it runs; it is asked for again."""

from pathlib import Path

import pytest

from lfgtui.model import events as e
from lfgtui.settings.config import RetryPolicy
from tests.engine.harness import WIRES, calls, room, ticket
from tests.faults.breaker import Breaker, Plan

TWICE = RetryPolicy(attempts=2, base_delay=0.0)
CONTINUES = RetryPolicy(attempts=2, base_delay=0.0, on_cut="continue")
COMMAND = "touch kept && touch kept_safely"
DAMAGES = {"no JSON": b'"a"" ', "no UTF-8": b"kept\xff"}


def damaging(damage: bytes) -> Plan:
    """The reply with the last piece of the command damaged, its length as it was."""

    def play(reply: bytes) -> list[bytes]:
        lines = reply.split(b"\n")
        at = next(i for i, line in enumerate(lines) if b"safel" in line and b"data:" in line)
        lines[at] = lines[at].replace(b"safel", damage)
        return [b"\n".join(lines)]

    return play


@pytest.mark.parametrize(
    ("wire", "damage", "retry"),
    [
        *((wire, "no JSON", TWICE) for wire in WIRES),
        ("chat", "no UTF-8", TWICE),
        ("chat", "no JSON", CONTINUES),
    ],
)
async def test_a_damaged_call_does_not_run_and_is_asked_for_again(
    tmp_path: Path, wire: str, damage: str, retry: RetryPolicy
) -> None:
    breaker = Breaker({"a": [damaging(DAMAGES[damage])]})
    mine = ticket("a", tmp_path, provider=wire, approve="auto")
    story = calls("run_command", {"command": COMMAND})
    async with room(
        tmp_path, [mine], scenarios={"a": story}, front=breaker, retry=retry, headless=True
    ) as opened:
        await opened.engine.wait_idle()
        assert opened.state("a") == "done"
        (retrying,) = opened.events("a", e.Retrying)
        started = opened.events("a", e.RequestSent)
        finished = opened.events("a", e.ToolCallFinished)
    assert (retrying.kind, retrying.retryable) == ("protocol", True)
    assert "the response is damaged" in retrying.reason
    # The damaged one, its repetition, and the last word.
    assert len(started) == breaker.asked["a"] == 3
    assert len(finished) == 1
    assert (tmp_path / "kept_safely").exists()
