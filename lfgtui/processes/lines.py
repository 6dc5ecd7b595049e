"""Lines from bytes that arrive in pieces of any size, in bounded memory."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class LongLine:
    """The beginning of a line longer than `limit` bytes; the rest is dropped."""

    start: bytes
    limit: int


@dataclass(frozen=True, slots=True)
class PartialLine:
    """The last line of an output that ended without a line feed."""

    text: bytes


Line: TypeAlias = bytes | LongLine | PartialLine
"""A line without its line feed, or a stand-in for an incomplete one."""

_KEPT = 500
"""Bytes that are kept of a line that is too long."""


class LineSplitter:
    """Splits bytes at line feeds. A line longer than `limit` bytes is returned cut, at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._length = 0
        self._is_too_long = False

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that end in the data."""
        first, *others = data.split(b"\n")
        lines: list[Line] = []
        self._add(first, lines)
        for other in others:
            if not self._is_too_long:
                lines.append(b"".join(self._pieces))
            self._clear()
            self._add(other, lines)
        return lines

    def finish(self) -> list[Line]:
        """Return the rest at the end of the output."""
        lines: list[Line] = [PartialLine(b"".join(self._pieces))] if self._pieces else []
        self._clear()
        return lines

    def _add(self, piece: bytes, lines: list[Line]) -> None:
        if self._is_too_long or not piece:
            return
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length > self._limit:
            lines.append(LongLine(b"".join(self._pieces)[:_KEPT], self._limit))
            self._pieces.clear()
            self._is_too_long = True

    def _clear(self) -> None:
        self._pieces.clear()
        self._length, self._is_too_long = 0, False
