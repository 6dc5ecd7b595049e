"""The requests of a conversation that old output left: what else is in them stays as it was."""

from collections.abc import Callable

import msgspec
import pytest

from lfgtui.agent.output_bound import bounded
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import Conversation
from lfgtui.providers.anthropic import request as anthropic
from lfgtui.providers.base import Request
from lfgtui.providers.openai_chat import request as chat
from lfgtui.providers.openai_responses import request as responses

ITEMS: dict[str, list[dict[str, object]]] = {
    "anthropic": [{"type": "thinking", "signature": "signed"}],
    "openai-responses": [{"type": "reasoning", "id": "rs", "encrypted_content": "x"}],
    "openai-chat": [{"reasoning_field": "reasoning_content"}],
}
BODIES: dict[str, Callable[[Request], dict[str, object]]] = {
    "anthropic": anthropic.request_body,
    "openai-responses": responses.request_body,
    "openai-chat": lambda request: chat.request_body(request, "example.com"),
}


def conversation(wire: str, *more: e.Event) -> Conversation:
    """Three turns with thoughts, calls and output, and a word of the person in between."""
    folded, events = Conversation(), list[e.Event]()
    events += [e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go.")]
    for turn in (1, 2, 3):
        call = f"call0000{turn}"
        events += [e.RequestSent(turn), e.ReasoningDelta(f"Thought {turn}.")]
        events += [e.ProviderItem(wire, item) for item in ITEMS[wire]]
        events += [e.TextDelta("So."), e.ToolCallRequested(call, "read_file", {"path": "a"})]
        events += [e.ResponseFinished(turn, "tool_use")]
        events += [e.ToolCallFinished(call, f"{turn}" * 1000, None, None, 0.0)]
        events += [e.UserMessage(f"Word {turn}.", origin="person")]
    for seq, event in enumerate([*events, *more], 1):
        folded.apply(event, seq)
    return folded


@pytest.mark.parametrize("wire", ITEMS)
def test_nothing_but_the_output_is_another(wire: str) -> None:
    def body(*more: e.Event) -> str:
        messages = conversation(wire, *more).messages
        return msgspec.json.encode(BODIES[wire](Request("m", messages, reasoning="low"))).decode()

    left = e.ContextCompacted(("call00001", "call00002"), 500)
    line = "[output left out to save room; 1,000 characters of read_file; run it again if needed]"
    whole, compacted = body(), body(left)
    assert whole.replace("1" * 1000, line).replace("2" * 1000, line) == compacted
    assert compacted.count(line) == 2 and "3" * 1000 in compacted


@pytest.mark.parametrize(
    ("bound", "budget", "most"),
    [(None, 2048, 8192), (4000, 2048, 4000), (2048, 1024, 2048), (1500, None, 1500)],
)
def test_the_thinking_of_anthropics_wire_is_within_the_bound(
    bound: int | None, budget: int | None, most: int
) -> None:
    asked = Request("claude-sonnet-4-5", (), reasoning="low", max_output_tokens=8192)
    body = anthropic.request_body(bounded(asked, bound))
    thinking = {} if budget is None else {"type": "enabled", "budget_tokens": budget}
    assert body["max_tokens"] == most
    assert body.get("thinking", {}) == thinking


@pytest.mark.parametrize("name", ["max_tokens", "max_output_tokens", "max_completion_tokens"])
def test_extra_is_no_way_around_the_bound(name: str) -> None:
    asked = Request("m", (), extra={name: 9000, "top_k": 9000})
    assert bounded(asked, 500).extra == {name: 500, "top_k": 9000}
    assert bounded(asked, None) is asked
