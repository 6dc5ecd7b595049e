"""Segments: the finished runs of text that search finds.

A segment is the numbers of its first and last entry; its text stays in the
entries. It opens with its first piece and closes with whatever ends the text:
the other kind of delta, a tool call, the end of the response, and also a
retry, a cancel or a crash, so broken text is found like any other.
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from lfgtui.model import events as e
from lfgtui.model.facets import Ends, IndexedKind
from lfgtui.model.pieces import call_of, kind_of, searchable, text_of, tool_of

_LONG = 2000
"""Entries of a text after which it is split, at the next blank, so that a hit leads close to the
match. While more arrive, this many entries are packed at a time."""

_STARTS_BLANK = re.compile(r"\s")

_About: TypeAlias = tuple[str | None, str | None]
_NOTHING: _About = (None, None)


class Segment(msgspec.Struct):
    """The entries of a text; with `call`, only that call's entries among them.

    `tool` and `file` are those of the call, or of the call that printed the output.
    """

    kind: IndexedKind
    attempt: int
    first_seq: int
    last_seq: int
    at: float
    call: str | None = None
    tool: str | None = None
    file: str | None = None


class OpenSegments:
    """The texts of one ticket that may still grow; `apply` returns those that closed."""

    def __init__(self) -> None:
        self._stream: Segment | None = None
        self._is_parted = False
        self._ends_blank = False
        self._of_calls: dict[tuple[IndexedKind, str], Segment] = {}
        self._about: dict[str, _About] = {}
        self._complete_to = 0

    @property
    def unfinished(self) -> list[Segment]:
        """The texts that may still grow."""
        return [*([self._stream] if self._stream else []), *self._of_calls.values()]

    def complete_to(self, entry: e.Entry) -> int | None:
        """Return the seq up to which no text is open, after a turn or many entries; else None."""
        if self._of_calls:
            return None
        if self._stream is not None:
            parted = self._stream.first_seq == entry.seq and self._is_parted
            complete_to = entry.seq - 1 if parted else None
        else:
            is_over = entry.event.facets.ends == "turn"
            is_long = entry.seq - self._complete_to >= _LONG
            complete_to = entry.seq if is_over or is_long else None
        self._complete_to = complete_to or self._complete_to
        return complete_to

    def apply(self, entry: e.Entry) -> list[Segment]:
        """Apply one entry; call it in `seq` order."""
        event, facets = entry.event, entry.event.facets
        kind, call = kind_of(event), call_of(event)
        if facets.is_piece and kind is not None:
            if not call:
                return self._grow_stream(entry, kind)
            self._grow_call(entry, kind, call)
            return []
        closed = [] if facets.is_aside else self._close(facets.ends)
        if facets.tool:
            about: _About = (tool_of(event), _file(event))
            self._about.update({call: about} if call else {})
        else:
            about = self._about.get(call, _NOTHING)
        if kind is None:
            return closed
        if facets.part == "completes" and call:
            self._grow_call(entry, kind, call)
            return [*closed, self._of_calls.pop((kind, call))]
        earlier = self._of_calls.pop((kind, call), None) if facets.part else None
        if facets.part == "begins":
            self._grow_call(entry, kind, call)
            return [*closed, *([earlier] if earlier else [])]  # some servers reuse ids
        return [*closed, _single(entry, kind, None, about)]

    def _grow_stream(self, entry: e.Entry, kind: IndexedKind) -> list[Segment]:
        stream, text = self._stream, text_of(entry.event)
        self._is_parted = False
        if stream is not None and stream.kind == kind:
            length = entry.seq - stream.first_seq
            is_between = self._ends_blank or _STARTS_BLANK.match(text) or length >= 2 * _LONG
            self._ends_blank = text[-1:].isspace()
            if length < _LONG or not is_between:
                stream.last_seq = entry.seq
                return []
            self._is_parted = True
        self._stream = _single(entry, kind)
        return [stream] if stream is not None else []

    def _grow_call(self, entry: e.Entry, kind: IndexedKind, call: str) -> None:
        if (run := self._of_calls.get((kind, call))) is not None:
            run.last_seq = entry.seq
        else:
            about = self._about.get(call, _NOTHING)
            self._of_calls[kind, call] = _single(entry, kind, call, about)

    def _close(self, ends: Ends) -> list[Segment]:
        closed = [self._stream] if self._stream is not None else []
        self._stream = None
        if ends in ("response", "turn"):
            closed += self._of_calls.values()
            self._of_calls.clear()
        return closed


def joined(segment: Segment, events: Iterable[e.Event]) -> str:
    """Return the segment's text, from the events of its first to its last entry.

    A call's live output and the output that the model got mostly overlap: then only the longer
    one is kept.
    """
    pieces: list[str] = []
    streamed, result = "", None
    for event in events:
        if kind_of(event) != segment.kind or segment.call not in (None, call_of(event)):
            continue
        facets = event.facets
        if facets.is_piece:
            pieces.append(text_of(event))
        elif facets.part == "completes":
            result = searchable(event)
        else:
            streamed += searchable(event) + ("\n" if facets.part == "begins" else "")
    text = "".join(pieces).replace("\0", "\u2400")
    if segment.kind == "tool_call":  # JSON, in which `\nmain` would be the word `nmain`
        text = text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    streamed += text
    if result is None:
        return streamed
    if streamed.rstrip("\n\r ") in result:
        return result
    return streamed if result.rstrip("\n\r ") in streamed else f"{streamed}\n{result}"


def _single(
    entry: e.Entry, kind: IndexedKind, call: str | None = None, about: _About = _NOTHING
) -> Segment:
    return Segment(kind, entry.attempt, entry.seq, entry.seq, entry.at, call, *about)


def _file(event: e.Event) -> str | None:
    """Return the file that a call names."""
    arguments = getattr(event, event.facets.json, None)
    path = arguments.get("path") if isinstance(arguments, dict) else None
    return path if isinstance(path, str) else None
