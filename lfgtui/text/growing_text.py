"""Text that grows by appending: streamed answers, arguments and output, for as long as they are
shown."""

from bisect import bisect_right

_CHUNK = 1000
"""Characters: small enough to copy with every piece, large enough that chunks are few."""


class Growing:
    """A text kept in chunks, so that appending costs the same however long it is.

    `str` joins the chunks, at a cost that grows with the length.
    """

    __slots__ = ("_begins", "_chunks", "_length")

    def __init__(self, text: str = "") -> None:
        self._chunks = [text]
        self._begins = [0]
        self._length = len(text)

    def append(self, text: str) -> None:
        """Add to the end."""
        if len(self._chunks[-1]) < _CHUNK:
            self._chunks[-1] += text
        else:
            self._chunks.append(text)
            self._begins.append(self._length)
        self._length += len(text)

    def since(self, position: int) -> str:
        """Return the text from `position` on, at a cost that grows with its length alone."""
        return self.piece(position, self._length - position)

    def piece(self, position: int, most: int) -> str:
        """Return at most `most` characters from `position` on; the cost grows with them alone."""
        end = position + most
        index, last = (bisect_right(self._begins, place) - 1 for place in (position, end))
        text = "".join(self._chunks[index : last + 1]) if index < last else self._chunks[index]
        begin = self._begins[index]
        return text[position - begin : end - begin]

    def __len__(self) -> int:
        return self._length

    def __str__(self) -> str:
        return "".join(self._chunks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Growing) and str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]  # it changes
