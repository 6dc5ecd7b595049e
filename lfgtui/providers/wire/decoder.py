"""The base of all decoders: a response is read whole, or it fails.

A record that cannot be read is a hole in the model's answer. What is left
around the hole may still look complete, and mean something else: `rm -rf
./build/cache/tmp` without one of its pieces is `rm -rf ./build`. So the first
such record fails the response. It is requested again, and none of its calls run.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import UNSET

from lfgtui.errors import ProviderError
from lfgtui.model.events import ReasoningDelta, ResponseFinished, TextDelta, Usage, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import NO_UTF8, JsonObject, UnreadableError
from lfgtui.providers.wire.dedupe import Citations
from lfgtui.providers.wire.tool_calls import CUT_SHORT, ToolCalls, stop_reason

UNREADABLE = "unreadable"
"""The type under which unreadable records after the end are counted: there they do no harm."""

NO_RECORD = "no record"
"""The type under which JSON that is no object is counted."""

DONE = frozenset({"[DONE]", b"[DONE]"})
"""The record that ends a stream on OpenAI's wires; the others ignore it."""


def unreadable(why: str) -> ProviderError:
    """Return the error for a response with a record that cannot be read."""
    return ProviderError("protocol", f"the response is damaged: {why}", retryable=True)


class Decoder(ABC):
    """The translation of one response's records to events, without I/O.

    `transport.reading` calls `feed` for each record, or `decode_whole` once for a whole
    body, and then `finish`. These never raise; the methods that a wire implements may
    raise `UnreadableError` or `ProviderError`, and both fail the response. `failure` is
    the error to raise once the events before it are handed on. `unknown` counts records
    of unknown types, by type. `done` is set once the wire announced its own end: nothing
    that matters follows. `wire_stop_reason` is the stop reason in the wire's own words,
    None as long as it gave none.
    """

    def __init__(self, turn: int = 1) -> None:
        self.failure: ProviderError | None = None
        self.unknown: Counter[str] = Counter()
        self.done = False
        self.wire_stop_reason: str | None = None
        self._turn = turn

    def feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        """Decode one SSE record: its `event:` name, "" if it has none, and its data.

        The usage is read even in the record that fails the response and in those after it,
        since it was billed.
        """
        events: Sequence[WireEvent] = ()
        if self.failure is None:
            events = self._guarded(lambda: self._feed(name, data), is_over=self.done)
        return events if self.failure is None else self._with_usage(events, name, data)

    def finish(self) -> Sequence[WireEvent]:
        """Close what is open, once, at the end of the body.

        The last event is `ResponseFinished` unless there is a `failure`.
        """
        return self._guarded(self._finish)

    def decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        """Decode the body of a response that is not streamed; `finish` is to be called, too."""
        events = self._guarded(lambda: self._decode_whole(body))
        return events if self.failure is None else self._with_usage(events, "", body)

    @abstractmethod
    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]: ...

    @abstractmethod
    def _finish(self) -> Sequence[WireEvent]: ...

    @abstractmethod
    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]: ...

    @abstractmethod
    def _usage_in(self, name: str, record: JsonObject) -> Usage | None:
        """Return the usage in any field of a record; None if there is none."""

    def _with_usage(
        self, events: Sequence[WireEvent], name: str, data: str | bytes
    ) -> Sequence[WireEvent]:
        """Return the last events of a response that failed, with the usage in its last record."""
        if any(isinstance(event, Usage) for event in events):
            return events
        try:
            usage = self._usage_in(name, lenient_json.record_of(data) or {})
        except ValueError:
            return events
        return events if usage is None else [*events, usage]

    def _guarded(
        self, step: Callable[[], Sequence[WireEvent]], *, is_over: bool = False
    ) -> Sequence[WireEvent]:
        """Return a step's events; an error fails the response, unless that `is_over`."""
        try:
            return step()
        except ProviderError as error:  # past one of `limits`
            self.failure = self.failure or error
            return ()
        except UnicodeDecodeError:
            why = NO_UTF8
        except UnreadableError as error:
            why = str(error)
        if is_over:  # records after the end are no part of the response
            self.unknown[UNREADABLE] += 1
        else:
            self.failure = self.failure or unreadable(why)
        return ()


class SdkDecoder(Decoder):
    """The decoder of a wire that an SDK sends: JSON records, calls that lfg runs, one stop reason.

    A wire's methods add to `_events`, which is emptied before each record and before the end.
    """

    form: str
    """The name of a whole response on this wire, for the error about any other document."""

    def __init__(self, turn: int = 1) -> None:
        super().__init__(turn)
        self._events: list[WireEvent] = []
        self._calls = ToolCalls()
        self._citations = Citations()
        self._is_refusal = False

    @abstractmethod
    def _read(self, name: str, record: JsonObject) -> None:
        """Read one record of a stream."""

    @abstractmethod
    def _read_whole(self, record: JsonObject) -> bool:
        """Read the body of a response that is not streamed; return False if it has another form."""

    @abstractmethod
    def _is_complete(self) -> bool:
        """Return True if the response may end here; if not, the stream was cut."""

    @abstractmethod
    def _finish_calls(self, *, is_cut: bool) -> None:
        """Request the calls that are still open. `is_cut`: the last one may be incomplete."""

    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        self._events = []
        if data in DONE:
            self._take_done()
        elif (record := lenient_json.record_of(data)) is None:
            self.unknown[NO_RECORD] += 1
        else:
            self._read_record(name, record)
        return self._events

    def _read_record(self, name: str, record: JsonObject) -> None:
        if error := _error_in(name, record):
            self.failure = mapping.in_stream(error)
        else:
            self._read(name, record)

    def _take_done(self) -> None:
        """Take the record `DONE`."""
        self.done = True

    def _finish(self) -> Sequence[WireEvent]:
        self._events = []
        if not self._is_complete() and self.failure is None:
            message = "the stream ended before the response was complete"
            self.failure = ProviderError("cut", message)
        if self.failure is None:
            reason = stop_reason(self.wire_stop_reason, called=False)
            self._finish_calls(is_cut=reason in CUT_SHORT)
            called, refused = self._calls.any_requested, self._is_refusal
            reason = stop_reason(self.wire_stop_reason, called=called, refused=refused)
            self._events.append(ResponseFinished(self._turn, reason))
        return self._events

    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        self._events = []
        record = lenient_json.record_of(body) or {}
        if not self._read_whole(record):
            error = _error_in("", record)
            other_form = ProviderError("protocol", f"the response is not {self.form}")
            self.failure = mapping.in_stream(error) if error else other_form
        return self._events

    def _add_text(self, text: str) -> None:
        if text:
            self._events.append(TextDelta(text))

    def _add_reasoning(self, text: str) -> None:
        if text:
            self._events.append(ReasoningDelta(text))


def openai_usage(usage: JsonObject) -> Usage | None:
    """Return the tokens in a `usage` of either of OpenAI's wires; None if it counts none."""
    given, output = (
        lenient_json.number(usage, keys[keys[0] not in usage])
        for keys in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))
    )
    if given is None and output is None:
        return None
    details = [lenient_json.child(usage, f"{key}_tokens_details") for key in ("input", "prompt")]
    cached = [lenient_json.number(holder, "cached_tokens") for holder in (*details, usage)]
    cached.append(lenient_json.number(usage, "prompt_cache_hit_tokens"))
    written = (lenient_json.number(holder, "cache_write_tokens") for holder in details)
    kept = next(filter(None, written), UNSET)
    return Usage(given or 0, output or 0, next(filter(None, cached), 0), cache_write=kept)


def _error_in(name: str, record: JsonObject) -> object:
    """Return the error in a record, however a gateway marks it; None if it is no error."""
    is_error = "error" in (name, record.get("type"), record.get("object"))
    return record.get("error") or (record if is_error else None)
