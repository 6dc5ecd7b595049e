"""Segments: the finished runs of text that search finds.

A segment is the places of its first and last entry; its text stays in the
entries. It opens with its first piece and closes with whatever ends the run:
the other kind of delta, a tool call, the end of the response, and also a
retry, a cancel or a crash, so broken text is found like any other.
"""

import re

import msgspec

from lfgtui import events as e
from lfgtui.history.kinds import Kind

_LONG = 2000
"""Entries of a run of text after which it is parted, at the next blank, so that a hit
leads to its place. As many entries are packed at a time while more arrive."""

_STARTS_BLANK = re.compile(r"\s")


class Segment(msgspec.Struct):
    """Where a run of text stands. `call` where only that call's entries count.

    `tool` and `file` are what a call, or its output, is about.
    """

    kind: Kind
    attempt: int
    first_seq: int
    last_seq: int
    at: float
    call: str | None = None
    tool: str | None = None
    file: str | None = None


class OpenSegments:
    """The runs of one ticket that may still grow; `apply` gives those that closed."""

    def __init__(self) -> None:
        self._stream: Segment | None = None
        self._is_parted = False
        self._ends_blank = False
        self._calls: dict[str, Segment] = {}
        self._outputs: dict[str, Segment] = {}
        self._hosted: dict[str, Segment] = {}
        self._about: dict[str, tuple[str, str | None]] = {}
        self._complete_to = 0

    @property
    def unfinished(self) -> list[Segment]:
        """Those that may still grow."""
        stream = [self._stream] if self._stream is not None else []
        running = (self._calls, self._outputs, self._hosted)
        return [*stream, *(segment for runs in running for segment in runs.values())]

    def complete_to(self, entry: e.Entry) -> int | None:
        """Return the seq up to which no run is open, after a turn or many entries; else None."""
        if self._calls or self._outputs or self._hosted:
            return None
        if self._stream is not None:
            parted = self._stream.first_seq == entry.seq and self._is_parted
            complete_to = entry.seq - 1 if parted else None
        else:
            is_over = isinstance(entry.event, e.RequestSent | e.Retrying | e.Ending)
            is_long = entry.seq - self._complete_to >= _LONG
            complete_to = entry.seq if is_over or is_long else None
        self._complete_to = complete_to or self._complete_to
        return complete_to

    def apply(self, entry: e.Entry) -> list[Segment]:
        """Take one entry into account, in `seq` order."""
        match entry.event:
            case e.TextDelta(text):
                return self._grow_stream(entry, "text", text)
            case e.ReasoningDelta(text):
                return self._grow_stream(entry, "reasoning", text)
            case e.ToolCallStarted(call_id, name):
                self._about[call_id] = (name, None)
                earlier = self._calls.pop(call_id, None)  # some servers reuse ids
                self._grow(self._calls, entry, "tool_call", call_id)
                return [*self._close_stream(), *([earlier] if earlier else [])]
            case e.ToolArgumentsDelta(call_id):
                self._grow(self._calls, entry, "tool_call", call_id)
            case e.ToolCallRequested(call_id, name, arguments):
                self._calls.pop(call_id, None)
                self._about[call_id] = about = (name, _file(arguments))
                return [*self._close_stream(), _single(entry, "tool_call", None, *about)]
            case e.ToolOutputDelta(call_id):
                self._grow(self._outputs, entry, "tool_output", call_id)
            case e.ToolCallFinished(call_id):
                self._grow(self._outputs, entry, "tool_output", call_id)
                self._about.pop(call_id, None)
                return [self._outputs.pop(call_id)]
            case e.HostedOutputDelta(call_id):
                self._grow(self._hosted, entry, "tool_output", call_id)
            case e.HostedTool():
                return [*self._close_stream(), self._told_of_hosted(entry, entry.event)]
            case e.UserMessage():
                return [*self._close_stream(), _single(entry, "prompt")]
            case e.GuardTripped():
                return [_single(entry, "error")]
            case e.RequestSent() | e.ResponseFinished():
                return self._close_response()
            case e.Retrying() | e.TicketFailed() | e.TicketBlocked():
                return [*self._close_all(), _single(entry, "error")]
            case e.AttemptStarted() | e.TicketDone() | e.TicketCancelled():
                return self._close_all()
            case e.TicketLimited() | e.TicketInterrupted():
                return self._close_all()
            case _:
                pass
        return []

    def _told_of_hosted(self, entry: e.Entry, told: e.HostedTool) -> Segment:
        """What is known of it so far; its whole output stands for what was streamed of it."""
        call_id = told.call_id
        if isinstance(call_id, str):
            self._about[call_id] = (told.name, None)
            if told.output:
                self._hosted.pop(call_id, None)
        return _single(entry, "tool_output" if told.output else "tool_call", None, told.name)

    def _grow_stream(self, entry: e.Entry, kind: Kind, text: str) -> list[Segment]:
        stream = self._stream
        if stream is not None and stream.kind == kind:
            length = entry.seq - stream.first_seq
            is_between = self._ends_blank or _STARTS_BLANK.match(text) or length >= 2 * _LONG
            self._ends_blank = text[-1:].isspace()
            if length < _LONG or not is_between:
                stream.last_seq = entry.seq
                return []
            self._is_parted = True
        else:
            self._is_parted = False
        closed = self._close_stream()
        self._stream = _single(entry, kind)
        return closed

    def _grow(self, runs: dict[str, Segment], entry: e.Entry, kind: Kind, call_id: str) -> None:
        if call_id in runs:
            runs[call_id].last_seq = entry.seq
        else:
            runs[call_id] = _single(entry, kind, call_id, *self._about.get(call_id, ()))

    def _close_stream(self) -> list[Segment]:
        stream, self._stream = self._stream, None
        return [stream] if stream is not None else []

    def _close_response(self) -> list[Segment]:
        closed = [*self._close_stream(), *self._calls.values(), *self._hosted.values()]
        self._calls.clear()
        self._hosted.clear()
        return closed

    def _close_all(self) -> list[Segment]:
        closed = [*self._close_response(), *self._outputs.values()]
        self._outputs.clear()
        self._about.clear()
        return closed


def _single(
    entry: e.Entry,
    kind: Kind,
    call: str | None = None,
    tool: str | None = None,
    file: str | None = None,
) -> Segment:
    return Segment(kind, entry.attempt, entry.seq, entry.seq, entry.at, call, tool, file)


def _file(arguments: e.ToolArguments) -> str | None:
    """The file that a call names."""
    path = arguments.get("path") if isinstance(arguments, dict) else None
    return path if isinstance(path, str) else None
