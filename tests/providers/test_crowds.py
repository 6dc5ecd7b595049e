"""Records of very many items: reading them holds up the event loop, so they have bounds."""

import json
from collections.abc import Callable, Iterable

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.providers import limits
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.wire.decoder import Decoder

MANY = 50_000
"""As many as a record of a few megabytes holds."""


def chat(**delta: object) -> tuple[type[Decoder], object]:
    return ChatDecoder, {"choices": [{"index": 0, "delta": delta}]}


def responses(*items: object) -> tuple[type[Decoder], object]:
    return ResponsesDecoder, {"type": "response.completed", "response": {"output": items}}


def anthropic(*blocks: object) -> tuple[type[Decoder], object]:
    return AnthropicDecoder, {"type": "message_start", "message": {"content": blocks}}


def agent(messages: Iterable[object]) -> tuple[type[Decoder], object]:
    return AgentDecoder, {"type": "MESSAGES_SNAPSHOT", "messages": list(messages)}


def each(make: Callable[[int], object]) -> list[object]:
    return [make(number) for number in range(MANY)]


def several(make: Callable[[int], object]) -> list[object]:
    """Lists that none is too long by itself."""
    return [[make(at + n) for n in range(4_000)] for at in range(0, MANY, 4_000)]


CROWDS: dict[str, Callable[[], tuple[type[Decoder], object]]] = {
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
def test_a_record_of_very_many_items_fails_the_response(crowd: str) -> None:
    make, record = CROWDS[crowd]()
    data = json.dumps(record)
    limits.refuse_too_many_values(data)  # raises nothing: values alone are not too many
    decoder = make()
    decoder.feed("", data)
    decoder.finish()
    assert decoder.failure is not None and decoder.failure.kind == "protocol"


def test_ids_like_those_that_calls_are_given_use_up_no_more_than_the_limit() -> None:
    taken = [{"index": n, "id": f"call_{n + limits.CALLS}"} for n in range(limits.CALLS)]
    make, record = chat(tool_calls=[*taken, {"index": limits.CALLS}])
    decoder = make()
    assert list(decoder.feed("", json.dumps(record))) == []
    assert decoder.failure is not None and "tool calls" in decoder.failure.message


AGENT_CALL = [{"type": "TOOL_CALL_START", "toolCallId": "x", "toolCallName": "f"}]
AGENT_PIECE = {"type": "TOOL_CALL_ARGS", "toolCallId": "x", "delta": "a" * 100}
BLOCK = {"type": "server_tool_use", "id": "x", "name": "f"}
BLOCK_PIECE = {"type": "input_json_delta", "partial_json": "a" * 100}


@pytest.mark.parametrize(
    ("decoder", "start", "piece"),
    [
        (AgentDecoder, AGENT_CALL, AGENT_PIECE),
        (
            AnthropicDecoder,
            [
                {"type": "message_start", "message": {"content": []}},
                {"type": "content_block_start", "index": 0, "content_block": BLOCK},
            ],
            {"type": "content_block_delta", "index": 0, "delta": BLOCK_PIECE},
        ),
    ],
)
def test_pieces_of_a_hosted_calls_input_are_bounded_together(
    monkeypatch: pytest.MonkeyPatch, decoder: type[Decoder], start: list[object], piece: object
) -> None:
    monkeypatch.setattr(limits, "ARGUMENTS_LENGTH", 500)
    with_five, with_six = decoder(), decoder()
    for reading, pieces in ((with_five, 5), (with_six, 6)):
        for record in start + [piece] * pieces:
            reading.feed("", json.dumps(record))
    assert with_five.failure is None
    assert with_six.failure is not None and with_six.failure.kind == "protocol"
    assert with_six.failure.message.startswith("the input of f exceeds the limit of 500 bytes")


@pytest.mark.parametrize(
    "events",
    [
        [e.HostedTool("f", call_id=f"x{number}") for number in range(limits.HOSTED_CALLS + 1)],
        [e.ToolCallStarted("x", "f" * (limits.NAME_LENGTH + 1))],
        [e.HostedTool("f" * (limits.NAME_LENGTH + 1), call_id="x")],
        [e.HostedTool("f", "a" * (limits.ARGUMENTS_LENGTH + 1), call_id="x")],
        [e.HostedTool("f", "", "a" * (limits.ARGUMENTS_LENGTH + 1), call_id="x")],
    ],
    ids=["hosted calls", "name", "hosted name", "hosted input", "hosted result"],
)
def test_past_a_limit_of_calls_the_response_fails(events: list[e.WireEvent]) -> None:
    meter = limits.CallMeter()
    for event in events[:-1]:
        meter.count(event)
    with pytest.raises(ProviderError) as raised:
        meter.count(events[-1])
    assert (raised.value.kind, raised.value.retryable) == ("protocol", False)
    assert len(raised.value.message) < 200
