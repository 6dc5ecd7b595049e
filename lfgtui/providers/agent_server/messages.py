"""The texts of an agent's messages, each emitted once however often it comes.

A message may come in pieces, again whole, and again in every snapshot of the
conversation. Its id identifies it. A piece without an id belongs to the latest
message until that has come whole. In a snapshot a message without an id is
identified by its position, which never changes, and the first time by its text,
since it may have come before.
"""

from lfgtui.providers import limits


class Messages:
    """The texts of one kind (visible, or reasoning) of a run.

    `latest` is the message of the last text: its id, or its number if it has none.
    """

    def __init__(self) -> None:
        self.latest: str | int = 0
        self._pieces: dict[str | int, list[str]] = {}
        self._open = 0  # number of the message without an id that grows
        self._numbers: dict[int, int] = {}  # of messages without an id, by position
        self._apart: dict[str, list[int]] = {}  # the same, in no snapshot yet, by text

    def add(self, key: str | int, piece: str) -> None:
        """Note a piece, which is always new; `key` is the message's id or ""."""
        self.latest = key or self._open
        self._pieces_of(self.latest).append(piece)

    def remainder(self, key: str | int, whole: str) -> str:
        """Return the part of a whole text that did not come before, and note it.

        `key` is an id, a position in a snapshot, or "". If the text differs from its pieces, the
        pieces stand. Raises `ProviderError` ("protocol") for too many texts.
        """
        self.latest = self._place(key, whole)
        streamed = self._text(self.latest)
        new = whole[len(streamed) :] if whole.startswith(streamed) else ""
        self._pieces_of(self.latest).append(new)
        return new

    def end(self) -> None:
        """Note that the message without an id is over, complete or not."""
        self._open += 1

    def _place(self, key: str | int, whole: str) -> str | int:
        """Return the id or the number of a message that came whole."""
        if isinstance(key, int):
            if key not in self._numbers:
                self._numbers[key] = self._number(whole)
            return self._numbers[key]
        if not key:
            self._apart.setdefault(whole, []).append(self._open)
            self.end()
        return key or self._open - 1

    def _number(self, whole: str) -> int:
        """Return the number of a message whose position is new in a snapshot.

        It is one that came whole before, the one that grows, or a new one.
        """
        if same := self._apart.get(whole):
            return same.pop(0)
        if not whole.startswith(self._text(self._open)):
            self.end()
        self.end()
        return self._open - 1

    def _text(self, place: str | int) -> str:
        pieces = self._pieces.get(place, [])
        pieces[:] = ["".join(pieces)]
        return pieces[0]

    def _pieces_of(self, place: str | int) -> list[str]:
        if place not in self._pieces and len(self._pieces) >= limits.HOSTED_CALLS:
            raise limits.too_many("parts of text in one response", limits.HOSTED_CALLS)
        return self._pieces.setdefault(place, [])
