"""The OpenAI Responses stream, decoded.

A response is a list of items (reasoning, message, function call, hosted
tools); each is added, grows by deltas and is done
(https://platform.openai.com/docs/api-reference/responses-streaming). Servers
differ in which of these records they send, so what was not streamed is taken
from the record that closes it: part, item or, at the last, the whole response.
An item is known by its place (`output_index`): its id may change from record to
record, and a stream that was resumed begins in the middle.
"""

from lfgtui.model.events import Heartbeat, ProviderItem, Usage
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.openai_responses.hosted_tools import WIRE, HostedItems, is_for_us
from lfgtui.providers.openai_responses.item_texts import ItemTexts, Remainder
from lfgtui.providers.wire.decoder import SdkDecoder, openai_usage
from lfgtui.providers.wire.tool_calls import OpenCall, arguments_text

__all__ = ["WIRE", "ResponsesDecoder"]

# Types of records, or what several of them begin with.
_TEXT = ("response.output_text.", "response.refusal.", "response.audio.transcript.")
_TEXT_KEYS = ("text", "refusal", "transcript")
_REASONING = ("response.reasoning_summary_text.", "response.reasoning_text.")
_ARGUMENTS = "response.function_call_arguments."
_INPUT = "response.custom_tool_call_input."
_FAILED = frozenset({"failed", "cancelled", "canceled"})
_ENDS = frozenset(f"response.{end}" for end in ("completed", "incomplete", *_FAILED))
_TOOLS = "code_interpreter shell local_shell apply_patch custom_tool web_search file_search"
_HOSTED = ("response.mcp_", *(f"response.{tool}_call" for tool in _TOOLS.split()))
_HOSTED += ("response.image_generation_call",)
_PARTS = "created queued in_progress content_part. reasoning_ audio. compaction."
_PROGRESS = tuple(f"response.{part}" for part in _PARTS.split())
"""Beginnings of the types of ignored records: other records have all that these have."""


class ResponsesDecoder(SdkDecoder):
    """One response. See `wire.decoder.Decoder`."""

    form = "a Responses API object"

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._open: dict[object, OpenCall] = {}
        self._namespaces: dict[str, str] = {}
        """Namespaces of custom tools, by the ids of their calls; they go back with a call."""
        self._ended: set[str] = set()  # ids of calls that are complete
        self._finished: set[object] = set()  # places and ids of items that are done
        self._text = ItemTexts()
        self._reasoning = ItemTexts()
        self._hosted = HostedItems()

    def _read(self, name: str, record: JsonObject) -> None:
        kind = lenient_json.exact_text(record, "type") or name
        place = _place(record)
        match kind:
            case "response.output_text.annotation.added":
                annotation = lenient_json.child(record, "annotation")
                self._events += self._citations.take([annotation])
            case _ if kind.startswith(_TEXT):
                self._take_text(kind, place, record)
            case _ if kind.startswith(_REASONING):
                self._take_reasoning(kind, place, record)
            case _ if kind.startswith(_ARGUMENTS):
                self._grow_call(place, record, is_text=False)
            case _ if kind.startswith(_INPUT) and place not in self._hosted:
                self._grow_call(place, record, is_text=True)
            case "response.output_item.added":
                self._add_item(place, lenient_json.exact_child(record, "item"))
            case "response.output_item.done":
                self._finish_item(place, lenient_json.exact_child(record, "item"))
            case _ if kind in _ENDS:
                self._close(lenient_json.exact_child(record, "response"), kind)
            case _ if kind.startswith(_HOSTED):
                self._events += self._hosted.grow(kind, place, record)
            case "keepalive":
                self._events.append(Heartbeat())
            case _ if not kind.startswith(_PROGRESS):
                self.unknown[kind or "untyped"] += 1

    def _read_whole(self, record: JsonObject) -> bool:
        if "output" in record:
            self._close(record, "response.completed")
        return self.done

    def _usage_in(self, name: str, record: JsonObject) -> Usage | None:
        holders = (lenient_json.child(record, "response"), record)
        counted = (openai_usage(lenient_json.child(holder, "usage")) for holder in holders)
        return next(filter(None, counted), None)

    def _is_complete(self) -> bool:
        return self.wire_stop_reason is not None

    def _finish_calls(self, *, is_cut: bool) -> None:
        self._events += self._calls.release(are_cut=is_cut)
        for call in self._open.values():  # some servers close the response and not its items
            if (call.name or call.pieces) and not is_cut:
                self._events.append(self._calls.request(call))
                self._keep(call)

    def _take_text(self, kind: str, place: object, record: JsonObject) -> None:
        """Take a delta of visible text, or the record that closes a part of it."""
        index = lenient_json.index(record, "content_index") or 0
        text = lenient_json.exact_text(record, "delta")
        if text:
            self._text.add(place, index, text)
        elif kind.endswith(".done"):
            whole = lenient_json.text(record, *_TEXT_KEYS)
            text = self._text.end_part(place, index, whole).text
        self._is_refusal = self._is_refusal or (bool(text) and ".refusal." in kind)
        self._add_text(text)

    def _take_reasoning(self, kind: str, place: object, record: JsonObject) -> None:
        """Take a delta of reasoning, or the record that closes a part of it."""
        number = lenient_json.index(record, "summary_index")
        number = lenient_json.index(record, "content_index") if number is None else number
        index = (".reasoning_summary_" in kind, number or 0)
        if text := lenient_json.exact_text(record, "delta"):
            self._add_part(index, Remainder(text, self._reasoning.add(place, index, text)))
        elif kind.endswith(".done"):
            whole = lenient_json.text(record, "text")
            self._add_part(index, self._reasoning.end_part(place, index, whole))

    def _add_part(self, index: tuple[bool, int], new: Remainder) -> None:
        """Add a piece of reasoning; `index` is True for a summary, and the number of the part.

        A summary comes in parts that begin with a heading each, so they are set apart.
        """
        is_summary, _ = index
        if new.text:
            self._add_reasoning(f"\n\n{new.text}" if new.begins and is_summary else new.text)

    def _add_item(self, place: object, item: JsonObject) -> None:
        """Begin a call, of lfg's tools or hosted; a message and reasoning begin with their text."""
        if not is_for_us(item):
            self._events += self._hosted.begin(place, item)
            return
        known = self._open.get(place)
        if known is None or known.wire_id != _wire_id(item):  # otherwise it came twice
            self._start_call(place, item)

    def _start_call(self, place: object, item: JsonObject) -> None:
        is_text = lenient_json.text(item, "type") == "custom_tool_call"
        call = self._open[place] = self._calls.open(_wire_id(item), is_text=is_text)
        self._namespaces[call.call_id] = lenient_json.text(item, "namespace")
        self._events += call.show(lenient_json.exact_text(item, "name"))

    def _grow_call(self, place: object, record: JsonObject, *, is_text: bool) -> None:
        """Take a delta of a call's arguments, or the record that has them whole."""
        call = self._open.get(place)
        if call is None and len(self._open) == 1:  # its id changed, and it has no index
            (call,) = self._open.values()
        if call is None or call.is_text != is_text:
            return
        if delta := lenient_json.exact_text(record, "delta"):
            self._events += call.grow(delta)
        else:
            self._events += call.complete(lenient_json.exact_text(record, _given_in(call)))

    def _finish_item(self, place: object, item: JsonObject, *, is_response: bool = False) -> None:
        """Take an item that came whole, from its own record or that of the whole response."""
        item_id = lenient_json.text(item, "id")
        if item_id and {place, item_id} <= self._finished:
            return  # the same record again
        self._finished |= {place, item_id}
        match lenient_json.exact_text(item, "type"):
            case "message":
                self._finish_message(place, item, is_response=is_response)
            case "reasoning":
                self._finish_reasoning(place, item, is_response=is_response)
            case _ if is_for_us(item):
                self._finish_call(place, item)
            case _:
                # Without a name yet, it may have been taken for a call that lfg runs.
                self._open.pop(place, None)
                self._events += self._hosted.end(place, item)

    def _finish_message(self, place: object, item: JsonObject, *, is_response: bool) -> None:
        content = list(enumerate(lenient_json.children(item, "content")))
        thoughts = [(i, p) for i, p in content if "reasoning" in lenient_json.text(p, "type")]
        self._finish_thoughts(place, [((False, i), p) for i, p in thoughts], is_response)
        parts = [(i, part) for i, part in content if (i, part) not in thoughts]
        wholes = [(i, lenient_json.text(part, *_TEXT_KEYS)) for i, part in parts]
        remainders = self._text.end_item(place, wholes, is_response=is_response)
        for (_, part), new in zip(parts, remainders, strict=True):
            self._is_refusal = self._is_refusal or bool(lenient_json.text(part, "refusal"))
            self._add_text(new.text)
            self._events += self._citations.take(lenient_json.children(part, "annotations"))

    def _finish_reasoning(self, place: object, item: JsonObject, *, is_response: bool) -> None:
        summary, content = (lenient_json.children(item, key) for key in ("summary", "content"))
        if [lenient_json.text(part, "text") for part in content] == [
            lenient_json.text(part, "text") for part in summary
        ]:
            content = []  # some servers have both the same
        parts = [((True, i), part) for i, part in enumerate(summary)]
        parts += [((False, i), part) for i, part in enumerate(content)]
        self._finish_thoughts(place, parts, is_response)
        self._events.append(ProviderItem(WIRE, item))

    def _finish_thoughts(
        self, place: object, parts: list[tuple[tuple[bool, int], JsonObject]], is_response: bool
    ) -> None:
        """Take the parts of reasoning that came whole, by index as in `_add_part`."""
        wholes = [(index, lenient_json.text(part, "text")) for index, part in parts]
        remainders = self._reasoning.end_item(place, wholes, is_response=is_response)
        for (index, _), new in zip(wholes, remainders, strict=True):
            self._add_part(index, new)

    def _finish_call(self, place: object, item: JsonObject) -> None:
        """Request a call that came whole, wherever it began; not if it was requested already."""
        call_id = lenient_json.text(item, "call_id")
        here = self._open.get(place)
        if here is None or (call_id and here.wire_id != call_id):
            if call_id and call_id in self._ended:
                return
            moved = (p for p, c in self._open.items() if call_id and c.wire_id == call_id)
            place = next(moved, place)
        if place not in self._open:
            self._start_call(place, item)
        call = self._open.pop(place)
        self._ended.add(call.wire_id)
        self._events += call.show(lenient_json.exact_text(item, "name"))
        given = item.get(_given_in(call))
        given = "" if call.is_text and given is None else given
        self._events += call.complete(arguments_text({} if given is None else given))
        if lenient_json.text(item, "status") != "incomplete":
            self._events += self._calls.close(call)
            self._keep(call)

    def _keep(self, call: OpenCall) -> None:
        """Emit the call of a custom tool as the item that later requests send back."""
        if call.is_text:
            item: JsonObject = {"type": "custom_tool_call", "call_id": call.wire_id}
            item |= {"name": call.name, "input": call.raw}
            if namespace := self._namespaces[call.call_id]:
                item["namespace"] = namespace
            self._events.append(ProviderItem(WIRE, item))

    def _close(self, response: JsonObject, kind: str) -> None:
        """Take the record of the whole response: what was not streamed, and how it ended."""
        seen = frozenset(self._finished)
        for index, item in enumerate(lenient_json.exact_children(response, "output")):
            # An item may be in this record only. Its place may differ, so its id is looked up, too.
            item_id = lenient_json.text(item, "id")
            if not seen or (item_id and not seen & {index, item_id}):
                self._finish_item(index, item, is_response=True)
        if (usage := openai_usage(lenient_json.child(response, "usage"))) is not None:
            self._events.append(usage)
        status = lenient_json.text(response, "status") or kind.removeprefix("response.")
        details = lenient_json.child(response, "incomplete_details")
        self.wire_stop_reason = lenient_json.text(details, "reason") or status
        self.done = True
        error = response.get("error")
        if error or status in _FAILED:
            self.failure = mapping.in_stream(error or f"the provider ended the response: {status}")


def _place(record: JsonObject) -> object:
    """Return the key of a record's item: its index or, without one, its id."""
    index = lenient_json.index(record, "output_index")
    return lenient_json.text(record, "item_id") if index is None else index


def _given_in(call: OpenCall) -> str:
    """Return the field of records and items with the whole arguments of a call."""
    return "input" if call.is_text else "arguments"


def _wire_id(item: JsonObject) -> str:
    return lenient_json.text(item, "call_id", "id")
