"""Text that is appended to all the time."""

_CHUNK = 1000
"""Characters: small enough to copy with every piece, large enough that chunks are few."""


class Growing:
    """Text in chunks, so that adding to a long one costs no more than to a short one."""

    __slots__ = ("_chunks", "_length")

    def __init__(self, text: str = "") -> None:
        self._chunks = [text]
        self._length = len(text)

    def append(self, text: str) -> None:
        """Add to the end."""
        self._length += len(text)
        if len(self._chunks[-1]) < _CHUNK:
            self._chunks[-1] += text
        else:
            self._chunks.append(text)

    def since(self, position: int) -> str:
        """What follows the first `position` characters; costs no more than that is long."""
        index, begin = len(self._chunks) - 1, self._length - len(self._chunks[-1])
        while begin > position:
            index -= 1
            begin -= len(self._chunks[index])
        return "".join([self._chunks[index][position - begin :], *self._chunks[index + 1 :]])

    def __len__(self) -> int:
        return self._length

    def __str__(self) -> str:
        return "".join(self._chunks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Growing) and str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]  # it changes
