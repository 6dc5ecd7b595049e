"""One record of very many items: reading it holds up the event loop, so it has its bounds."""

import json
import time
from collections.abc import Callable, Iterable

import pytest

from lfgtui.model.events import ReasoningDelta, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.wire.decoder import RecordDecoder

MANY = 50_000
"""As many as a record of a few megabytes holds."""

SECONDS = 5.0
"""Far more than reading takes, and far less than what grows with the square of `MANY`."""


def chat(**delta: object) -> tuple[type[RecordDecoder], object]:
    return ChatDecoder, {"choices": [{"index": 0, "delta": delta}]}


def responses(*items: object) -> tuple[type[RecordDecoder], object]:
    return ResponsesDecoder, {"type": "response.completed", "response": {"output": items}}


def anthropic(*blocks: object) -> tuple[type[RecordDecoder], object]:
    return AnthropicDecoder, {"type": "message_start", "message": {"content": blocks}}


def agent(messages: Iterable[object]) -> tuple[type[RecordDecoder], object]:
    return AgentDecoder, {"type": "MESSAGES_SNAPSHOT", "messages": list(messages)}


def each(make: Callable[[int], object]) -> list[object]:
    return [make(number) for number in range(MANY)]


def several(make: Callable[[int], object]) -> list[object]:
    """Lists that none is too long by itself."""
    return [[make(at + n) for n in range(4_000)] for at in range(0, MANY, 4_000)]


CROWDS: dict[str, Callable[[], tuple[type[RecordDecoder], object]]] = {
    "chat calls": lambda: chat(tool_calls=each(lambda n: {"id": str(n)})),
    "chat sources": lambda: chat(annotations=each(lambda n: {"url": str(n)})),
    "responses thoughts": lambda: responses(
        *each(lambda n: {"type": "reasoning", "summary": [{"text": "a"}]})
    ),
    "responses texts": lambda: responses(
        *[{"type": "message", "content": part} for part in several(lambda n: {"text": "a"})]
    ),
    "responses calls": lambda: responses(
        *each(lambda n: {"type": "function_call", "name": "a", "call_id": f"call_{n}"})
    ),
    "anthropic blocks": lambda: anthropic(
        *each(lambda n: {"type": "tool_use", "id": f"call_{n}", "name": "a"})
    ),
    "agent calls": lambda: agent(
        {"role": "assistant", "id": str(n), "content": "a", "toolCalls": part}
        for n, part in enumerate(several(lambda n: {"id": str(n)}))
    ),
    "agent messages": lambda: agent(each(lambda n: {"role": "tool", "toolCallId": str(n)})),
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_a_record_of_very_many_items_is_read_or_refused_at_once(crowd: str) -> None:
    kind, record = CROWDS[crowd]()
    data = json.dumps(record)
    limits.refuse_crowds(data)  # raises nothing: values alone are not too many
    decoder = kind()
    begun = time.process_time()
    decoder.feed("", data)
    decoder.finish()
    assert time.process_time() - begun < SECONDS
    assert decoder.failure is not None and decoder.failure.kind == "protocol"


def test_every_id_that_a_call_could_be_given_may_be_taken() -> None:
    taken = [{"index": n, "id": f"call_{n + limits.CALLS}"} for n in range(limits.CALLS)]
    decoder = ChatDecoder()
    events = feed(decoder, *chat(tool_calls=[*taken, {"index": limits.CALLS}]))
    assert (events, decoder.failure is None) == ([], False)
    assert decoder.failure is not None and "tool calls" in decoder.failure.message


def test_parts_of_a_summary_are_parted_in_each_place_by_itself() -> None:
    decoder = ResponsesDecoder()
    said = [
        event.text
        for place, part in ((0, 0), (0, 1), (1, 0), (0, 1), (1, 1))
        for event in decoder.feed(
            "response.reasoning_summary_text.delta",
            json.dumps({"output_index": place, "summary_index": part, "delta": "a"}),
        )
        if isinstance(event, ReasoningDelta)
    ]
    assert said == ["a", "\n\na", "a", "a", "\n\na"]


def test_whole_messages_are_compared_with_much_that_was_streamed() -> None:
    decoder = AgentDecoder()
    piece = {"type": "TEXT_MESSAGE_CONTENT", "delta": "x" * 1_000_000}
    for number in range(50):
        feed(decoder, AgentDecoder, piece | {"messageId": str(number)})
    begun = time.process_time()
    for number in range(500):
        assert feed(
            decoder, *agent([{"role": "assistant", "id": f"new {number}", "content": "new"}])
        )
    assert time.process_time() - begun < SECONDS


def feed(decoder: RecordDecoder, _: type[RecordDecoder], record: object) -> list[WireEvent]:
    return list(decoder.feed("", json.dumps(record)))
