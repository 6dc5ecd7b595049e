"""The one reader of server-sent events, for every wire.

httpx-sse does the decoding: it splits lines at CR, LF and CRLF only, where
the SDKs' own line iterators also split at U+2028, U+0085 and form feed, which
are legal inside JSON strings. This adapter adds what it leaves out of the
standard (https://html.spec.whatwg.org/multipage/server-sent-events.html,
9.2.6): a byte order mark, bytes that are no UTF-8, events without data, ids
that come alone, and reconnection times that are no digits. An event with bytes
that are no UTF-8 is told as the standard says, and is the last: it is damaged,
and nobody knows what it said.

It also keeps the line that is not complete yet, as bytes: httpx-sse would keep
a string for every piece of it, which for a line that comes byte by byte is
thirty times its size. So what a server can make us hold is `RECORD_BYTES`.
"""

import codecs
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from httpx_sse import ServerSentEvent
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from lfgtui.errors import ProviderError
from lfgtui.providers import limits
from lfgtui.providers.decoder import unreadable
from lfgtui.providers.loose_json import NO_UTF8

_STRAY_BYTE = re.compile("[\udc80-\udcff]")  # as "surrogateescape" leaves it


@dataclass(frozen=True, slots=True)
class Comment:
    """A line for nobody: servers send them to show that the connection lives."""

    text: str


@dataclass(frozen=True, slots=True)
class Position(Comment):
    """An id that came without an event: no more than a comment but to who takes a stream up."""

    id: str = ""


Record: TypeAlias = ServerSentEvent | Comment


class ByteSource(Protocol):
    """The one thing asked of a response, the SDKs' or httpx's: its decoded body."""

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...


class RecordReader:
    """Bytes in, records out; how the bytes are cut makes no difference.

    `tail` dispatches a last event whose blank line never came, and reads an
    `error:` field as the event of that name, as the providers' wires need;
    without it the reader is strict. `last_event_id` and `retry`
    (milliseconds) are what a reconnection would use. `failure` is set by a
    record that does not end or is damaged; nothing is read after it.
    """

    def __init__(self, *, tail: bool) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self.failure: ProviderError | None = None
        self._tail = tail
        self._partial = bytearray()
        self._lines = SSELineDecoder()
        self._events = SSEDecoder()
        self._at_start = True
        self._has_data = self._is_damaged = False
        self._data_length = 0

    def feed(self, data: bytes) -> list[Record]:
        """The records that these bytes complete."""
        if self.failure is not None:
            return []
        end = 1 + max(data.rfind(b"\n"), data.rfind(b"\r"))
        self._partial += data[:end]
        records = self._read_partial() if end else []
        self._partial += data[end:]
        if self._data_length + len(self._partial) > limits.RECORD_BYTES:
            self._partial.clear()
            self.failure = limits.too_long("a single record", limits.RECORD_BYTES, limits.WRONG_API)
        return records

    def finish(self) -> list[Record]:
        """The records that the end of the body completes."""
        if self.failure is not None or _ends_within_character(self._partial):
            return []  # what broke off there is a cut, which its decoder sees
        records = self._read_partial()
        # A carriage return at the very end waits for a line feed, so its line is complete.
        ends_complete = self._lines.trailing_cr
        for line in self._lines.flush():
            if ends_complete or self._tail:
                self._take(line, records)
        if self._tail and self._has_data:
            self._take("", records)
        return records

    def _read_partial(self) -> list[Record]:
        # A line end is no part of a longer character, so none is torn here.
        try:
            text = self._partial.decode()
        except UnicodeDecodeError:
            text = self._partial.decode("utf-8", "surrogateescape")
        self._partial.clear()
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        records: list[Record] = []
        if text:
            for line in self._lines.decode(text):
                self._take(line, records)
        return records

    def _take(self, line: str, records: list[Record]) -> None:
        if self.failure is not None:
            return
        is_damaged = not line.isascii() and _STRAY_BYTE.search(line) is not None
        if is_damaged:
            line = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if line.startswith(":"):
            records.append(Comment(line[1:].strip()))
            return
        self._is_damaged = self._is_damaged or is_damaged
        if line:
            self._take_field(line)
            return
        event = self._events.decode("")
        before, self.last_event_id = self.last_event_id, event.id if event is not None else ""
        if event is not None and self._has_data:
            records.append(event)
            self.failure = unreadable(NO_UTF8) if self._is_damaged else None
        elif self.last_event_id != before:
            records.append(Position("", self.last_event_id))
        self._has_data = self._is_damaged = False
        self._data_length = 0

    def _take_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "retry":
            value = value.removeprefix(" ")
            if not (value.isascii() and value.isdigit()):
                return
            self.retry = int(value[:12])
        elif name == "error" and self._tail and value.lstrip().startswith("{"):
            # llama.cpp and its kin break off with a field of no standard.
            self._events.decode("event: error")
            self._events.decode(f"data:{value}")
            self._has_data = True
            return
        elif name == "data":
            self._has_data = True
            self._data_length += len(line)
        self._events.decode(line)


def _ends_within_character(data: bytes | bytearray) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    return bool(decoder.getstate()[0])


async def read_records(response: ByteSource, *, tail: bool = True) -> AsyncGenerator[Record, None]:
    """The records of a response as they arrive, comments among them.

    Raises `ProviderError` ("protocol") after the last one where a limit is exceeded.
    """
    reader = RecordReader(tail=tail)
    async with aclosing(read_bytes(response)) as chunks:
        async for chunk in chunks:
            for record in reader.feed(chunk):
                yield record
            if reader.failure is not None:
                raise reader.failure
    for record in reader.finish():
        yield record
    if reader.failure is not None:
        raise reader.failure


async def read_bytes(response: ByteSource) -> AsyncGenerator[bytes, None]:
    """The body as it arrives; raises `ProviderError` ("protocol") where there is no end to it."""
    chunks = response.aiter_bytes()
    count = 0
    try:
        async for chunk in chunks:
            yield chunk
            count += len(chunk)
            if count > limits.BODY_BYTES:
                raise limits.too_long("the response", limits.BODY_BYTES, limits.KEPT)
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
