"""The decoder of OpenAI's chat completions stream, in all the forms that servers send.

The wire is one loose convention with many dialects
(https://platform.openai.com/docs/api-reference/chat-streaming is the root).
What recorded streams show, and what is done about it:

- A call's `index` may be missing, begin at 1, or be the same for all calls:
  a new id with a name begins a new call. Name and id may be repeated, or come
  as "", in later pieces. Arguments may be null, or an object.
- Reasoning comes as `reasoning_content`, `reasoning`, `reasoning_details` or
  parts of a `content` list, often the same in several: one of them counts in
  each chunk.
- A chunk may have a whole `message` beside its `delta`; only what the deltas
  left out is taken from it.
- `finish_reason` or `[DONE]` may be missing, but no complete recording lacks
  both. So a stream that ends without either, and without a closing usage
  record, was cut; with any of them it is finished.
"""

from collections.abc import Sequence

from msgspec import MsgspecError

from lfgtui.model.events import ProviderItem, Usage, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.openai_chat.content import ChatReasoning, read_content
from lfgtui.providers.openai_chat.hosted_tools import WIRE, ChatHosted
from lfgtui.providers.openai_chat.plain import plain_delta
from lfgtui.providers.wire.decoder import SdkDecoder, openai_usage
from lfgtui.providers.wire.dedupe import remainder
from lfgtui.providers.wire.tool_calls import OpenCall, arguments_text

__all__ = ["WIRE", "ChatDecoder"]

_PLAIN_TRIES = 50
"""Records in a row that are not plain, after which `plain` is given up: this server's never are."""


class ChatDecoder(SdkDecoder):
    """One chat completion. See `wire.decoder.Decoder`."""

    form = "a chat completion"

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._open: list[OpenCall] = []
        self._at_index: dict[int, OpenCall] = {}
        self._extra: dict[str, JsonObject] = {}
        """`extra_content`, which must be sent back, by the call's id; the message's by ""."""
        self._reasoning = ChatReasoning()
        self._hosted = ChatHosted(turn, self._citations)
        self._text: list[str] = []
        self._has_closing_usage = False
        self._plain_tries = _PLAIN_TRIES

    def read_plain(self, name: str, data: str | bytes) -> bool:
        """Read a record as `_read` would if it is a plain piece of text; if not, return False."""
        if not self._plain_tries or name == "error":
            return False
        try:
            delta = plain_delta(data)
        except (MsgspecError, ValueError):
            self._plain_tries -= 1
            return False
        self._plain_tries = _PLAIN_TRIES
        self._has_closing_usage = False
        self._add_reasoning(self._reasoning.take_fields(delta.reasoning_content, delta.reasoning))
        if delta.content:
            self._text.append(delta.content)
            self._add_text(delta.content)
        return True

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        self._events = []
        return self._events if self.read_plain(name, data) else super()._feed(name, data)

    def _read_whole(self, record: JsonObject) -> bool:
        self.done = bool(lenient_json.children(record, "choices"))
        self._read_record("", record)
        return "choices" in record or "object" in record or self.failure is not None

    def _is_complete(self) -> bool:
        if self.wire_stop_reason is not None:
            return True
        if self._open and self._open[-1].breaks_off:
            return False
        return self.done or self._has_closing_usage

    def _finish_calls(self, *, is_cut: bool) -> None:
        self._events += [ProviderItem(WIRE, item) for item in self._reasoning.items()]
        if extra := self._extra.get(""):
            self._events.append(ProviderItem(WIRE, {"message_extra_content": extra}))
        if is_cut and self._open and not self._open[-1].looks_whole:
            self._open.pop()  # its arguments were cut off
        for call in self._open:
            if not (call.name or call.pieces):
                continue  # a piece with neither a name nor arguments
            self._events.append(self._calls.request(call))
            item: JsonObject = {}
            if call.is_text:
                item["custom"] = {"name": call.name, "input": call.raw}
            if extra := self._extra.get(call.call_id):
                item["extra_content"] = extra
            if item:
                self._events.append(ProviderItem(WIRE, {"tool_call_id": call.wire_id} | item))

    def _read(self, name: str, record: JsonObject) -> None:
        choices = lenient_json.exact_children(record, "choices")
        for choice in choices:
            if not lenient_json.index(choice, "index"):  # the first, or the only one
                self._take_choice(choice)
                self._events += self._hosted.ground(record, choice)
        self._events += self._citations.take(lenient_json.children(record, "search_results"))
        urls = lenient_json.strings(record.get("citations"))
        self._events += self._citations.take({"url": url} for url in urls)
        if (usage := _usage(record, choices)) is not None:
            self._events.append(usage)
        if choices or usage is not None:
            self._has_closing_usage = not choices
        elif "choices" not in record:
            self.unknown[lenient_json.text(record, "object") or "untyped"] += 1

    def _usage_in(self, name: str, record: JsonObject) -> Usage | None:
        return _usage(record, lenient_json.children(record, "choices"))

    def _take_choice(self, choice: JsonObject) -> None:
        """Take a delta or, without one, a whole message; with one, what a message adds to it."""
        message = lenient_json.exact_child(choice, "message")
        reason = lenient_json.text(choice, "finish_reason")
        if choice.get("delta") is None:
            self._take_delta(message)
        else:
            self._take_delta(lenient_json.exact_child(choice, "delta"))
            self._complete(message, ended=bool(reason))
        self.wire_stop_reason = reason or self.wire_stop_reason
        if reason == "error":
            error = choice.get("error") or "the provider ended the response with an error"
            self.failure = mapping.in_stream(error)

    def _complete(self, message: JsonObject, *, ended: bool) -> None:
        """Take from a message beside a delta what all deltas so far left out."""
        whole = message.get("content")
        if isinstance(whole, str):
            self._add_text(remainder(self._text, whole))
        if not ended:
            return  # its reasoning and calls may still grow
        if not self._reasoning.begun:
            self._add_reasoning(self._reasoning.take(message))
        if not self._open:
            self._take_calls(message)
        self._events += self._hosted.take(message)

    def _take_delta(self, delta: JsonObject) -> None:
        content = read_content(delta)
        self._add_reasoning(self._reasoning.take(delta, content.reasoning))
        refusal = lenient_json.exact_text(delta, "refusal")
        self._is_refusal = self._is_refusal or bool(refusal)
        if text := content.text + refusal:
            self._text.append(text)
            self._add_text(text)
        self._take_calls(delta)
        if extra := lenient_json.child(delta, "extra_content"):
            self._extra[""] = self._extra.get("", {}) | extra
        self._events += self._citations.take([*content.sources, *_annotations(delta)])
        self._events += self._hosted.take(delta)

    def _take_calls(self, delta: JsonObject) -> None:
        for piece in lenient_json.exact_children(delta, "tool_calls"):
            function = lenient_json.exact_child(piece, "function")
            self._take_piece(piece, function, lenient_json.exact_child(piece, "custom"))
        if function := lenient_json.exact_child(delta, "function_call"):  # the deprecated form
            self._take_piece({"index": 0}, function, {})

    def _take_piece(self, piece: JsonObject, function: JsonObject, custom: JsonObject) -> None:
        """Take a piece of a call, which has either a `function` or a `custom` tool."""
        tool = function or custom
        name = lenient_json.exact_text(tool, "name")
        call = self._call_for(piece, name)
        call.is_text = call.is_text or bool(custom)
        self._events += call.show(name)
        if extra := lenient_json.child(piece, "extra_content"):
            self._extra[call.call_id] = extra
        given = tool.get("arguments") or tool.get("input") or None
        self._events += call.grow(arguments_text(given))

    def _call_for(self, piece: JsonObject, name: str) -> OpenCall:
        """Return the call that a piece belongs to; begin one if it belongs to none."""
        call_id = lenient_json.text(piece, "id")
        index = lenient_json.index(piece, "index")
        if index is not None:
            call = self._at_index.get(index)
        elif call_id:
            call = next((c for c in self._open if c.wire_id == call_id), None)
        else:
            call = self._open[-1] if self._open and not name else None
        is_other = call is not None and call_id and name and call_id != call.wire_id
        if call is None or (is_other and not _continues(call, name)):
            call = self._calls.open(call_id)
            self._open.append(call)
        if index is not None:
            self._at_index[index] = call
        return call


def _continues(call: OpenCall, name: str) -> bool:
    """Return True if a piece with another id still belongs to the call.

    Some servers make up an id for every piece, but none begins a call inside
    another's arguments.
    """
    return name == call.name and bool(call.pieces) and call.breaks_off


def _annotations(delta: JsonObject) -> list[JsonObject]:
    """Return the sources of a delta.

    An annotation is in a field with the name of its type, or is the source itself;
    LiteLLM has those of other wires in a field of its own.
    """
    sources = [
        lenient_json.child(annotation, lenient_json.text(annotation, "type")) or annotation
        for annotation in lenient_json.children(delta, "annotations")
    ]
    kept = lenient_json.child(delta, "provider_specific_fields")
    cited = [lenient_json.child(kept, "citation"), *lenient_json.children(kept, "citations")]
    return sources + cited


def _usage(record: JsonObject, choices: list[JsonObject]) -> Usage | None:
    """Return the usage in the record, in Groq's `x_groq` or, as Moonshot sends it, in a choice."""
    for holder in (record, lenient_json.child(record, "x_groq"), *choices):
        if (usage := openai_usage(lenient_json.child(holder, "usage"))) is not None:
            return usage
    return None
