"""Segments: the finished texts that search finds.

`OpenSegments` finds where they begin and end in a ticket's entries; `joined` makes
the text of one. A segment begins with its first piece and is closed by whatever
ends the text: another kind of delta, a tool call, the end of the response, and
also a retry, a cancel or a crash, so text that broke off is found like any other.
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from lfgtui.model import events as e
from lfgtui.model.facets import Ends, IndexedKind
from lfgtui.model.pieces import call_of, kind_of, searchable, text_of, tool_of

_LONG = 2000
"""Entries after which a text is split, at the next blank, so that a hit leads close to the match.
In a turn that goes on, this many entries are packed at a time."""

_STARTS_BLANK = re.compile(r"\s")  # with `match`: a text that begins with a blank

_About: TypeAlias = tuple[str | None, str | None]  # the tool and the file of a call
_NOTHING: _About = (None, None)


class Segment(msgspec.Struct):
    """The entries of a text, from `first_seq` to `last_seq`; with `call`, only those of that call.

    `tool` and `file` are those of the call, or of the call that the output is of. `at` is the time
    of the first entry.
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
    """The texts of one ticket that may still grow; `apply` returns those that closed.

    At most one is streamed by the model; each call may have further ones, of its arguments and its
    output.
    """

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
        """Return the number up to which entries may be packed, as no text among them is open.

        None unless a turn or `_LONG` entries have ended with `entry`, which was applied last.
        """
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
        """Apply one entry, in `seq` order; return the segments that it closes."""
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
            return [*closed, *([earlier] if earlier else [])]  # some servers use an id again
        return [*closed, _single(entry, kind, None, about)]

    def _grow_stream(self, entry: e.Entry, kind: IndexedKind) -> list[Segment]:
        """Add a piece to the streamed text, or close that and begin another."""
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
        """Close the streamed text and, if the response or turn ends, the texts of calls."""
        closed = [self._stream] if self._stream is not None else []
        self._stream = None
        if ends in ("response", "turn"):
            closed += self._of_calls.values()
            self._of_calls.clear()
        return closed


def joined(segment: Segment, events: Iterable[e.Event]) -> str:
    """Return the segment's text; `events` are those of its first to its last entry.

    The live output of a call and the output that the model got are often the same: then only the
    longer one is kept.
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
    if segment.kind == "tool_call":  # arguments as JSON: in `\nmain`, FTS5 would find `nmain`
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
    """Return the argument `path` of a call, if it has one."""
    arguments = getattr(event, event.facets.json, None)
    path = arguments.get("path") if isinstance(arguments, dict) else None
    return path if isinstance(path, str) else None
