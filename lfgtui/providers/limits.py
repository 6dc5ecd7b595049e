"""Bounds of one response: past these a server is broken or hostile.

Nothing here limits the answer of a model. The figures are far above what real
servers send (a picture is a record of some megabytes, 128,000 tokens are a body
of 80 MB at most) and below what would hurt the process, which also runs the
other tickets. So they are not settings: a server that exceeds one is broken.
"""

from collections.abc import Iterable, Iterator

from msgspec import structs

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    HostedTool,
    ToolArgumentsDelta,
    ToolCallRequested,
    ToolCallStarted,
    WireEvent,
)

MEGABYTE = 1024 * 1024

RECORD_BYTES = 8 * MEGABYTE
"""Bytes of one line, one record of several lines, and one JSON document.

All of it is in memory before it can be read, and five times while it is read: as
bytes, as text, as a line, as JSON and as events.
"""

VALUES, NESTED_VALUES = 1_000_000, 250_000
"""Most commas, and most opening braces and brackets, in one record.

In memory an empty list takes 20 times the three bytes that it has as JSON. Characters
are counted everywhere, even inside strings: no model writes as many.
"""

DELTA_LENGTH = 16 * 1024
"""Characters of one delta; `in_pieces` makes several of a longer one."""

QUIET_RECORDS = 100_000
"""Records and heartbeats in a row without content: at one a second, more than a day."""

QUIET_TYPES = 100
"""Most types of unknown records in one response.

With more, no record without content counts as its beginning (`transport.reading`), and `acp`
counts and shows no further ones.
"""

ARGUMENTS_LENGTH = 8 * MEGABYTE
"""Characters of one tool call's input, or of a hosted call's result."""

CALLS = 500
"""Tool calls of one response that lfg is to run; models make a few dozen at most."""

TEXTS = 1_000
"""Separate texts of one response; long research gives some hundreds."""

SEARCHED = 16 * MEGABYTE
"""Most characters to search for the parts of one record that may have been streamed: the length
of the streamed text times the number of parts. Beyond that the parts count as new.

A server whose records differ from its stream sends a few parts of some kilobytes.
"""

HOSTED_CALLS = 10_000
"""Calls of one response that the provider or agent runs: an agent may work for hours."""

NAME_LENGTH = 256
"""Characters of a tool's name; providers allow 64 or 128."""

CALL_ID_LENGTH = 32 * 1024
"""Characters of a provider's id of a tool call; some gateways keep a signature in it."""

BODY_BYTES = 256 * MEGABYTE
"""Bytes of one response, decompressed: a stream from end to end, or a single JSON document."""

ERROR_BYTES = MEGABYTE
"""Bytes of a refusal's body; a longer one is cut, since its message comes first."""

LIST_BYTES = 16 * MEGABYTE
"""Bytes of a list of models; the longest known, of a thousand with prices, is one megabyte."""

PIECE_BYTES = 16 * 1024
"""Bytes of a body that are read in one step."""

GROWTH = 100
"""Largest ratio of decompression, beyond a body's first megabyte.

Streamed records that differ in a word compress to a thirtieth; a bomb to a thousandth.
"""

WRONG_API = "check base_url and wire"
"""The hint if something is longer than an API would send."""

KEPT = "output so far is kept"
"""The hint if a stream is given up because of its length."""


def too_long(what: str, limit: int, hint: str) -> ProviderError:
    """Return the error for something too long; it is not retried, as the same would come again."""
    size = f"{limit / MEGABYTE:g} MB" if limit >= MEGABYTE else f"{limit} bytes"
    return ProviderError("protocol", f"{what} exceeds the limit of {size}; {hint}")


def refuse_long_input(name: str, length: int) -> None:
    """Raise `ProviderError` ("protocol") for an input of a tool call that is too long."""
    if length > ARGUMENTS_LENGTH:
        what = f"the input of {name or 'a tool'}"
        raise too_long(what, ARGUMENTS_LENGTH, "ask the model for smaller steps")


def too_many(what: str, limit: int) -> ProviderError:
    """Return the error for too many of something; it is not retried either."""
    message = f"more than the allowed {limit:,} {what}; try another model"
    return ProviderError("protocol", message)


def without_content() -> ProviderError:
    """Return the error for a stream that sends too many records without content."""
    message = f"more than {QUIET_RECORDS:,} records in a row without content; {WRONG_API}"
    return ProviderError("protocol", message)


def refuse_too_many_values(record: str | bytes) -> None:
    """Raise `ProviderError` ("protocol") for JSON with too many values to read safely.

    Counting takes a thousandth of the time of reading, and no memory.
    """
    if len(record) <= NESTED_VALUES:
        return
    if isinstance(record, bytes):
        nested, values = record.count(b"{") + record.count(b"["), record.count(b",")
    else:
        nested, values = record.count("{") + record.count("["), record.count(",")
    if nested > NESTED_VALUES or values > VALUES:
        most = f"{NESTED_VALUES:,} objects and lists"
        most = most if nested > NESTED_VALUES else f"{VALUES:,} values"
        message = f"a single record has more than the allowed {most}; {WRONG_API}"
        raise ProviderError("protocol", message)


def in_pieces(events: Iterable[WireEvent]) -> Iterator[WireEvent]:
    """Yield the events, a delta beyond `DELTA_LENGTH` as several, for the screen's sake."""
    for event in events:
        field = event.facets.text if event.facets.is_piece else ""
        text = str(getattr(event, field)) if field else ""
        if len(text) <= DELTA_LENGTH:
            yield event
        else:
            for at in range(0, len(text), DELTA_LENGTH):
                yield structs.replace(event, **{field: text[at : at + DELTA_LENGTH]})


class CallMeter:
    """The sizes of a response's calls as they arrive; `Reading` counts every event, on any wire."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lengths: dict[str, int] = {}
        self._hosted: set[str] = set()

    def count(self, event: WireEvent) -> None:
        """Raise `ProviderError` ("protocol") for too many hosted calls, or one that is too long."""
        match event:
            case ToolCallStarted(call_id, name):
                self._measure(name)
                self._names[call_id] = name
            case HostedTool(name, given, output, call_id=str(call_id)):
                self._measure(name)
                refuse_long_input(name, len(given))
                if len(output) > ARGUMENTS_LENGTH:
                    raise too_long(f"the result of {name}", ARGUMENTS_LENGTH, WRONG_API)
                self._hosted.add(call_id)
                if len(self._hosted) > HOSTED_CALLS:
                    raise too_many("calls of the provider's own tools", HOSTED_CALLS)
            case ToolArgumentsDelta(call_id, text):
                length = self._lengths[call_id] = self._lengths.get(call_id, 0) + len(text)
                refuse_long_input(self._names.get(call_id, ""), length)
            case ToolCallRequested(call_id):
                self._lengths.pop(call_id, None)

    def _measure(self, name: str) -> None:
        if len(name) > NAME_LENGTH:
            raise too_many("characters in a tool's name", NAME_LENGTH)
