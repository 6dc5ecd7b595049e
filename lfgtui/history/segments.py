"""Segments: the finished runs of text that search finds.

A segment is the places of its first and last entry; its text stays in the
entries. It opens with its first piece and closes with whatever ends the run:
the other kind of delta, a tool call, the end of the response, and also a
retry, a cancel or a crash, so broken text is found like any other.
"""

from typing import Literal, TypeAlias

import msgspec

from lfgtui import events as e

Kind: TypeAlias = Literal["text", "reasoning", "prompt", "tool_call", "tool_output", "error"]


class Segment(msgspec.Struct):
    """Where a run of text stands. `call` where only that call's entries count."""

    kind: Kind
    attempt: int
    first_seq: int
    last_seq: int
    at: float
    call: str | None = None


class OpenSegments:
    """The runs of one ticket that may still grow; `apply` gives those that closed."""

    def __init__(self) -> None:
        self._stream: Segment | None = None
        self._calls: dict[str, Segment] = {}
        self._outputs: dict[str, Segment] = {}

    def apply(self, entry: e.Entry) -> list[Segment]:
        """Take one entry into account, in `seq` order."""
        match entry.event:
            case e.TextDelta():
                return self._grow_stream(entry, "text")
            case e.ReasoningDelta():
                return self._grow_stream(entry, "reasoning")
            case e.ToolCallStarted(call_id):
                earlier = self._calls.pop(call_id, None)  # some servers reuse ids
                self._grow(self._calls, entry, "tool_call", call_id)
                return [*self._close_stream(), *([earlier] if earlier else [])]
            case e.ToolArgumentsDelta(call_id):
                self._grow(self._calls, entry, "tool_call", call_id)
            case e.ToolCallRequested(call_id):
                self._calls.pop(call_id, None)
                return [*self._close_stream(), _single(entry, "tool_call")]
            case e.ToolOutputDelta(call_id):
                self._grow(self._outputs, entry, "tool_output", call_id)
            case e.ToolCallFinished(call_id):
                self._grow(self._outputs, entry, "tool_output", call_id)
                return [self._outputs.pop(call_id)]
            case e.HostedTool(_, _, output):
                kind: Kind = "tool_output" if output else "tool_call"
                return [*self._close_stream(), _single(entry, kind)]
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

    def _grow_stream(self, entry: e.Entry, kind: Kind) -> list[Segment]:
        if self._stream is not None and self._stream.kind == kind:
            self._stream.last_seq = entry.seq
            return []
        closed = self._close_stream()
        self._stream = _single(entry, kind)
        return closed

    def _grow(self, runs: dict[str, Segment], entry: e.Entry, kind: Kind, call_id: str) -> None:
        if call_id in runs:
            runs[call_id].last_seq = entry.seq
        else:
            runs[call_id] = _single(entry, kind, call_id)

    def _close_stream(self) -> list[Segment]:
        stream, self._stream = self._stream, None
        return [stream] if stream is not None else []

    def _close_response(self) -> list[Segment]:
        closed = [*self._close_stream(), *self._calls.values()]
        self._calls.clear()
        return closed

    def _close_all(self) -> list[Segment]:
        closed = [*self._close_response(), *self._outputs.values()]
        self._outputs.clear()
        return closed


def _single(entry: e.Entry, kind: Kind, call: str | None = None) -> Segment:
    return Segment(kind, entry.attempt, entry.seq, entry.seq, entry.at, call)
