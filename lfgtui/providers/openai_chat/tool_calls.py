"""Tool calls of the chat wire, put together from their pieces."""

from lfgtui.model.events import ProviderItem, ToolArgumentsDelta, ToolCallStarted, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.wire.tool_calls import (
    OpenCall,
    ToolCalls,
    arguments_text,
    parse_arguments,
)

_WIRE = "openai-chat"


class ChatCalls:
    """All calls of one response, in the order they began."""

    def __init__(self, calls: ToolCalls) -> None:
        self._response = calls
        self._calls: list[OpenCall] = []
        self._at_index: dict[int, OpenCall] = {}
        self._extra: dict[str, JsonObject] = {}

    @property
    def begun(self) -> bool:
        """True once a call began."""
        return bool(self._calls)

    @property
    def is_broken(self) -> bool:
        """True if the last call's arguments stop in the middle."""
        return bool(self._calls) and parse_arguments(self._calls[-1].raw) is None

    def take(self, delta: JsonObject) -> list[WireEvent]:
        """Return the events of a chunk's `tool_calls`, or of its `function_call` of old."""
        events: list[WireEvent] = []
        for piece in lenient_json.exact_children(delta, "tool_calls"):
            # A custom tool takes text that need not be JSON.
            function = lenient_json.exact_child(piece, "function")
            function = function or lenient_json.exact_child(piece, "custom")
            self._take_piece(piece, function, events)
        if function := lenient_json.exact_child(delta, "function_call"):
            self._take_piece({"index": 0}, function, events)
        return events

    def requested(self, *, is_cut: bool) -> list[WireEvent]:
        """Return the calls to run.

        Where the answer was cut short, a last one that is empty or broken is left
        out: its arguments never came.
        """
        calls = list(self._calls)
        if is_cut and calls and not calls[-1].looks_whole:
            calls.pop()
        events: list[WireEvent] = []
        for call in calls:
            if not (call.name or call.pieces):
                continue  # a place that was kept for a call and never used
            events.append(self._response.request(call))
            if (extra := self._extra.get(call.call_id)) is not None:
                item: JsonObject = {"tool_call_id": call.wire_id, "extra_content": extra}
                events.append(ProviderItem(_WIRE, item))
        return events

    def _take_piece(self, piece: JsonObject, function: JsonObject, events: list[WireEvent]) -> None:
        name = lenient_json.exact_text(function, "name")
        call = self._call_for(piece, name)
        if name and not call.name:
            call.name = name
            events.append(ToolCallStarted(call.call_id, name))
            if call.pieces:
                events.append(ToolArgumentsDelta(call.call_id, call.raw))
        if extra := lenient_json.child(piece, "extra_content"):
            self._extra[call.call_id] = extra
        given = function.get("arguments") or function.get("input") or None
        grown = call.grow(arguments_text(given))
        if call.name:
            events += grown

    def _call_for(self, piece: JsonObject, name: str) -> OpenCall:
        call_id = lenient_json.text(piece, "id")
        index = lenient_json.index(piece, "index")
        if index is not None:
            call = self._at_index.get(index)
        elif call_id:
            call = next((c for c in self._calls if c.wire_id == call_id), None)
        else:
            call = self._calls[-1] if self._calls and not name else None
        is_other = call is not None and call_id and name and call_id != call.wire_id
        if call is None or (is_other and not _goes_on(call, name)):
            call = self._response.open(call_id, "")
            self._calls.append(call)
        if index is not None:
            self._at_index[index] = call
        return call


def _goes_on(call: OpenCall, name: str) -> bool:
    """Tell whether a piece with another id still belongs to the call.

    Some servers make up an id for every piece, but none begins a call inside
    another's arguments.
    """
    return name == call.name and bool(call.pieces) and parse_arguments(call.raw) is None
