"""Hand-made streams, and the events that a decoder makes of them however they are cut."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.model.events import ToolCallRequested
from lfgtui.providers.transport.sse import Comment, RecordReader
from lfgtui.providers.wire.decoder import Decoder
from tests.providers.recordings import cuts

Json = dict[str, object]


def run(decoder: Decoder, *records: Json | str) -> list[e.WireEvent]:
    """The events of these records, to the end of the body."""
    events: list[e.WireEvent] = []
    for record in records:
        events += decoder.feed("", record if isinstance(record, str) else json.dumps(record))
    return [*events, *decoder.finish()]


def failure_of(decoder: Decoder, *records: Json | str) -> ProviderError:
    """The failure of a decoder that these records fail; it ends no response."""
    events = run(decoder, *records)
    assert not any(isinstance(event, e.ResponseFinished) for event in events)
    assert decoder.failure is not None
    return decoder.failure


def run_whole(decoder: Decoder, body: Json) -> list[e.WireEvent]:
    """The events of one JSON body."""
    return [*decoder.decode_whole(json.dumps(body).encode()), *decoder.finish()]


def run_body(decoder: Decoder, body: bytes, how: str = "whole") -> list[e.WireEvent]:
    """The events of a body as it stands on the wire, cut as `recordings.cuts` does."""
    reader = RecordReader(tail=True)
    records = [record for piece in cuts(body, how) for record in reader.feed(piece)]
    events: list[e.WireEvent] = []
    for record in (*records, *reader.finish()):
        if not isinstance(record, Comment):
            name = "" if record.event == "message" else record.event
            events += decoder.feed(name, record.data)
    return [*events, *decoder.finish()]


@dataclass(frozen=True)
class Summary:
    """The substance of a run of events, with the cuts between deltas left out."""

    text: str
    reasoning: str
    calls: list[ToolCallRequested]
    cards: dict[str, tuple[str, str, str]]
    citations: list[e.Citation]
    usage: e.Usage | None
    stop_reason: str | None


def summarize(events: Sequence[e.WireEvent]) -> Summary:
    """Summarize the events."""
    usage = [event for event in events if isinstance(event, e.Usage)]
    ends = [event for event in events if isinstance(event, e.ResponseFinished)]
    return Summary(
        "".join(event.text for event in events if isinstance(event, e.TextDelta)),
        "".join(event.text for event in events if isinstance(event, e.ReasoningDelta)),
        requests(events),
        cards(events),
        [event for event in events if isinstance(event, e.Citation)],
        usage[-1] if usage else None,
        ends[-1].stop_reason if ends else None,
    )


def requests(events: Sequence[e.WireEvent]) -> list[ToolCallRequested]:
    """The calls that are to be run."""
    return [event for event in events if isinstance(event, ToolCallRequested)]


def cards(events: Sequence[e.WireEvent]) -> dict[str, tuple[str, str, str]]:
    """The hosted calls by id, as the fold merges them: (name, input, output)."""
    merged_cards: dict[str, tuple[str, str, str]] = {}
    for event in events:
        if isinstance(event, e.HostedTool):
            assert isinstance(event.call_id, str)
            name, given, output = merged_cards.get(event.call_id, ("", "", ""))
            merged = (event.name or name, event.input or given, event.output or output)
            merged_cards[event.call_id] = merged
    return merged_cards


def chunk(delta: Json, finish: str | None = None, **more: object) -> Json:
    """A record of the chat wire."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def piece(arguments: object, **more: object) -> Json:
    """A delta of the chat wire with a piece of a tool call."""
    name = more.pop("name", None)
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"tool_calls": [{"function": function, **more}]}


Call = tuple[str, str, list[str]]
"""A tool call by its id, its name and the pieces of its arguments."""


def words(text: str) -> list[str]:
    """The pieces of a text, one a word."""
    return re.findall(r"\S+ ?", text)


def sse(*records: Json | str) -> list[bytes]:
    """The records framed as events, named by their types where they have one."""
    names = [record.get("type") if isinstance(record, dict) else None for record in records]
    data = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    heads = [f"event: {name}\n" if name else "" for name in names]
    return [f"{head}data: {body}\n\n".encode() for head, body in zip(heads, data, strict=True)]


def anthropic_stream(text: str, *calls: Call) -> list[Json]:
    """An answer and its calls on the Messages wire; the calls grow one after the other."""
    blocks: list[Json] = [{"type": "text", "text": ""}]
    blocks += [{"type": "tool_use", "id": i, "name": name, "input": {}} for i, name, _ in calls]
    deltas: list[tuple[int, Json]] = [(0, {"type": "text_delta", "text": w}) for w in words(text)]
    for index, (_, _, pieces) in enumerate(calls, 1):
        deltas += [(index, {"type": "input_json_delta", "partial_json": p}) for p in pieces]
    return [
        {"type": "message_start", "message": {"id": "m", "content": []}},
        *(
            {"type": "content_block_start", "index": i, "content_block": b}
            for i, b in enumerate(blocks)
        ),
        *({"type": "content_block_delta", "index": i, "delta": delta} for i, delta in deltas),
        *({"type": "content_block_stop", "index": i} for i in range(len(blocks))),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use" if calls else "end_turn"}},
        {"type": "message_stop"},
    ]


def chat_stream(text: str, *calls: Call) -> list[Json]:
    """The same on the chat wire."""
    begun = [piece("", index=i, id=own, name=name) for i, (own, name, _) in enumerate(calls)]
    grown = [piece(p, index=i) for i, (_, _, pieces) in enumerate(calls) for p in pieces]
    spoken: list[Json] = [{"content": word} for word in words(text)]
    return [*map(chunk, spoken + begun + grown), chunk({}, "tool_calls" if calls else "stop")]


def responses_stream(text: str, *calls: Call) -> list[Json]:
    """The same on the Responses wire, where the calls are done in reverse order."""
    added: list[Json] = []
    grown: list[Json] = []
    done: list[Json] = []
    for index, (call_id, name, pieces) in enumerate(calls, 1):
        place: Json = {"output_index": index}
        item: Json = {"type": "function_call", "id": f"fc{index}", "call_id": call_id, "name": name}
        added.append({"type": "response.output_item.added", "item": item, **place})
        kind = "response.function_call_arguments.delta"
        grown += [{"type": kind, "delta": piece, **place} for piece in pieces]
        item = item | {"arguments": "".join(pieces)}
        done.append({"type": "response.output_item.done", "item": item, **place})
    text_delta = {"type": "response.output_text.delta", "output_index": 0}
    return [
        *(text_delta | {"delta": word} for word in words(text)),
        *added,
        *grown,
        *reversed(done),
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    ]


def added(item: Json, index: int = 0) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(item: Json, index: int = 0) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}
