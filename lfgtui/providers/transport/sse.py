"""The one reader of server-sent events, for every wire.

httpx-sse's `EventSource` reads each event: its fields, its id, its lines of data.
The lines are found here, at CR, LF and CRLF only: the SDKs' own iterators also
split at U+2028, U+0085 and form feed, which are legal inside JSON strings.
This adapter adds what `EventSource` leaves out of the standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6): a byte
order mark, bytes that are no UTF-8, events without data, ids that come alone,
and reconnection times that are not digits only. An event with bytes that are no
UTF-8 is read as the standard says, and fails the response: nobody knows what it
was to say.

It also keeps the event that is not complete yet, as bytes, so that a server can
make lfg hold `RECORD_BYTES` and no more.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from httpx_sse import EventSource, ServerSentEvent

from lfgtui.errors import ProviderError
from lfgtui.providers import limits
from lfgtui.providers.lenient_json import NO_UTF8
from lfgtui.providers.wire.decoder import unreadable

if TYPE_CHECKING:
    from httpx import Response

_PLAIN = re.compile(rb"(?:event: ?([^\r\n]*)\n)?data: ?([^\r\n]*)\n\n")
"""An event with one line of data, and perhaps its name before that: nearly all are."""

_DATA = re.compile("^data(?::|$)", re.MULTILINE)  # `data: {}`, and `data` alone
_BAD_RETRY = re.compile("^retry:(?! ?[0-9]{1,12}$)", re.MULTILINE)  # `retry: soon`
_ERROR_FIELD = re.compile(r"^error:(?=\s*\{)", re.MULTILINE)  # `error: {"code": 500}`


@dataclass(frozen=True, slots=True)
class Comment:
    """A line without content: servers send them to show that the connection lives."""

    text: str


@dataclass(frozen=True, slots=True)
class Position(Comment):
    """An id without an event, for readers that may resume the stream; a comment to all others."""

    id: str = ""


Record: TypeAlias = ServerSentEvent | Comment


class RecordReader:
    """A reader of records from bytes; how the bytes are cut makes no difference.

    `tail` is for the providers' wires: a last event counts without its blank line,
    and an `error:` field is read as the event of that name. Without `tail` the reader
    keeps to the standard. `last_event_id` and `retry` (milliseconds) are what a
    reconnection would use. `failure` is set by a record that is too long or damaged;
    nothing is read after it.
    """

    def __init__(self, *, tail: bool) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self.failure: ProviderError | None = None
        self._tail = tail
        self._block = _Block()
        self._events = EventSource(cast("Response", self._block)).iter_sse()
        self._line = bytearray()  # the one that is not complete yet
        self._event = bytearray()  # the complete lines of its event
        self._at_start = True

    def feed(self, data: bytes) -> list[Record]:
        """Return the records that these bytes complete."""
        if self.failure is not None:
            return []
        unseen = max(0, len(self._line) - 1)
        self._line += data
        records: list[Record] = []
        # Only if an event ends here: otherwise each piece of a long record would be searched again.
        if b"\n\n" in data and not (self._event or self._at_start):
            records = self._take_plain()
            unseen = 0 if records else unseen
        # A carriage return at the end waits for the line feed that may belong to it.
        end = 1 + max(self._line.rfind(b"\n", unseen), self._line.rfind(b"\r", unseen, -1))
        if end:
            records += self._take_lines(end)
        if len(self._event) + len(self._line) > limits.RECORD_BYTES and self.failure is None:
            self.failure = limits.too_long("a single record", limits.RECORD_BYTES, limits.WRONG_API)
        if self.failure is not None:
            self._event.clear()
            self._line.clear()
        return records

    def finish(self) -> list[Record]:
        """Return the records that the end of the body completes."""
        if self.failure is not None or _ends_within_character(self._line):
            return []  # a cut, which the decoder notices
        is_complete = self._tail or self._line.endswith(b"\r")
        records = self._take_lines(len(self._line)) if is_complete else []
        return records + self._dispatch() if self._tail and self._event else records

    def _take_plain(self) -> list[Record]:
        """Remove the plain events that come first and return them, as `_take_lines` would."""
        records: list[Record] = []
        end = 0
        while (match := _PLAIN.match(self._line, end)) is not None:
            name, data = match.groups()
            try:
                text, event = data.decode(), name.decode() if name else None
            except UnicodeDecodeError:
                break
            records.append(ServerSentEvent(event, text, self.last_event_id))
            end = match.end()
        del self._line[:end]
        return records

    def _take_lines(self, end: int) -> list[Record]:
        """Remove the lines before `end` and return the records they complete.

        They are split as bytes: text would split at U+2028 and the like too.
        """
        lines = self._line[:end]
        del self._line[:end]
        if self._at_start:
            self._at_start = False
            lines = lines.removeprefix(codecs.BOM_UTF8)
        records: list[Record] = []
        for line in lines.splitlines():
            if self.failure is not None:
                break
            if line.startswith(b":"):
                records.append(Comment(line[1:].decode("utf-8", "replace").strip()))
            elif line:
                self._event += line + b"\n"
            elif self._event:
                records += self._dispatch()
        return records

    def _dispatch(self) -> list[Record]:
        """Read the event whose lines are complete; return [] if it has no effect."""
        try:
            text, is_damaged = self._event.decode(), False
        except UnicodeDecodeError:
            text, is_damaged = self._event.decode("utf-8", "replace"), True
        self._event.clear()
        if self._tail and "error:" in text:  # llama.cpp's, a field of no standard
            text = _ERROR_FIELD.sub("event: error\ndata:", text)
        if "retry:" in text:
            text = _BAD_RETRY.sub(":", text)
        has_data = _DATA.search(text) is not None
        # `EventSource` skips a block without data or name, and would read it again endlessly.
        self._block.text = f"{text}\n" if has_data else f"{text}event: none\n\n"
        event = next(self._events)
        before, self.last_event_id = self.last_event_id, event.id
        self.retry = self.retry if event.retry is None else event.retry
        if has_data:
            self.failure = unreadable(NO_UTF8) if is_damaged else None
            return [event]
        return [Position("", event.id)] if event.id != before else []


class _Block:
    """A stand-in for the response that `EventSource` reads; `text` is always one event."""

    headers: ClassVar = {"content-type": "text/event-stream"}

    def __init__(self) -> None:
        self.text = ""

    def iter_text(self) -> Iterator[str]:
        while True:
            yield self.text


def _ends_within_character(data: bytes | bytearray) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    return bool(decoder.getstate()[0])
