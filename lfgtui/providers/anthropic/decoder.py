"""The Anthropic Messages stream, decoded.

A message is a list of blocks; each starts, grows by deltas and stops
(https://docs.anthropic.com/en/docs/build-with-claude/streaming). Text and
thinking go out as they arrive. A block that the next request must carry back
goes out whole, as a `ProviderItem`, when it stops; of a thinking block only
the signature, since its text went out before.

A message may begin with blocks that no record streams: where a hosted program
called a tool, `message_start` holds the call, whole, and the stop reason too.
Other servers stream again what stood there. So these blocks wait for what
follows: a block that starts at index 0 takes their place, anything else lets
them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    Heartbeat,
    HostedTool,
    ProviderItem,
    ReasoningDelta,
    ResponseFinished,
    Status,
    TextDelta,
    ToolArgumentsDelta,
    ToolCallStarted,
    Usage,
    WireEvent,
)
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject, UnreadableError
from lfgtui.providers.wire import hosted_tools
from lfgtui.providers.wire.citations import citation_of
from lfgtui.providers.wire.decoder import RecordDecoder
from lfgtui.providers.wire.tool_calls import (
    CUT_SHORT,
    DONE,
    NO_RECORD,
    CallIds,
    OpenCall,
    stop_reason,
)

WIRE = "anthropic"


@dataclass(slots=True)
class _Block:
    content: JsonObject
    kind: str
    call: OpenCall | None = None
    signature: str = ""
    pieces: list[str] = field(default_factory=list)


class AnthropicDecoder(RecordDecoder):
    """One Messages response. See `base.Decoder`."""

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._blocks: dict[int, _Block] = {}
        self._ids = CallIds()
        self._held: OpenCall | None = None
        self._called = False
        self._usage: dict[str, int] = {}
        self._hosted: dict[str, str] = {}
        self._message_id = ""
        self._first: list[JsonObject] = []

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        if data in DONE or (record := lenient_json.record_of(data)) is None:
            self.unknown[NO_RECORD] += 1
            return ()
        match kind := lenient_json.exact_text(record, "type") or name:
            case "content_block_delta":
                return self._grow(record)
            case "content_block_start":
                return self._start(record)
            case "content_block_stop":
                return self._stop(record)
            case "message_start":
                return self._open(lenient_json.exact_child(record, "message"))
            case "message_delta":
                return self._close(record)
            case "message_stop":
                self.done = True
                return self._take_first()
            case "ping":
                return (Heartbeat(),)
            case "error":
                self.failure = mapping.in_stream(record.get("error") or record)
            case _:
                self.unknown[kind or "untyped"] += 1
        return ()

    def _finish(self) -> Sequence[WireEvent]:
        events: list[WireEvent] = self._take_first()
        if self.failure is None and self.wire_stop_reason is None and not self.done:
            self.failure = ProviderError("cut", "the stream ended before the message did")
        if self.failure is not None:
            return events
        for index in sorted(self._blocks):  # some servers stop the message and not its blocks
            events += self._stop({"index": index})
        reason = stop_reason(self.wire_stop_reason, called=False)
        if reason in CUT_SHORT:
            self._held = None
        self._release(events)
        reason = stop_reason(self.wire_stop_reason, called=self._called)
        return (*events, ResponseFinished(self._turn, reason))

    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        message = lenient_json.record_of(body) or {}
        if message.get("error"):
            self.failure = mapping.in_stream(message["error"])
            return ()
        if not isinstance(message.get("content"), list):
            self.failure = ProviderError("protocol", "the answer is no Messages response")
            return ()
        events = [*self._open(message), *self._take_first()]
        self.done = True
        return events

    def _open(self, message: JsonObject) -> Sequence[WireEvent]:
        message_id = lenient_json.text(message, "id")
        if message_id and message_id == self._message_id:
            return self._count(message)  # the same record again
        self._message_id = message_id
        events = self._take_first()
        # A proxy that tried again begins anew: what was open never ends.
        self._blocks.clear()
        self._held = None
        self._first = lenient_json.exact_children(message, "content")
        self.wire_stop_reason = lenient_json.text(message, "stop_reason") or None
        return (*events, *self._count(message))

    def _take_first(self) -> list[WireEvent]:
        """The blocks that `message_start` held, as if they had been streamed."""
        blocks, self._first = self._first, []
        events: list[WireEvent] = []
        for index, block in enumerate(blocks):
            events += self._start({"index": index, "content_block": block})
            events += self._stop({"index": index})
        return events

    def _start(self, record: JsonObject) -> Sequence[WireEvent]:
        index = lenient_json.index(record, "index") or 0
        if index == 0:
            self._first = []
        events = self._take_first()
        self._release(events)  # another block follows, so the call before it was not cut
        content = lenient_json.exact_child(record, "content_block")
        block = _Block(content, lenient_json.exact_text(content, "type"))
        open_block = self._blocks.get(index)
        if open_block is not None:
            if content == open_block.content:
                return events  # the same record again
            events += self._stop(record)
        self._blocks[index] = block
        match block.kind:
            case "text":
                self._emit_text(lenient_json.exact_text(content, "text"), events)
                events += [citation_of(c) for c in lenient_json.children(content, "citations")]
            case "thinking":
                block.signature = lenient_json.text(content, "signature")
                if thinking := lenient_json.text(content, "thinking"):
                    events.append(ReasoningDelta(thinking))
            case "tool_use":
                name = lenient_json.exact_text(content, "name")
                block.call = self._ids.open(lenient_json.text(content, "id"), name)
                events.append(ToolCallStarted(block.call.call_id, name))
            case "compaction":
                events.append(Status("the provider made the conversation shorter"))
            case "fallback":
                model = lenient_json.text(lenient_json.child(content, "to"), "model")
                events.append(Status(f"the provider goes on with {model or 'another model'}"))
            case kind if kind.endswith("_tool_use"):
                events.append(self._start_hosted(content))
        return events

    def _start_hosted(self, content: JsonObject) -> HostedTool:
        server, tool = lenient_json.text(content, "server_name"), lenient_json.text(content, "name")
        name = hosted_tools.tool_name(server, tool)
        call_id = lenient_json.text(content, "id")
        self._hosted[call_id] = name
        return HostedTool(name, hosted_tools.given(content.get("input")), call_id=call_id)

    def _grow(self, record: JsonObject) -> Sequence[WireEvent]:
        delta = lenient_json.exact_child(record, "delta")
        block = self._blocks.get(lenient_json.index(record, "index") or 0)
        events: list[WireEvent] = []
        match kind := lenient_json.exact_text(delta, "type"):
            case "text_delta":
                self._emit_text(lenient_json.exact_text(delta, "text"), events)
            case "thinking_delta":
                if thinking := lenient_json.exact_text(delta, "thinking"):
                    events.append(ReasoningDelta(thinking))
            case "signature_delta" if block is not None:
                block.signature += lenient_json.text(delta, "signature")
            case "input_json_delta" if block is not None:
                self._grow_json(block, lenient_json.exact_text(delta, "partial_json"), events)
            case "input_json_delta":
                raise UnreadableError("a piece of a tool call that never began")
            case "citations_delta":
                events.append(citation_of(lenient_json.child(delta, "citation")))
            case "compaction_delta" if block is not None:
                summary = lenient_json.text(block.content, "content")
                block.content["content"] = summary + lenient_json.text(delta, "content")
                if encrypted := delta.get("encrypted_content"):
                    block.content["encrypted_content"] = encrypted
            case _:
                self.unknown[kind or "untyped delta"] += 1
        return events

    def _grow_json(self, block: _Block, piece: str, events: list[WireEvent]) -> None:
        if block.call is None:
            block.pieces.append(piece)
        elif piece:
            block.call.pieces.append(piece)
            events.append(ToolArgumentsDelta(block.call.call_id, piece))

    def _stop(self, record: JsonObject) -> Sequence[WireEvent]:
        block = self._blocks.pop(lenient_json.index(record, "index") or 0, None)
        events: list[WireEvent] = []
        if block is None or block.kind == "text":
            return events
        if block.call is not None:
            self._stop_call(block, block.call, events)
        elif block.kind == "thinking":
            item: JsonObject = {"type": "thinking", "signature": block.signature}
            events.append(ProviderItem(WIRE, item))
        else:
            self._stop_other(block, events)
        return events

    def _stop_call(self, block: _Block, call: OpenCall, events: list[WireEvent]) -> None:
        whole = lenient_json.exact_child(block.content, "input")
        call.compare(whole)
        if not call.pieces and whole:
            self._grow_json(block, lenient_json.compact(whole), events)
        self._held = call
        # What is empty or broken may have been cut off; only the stop reason tells.
        if call.looks_whole:
            self._release(events)

    def _release(self, events: list[WireEvent]) -> None:
        if self._held is not None:
            events.append(self._held.requested())
            self._called = True
            self._held = None

    def _stop_other(self, block: _Block, events: list[WireEvent]) -> None:
        content = block.content
        if block.pieces:
            raw = "".join(block.pieces)
            asked = lenient_json.parse_object(raw)
            content["input"] = asked or {}
            if block.kind.endswith("_tool_use") and (raw if asked is None else asked):
                call_id = lenient_json.text(content, "id")
                given = raw if asked is None else hosted_tools.given(asked)
                events.append(HostedTool(self._hosted[call_id], given, call_id=call_id))
        if block.kind.endswith("_tool_result"):
            call_id = lenient_json.text(content, "tool_use_id")
            # The call may stand in an earlier response: a long turn is paused and goes on.
            name = self._hosted.get(call_id, block.kind.removesuffix("_tool_result"))
            failed = content.get("is_error") is True
            result = content.get("content")
            said = hosted_tools.failure(result) if failed else hosted_tools.outcome(result)
            events.append(HostedTool(name, "", said, call_id))
        events.append(ProviderItem(WIRE, content))

    def _close(self, record: JsonObject) -> Sequence[WireEvent]:
        reason = lenient_json.text(lenient_json.child(record, "delta"), "stop_reason")
        self.wire_stop_reason = reason or self.wire_stop_reason
        return self._count(record)

    def _count(self, record: JsonObject) -> Sequence[WireEvent]:
        """Usage so far: later values replace earlier ones, field by field."""
        usage = lenient_json.child(record, "usage")
        for key in (
            "input_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "output_tokens",
        ):
            if (value := lenient_json.number(usage, key)) is not None:
                self._usage[key] = value
        if not usage or not self._usage:
            return ()
        cached = self._usage.get("cache_read_input_tokens", 0)
        written = self._usage.get("cache_creation_input_tokens", 0)
        given = self._usage.get("input_tokens", 0) + cached + written
        return (Usage(given, self._usage.get("output_tokens", 0), cached),)

    @staticmethod
    def _emit_text(text: str, events: list[WireEvent]) -> None:
        if text:
            events.append(TextDelta(text))
