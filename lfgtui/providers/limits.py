"""How much of one response lfg takes in: past these a server is broken or hostile.

Nothing here limits an answer that a model gives. The figures stand far above
the largest that real servers send (a picture is a record of some megabytes,
128,000 tokens are a body of 80 MB at most) and below what would hurt the
process that also runs the other tickets. So they are no settings: who meets
one has something else to mend.
"""

from collections.abc import Iterable, Iterator

from lfgtui.errors import ProviderError
from lfgtui.model.events import (
    HostedOutputDelta,
    HostedTool,
    ReasoningDelta,
    TextDelta,
    ToolArgumentsDelta,
    ToolCallRequested,
    ToolCallStarted,
    WireEvent,
)

MEGABYTE = 1024 * 1024

RECORD_BYTES = 8 * MEGABYTE
"""One line, one record of several lines, and one JSON document.

It is in memory whole before it says anything, five times over while it is
read: as bytes, as text, as a line, as JSON and as events.
"""

VALUES, NESTED_VALUES = 1_000_000, 250_000
"""Commas, and braces and brackets, of one record: an empty list takes 20 times its three bytes.

They are counted wherever they stand, so in texts too: no model says as many.
"""

DELTA_LENGTH = 16 * 1024
"""Characters of one delta; a longer one becomes several."""

QUIET_RECORDS = 100_000
"""Records and heartbeats in a row that say nothing: at one a second, more than a day."""

QUIET_TYPES = 100
"""Types of unknown records that are told apart."""

ARGUMENTS_LENGTH = 8 * MEGABYTE
"""The arguments of one tool call, in characters."""

CALLS = 500
"""Tool calls of one response that are to be run here; models make a few dozen at most."""

TEXTS = 1_000
"""Parts of one response that are texts of their own; long research gives some hundreds."""

HOSTED_CALLS = 10_000
"""Calls that the other side runs itself, in one response: an agent may work for hours."""

NAME_LENGTH = 256
"""A tool's name, in characters; the wires take 64 or 128."""

CALL_ID_LENGTH = 32 * 1024
"""Characters of a provider's id of a tool call; some gateways keep a signature in it."""

BODY_BYTES = 256 * MEGABYTE
"""One response, decompressed: a stream from end to end, or a single JSON document."""

ERROR_BYTES = MEGABYTE
"""The body of a refusal; what is longer is cut off there, its message comes first."""

LIST_BYTES = 16 * MEGABYTE
"""A list of models; the longest known, of a thousand models with prices, is one megabyte."""

PIECE_BYTES = 16 * 1024
"""As much of a body as is read in one step."""

GROWTH = 100
"""Most times that a body may grow in decompression, beyond its first megabyte.

Streamed records that differ in a word compress to a thirtieth; a bomb to a thousandth.
"""

WRONG_API = "are base_url and wire right for this server?"
"""The hint where one thing is longer than anything that an API sends."""

KEPT = "what came before is kept"
"""The hint where a stream is given up for its length."""


def too_long(what: str, limit: int, hint: str) -> ProviderError:
    """The error of what went past a limit. Sending the same again would not help."""
    size = f"{limit / MEGABYTE:g} MB" if limit >= MEGABYTE else f"{limit} bytes"
    return ProviderError(
        "protocol", f"{what} is longer than {size}, the most that lfg accepts; {hint}"
    )


def too_many(what: str, limit: int) -> ProviderError:
    """As `too_long`, of what is counted."""
    told = f"more than {limit:,} {what}, the most that lfg accepts; try another model"
    return ProviderError("protocol", told)


def says_nothing() -> ProviderError:
    """The error of a stream that goes on and on without saying anything."""
    told = f"{QUIET_RECORDS:,} records in a row without content; {WRONG_API}"
    return ProviderError("protocol", told)


def refuse_crowds(record: str | bytes) -> None:
    """Raises `ProviderError` ("protocol") for JSON of so many values that reading it would hurt.

    Counting takes a thousandth of the time that reading does, and no memory.
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
        told = f"a single record has more than {most}, the most that lfg accepts"
        raise ProviderError("protocol", f"{told}; {WRONG_API}")


def in_pieces(events: Iterable[WireEvent]) -> Iterator[WireEvent]:
    """The events, a long delta as several that say the same: what shows them has its limits too."""
    for event in events:
        match event:
            case TextDelta(text) if len(text) > DELTA_LENGTH:
                yield from (TextDelta(piece) for piece in _cut(text))
            case ReasoningDelta(text, origin) if len(text) > DELTA_LENGTH:
                yield from (ReasoningDelta(piece, origin) for piece in _cut(text))
            case ToolArgumentsDelta(call_id, text) if len(text) > DELTA_LENGTH:
                yield from (ToolArgumentsDelta(call_id, piece) for piece in _cut(text))
            case HostedOutputDelta(call_id, text) if len(text) > DELTA_LENGTH:
                yield from (HostedOutputDelta(call_id, piece) for piece in _cut(text))
            case _:
                yield event


def _cut(text: str) -> Iterator[str]:
    return (text[at : at + DELTA_LENGTH] for at in range(0, len(text), DELTA_LENGTH))


class CallMeter:
    """Measures the calls of a response as they arrive, on any wire."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lengths: dict[str, int] = {}
        self._hosted: set[str] = set()

    def count(self, event: WireEvent) -> None:
        """Raises `ProviderError` ("protocol") where there are too many, or one is too long."""
        match event:
            case ToolCallStarted(call_id, name):
                self._measure(name)
                self._names[call_id] = name
            case HostedTool(name, call_id=str(call_id)):
                self._measure(name)
                self._hosted.add(call_id)
                if len(self._hosted) > HOSTED_CALLS:
                    raise too_many("calls of the provider's own tools", HOSTED_CALLS)
            case ToolArgumentsDelta(call_id, text):
                length = self._lengths[call_id] = self._lengths.get(call_id, 0) + len(text)
                if length > ARGUMENTS_LENGTH:
                    what = f"what the model passes to {self._names.get(call_id, 'a tool')}"
                    raise too_long(what, ARGUMENTS_LENGTH, "have it work in smaller pieces")
            case ToolCallRequested(call_id):
                self._lengths.pop(call_id, None)

    def _measure(self, name: str) -> None:
        if len(name) > NAME_LENGTH:
            raise too_many("characters in a tool's name", NAME_LENGTH)
