"""The stream of an agent server, whatever framework it is built with, decoded.

There are as many dialects as servers, but one small set of meanings: a piece
of the answer, a piece of thinking, a tool call and what came of it, a line of
status, an error, the end. So a record is read in three steps. Its kind is the
first of its `type`, `event` and the like (or the SSE event's name) that
`agent_kinds` knows; a record without a kind is told by its form. The kind
gives the meaning. The meaning's method finds the fields, under any of the
names that `agent_fields` knows. What nobody knows is counted.

- Data that is no JSON is text, and makes the rest of the stream text too: a
  token may well be `42`, `null` or `[1]`. After events in JSON it is damage, and
  fails the response, like every record that cannot be read (see `decoder`).
- The agent runs its tools itself. Its calls are `HostedTool` events.
- The end of the body is the end of the answer, as most small servers have
  it. But where the stream began with an event that has a counterpart at the
  end (`RUN_STARTED`, `start`), the end of the body without that is a cut.
"""

from collections.abc import Sequence

from lfgtui.errors import ProviderError
from lfgtui.model.events import Heartbeat, ResponseFinished, Status, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server import fields
from lfgtui.providers.agent_server.fields import said_in, usage_in, word
from lfgtui.providers.agent_server.kinds import Meaning, meaning_of
from lfgtui.providers.agent_server.meanings import Meanings
from lfgtui.providers.agent_server.messages import is_message, messages_in
from lfgtui.providers.lenient_json import JsonObject, UnreadableError
from lfgtui.providers.wire.tool_calls import stop_reason

_KIND_FIELDS = (
    "type", "event", "event_type", "eventType", "event_kind", "sessionUpdate", "kind",
)  # fmt: skip
_ENVELOPES = ("event", "data", "item", "update", "payload", "value", "params")
_A2A = ("statusUpdate", "artifactUpdate", "task", "message")
_DEEPEST = 6


class AgentDecoder(Meanings):
    """One run of an agent. See `base.Decoder`."""

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._is_text = False
        self._is_json = False
        self._has_content = False

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        text = data.decode() if isinstance(data, bytes) else data
        if text.strip() == "[DONE]":
            self.done = True
            return ()
        return self._noted(self._read(name, text))

    def leftovers(self) -> Sequence[WireEvent]:
        """What came of calls that were still arriving, for a stream that broke off."""
        return self._calls.leftovers()

    def _finish(self) -> Sequence[WireEvent]:
        events = self._noted(self._calls.leftovers())
        if self.failure is None and not self.done:
            if self.announces_its_end:
                message = "the stream ended before the agent said that it was done"
                self.failure = ProviderError("cut", message)
            elif not self._has_content:
                self.failure = ProviderError("cut", "the stream ended without an answer")
        if self.failure is not None:
            return events
        reason = stop_reason(self.wire_stop_reason, called=False)
        return [*events, ResponseFinished(self._turn, reason)]

    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        try:
            value = lenient_json.parse(body)
        except ValueError as error:
            raise UnreadableError(f"it is not JSON ({error})") from error
        events = self._noted(self._value("", value, body.decode("utf-8", "replace")))
        record = lenient_json.as_object(value)
        if record is None or self._meaning(record, "") is None:
            self.done = True  # no event of a stream but the answer itself
        if not self._has_content and self.failure is None:
            self.failure = ProviderError("protocol", "the answer holds no text")
        return events

    def is_answer(self, data: str) -> bool:
        """Whether this is a whole answer: JSON that is no event of a stream."""
        try:
            value = lenient_json.parse(data)
        except ValueError:
            return False
        record = lenient_json.as_object(value)
        return record is None or self._meaning(record, "") is None

    def _noted(self, events: list[WireEvent]) -> list[WireEvent]:
        content = any(not isinstance(event, Heartbeat | Status) for event in events)
        self._has_content = self._has_content or content
        return events

    def _read(self, name: str, text: str) -> list[WireEvent]:
        try:
            value = lenient_json.parse(text)
        except UnreadableError:
            raise
        except ValueError as error:
            # Where events were JSON before, what is none has lost a part of it.
            looks_like_json = text.lstrip().startswith(("{", "["))
            if self._is_json and not self._is_text and (looks_like_json or not name):
                raise UnreadableError(f"it is not JSON ({error})") from error
            return self._plain(name, text)
        if self._is_text and not name:
            record = lenient_json.as_object(value)
            if record is None or self._meaning(record, "") is None:
                return self._plain("", text)
        return self._value(name, value, text)

    def _value(self, name: str, value: object, text: str) -> list[WireEvent]:
        if isinstance(value, dict):
            return self._take(value, name)
        if isinstance(value, list):
            if name and meaning_of(name) is not None:
                return self._take({"data": value}, name)
            records = [item for item in value if isinstance(item, dict)]
            return [event for record in records for event in self._take(record, name)]
        if value is None:
            return self._take({}, name) if name else []
        said = value if isinstance(value, str) else text
        return self._take({"content": said}, name) if name else self._messages.text("", said)

    def _plain(self, name: str, text: str) -> list[WireEvent]:
        if name:
            return self._take({"content": text}, name)
        self._is_text = True
        return self._messages.text("", text)

    def _take(self, record: JsonObject, name: str, depth: int = 0) -> list[WireEvent]:
        if depth > _DEEPEST or self.failure is not None:
            return []
        meaning = self._meaning(record, name)
        if meaning == "envelope":
            inner = next(filter(None, (lenient_json.child(record, f) for f in _ENVELOPES)))
            return self._take(inner, "", depth + 1)
        if meaning is not None:
            self._is_json = True
            events = self._mean(meaning, record)
        elif claimed := word(record, *_KIND_FIELDS) or name:
            self.unknown[claimed] += 1
            events = []
        else:
            events = self._by_form(record, depth)
        if meaning not in ("message", "snapshot"):
            events += self._counted(record, meaning)
        return events

    def _counted(self, record: JsonObject, meaning: Meaning | None) -> list[WireEvent]:
        """The tokens that a record reports; messages count their own."""
        usage = usage_in(record)
        if usage is None or is_message(record):
            return []
        inner = lenient_json.child(record, "message") or lenient_json.child(record, "response")
        key = word(inner, "id") or word(record, "messageId", "message_id")
        return [self._tally.add(key, usage, is_total=meaning in ("done", "whole_done"))]

    def _meaning(self, record: JsonObject, name: str) -> Meaning | None:
        claimed = [said for field in _KIND_FIELDS if (said := lenient_json.text(record, field))]
        for kind in claimed:
            meaning = meaning_of(kind)
            if meaning == "envelope" and not any(lenient_json.child(record, f) for f in _ENVELOPES):
                continue
            if meaning is not None:
                return meaning
        meaning = meaning_of(name) if name and not (claimed and name == "data") else None
        return None if meaning == "envelope" else meaning

    def _by_form(self, record: JsonObject, depth: int) -> list[WireEvent]:
        """A record that does not say what it is."""
        if record.get("error"):
            return self._error(record)
        if method := lenient_json.text(record, "method"):
            inner = lenient_json.child(record, "params")
            for field in ("update", "data"):
                inner = lenient_json.child(inner, field) or inner
            return self._take(inner, method, depth + 1)
        if "jsonrpc" in record:
            return self._take(lenient_json.child(record, "result"), "", depth + 1)
        for field in _A2A:
            if len(record) == 1 and (inner := lenient_json.child(record, field)):
                return self._take(inner, field, depth + 1)
        if choices := lenient_json.children(record, "choices"):
            return self._choice(choices[0])
        if is_message(record):
            return self._messages.message(record)
        if isinstance(record.get("messages"), list):
            return self._messages.snapshot(messages_in(record))
        return self._bare(record)

    def _choice(self, choice: JsonObject) -> list[WireEvent]:
        """OpenAI's chat completions, which some agent servers imitate."""
        if reason := lenient_json.text(choice, "finish_reason"):
            self.wire_stop_reason = reason
        delta = lenient_json.child(choice, "delta")
        said = delta or lenient_json.child(choice, "message")
        thought = word(said, "reasoning_content", "reasoning")
        events = self._messages.reasoning("", thought)
        return [*events, *self._messages.text("", said_in(said, ("content", "refusal")))]

    def _bare(self, record: JsonObject) -> list[WireEvent]:
        thought = word(record, "reasoning", "reasoning_content", "thinking", "thought")
        events = self._messages.reasoning("", thought)
        events += self._messages.text("", said_in(record, fields.TEXT))
        if record.get("done") is True or record.get("finished") is True:
            self.done = True
        elif not events and not {"done", "usage"} & record.keys():
            if said := lenient_json.text(record, "status"):
                return [Status(said)]
            self.unknown["untyped"] += 1
        return events
