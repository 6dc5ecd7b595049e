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

from lfgtui.model.events import ProviderItem, Usage
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.providers.openai_chat.content import ChatReasoning, read_content
from lfgtui.providers.openai_chat.hosted_tools import WIRE, ChatHosted
from lfgtui.providers.openai_chat.tool_calls import ChatCalls
from lfgtui.providers.wire.decoder import SdkDecoder, openai_usage
from lfgtui.providers.wire.dedupe import TextDeduplicator

__all__ = ["WIRE", "ChatDecoder"]


class ChatDecoder(SdkDecoder):
    """One chat completion. See `wire.decoder.Decoder`."""

    form = "a chat completion"

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._pieces = ChatCalls(self._calls)
        self._reasoning = ChatReasoning()
        self._hosted = ChatHosted(turn, self._citations)
        self._text = TextDeduplicator()
        self._extra: JsonObject = {}
        self._has_closing_usage = False

    def _read_whole(self, record: JsonObject) -> bool:
        self.done = bool(lenient_json.children(record, "choices"))
        self._read_record("", record)
        return "choices" in record or "object" in record or self.failure is not None

    def _is_complete(self) -> bool:
        if self.wire_stop_reason is None and self._pieces.is_broken:
            return False
        return self.wire_stop_reason is not None or self.done or self._has_closing_usage

    def _finish_calls(self, *, is_cut: bool) -> None:
        self._events += [ProviderItem(WIRE, item) for item in self._reasoning.items()]
        if self._extra:
            self._events.append(ProviderItem(WIRE, {"message_extra_content": self._extra}))
        self._events += self._pieces.requested(is_cut=is_cut)

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

    def _take_choice(self, choice: JsonObject) -> None:
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
        """Take from a message beside the delta what all deltas so far left out."""
        whole = message.get("content")
        if isinstance(whole, str):
            self._add_text(self._text.remainder(0, whole))
        if not ended:
            return  # what it repeats may still be growing
        if not self._reasoning.begun:
            self._add_reasoning(self._reasoning.take(message))
        if not self._pieces.begun:
            self._events += self._pieces.take(message)
        self._events += self._hosted.take(message)

    def _take_delta(self, delta: JsonObject) -> None:
        content = read_content(delta)
        self._add_reasoning(self._reasoning.take(delta, content.reasoning))
        self._take_text(content.text)
        if refusal := lenient_json.exact_text(delta, "refusal"):
            self._is_refusal = True
            self._take_text(refusal)
        self._events += self._pieces.take(delta)
        self._extra |= lenient_json.child(delta, "extra_content")
        self._events += self._citations.take([*content.sources, *_annotations(delta)])
        self._events += self._hosted.take(delta)

    def _take_text(self, text: str) -> None:
        if text:
            self._text.add(0, text)
            self._add_text(text)


def _annotations(delta: JsonObject) -> list[JsonObject]:
    """The sources of a delta.

    Each annotation stands under the name of its type, or bare; LiteLLM keeps
    those of other wires apart.
    """
    sources = [
        lenient_json.child(annotation, lenient_json.text(annotation, "type")) or annotation
        for annotation in lenient_json.children(delta, "annotations")
    ]
    kept = lenient_json.child(delta, "provider_specific_fields")
    cited = [lenient_json.child(kept, "citation"), *lenient_json.children(kept, "citations")]
    return sources + cited


def _usage(record: JsonObject, choices: list[JsonObject]) -> Usage | None:
    """Usage from any of its places: the record, Groq's `x_groq`, Moonshot's choice."""
    for holder in (record, lenient_json.child(record, "x_groq"), *choices):
        if (usage := openai_usage(lenient_json.child(holder, "usage"))) is not None:
            return usage
    return None
