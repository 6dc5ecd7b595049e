"""Floods of each kind of record, as fast as lfg takes them, until the ticket's time is up."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from lfgtui.settings.providers import WireName
from tests.hostile.cases import AGENTS, ALL, HTTP, MODELS, Pause, Step, case, enter_as, repeated
from tests.hostile.wires import PING, Anthropic, Chat, Responses, Wire, dump, frame

TIME = {"timeout": 9.0}
ENDS = ("limit", "failed", "done")

_BLOCK = 500  # records that go out together


Bytes = Callable[[Wire], bytes]


def _begun(wire: Wire) -> bytes:
    return wire.begin()


class Flood(NamedTuple):
    """Records that come without end after what begins the response."""

    description: str
    record: Bytes
    times: int = _BLOCK
    begin: Bytes = _begun
    wires: tuple[WireName, ...] = ALL


def _first_words(wire: Wire) -> bytes:
    return wire.begin() + wire.text("first ")


def _call_begun(wire: Wire) -> bytes:
    start = wire.begin() + wire.call_start("c", "write_file")
    return start + wire.arguments("c", '{"path": "x", "content": "')


def _tool_output(wire: Wire) -> bytes:
    return wire.record(dump({"type": "tool_output", "tool_call_id": "c", "content": "line\n"}))


FLOODS = {
    "text": Flood("Words without end.", lambda wire: wire.text("word "), begin=_first_words),
    "lines": Flood("Paragraphs without end.", lambda wire: wire.text("a\n\nb"), begin=_first_words),
    "single-letters": Flood(
        "One letter a record, one word without end.",
        lambda wire: wire.text("x"),
        begin=_first_words,
    ),
    "reasoning": Flood(
        "Reasoning without end.",
        lambda wire: wire.reasoning("hm "),
        begin=lambda wire: wire.begin() + wire.reasoning("hm "),
    ),
    "arguments": Flood(
        "A call's arguments without end.",
        lambda wire: wire.arguments("c", "line\\n"),
        begin=_call_begun,
    ),
    "usage": Flood("Usage after usage.", lambda wire: wire.usage(7), begin=_first_words),
    "heartbeats": Flood(
        "Pings, or comments, without end.", lambda wire: wire.heartbeat(), begin=_first_words
    ),
    "comments": Flood("Comments of an idle server.", lambda wire: b": comment\n", wires=HTTP),
    "blank-lines": Flood("Blank lines.", lambda wire: b"\n", 65536, wires=HTTP),
    "blanks-before-anything": Flood(
        "Blanks, before it can be told what the body is.",
        lambda wire: b" \r\n",
        20_000,
        lambda wire: wire.head(),
        HTTP,
    ),
    "empty-objects": Flood("`{}` without end.", lambda wire: wire.record("{}")),
    "damaged-records": Flood(
        "Records that are no JSON, without end.", lambda wire: wire.record('{"half": ')
    ),
    "tool-output": Flood(
        "The live output of a tool of the agent's own, without end.",
        _tool_output,
        begin=lambda wire: wire.begin() + wire.call("c", "search", "{}"),
        wires=AGENTS,
    ),
    "pings": Flood(
        "Pings of the largest size, each of which wants an answer.",
        lambda wire: frame(b"x" * 125, PING),
        wires=("agent-websocket",),
    ),
    "empty-messages": Flood(
        "Messages of no bytes at all.", lambda wire: frame(b""), 10_000, wires=("agent-websocket",)
    ),
}


def _flood(wire: Wire, flood: Flood) -> Iterator[Step]:
    begun = flood.begin(wire)  # before any record: some wires count them
    return repeated(begun, flood.record(wire) * flood.times)


for _name, _of in FLOODS.items():
    _entering = case(*ENDS, wires=_of.wires, keys=TIME)
    enter_as(f"flood-of-{_name}", _of.description, partial(_flood, flood=_of), _entering)


@case(*ENDS, keys=TIME)
def flood_of_unknown_types(wire: Wire) -> Iterator[Step]:
    """Records of types that nobody knows, none of them twice."""
    yield wire.begin()
    number = 0
    while True:
        number += _BLOCK
        kinds = (f"kind.{number + n}" for n in range(_BLOCK))
        yield b"".join(wire.record(dump({"type": kind, "object": kind}), kind) for kind in kinds)


@case(*ENDS, keys=TIME)
def flood_of_changes(wire: Wire) -> Iterator[Step]:
    """Text and reasoning in turn: 20,000 changes and more."""
    yield wire.begin()
    for _ in range(20_000):
        yield wire.reasoning("hm ") + wire.text("word ")
    yield wire.finish()


@case(*ENDS, keys=TIME)
def flood_of_calls_begun(wire: Wire) -> Iterator[Step]:
    """Calls that begin and never end, one after the other, for ever."""
    yield wire.begin()
    index = 0
    while True:
        index += 50
        calls = (wire.call_start(f"c{index + n}", "list_files", index + n) for n in range(50))
        yield b"".join(calls)


@case(*ENDS, wires=MODELS, keys=TIME)
def flood_of_provider_items(wire: Wire) -> Iterator[Step]:
    """Opaque items that the wire wants back, without end."""
    yield wire.begin()
    number = 0
    while True:
        number += 1
        yield _item(wire, number)


def _item(wire: Wire, number: int) -> bytes:
    match wire:
        case Anthropic():
            block = {"type": "redacted_thinking", "data": "x" * 500}
            begun = wire.typed("content_block_start", index=number, content_block=block)
            return begun + wire.typed("content_block_stop", index=number)
        case Responses():
            item = {"type": "reasoning", "id": f"r{number}", "encrypted_content": "x" * 500}
            return wire.typed("response.output_item.done", output_index=number, item=item)
        case _:
            detail = {"type": "reasoning.encrypted", "data": "x" * 500, "index": number}
            delta = {"reasoning_details": [detail], "extra_content": {"signature": str(number)}}
            return wire.record(dump({"choices": [{"index": 0, "delta": delta}]}))


@case(*ENDS, keys=TIME)
def flood_of_citations(wire: Wire) -> Iterator[Step]:
    """Sources without end, each another one."""
    yield wire.begin() + wire.text("see ")
    number = 0
    while True:
        number += 50
        yield b"".join(_citation(wire, f"http://x/{number + n}") for n in range(50))


def _citation(wire: Wire, url: str) -> bytes:
    match wire:
        case Anthropic():
            citation = {"type": "web_search_result_location", "url": url, "title": "t"}
            delta = {"type": "citations_delta", "citation": citation}
            return wire.typed("content_block_delta", index=0, delta=delta)
        case Chat():
            note = {"type": "url_citation", "url_citation": {"url": url, "title": "t"}}
            return wire.delta({"annotations": [note]})
        case Responses():
            note = {"type": "url_citation", "url": url, "title": "t"}
            at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
            return wire.typed("response.output_text.annotation.added", **at, annotation=note)
        case _:
            return wire.record(dump({"type": "source", "url": url, "title": "t"}))


@case(*ENDS, keys=TIME)
def flood_of_hosted_tools(wire: Wire) -> Iterator[Step]:
    """Tools of the provider's own, without end."""
    yield wire.begin()
    number = 0
    while True:
        number += 20
        yield b"".join(_hosted(wire, number + n) for n in range(20))


def _hosted(wire: Wire, number: int) -> bytes:
    match wire:
        case Anthropic():
            block = {"type": "server_tool_use", "id": f"s{number}", "name": "web_search"}
            call = {**block, "input": {"query": "q"}}
            begun = wire.typed("content_block_start", index=number, content_block=call)
            return begun + wire.typed("content_block_stop", index=number)
        case Responses():
            action = {"type": "search", "query": "q"}
            item = {"type": "web_search_call", "id": f"ws{number}", "status": "completed"}
            fields = {"output_index": number, "item": {**item, "action": action}}
            begun = wire.typed("response.output_item.added", **fields)
            return begun + wire.typed("response.output_item.done", **fields)
        case Chat():
            tool = {"index": number, "type": "search", "arguments": "q", "output": "found"}
            return wire.delta({"executed_tools": [tool]})
        case _:
            call = {"type": "tool_call", "tool_call_id": f"t{number}", "name": "search"}
            result = {"type": "tool_result", "tool_call_id": f"t{number}", "content": "found"}
            return wire.record(dump(call)) + wire.record(dump(result))


@case(*ENDS, wires=AGENTS, keys=TIME)
def flood_of_status(wire: Wire) -> Iterator[Step]:
    """Status lines without end, none of them twice."""
    yield wire.begin()
    number = 0
    while True:
        number += 100
        kinds = range(number, number + 100)
        yield b"".join(wire.record(dump({"type": "status", "message": f"at {n}"})) for n in kinds)


@case(*ENDS, keys=TIME)
def ten_thousand_tokens_a_second(wire: Wire) -> Iterator[Step]:
    """10,000 tokens a second, in small records."""
    yield wire.begin() + wire.text("first ")
    block = wire.text("word ") * 99 + wire.text("word.\n\n")
    for _ in range(900):
        yield block
        yield Pause(0.01)
    yield wire.finish()
