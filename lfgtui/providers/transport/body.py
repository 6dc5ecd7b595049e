"""The kind of a body by its first bytes: servers and proxies mislabel what they send.

An event stream arrives as `text/plain` or as JSON, JSON arrives where a
stream was requested, a stream where JSON was, and a login page arrives with
status 200. Their first bytes tell them apart: a JSON document begins with a
bracket or a brace, a page with `<`, an event stream with a colon or with one
of four field names (or, if it fails at once, with llama.cpp's `error: {`).
Everything else is plain text. So the Content-Type decides one case only: what
looks like plain text but is labelled `event-stream` is read as a stream that
begins with an unknown field.

Some servers stream JSON documents, one on each line and without SSE
(https://github.com/ndjson/ndjson-spec). The first line is then a whole
document, as the only line of an answer that is not streamed may be; what
comes after it decides.
"""

import codecs
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, TypeAlias

from httpx_sse import ServerSentEvent

from lfgtui.errors import ProviderError
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.lenient_json import NO_UTF8
from lfgtui.providers.transport.response_guard import Response, body_of, chunks_of
from lfgtui.providers.transport.sse import Comment, Record, RecordReader
from lfgtui.providers.transport.together import together
from lfgtui.providers.wire.decoder import unreadable

_MARK = codecs.BOM_UTF8
_FIELD = re.compile(rb":|(?:data|event|id|retry)[:\r\n]|error:\s*\{")
"""The beginning of an event stream: `: comment`, `data: {`, `event:`."""
_FIELDS = (b"data", b"event", b"id", b"retry", b"error: {")
"""The same for a beginning that is shorter than a field: more must be seen."""

_SHOWN = 80
"""Characters of plain text that an error quotes."""

BodyKind = Literal["events", "json", "page", "text"]


@dataclass(frozen=True, slots=True)
class Whole:
    """A body that is one JSON document."""

    body: bytes


Part: TypeAlias = Record | Whole


async def read_body(
    response: Response, events: RecordReader | None = None, *, apart: bool = True
) -> AsyncGenerator[Sequence[Part], None]:
    """Yield the parts of a response as they arrive, whatever it calls itself.

    Parts that one read completed come together, [] if there is none: a timeout for
    each part would cost more than the part itself. `events` is the reader for an
    event stream; by default one that takes a last event without its blank line.
    `apart`: chunks that the HTTP client hands over one by one are not joined.

    Raises `ProviderError` ("protocol") for a web page, for plain text, and
    past a limit.
    """
    head, at_start, events = b"", True, events or RecordReader(tail=True)
    content_type = response.headers.get("content-type", "")
    reader: RecordReader | JsonReader | None = None
    body = chunks_of(body_of(response))
    async with aclosing(body if apart else together(body)) as chunks:
        async for chunk in chunks:
            if reader is None:
                head += chunk
                if at_start and (len(head) >= len(_MARK) or not _MARK.startswith(head)):
                    head, at_start = head.removeprefix(_MARK), False
                reader = None if at_start else _reader_of(head, content_type, events)
                chunk = head.lstrip() if isinstance(reader, JsonReader) else head
            if reader is None:
                head = head if head.strip() else b""
                yield [] if head else [Comment("")]  # blank lines are signs of life
                continue
            yield reader.feed(chunk)
            if reader.failure is not None:
                raise reader.failure
    if reader is None:
        reader = events
        yield reader.feed(head)
    yield reader.finish()
    if reader.failure is not None:
        raise reader.failure


def kind_of(head: bytes) -> BodyKind | None:
    """Return the kind of body that begins so; None if more must be seen."""
    begun = head.lstrip()
    if begun.startswith((b"{", b"[")):
        return "json"
    if begun.startswith(b"<"):
        return "page"
    if not begun or any(field.startswith(begun) for field in _FIELDS):
        return None
    return "events" if _FIELD.match(begun) else "text"


class JsonReader:
    """A reader of one JSON document, or of one on each line.

    `failure` is set by a document that is too long or damaged; nothing is to be fed after it.
    """

    def __init__(self) -> None:
        self.failure: ProviderError | None = None
        self._bytes = bytearray()
        self._has_first = False
        self._is_lines: bool | None = None  # None until that is known

    def feed(self, data: bytes) -> Sequence[Part]:
        """Return the lines that these bytes complete; a single document comes from `finish`."""
        seen = len(self._bytes)
        self._bytes += data
        if self._is_lines is None:
            self._decide(seen)
            seen = 0
        parts = self._take(1 + self._bytes.rfind(b"\n", seen)) if self._is_lines else []
        if len(self._bytes) > limits.RECORD_BYTES:
            self._bytes.clear()
            what = "a single line" if self._is_lines else "the response"
            self.failure = limits.too_long(what, limits.RECORD_BYTES, limits.WRONG_API)
        return parts

    def finish(self) -> Sequence[Part]:
        """Return the parts that the end of the body completes."""
        if self._is_lines:
            return self._take(len(self._bytes))
        return [Whole(bytes(self._bytes))]

    def _decide(self, seen: int) -> None:
        """Set `_is_lines` once it is known; `seen` is the number of bytes looked at before."""
        after = self._bytes[seen:]
        if not self._has_first:
            end = self._bytes.find(b"\n", seen)
            if end == -1:
                return
            if lenient_json.parse_object(bytes(self._bytes[:end])) is None:
                self._is_lines = False
                return
            self._has_first = True
            after = self._bytes[end:]
        if after := after.lstrip():
            self._is_lines = after.startswith(b"{")

    def _take(self, end: int) -> list[Part]:
        """Remove the lines before `end` and return those that are not blank, as records."""
        records: list[Part] = []
        for line in bytes(self._bytes[:end]).split(b"\n"):
            try:
                data = line.decode()
            except UnicodeDecodeError:
                self.failure = unreadable(NO_UTF8)
                break
            if data.strip():
                records.append(ServerSentEvent(data=data))
        del self._bytes[:end]
        return records


def _reader_of(
    head: bytes, content_type: str, events: RecordReader
) -> RecordReader | JsonReader | None:
    """Return the reader for a body that begins with `head`; None if more must be seen.

    Raises `ProviderError` for a web page or plain text.
    """
    match kind_of(head):
        case "json":
            return JsonReader()
        case "page":
            message = "the server sent a web page; check base_url"
            raise ProviderError("protocol", message)
        case "text" if "event-stream" not in content_type:
            text = " ".join(head.decode("utf-8", "replace").split())
            text = f"{text[:_SHOWN]}…" if len(text) > _SHOWN else text
            raise ProviderError("protocol", f'the server sent plain text, "{text}"; check base_url')
        case None:
            return None
        case _:
            return events
