"""The stream of an agent server, decoded by the tables of `dialects`.

- Data that is not JSON is text, and so is all later data under the same event name: a
  token may well be `42`, `null` or `[1]`. If earlier data under that name was JSON, this
  is damaged and fails the response, like every record that cannot be read (see
  `wire.decoder`).
- The agent runs its tools itself. Its calls are `HostedTool` events.
- A record is never trusted to have the form of its type: a field that is missing
  or of a wrong type costs only its own part. Only text that is not a string fails
  the response: nobody would see a hole in an answer.
- The end of the body is the end of the answer, as with most small servers. But if
  the stream began with an event that another one at the end belongs to
  (`RUN_STARTED`, `start`), a body that ends without that was cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import add, sub

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    Citation,
    Heartbeat,
    MessageTaken,
    ReasoningDelta,
    ResponseFinished,
    Status,
    TextDelta,
    Usage,
    WireEvent,
)
from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server import dialects
from lfgtui.providers.agent_server.dialects.rules import (
    Counts,
    Match,
    Meaning,
    Rule,
    as_json,
    counts_of,
    first,
    text_of,
    word,
)
from lfgtui.providers.agent_server.messages import Messages
from lfgtui.providers.agent_server.tool_calls import AgentCalls
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import NOT_JSON, JsonObject, UnreadableError
from lfgtui.providers.wire.decoder import Decoder
from lfgtui.providers.wire.tool_calls import stop_reason

UNFINISHED = "the stream ended before the agent reported that it was done"

_BAD_REASONS = frozenset({"error", "failed", "cancelled", "canceled", "aborted"})
_OUR_FAULT = frozenset({-32700, -32600, -32601, -32602})  # JSON-RPC's codes of a bad request
_QUIET = (Heartbeat, Status, MessageTaken)  # events that are no part of an answer
_REFUSED = "the agent did not take your message{}; it goes with the next request"


class AgentDecoder(Decoder):
    """One run of an agent. See `wire.decoder.Decoder`.

    `announces_its_end` once the run has sent an event that another one at the end belongs to;
    `starts` counts those that begin a run. `streams` is False if the whole answer was requested
    at once. `accepts` is what the agent says it takes meanwhile ("message", "cancel"); `sent` are
    the ids of messages that it has not reported on: `outbox` adds them.
    """

    def __init__(self, turn: int = 1, *, streams: bool = True) -> None:
        super().__init__(turn)
        self.announces_its_end = False
        self.starts = 0
        self.accepts: list[object] = []
        self.sent: set[str] = set()
        self._streams = streams
        self._has_content = False
        self._are_events: set[str] = set()  # names of SSE events whose data is JSON
        self._are_text: set[str] = set()  # and of those whose data is text
        self._calls = AgentCalls(turn)
        self._texts = Messages()
        self._thoughts = Messages()
        self._counts: dict[str | int, Counts] = {}  # of each response of the run's model
        self._total: Counts = (0, 0, 0)
        self._cited: set[str] = set()

    def leftovers(self) -> Sequence[WireEvent]:
        """Return calls whose input was still arriving when the stream broke off for good."""
        return list(self._calls.leftovers())

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        text = data.decode() if isinstance(data, bytes) else data
        if text.strip() == "[DONE]":
            self.done = True
            return ()
        if not self._streams and _is_answer(text):
            return self._decode_whole(text.encode())
        return self._noted(self._read(name, text))

    def _finish(self) -> Sequence[WireEvent]:
        events = self._noted(self._calls.leftovers())
        if self.failure is None and not self.done:
            if self.announces_its_end:
                self.failure = ProviderError("cut", UNFINISHED)
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
            raise UnreadableError(f"{NOT_JSON} ({error})") from error
        events = self._noted(self._value("", value, body.decode("utf-8", "replace")))
        if not isinstance(value, list):  # a list of events ends as a stream does
            self.done = True
        if not self._has_content and self.failure is None:
            self.failure = ProviderError("protocol", "the answer holds no text")
        return events

    def _noted(self, events: Iterable[WireEvent]) -> list[WireEvent]:
        """Return the events, and note if there is content among them."""
        noted = list(events)
        if not self._has_content:
            self._has_content = not all(isinstance(event, _QUIET) for event in noted)
        return noted

    def _read(self, name: str, text: str) -> Iterator[WireEvent]:
        """Yield the events of data, which is JSON or text; raise `UnreadableError` for damage."""
        try:
            value = lenient_json.parse(text)
        except UnreadableError:
            raise
        except ValueError as error:
            if self._is_damage(name, text):
                raise UnreadableError(f"{NOT_JSON} ({error})") from error
            if text.strip() and dialects.may_be_text(name):
                self._are_text.add(name)
            return self._value(name, text, text)
        return self._value(name, self._meaning(name, value, text), text)

    def _is_damage(self, name: str, text: str) -> bool:
        """Return True for data that is not JSON although it must be an event, not text."""
        if dialects.may_be_text(name):
            return name in self._are_events and (not name or bool(text.strip()))
        return bool(self._are_events) and text.lstrip().startswith(("{", "["))

    def _meaning(self, name: str, value: object, text: str) -> object:
        """Return the value of data that is JSON, or `text`, the data itself, if it is a text."""
        if name in self._are_text:
            return value if not name and dialects.names_its_type(value) else text
        if name not in self._are_events:
            if dialects.is_event(name, value):
                self._are_events.add(name)
            elif dialects.must_be_text(name, value):
                return text
        return value

    def _value(self, name: str, value: object, text: str) -> Iterator[WireEvent]:
        """Yield the events of a value: an object, a list of them, or a text; `text` is its data."""
        if isinstance(value, dict):
            yield from self._take(name, value)
        elif name and (matches := dialects.find(name, value)) is not None:
            yield from self._apply(matches)
        elif isinstance(value, list):
            for item in lenient_json.objects_in(value, "events"):
                yield from self._take(name, item)
        elif name or value is not None:
            content = value if value is None or isinstance(value, str) else text
            yield from self._take(name, {"content": content})

    def _take(self, name: str, record: JsonObject) -> Iterator[WireEvent]:
        matches = dialects.find(name, record)
        if matches is not None:
            yield from self._apply(matches)
        else:
            kind = lenient_json.text(record, "type") or lenient_json.text(record, "event")
            self.unknown[kind or name or "untyped"] += 1

    def _apply(self, matches: Iterable[Match]) -> Iterator[WireEvent]:
        for rule, record, key in matches:
            if self.failure is not None:
                return
            key = key or word(record, rule.key)
            yield from self._event(rule, record, key)
            if (usage := self._usage(rule, record, key)) is not None:
                yield usage

    def _event(self, rule: Rule, record: JsonObject, key: str | int) -> Iterator[WireEvent]:
        """Yield the events of a match; each meaning of `rules.Meaning` has its case here."""
        match rule.means:
            case "text" | "whole_text" | "reasoning" | "whole_reasoning":
                yield from self._text(rule.means, key, text_of(first(record, rule.text)))
            case "call" | "arguments" | "input_over" | "output" | "result":
                yield from self._call(rule, record)
            case "status":
                if message := word(record, rule.text).strip():
                    yield Status(message)
            case "source":
                url = word(record, rule.text)
                if url and url not in self._cited:
                    self._cited.add(url)
                    yield Citation(url, word(record, rule.name))
            case "heartbeat":
                yield Heartbeat()
            case "accepts":
                inputs = first(record, rule.input)
                self.accepts = inputs if isinstance(inputs, list) else []
            case "message_taken" | "message_refused" if key in self.sent:
                self.sent.discard(str(key))
                why = word(record, rule.text).strip()
                yield (
                    MessageTaken(int(key))
                    if rule.means == "message_taken"
                    else Status(_REFUSED.format(f" ({why})" if why else ""))
                )
            case "error":
                self._fail(record, word(record, rule.text))
            case "unfinished" | "start":
                self.announces_its_end = True
                self.starts += rule.means == "start"
            case "done":
                self._end(rule, record)

    def _text(self, means: Meaning, key: str | int, text: str) -> Iterator[WireEvent]:
        """Yield a text or a piece of reasoning, as far as it is new."""
        is_text = means.endswith("text")
        messages = self._texts if is_text else self._thoughts
        if means.startswith("whole"):
            text = messages.remainder(key, text)
            if is_text and not key:
                self._thoughts.end()
        elif text:
            messages.add(key, text)
        if text:
            yield TextDelta(text) if is_text else ReasoningDelta(text)

    def _call(self, rule: Rule, record: JsonObject) -> Iterator[WireEvent]:
        if rule.means == "call":
            self._thoughts.end()
        given = first(record, rule.input)
        text = word(record, rule.text)
        if rule.means == "result":
            text = as_json(first(record, rule.text))
            has_failed = first(record, rule.failed) not in (None, False)
            text = f"error: {text}" if has_failed else text
        return self._calls.read(
            rule.means,
            self._call_id(rule, record),
            word(record, rule.name),
            None if given is None else as_json(given),
            text,
        )

    def _call_id(self, rule: Rule, record: JsonObject) -> str:
        """Return the id of the call that a record is about; "" for the latest one."""
        call_id = word(record, rule.call_id)
        if rule.means in ("output", "result") and call_id not in self._calls:
            # A number in `id` may be the position of the record in the stream.
            is_position = call_id.isdecimal() and call_id == word(record, "id")
            return "" if is_position else call_id
        return call_id

    def _fail(self, record: JsonObject, message: str) -> None:
        """Set `failure` from a record, whose codes tell its kind."""
        body = lenient_json.child(record, "error") or record
        fields = dict(body) | {"message": message, "error": None}
        if lenient_json.number(body, "code") in _OUR_FAULT:
            fields["status_code"] = 400
        elif (status := lenient_json.number(body, "status")) is not None:
            fields["status_code"] = status
        self.failure = mapping.in_stream(fields)

    def _end(self, rule: Rule, record: JsonObject) -> None:
        """Note the end of the run, and its failure if the record tells of one."""
        self.done = True
        reason = word(record, rule.reason).replace("-", "_")
        if reason in _BAD_REASONS or first(record, rule.failed):
            why = word(record, "error.message error message")
            self._fail(record, why or f"the agent ended its run: {reason or 'error'}")
        elif reason:
            self.wire_stop_reason = "stop" if reason == "success" else reason

    def _usage_in(self, name: str, record: JsonObject) -> Usage | None:
        matches = dialects.find(name, record) or ()
        found = (self._usage(rule, own, key or word(own, rule.key)) for rule, own, key in matches)
        return next(filter(None, found), None)

    def _usage(self, rule: Rule, record: JsonObject, key: str | int) -> Usage | None:
        """Return the run's tokens so far. A response may report several times; the last counts."""
        if (counts := counts_of(first(record, rule.usage))) is None:
            return None
        key = key if key and isinstance(key, str) else self._texts.latest
        before = self._counts.get(key, (0, 0, 0))
        now = self._counts[key] = tuple(map(max, before, counts))
        grown = map(sub, now, before)
        given, taken, cached = self._total = tuple(map(add, self._total, grown))
        return Usage(given, taken, cached)


def _is_answer(data: str) -> bool:
    """Return True for a whole answer: JSON that is not an event of a stream."""
    try:
        return not dialects.names_its_type(lenient_json.parse(data))
    except ValueError:
        return False
