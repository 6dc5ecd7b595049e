"""The OpenAI chat completions stream, as the whole world speaks it, decoded.

The wire is one loose convention with many dialects
(https://platform.openai.com/docs/api-reference/chat-streaming is the root).
What recorded streams show, and what is done about it:

- A call's `index` may be missing, begin at 1, or be the same for all calls:
  a new id with a name begins a new call. Name and id may be repeated, or come
  as "", in later pieces. Arguments may be null, or an object.
- Reasoning comes as `reasoning_content`, `reasoning`, `reasoning_details` or
  parts of a `content` list, often the same words in several: one per chunk
  counts.
- A whole `message` may stand beside each `delta`; only what the deltas left
  out is taken from it.
- `finish_reason` or `[DONE]` may be missing, but in no complete recording
  both are. So a stream that ends without either, and without a closing usage
  record, was cut; with any of them it is finished.
"""

from collections.abc import Sequence

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    ProviderItem,
    ReasoningDelta,
    ResponseFinished,
    TextDelta,
    Usage,
    WireEvent,
)
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.openai_chat.content import read_content
from lfgtui.providers.openai_chat.hosted_tools import WIRE, ChatHosted
from lfgtui.providers.openai_chat.reasoning import ChatReasoning
from lfgtui.providers.openai_chat.tool_calls import ChatCalls
from lfgtui.providers.wire.citations import Citations
from lfgtui.providers.wire.decoder import RecordDecoder
from lfgtui.providers.wire.tool_calls import CUT_SHORT, DONE, NO_RECORD, stop_reason

__all__ = ["WIRE", "ChatDecoder"]


class ChatDecoder(RecordDecoder):
    """One chat completion. See `base.Decoder`."""

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._calls = ChatCalls()
        self._reasoning = ChatReasoning()
        self._citations = Citations()
        self._hosted = ChatHosted(turn, self._citations)
        self._text: list[str] = []
        self._said = 0
        self._extra: JsonObject = {}
        self._refused = False
        self._usage_closed = False

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        if data in DONE:
            self.done = True
            return ()
        if (record := lenient_json.record_of(data)) is None:
            self.unknown[NO_RECORD] += 1
            return ()
        return self._take_record(name, record)

    def _take_record(self, name: str, record: JsonObject) -> Sequence[WireEvent]:
        if record.get("error") or name == "error" or record.get("object") == "error":
            self.failure = mapping.in_stream(record.get("error") or record)
            return ()
        return self._take(record)

    def _finish(self) -> Sequence[WireEvent]:
        ended = self.wire_stop_reason is not None or self.done or self._usage_closed
        if self.failure is None and not ended:
            self.failure = ProviderError("cut", "the stream ended before the answer did")
        reason = stop_reason(self.wire_stop_reason, called=False)
        broken = self._calls.broken
        if self.failure is None and broken and self.wire_stop_reason is None:
            self.failure = ProviderError("cut", "the stream ended inside a tool call")
        if self.failure is not None:
            return ()
        events: list[WireEvent] = [ProviderItem(WIRE, item) for item in self._reasoning.items()]
        if self._extra:
            events.append(ProviderItem(WIRE, {"message_extra_content": self._extra}))
        requested = self._calls.requested(cut=reason in CUT_SHORT)
        events += requested
        reason = stop_reason(self.wire_stop_reason, called=bool(requested), refused=self._refused)
        return (*events, ResponseFinished(self._turn, reason))

    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        record = lenient_json.record_of(body)
        if record is None or not ("choices" in record or "error" in record or "object" in record):
            self.failure = ProviderError("protocol", "the answer is no chat completion")
            return ()
        self.done = bool(lenient_json.children(record, "choices"))
        return self._take_record("", record)

    def _take(self, record: JsonObject) -> Sequence[WireEvent]:
        events: list[WireEvent] = []
        choices = lenient_json.exact_children(record, "choices")
        for choice in choices:
            if not lenient_json.index(choice, "index"):  # the first, or the only one
                self._take_choice(choice, events)
                self._hosted.ground(record, choice, events)
        events += self._citations.take(lenient_json.children(record, "search_results"))
        events += self._citations.take({"url": url} for url in _strings(record.get("citations")))
        usage = _usage(record, choices)
        if usage is not None:
            events.append(usage)
        if choices or usage is not None:
            self._usage_closed = not choices
        if not choices and usage is None and "choices" not in record:
            self.unknown[lenient_json.text(record, "object") or "untyped"] += 1
        return events

    def _take_choice(self, choice: JsonObject, events: list[WireEvent]) -> None:
        message = lenient_json.exact_child(choice, "message")
        delta = None if choice.get("delta") is None else lenient_json.exact_child(choice, "delta")
        reason = lenient_json.text(choice, "finish_reason")
        if delta is None:
            self._take_delta(message, events)
        else:
            self._take_delta(delta, events)
            self._complete(message, events, ended=bool(reason))
        if reason:
            self.wire_stop_reason = reason
            if reason == "error":
                error = choice.get("error") or "the provider ended the answer with an error"
                self.failure = mapping.in_stream(error)

    def _complete(self, message: JsonObject, events: list[WireEvent], *, ended: bool) -> None:
        """What a message beside the delta holds beyond all deltas so far."""
        whole = message.get("content")
        if isinstance(whole, str) and len(whole) > self._said:
            sent = "".join(self._text)
            if whole.startswith(sent):
                self._say(whole[len(sent) :], events)
        if not ended:
            return  # what it repeats may still be growing
        if not self._reasoning.begun and (said := self._reasoning.take(message, "")):
            events.append(ReasoningDelta(said))
        if not self._calls.begun:
            events += self._calls.take(message)
        self._hosted.take(message, events)

    def _take_delta(self, delta: JsonObject, events: list[WireEvent]) -> None:
        content = read_content(delta)
        if reasoning := self._reasoning.take(delta, content.thought):
            events.append(ReasoningDelta(reasoning))
        self._say(content.text, events)
        if refusal := lenient_json.exact_text(delta, "refusal"):
            self._refused = True
            self._say(refusal, events)
        events += self._calls.take(delta)
        self._extra |= lenient_json.child(delta, "extra_content")
        events += self._citations.take(content.sources)
        events += self._citations.take(_annotated(delta))
        self._hosted.take(delta, events)

    def _say(self, text: str, events: list[WireEvent]) -> None:
        if text:
            self._text.append(text)
            self._said += len(text)
            events.append(TextDelta(text))


def _annotated(delta: JsonObject) -> list[JsonObject]:
    """The sources of a delta: each annotation under the name of its type, or bare, and
    what LiteLLM keeps of another wire's."""
    found = [
        lenient_json.child(annotation, lenient_json.text(annotation, "type")) or annotation
        for annotation in lenient_json.children(delta, "annotations")
    ]
    kept = lenient_json.child(delta, "provider_specific_fields")
    cited = [lenient_json.child(kept, "citation"), *lenient_json.children(kept, "citations")]
    return found + cited


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _usage(record: JsonObject, choices: list[JsonObject]) -> Usage | None:
    """Usage from any of its places: the record, Groq's `x_groq`, Moonshot's choice."""
    holders = [record, lenient_json.child(record, "x_groq"), *choices]
    for holder in holders:
        usage = lenient_json.child(holder, "usage")
        given = lenient_json.number(usage, "prompt_tokens")
        output = lenient_json.number(usage, "completion_tokens")
        if given is None and output is None:
            continue
        details = lenient_json.child(usage, "prompt_tokens_details")
        cached = (
            lenient_json.number(details, "cached_tokens")
            or lenient_json.number(usage, "prompt_cache_hit_tokens")
            or lenient_json.number(usage, "cached_tokens")
        )
        return Usage(given or 0, output or 0, cached or 0)
    return None
