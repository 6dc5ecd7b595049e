"""The OpenAI Responses stream, decoded.

A response is a list of items (reasoning, message, function call, hosted
tools); each is added, grows by deltas and is done
(https://platform.openai.com/docs/api-reference/responses-streaming). Servers
differ in which deltas they send, so what was not streamed is taken from the
record that closes it: part, item or, at the last, the whole response.
"""

from collections import Counter
from collections.abc import Sequence

from lfgtui.errors import ProviderError
from lfgtui.events import (
    Citation,
    Heartbeat,
    HostedTool,
    ProviderItem,
    ReasoningDelta,
    ResponseFinished,
    TextDelta,
    ToolArgumentsDelta,
    ToolCallStarted,
    Usage,
    WireEvent,
)
from lfgtui.providers import failures, hosted, loose_json
from lfgtui.providers.calls import CUT_SHORT, NO_JSON, OpenCall, stop_reason
from lfgtui.providers.loose_json import JsonObject

WIRE = "openai-responses"

_DONE = "[DONE]"
_WORDS = frozenset(
    {
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
    }
)
_ENDS = frozenset(
    {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "response.cancelled",
        "response.canceled",
    }
)
_PROGRESS = (
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.content_part.",
    "response.output_text.done",
    "response.refusal.done",
    "response.reasoning_",
    "response.function_call_arguments.done",
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
"""Records that say nothing which a later one does not say whole."""

_INPUT_KEYS = ("action", "arguments", "code", "queries", "input", "operation")
_OUTPUT_KEYS = ("outputs", "output", "results", "tools", "error")


class ResponsesDecoder:
    """One response. See `base.Decoder`."""

    def __init__(self, turn: int = 1) -> None:
        self.failure: ProviderError | None = None
        self.unknown: Counter[str] = Counter()
        self.done = False
        self.wire_stop_reason: str | None = None
        self._turn = turn
        self._calls: dict[object, OpenCall] = {}
        self._held: list[OpenCall] = []
        self._streamed: set[object] = set()
        self._finished: set[object] = set()
        self._called = False
        self._refused = False

    def feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        record = loose_json.parse_object(data)
        if record is None:
            if data in (_DONE, _DONE.encode()):
                self.done = True
            else:
                self.unknown[NO_JSON] += 1
            return ()
        if self.failure is not None:
            return ()
        kind = loose_json.text(record, "type") or name
        match kind:
            case _ if kind in _WORDS:
                return self._grow(kind, record)
            case "response.function_call_arguments.delta":
                return self._grow_call(record)
            case "response.reasoning_summary_part.added":
                return self._next_summary(record)
            case "response.output_item.added":
                return self._add(record)
            case "response.output_item.done":
                return self._finish_item(_place(record), loose_json.child(record, "item"))
            case "response.output_text.annotation.added":
                return _citations([loose_json.child(record, "annotation")])
            case _ if kind in _ENDS:
                return self._close(loose_json.child(record, "response"), kind)
            case "keepalive":
                return (Heartbeat(),)
            case "error":
                self.failure = failures.in_stream(record.get("error") or record)
            case _ if not kind.startswith(_PROGRESS):
                self.unknown[kind or "untyped"] += 1
        return ()

    def finish(self) -> Sequence[WireEvent]:
        if self.failure is None and self.wire_stop_reason is None:
            self.failure = ProviderError("cut", "the stream ended before the response did")
        if self.failure is not None:
            return ()
        events: list[WireEvent] = []
        if stop_reason(self.wire_stop_reason, called=False) not in CUT_SHORT:
            for call in self._held:
                self._request(call, events)
        reason = stop_reason(self.wire_stop_reason, called=self._called, refused=self._refused)
        return (*events, ResponseFinished(self._turn, reason))

    def decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        response = loose_json.parse_object(body)
        if response is None or not ("output" in response or response.get("error")):
            self.failure = ProviderError("protocol", "the answer is no Responses object")
            return ()
        return self._close(response, "response.completed")

    def _grow(self, kind: str, record: JsonObject) -> Sequence[WireEvent]:
        delta = loose_json.text(record, "delta")
        if not delta:
            return ()
        self._streamed.add(_place(record))
        if "reasoning" in kind:
            return (ReasoningDelta(delta),)
        self._refused = self._refused or "refusal" in kind
        return (TextDelta(delta),)

    def _next_summary(self, record: JsonObject) -> Sequence[WireEvent]:
        # A summary comes in parts, each with a heading of its own.
        if loose_json.number(record, "summary_index") and _place(record) in self._streamed:
            return (ReasoningDelta("\n\n"),)
        return ()

    def _add(self, record: JsonObject) -> Sequence[WireEvent]:
        item = loose_json.child(record, "item")
        if loose_json.text(item, "type") != "function_call":
            return ()
        return (self._start_call(_place(record), item),)

    def _start_call(self, place: object, item: JsonObject) -> ToolCallStarted:
        call_id = loose_json.text(item, "call_id") or loose_json.text(item, "id")
        call = OpenCall(call_id, loose_json.text(item, "name"))
        self._calls[place] = call
        return ToolCallStarted(call.call_id, call.name)

    def _grow_call(self, record: JsonObject) -> Sequence[WireEvent]:
        call = self._calls.get(_place(record))
        piece = loose_json.text(record, "delta")
        if call is None or not piece:
            return ()
        call.pieces.append(piece)
        return (ToolArgumentsDelta(call.call_id, piece),)

    def _finish_item(self, place: object, item: JsonObject) -> list[WireEvent]:
        self._finished |= {place, loose_json.text(item, "id")}
        events: list[WireEvent] = []
        match loose_json.text(item, "type"):
            case "message":
                if place not in self._streamed:
                    self._take_message(item, events)
            case "reasoning":
                if place not in self._streamed:
                    self._take_reasoning(item, events)
                events.append(ProviderItem(WIRE, item))
            case "function_call":
                self._finish_call(place, item, events)
            case kind:
                name = loose_json.text(item, "name") or kind.removesuffix("_call")
                given, output = _first(item, _INPUT_KEYS), _first(item, _OUTPUT_KEYS)
                text = given if isinstance(given, str) else loose_json.compact(given)
                events.append(
                    HostedTool(name, "" if given is None else text, hosted.summary(output))
                )
                events.append(ProviderItem(WIRE, item))
        return events

    def _take_message(self, item: JsonObject, events: list[WireEvent]) -> None:
        for part in loose_json.children(item, "content"):
            refusal = loose_json.text(part, "refusal")
            self._refused = self._refused or bool(refusal)
            if text := loose_json.text(part, "text") or refusal:
                events.append(TextDelta(text))
            events += _citations(loose_json.children(part, "annotations"))

    def _take_reasoning(self, item: JsonObject, events: list[WireEvent]) -> None:
        parts = [*loose_json.children(item, "summary"), *loose_json.children(item, "content")]
        said = [text for part in parts if (text := loose_json.text(part, "text"))]
        if said:
            events.append(ReasoningDelta("\n\n".join(said)))

    def _finish_call(self, place: object, item: JsonObject, events: list[WireEvent]) -> None:
        if place not in self._calls:
            events.append(self._start_call(place, item))
        call = self._calls.pop(place)
        whole = item.get("arguments")
        raw = whole if isinstance(whole, str) else loose_json.compact(whole or {})
        if not call.pieces and raw:
            call.pieces.append(raw)
            events.append(ToolArgumentsDelta(call.call_id, raw))
        if loose_json.text(item, "status") == "incomplete":
            return
        # What is empty or broken may have been cut off; the response's own end tells.
        if call.looks_whole:
            self._request(call, events)
        else:
            self._held.append(call)

    def _request(self, call: OpenCall, events: list[WireEvent]) -> None:
        events.append(call.requested())
        self._called = True

    def _close(self, response: JsonObject, kind: str) -> Sequence[WireEvent]:
        events: list[WireEvent] = []
        seen = frozenset(self._finished)
        for index, item in enumerate(loose_json.children(response, "output")):
            # Some items are in no record but this one. Places may differ, so ids tell as well.
            item_id = loose_json.text(item, "id")
            if not seen or (item_id and not seen & {index, item_id}):
                events += self._finish_item(index, item)
        events += _usage(loose_json.child(response, "usage"))
        status = loose_json.text(response, "status") or kind.removeprefix("response.")
        details = loose_json.child(response, "incomplete_details")
        self.wire_stop_reason = loose_json.text(details, "reason") or status
        self.done = True
        error = response.get("error")
        if error or status in ("failed", "cancelled", "canceled"):
            self.failure = failures.in_stream(error or f"the provider says: {status}")
        return events


def _place(record: JsonObject) -> object:
    index = loose_json.number(record, "output_index")
    return loose_json.text(record, "item_id") if index is None else index


def _first(item: JsonObject, keys: tuple[str, ...]) -> object:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def _citations(annotations: list[JsonObject]) -> list[Citation]:
    return [
        Citation(
            loose_json.text(annotation, "url") or loose_json.text(annotation, "file_id"),
            loose_json.text(annotation, "title") or loose_json.text(annotation, "filename"),
        )
        for annotation in annotations
    ]


def _usage(usage: JsonObject) -> list[Usage]:
    given = loose_json.number(usage, "input_tokens")
    output = loose_json.number(usage, "output_tokens")
    if given is None and output is None:
        return []
    details = loose_json.child(usage, "input_tokens_details")
    return [Usage(given or 0, output or 0, loose_json.number(details, "cached_tokens") or 0)]
