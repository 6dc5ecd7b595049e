"""The Anthropic Messages stream, decoded.

A message is a list of blocks; each starts, grows by deltas and stops
(https://docs.anthropic.com/en/docs/build-with-claude/streaming). Text and
thinking go out as they arrive. A block that the next request must carry back
goes out whole, as a `ProviderItem`, when it stops; of a thinking block only
the signature, since its text went out before.

A message may begin with blocks that are not streamed: if code that the provider
runs has called a tool, `message_start` holds the whole call and the stop reason.
Other servers stream these blocks again. So they are kept back: a block that starts
at index 0 replaces them; a later block, a new message or the end has them read.
"""

from dataclasses import dataclass, field

from msgspec import UNSET

from lfgtui.model.events import Heartbeat, ProviderItem, Status, Usage
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.lenient_json import JsonObject, UnreadableError
from lfgtui.providers.wire import hosted_tools
from lfgtui.providers.wire.decoder import NO_RECORD, SdkDecoder
from lfgtui.providers.wire.dedupe import citation_of
from lfgtui.providers.wire.hosted_tools import HostedCalls
from lfgtui.providers.wire.tool_calls import OpenCall, arguments_text

WIRE = "anthropic"
"""The wire of its `ProviderItem`s: histories hold both, so neither name nor form may change."""

_CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")  # not in `input_tokens`


@dataclass(slots=True)
class _Block:
    """A block that is open: its `content` as it began, and what its deltas brought since.

    `call` is set for a call that lfg runs; `pieces`, of `length` characters, are the input of a
    hosted one.
    """

    content: JsonObject
    kind: str
    call: OpenCall | None = None
    signature: str = ""
    pieces: list[str] = field(default_factory=list)
    length: int = 0

    def grow(self, piece: str) -> None:
        """Add a piece of a hosted tool's input."""
        self.length += len(piece)
        limits.refuse_long_input(lenient_json.text(self.content, "name"), self.length)
        self.pieces.append(piece)


class AnthropicDecoder(SdkDecoder):
    """One Messages response. See `wire.decoder.Decoder`."""

    form = "an Anthropic message"

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._blocks: dict[int, _Block] = {}
        self._first: list[JsonObject] = []  # blocks of `message_start`, not read yet
        self._hosted = HostedCalls()
        self._usage: dict[str, int] = {}
        self._message_id = ""

    def _take_done(self) -> None:
        self.unknown[NO_RECORD] += 1  # `[DONE]` ends nothing on this wire

    def _read(self, name: str, record: JsonObject) -> None:
        match kind := lenient_json.exact_text(record, "type") or name:
            case "content_block_delta":
                self._grow(_index(record), lenient_json.exact_child(record, "delta"))
            case "content_block_start":
                self._start(_index(record), lenient_json.exact_child(record, "content_block"))
            case "content_block_stop":
                self._stop(_index(record))
            case "message_start":
                self._open(lenient_json.exact_child(record, "message"))
            case "message_delta":
                reason = lenient_json.text(lenient_json.child(record, "delta"), "stop_reason")
                self.wire_stop_reason = reason or self.wire_stop_reason
                self._report_usage(record)
            case "message_stop":
                self.done = True
                self._take_first()
            case "ping":
                self._events.append(Heartbeat())
            case _:
                self.unknown[kind or "untyped"] += 1

    def _read_whole(self, record: JsonObject) -> bool:
        if not isinstance(record.get("content"), list):
            return False
        self._open(record)
        self._take_first()
        self.done = True
        return True

    def _usage_in(self, name: str, record: JsonObject) -> Usage | None:
        return self._count(lenient_json.child(record, "message")) or self._count(record)

    def _is_complete(self) -> bool:
        self._take_first()
        return self.wire_stop_reason is not None or self.done

    def _finish_calls(self, *, is_cut: bool) -> None:
        for index in sorted(self._blocks):  # some servers stop the message and not its blocks
            self._stop(index)
        self._events += self._calls.release(are_cut=is_cut)

    def _open(self, message: JsonObject) -> None:
        """Begin a message, and drop what an earlier one left open."""
        message_id = lenient_json.text(message, "id")
        if not message_id or message_id != self._message_id:  # otherwise it came twice
            self._message_id = message_id
            self._take_first()
            # A proxy that tried again begins anew: what was open never ends.
            self._blocks.clear()
            self._calls.release(are_cut=True)
            self._first = lenient_json.exact_children(message, "content")
            self.wire_stop_reason = lenient_json.text(message, "stop_reason") or None
        self._report_usage(message)

    def _take_first(self) -> None:
        """Read the blocks of `message_start` as if they had been streamed."""
        blocks, self._first = self._first, []
        for index, content in enumerate(blocks):
            self._start(index, content)
            self._stop(index)

    def _start(self, index: int, content: JsonObject) -> None:
        """Begin a block; a block that is open at this index ends, unless it is the same."""
        if index == 0:
            self._first = []
        self._take_first()
        self._events += self._calls.release()  # another block follows, so no call was cut off
        block = _Block(content, lenient_json.exact_text(content, "type"))
        if (open_block := self._blocks.get(index)) is not None:
            if content == open_block.content:
                return  # the same record again
            self._stop(index)
        self._blocks[index] = block
        match block.kind:
            case "text":
                self._add_text(lenient_json.exact_text(content, "text"))
                self._events += map(citation_of, lenient_json.children(content, "citations"))
            case "thinking":
                block.signature = lenient_json.text(content, "signature")
                self._add_reasoning(lenient_json.text(content, "thinking"))
            case "tool_use":
                name = lenient_json.exact_text(content, "name")
                block.call = self._calls.open(lenient_json.text(content, "id"))
                self._events += block.call.show(name)
            case "compaction":
                self._events.append(Status("the provider compacted the conversation"))
            case "fallback":
                model = lenient_json.text(lenient_json.child(content, "to"), "model")
                message = f"the provider switched to {model or 'another model'}"
                self._events.append(Status(message))
            case kind if kind.endswith("_tool_use"):
                server = lenient_json.text(content, "server_name")
                name = hosted_tools.tool_name(server, lenient_json.text(content, "name"))
                given = hosted_tools.given(content.get("input"))
                call_id = lenient_json.text(content, "id")
                self._events.append(self._hosted.card(call_id, given, name=name))

    def _grow(self, index: int, delta: JsonObject) -> None:
        """Read a delta: emit text at once, keep in the block what goes out when it stops."""
        block = self._blocks.get(index)
        match kind := lenient_json.exact_text(delta, "type"):
            case "text_delta":
                self._add_text(lenient_json.exact_text(delta, "text"))
            case "thinking_delta":
                self._add_reasoning(lenient_json.exact_text(delta, "thinking"))
            case "signature_delta" if block is not None:
                block.signature += lenient_json.text(delta, "signature")
            case "input_json_delta":
                if block is None:
                    raise UnreadableError("a piece of a tool call that never began")
                piece = lenient_json.exact_text(delta, "partial_json")
                if block.call is None:
                    block.grow(piece)
                else:
                    self._events += block.call.grow(piece)
            case "citations_delta":
                self._events.append(citation_of(lenient_json.child(delta, "citation")))
            case "compaction_delta" if block is not None:
                summary = lenient_json.text(block.content, "content")
                block.content["content"] = summary + lenient_json.text(delta, "content")
                if encrypted := delta.get("encrypted_content"):
                    block.content["encrypted_content"] = encrypted
            case _:
                self.unknown[kind or "untyped delta"] += 1

    def _stop(self, index: int) -> None:
        """End a block, if it is open: request its call, or emit what goes back with a request."""
        block = self._blocks.pop(index, None)
        if block is None or block.kind == "text":
            return
        if block.call is not None:
            whole = lenient_json.exact_child(block.content, "input") or None
            self._events += block.call.complete(arguments_text(whole))
            self._events += self._calls.close(block.call)
        elif block.kind == "thinking":
            item: JsonObject = {"type": "thinking", "signature": block.signature}
            self._events.append(ProviderItem(WIRE, item))
        else:
            self._stop_other(block.kind, block.content, "".join(block.pieces))

    def _stop_other(self, kind: str, content: JsonObject, streamed: str) -> None:
        """End a block that goes back whole, such as a hosted call, `streamed` input, or result."""
        if streamed:
            parsed = lenient_json.parse_object(streamed)
            content["input"] = parsed or {}
            given = streamed if parsed is None else hosted_tools.given(parsed)
            if kind.endswith("_tool_use") and given:
                self._events.append(self._hosted.card(lenient_json.text(content, "id"), given))
        if kind.endswith("_tool_result"):
            call_id = lenient_json.text(content, "tool_use_id")
            failed = content.get("is_error") is True
            write = hosted_tools.failure if failed else hosted_tools.outcome
            # The call may be in an earlier response: a long turn is paused and continued.
            name = kind.removesuffix("_tool_result")
            card = self._hosted.card(call_id, "", write(content.get("content")), fallback=name)
            self._events.append(card)
        self._events.append(ProviderItem(WIRE, content))

    def _report_usage(self, record: JsonObject) -> None:
        if (usage := self._count(record)) is not None:
            self._events.append(usage)

    def _count(self, record: JsonObject) -> Usage | None:
        """Return the usage so far: later values replace earlier ones, field by field."""
        usage = lenient_json.child(record, "usage")
        for key in ("input_tokens", *_CACHED, "output_tokens"):
            if (value := lenient_json.number(usage, key)) is not None:
                self._usage[key] = value
        if not (usage and self._usage):
            return None
        cached, written = (self._usage.get(key, 0) for key in _CACHED)
        given = self._usage.get("input_tokens", 0) + cached + written
        output = self._usage.get("output_tokens", 0)
        return Usage(given, output, cached, cache_write=written or UNSET)


def _index(record: JsonObject) -> int:
    return lenient_json.index(record, "index") or 0
