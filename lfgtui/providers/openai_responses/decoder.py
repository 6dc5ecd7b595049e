"""The OpenAI Responses stream, decoded.

A response is a list of items (reasoning, message, function call, hosted
tools); each is added, grows by deltas and is done
(https://platform.openai.com/docs/api-reference/responses-streaming). Servers
differ in which of these records they send, so what was not streamed is taken
from the record that closes it: part, item or, at the last, the whole response.
Places (`output_index`) hold a response together; ids may change from record to
record, and a stream that was resumed begins in the middle.
"""

from collections.abc import Sequence

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    Heartbeat,
    ProviderItem,
    ReasoningDelta,
    ResponseFinished,
    TextDelta,
    ToolArgumentsDelta,
    ToolCallStarted,
    Usage,
    WireEvent,
)
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject, UnreadableError
from lfgtui.providers.openai_responses.hosted_tools import WIRE, HostedItems
from lfgtui.providers.wire.citations import Citations
from lfgtui.providers.wire.decoder import RecordDecoder
from lfgtui.providers.wire.dedupe import TextDeduplicator
from lfgtui.providers.wire.tool_calls import (
    CUT_SHORT,
    DONE,
    NO_RECORD,
    CallIds,
    OpenCall,
    parse_arguments,
    stop_reason,
)

__all__ = ["WIRE", "ResponsesDecoder"]

_TEXT = ("response.output_text.", "response.refusal.", "response.audio.transcript.")
_THOUGHT = ("response.reasoning_summary_text.", "response.reasoning_text.")
_ENDS = frozenset(
    {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "response.cancelled",
        "response.canceled",
    }
)
_HOSTED = (
    "response.web_search_call.",
    "response.file_search_call.",
    "response.code_interpreter_call",
    "response.image_generation_call.",
    "response.mcp_",
    "response.shell_call",
    "response.local_shell_call",
    "response.apply_patch_call",
    "response.custom_tool_call",
)
_PROGRESS = (
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.content_part.",
    "response.reasoning_",
    "response.audio.",
    "response.compaction.",
)
"""Records that say nothing which others do not say whole."""


class ResponsesDecoder(RecordDecoder):
    """One response. See `base.Decoder`."""

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._ids = CallIds()
        self._calls: dict[object, OpenCall] = {}
        self._ended: set[str] = set()
        self._held: list[OpenCall] = []
        self._finished: set[object] = set()
        self._text = TextDeduplicator()
        self._thought = TextDeduplicator()
        self._thinking: dict[object, set[tuple[bool, int]]] = {}
        self._hosted = HostedItems()
        self._citations = Citations()
        self._called = False
        self._refused = False

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        if data in DONE:
            self.done = True
            return ()
        if (record := lenient_json.record_of(data)) is None:
            self.unknown[NO_RECORD] += 1
            return ()
        kind = lenient_json.exact_text(record, "type") or name
        place = _place(record)
        match kind:
            case "response.output_text.annotation.added":
                return tuple(self._citations.take([lenient_json.child(record, "annotation")]))
            case _ if kind.startswith(_TEXT):
                return self._say(kind, place, record)
            case _ if kind.startswith(_THOUGHT):
                return self._think(kind, place, record)
            case "response.function_call_arguments.delta" | "response.function_call_arguments.done":
                return self._grow_call(place, record)
            case "response.output_item.added":
                return self._add(place, lenient_json.exact_child(record, "item"))
            case "response.output_item.done":
                return self._finish_item(place, lenient_json.exact_child(record, "item"))
            case _ if kind in _ENDS:
                return self._close(lenient_json.exact_child(record, "response"), kind)
            case _ if kind.startswith(_HOSTED):
                return self._hosted.grow(kind, place, record)
            case "keepalive":
                return (Heartbeat(),)
            case "error":
                self.failure = mapping.in_stream(record.get("error") or record)
            case _ if not kind.startswith(_PROGRESS):
                self.unknown[kind or "untyped"] += 1
        return ()

    def _finish(self) -> Sequence[WireEvent]:
        if self.failure is None and self.wire_stop_reason is None:
            self.failure = ProviderError("cut", "the stream ended before the response did")
        if self.failure is not None:
            return ()
        events: list[WireEvent] = []
        if stop_reason(self.wire_stop_reason, called=False) not in CUT_SHORT:
            # Some servers close the response and not its items.
            for call in (*self._held, *self._calls.values()):
                if call.name or call.pieces:
                    self._request(call, events)
        reason = stop_reason(self.wire_stop_reason, called=self._called, refused=self._refused)
        return (*events, ResponseFinished(self._turn, reason))

    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        response = lenient_json.record_of(body)
        if response is None or not ("output" in response or response.get("error")):
            self.failure = ProviderError("protocol", "the answer is no Responses object")
            return ()
        return self._close(response, "response.completed")

    def _say(self, kind: str, place: object, record: JsonObject) -> Sequence[WireEvent]:
        """A delta of visible text, or what closes one part of it."""
        part = (place, lenient_json.index(record, "content_index") or 0)
        said = lenient_json.exact_text(record, "delta")
        if said:
            self._text.add(part, said)
        elif kind.endswith(".done"):
            keys = ("text", "refusal", "transcript")
            whole = next((text for key in keys if (text := lenient_json.text(record, key))), "")
            said = self._text.rest(part, whole)
        if not said:
            return ()
        self._refused = self._refused or ".refusal." in kind
        return (TextDelta(said),)

    def _think(self, kind: str, place: object, record: JsonObject) -> Sequence[WireEvent]:
        index = lenient_json.index(record, "summary_index")
        index = lenient_json.index(record, "content_index") if index is None else index
        part = (place, ".reasoning_summary_" in kind, index or 0)
        said = lenient_json.exact_text(record, "delta")
        if said:
            self._thought.add(part, said)
        elif kind.endswith(".done"):
            said = self._thought.rest(part, lenient_json.text(record, "text"))
        return self._thoughts(part, said)

    def _thoughts(self, part: tuple[object, bool, int], said: str) -> Sequence[WireEvent]:
        """A piece of reasoning. A summary comes in parts, each with a heading of its own."""
        if not said:
            return ()
        place, is_summary, index = part
        begun = self._thinking.setdefault(place, set())
        is_next = bool(begun) and (is_summary, index) not in begun
        begun.add((is_summary, index))
        return (ReasoningDelta(f"\n\n{said}" if is_next and is_summary else said),)

    def _add(self, place: object, item: JsonObject) -> Sequence[WireEvent]:
        if lenient_json.exact_text(item, "type") != "function_call":
            return self._hosted.begin(place, item)
        known = self._calls.get(place)
        if known is not None and known.wire_id == _wire_id(item):
            return ()  # the same record again
        return (self._start_call(place, item),)

    def _start_call(self, place: object, item: JsonObject) -> ToolCallStarted:
        call = self._ids.open(_wire_id(item), lenient_json.exact_text(item, "name"))
        self._calls[place] = call
        return ToolCallStarted(call.call_id, call.name)

    def _grow_call(self, place: object, record: JsonObject) -> Sequence[WireEvent]:
        call = self._calls.get(place)
        if call is None and len(self._calls) == 1:  # its id changed, and it has no place
            call = next(iter(self._calls.values()))
        if call is None:
            return ()
        whole = lenient_json.exact_text(record, "arguments")
        call.compare(parse_arguments(whole))
        piece = lenient_json.exact_text(record, "delta") or call.rest(whole)
        if not piece:
            return ()
        call.pieces.append(piece)
        return (ToolArgumentsDelta(call.call_id, piece),)

    def _finish_item(
        self, place: object, item: JsonObject, *, moved: bool = False
    ) -> Sequence[WireEvent]:
        item_id = lenient_json.text(item, "id")
        if item_id and {place, item_id} <= self._finished:
            return ()  # the same record again
        self._finished |= {place, item_id}
        match lenient_json.exact_text(item, "type"):
            case "message":
                return self._take_message(place, item, moved=moved)
            case "reasoning":
                return self._take_reasoning(place, item, moved=moved)
            case "function_call":
                return self._finish_call(place, item)
            case _:
                return self._hosted.end(place, item)

    def _take_message(self, place: object, item: JsonObject, *, moved: bool) -> list[WireEvent]:
        events: list[WireEvent] = []
        for index, part in enumerate(lenient_json.children(item, "content")):
            refusal = lenient_json.text(part, "refusal")
            self._refused = self._refused or bool(refusal)
            whole = (
                lenient_json.text(part, "text") or refusal or lenient_json.text(part, "transcript")
            )
            if said := self._text.rest((place, index), whole, moved=moved):
                events.append(TextDelta(said))
            events += self._citations.take(lenient_json.children(part, "annotations"))
        return events

    def _take_reasoning(self, place: object, item: JsonObject, *, moved: bool) -> list[WireEvent]:
        events: list[WireEvent] = []
        for key in ("summary", "content"):
            for index, part in enumerate(lenient_json.children(item, key)):
                at = (place, key == "summary", index)
                whole = lenient_json.text(part, "text")
                events += self._thoughts(at, self._thought.rest(at, whole, moved=moved))
        return [*events, ProviderItem(WIRE, item)]

    def _finish_call(self, place: object, item: JsonObject) -> Sequence[WireEvent]:
        call_id = lenient_json.text(item, "call_id")
        open_here = self._calls.get(place)
        if open_here is None or (call_id and open_here.wire_id != call_id):
            if call_id and call_id in self._ended:
                return ()
            moved = (p for p, c in self._calls.items() if call_id and c.wire_id == call_id)
            known = next(moved, place)
        else:
            known = place
        events: list[WireEvent] = []
        if known not in self._calls:
            events.append(self._start_call(known, item))
        call = self._calls.pop(known)
        self._ended.add(call.wire_id)
        given = item.get("arguments")
        if not isinstance(given, str | dict | None):
            raise UnreadableError("the arguments of a tool call are neither text nor an object")
        whole = given if isinstance(given, str) else lenient_json.compact(given or {})
        call.compare(parse_arguments(whole))
        if piece := call.rest(whole):
            call.pieces.append(piece)
            events.append(ToolArgumentsDelta(call.call_id, piece))
        elif not call.looks_whole and parse_arguments(whole):
            call.pieces = [whole]  # a delta was lost on the way
        if lenient_json.text(item, "status") == "incomplete":
            return events
        # What is empty or broken may have been cut off; the response's own end tells.
        if call.looks_whole:
            self._request(call, events)
        else:
            self._held.append(call)
        return events

    def _request(self, call: OpenCall, events: list[WireEvent]) -> None:
        events.append(call.requested())
        self._called = True

    def _close(self, response: JsonObject, kind: str) -> Sequence[WireEvent]:
        events: list[WireEvent] = []
        seen = frozenset(self._finished)
        for index, item in enumerate(lenient_json.exact_children(response, "output")):
            # Some items are in no record but this one. Places may differ, so ids tell as well.
            item_id = lenient_json.text(item, "id")
            if not seen or (item_id and not seen & {index, item_id}):
                events += self._finish_item(index, item, moved=True)
        events += _usage(lenient_json.child(response, "usage"))
        status = lenient_json.text(response, "status") or kind.removeprefix("response.")
        details = lenient_json.child(response, "incomplete_details")
        self.wire_stop_reason = lenient_json.text(details, "reason") or status
        self.done = True
        error = response.get("error")
        if error or status in ("failed", "cancelled", "canceled"):
            self.failure = mapping.in_stream(error or f"the provider says: {status}")
        return events


def _place(record: JsonObject) -> object:
    index = lenient_json.index(record, "output_index")
    return lenient_json.text(record, "item_id") if index is None else index


def _wire_id(item: JsonObject) -> str:
    return lenient_json.text(item, "call_id") or lenient_json.text(item, "id")


def _usage(usage: JsonObject) -> list[Usage]:
    given = lenient_json.number(usage, "input_tokens")
    output = lenient_json.number(usage, "output_tokens")
    if given is None and output is None:
        return []
    details = lenient_json.child(usage, "input_tokens_details")
    return [Usage(given or 0, output or 0, lenient_json.number(details, "cached_tokens") or 0)]
