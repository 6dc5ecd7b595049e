"""What was said already, so that no closing record says it again.

On the Responses wire the same words may come as deltas, again in the record
that closes the part, again in the item, again in the whole response; any of
these may be missing, and items may change their places and ids between them.
So what closes is compared with what was streamed: where it goes on from
there, the rest is new; where nothing of it was streamed, all of it; where it
differs, what the person has read stands.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from lfgtui.providers import limits


@dataclass(slots=True)
class _Text:
    pieces: list[str] = field(default_factory=list)
    closed: bool = False
    confirmed: bool = False  # the whole response said it as well

    @property
    def text(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""


class TextDeduplicator:
    """Texts of one kind (visible, or thinking) of one response, by their places.

    Raises `ProviderError` ("protocol") where there are more than `most`. `is_placed`: places
    are ids, so what closes is never compared with what stands at another.
    """

    def __init__(self, most: int = limits.TEXTS, *, is_placed: bool = False) -> None:
        self._most = most
        self._is_placed = is_placed
        self._said: dict[Hashable, _Text] = {}

    def add(self, place: Hashable, piece: str) -> None:
        """A delta."""
        self._at(place).pieces.append(piece)

    def rest(self, place: Hashable, whole: str, *, moved: bool = False) -> str:
        """What `whole` says that was not said, now said. `moved`: places are the whole
        response's, which need not be those of the stream."""
        own = self._at(place)
        said = own if whole.startswith(own.text) else None
        if not self._is_placed and (said is None or not own.text):
            said = self._elsewhere(whole, moved=moved) or said
        own.closed = True
        if said is None:
            return ""
        new = whole[len(said.text) :]
        said.pieces.append(new)
        said.closed = True
        said.confirmed = said.confirmed or moved
        return new

    def _at(self, place: Hashable) -> _Text:
        if place not in self._said:
            if len(self._said) >= self._most:
                raise limits.too_many("parts of text in one response", self._most)
            self._said[place] = _Text()
        return self._said[place]

    def _elsewhere(self, whole: str, *, moved: bool) -> _Text | None:
        others = [
            said
            for said in self._said.values()
            if said.text
            and whole.startswith(said.text)
            # What is closed may be how something else begins, but hardly all of it.
            and (not said.closed or (moved and said.text == whole and not said.confirmed))
        ]
        return max(others, key=lambda said: len(said.text), default=None)
