"""The texts of a response's items, each emitted once, however a server numbers them.

The same words may come as deltas, again in the record that closes the part, again in the item,
again in the whole response; any of these may be missing. Indexes of parts and items tell little:
servers count them from 1, give all parts the same, count reasoning and refusals or do not, and
number the records of one item differently. So texts are compared, and an index decides only
if several would fit. A whole item is compared with all that was streamed of it, in the order
in which it came: if it begins with that, the remainder is new; if nothing of it was streamed,
all of it; if it differs, what the person has read stands. A streamed text matches only one
text of later records, so two equal texts that were both streamed stay two.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, TypeAlias, TypeVar

from lfgtui.providers import limits

PartText: TypeAlias = tuple[Hashable, str]
"""The index of a part, and all of its text."""

T = TypeVar("T")


class Remainder(NamedTuple):
    """The end of a part's text that was not streamed.

    `begins`: it is the whole part, and its item had other parts before.
    """

    text: str
    begins: bool = False


@dataclass(slots=True, eq=False)
class _Text:
    """A text that grows. Its first `closed` characters were confirmed by records that had them."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    closed: int = 0

    def __str__(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def is_open(self) -> bool:
        return self.closed < self.length

    @property
    def rest(self) -> str:
        """The text that no record has confirmed yet."""
        return str(self)[self.closed :]

    def append(self, piece: str) -> None:
        self.pieces.append(piece)
        self.length += len(piece)


class _Whole:
    """The parts of an item that came whole, prepared to be compared with what was streamed."""

    def __init__(self, parts: Sequence[PartText]) -> None:
        self.parts = parts
        self.text = "".join(text for _, text in parts)
        self.indexes = {index for index, _ in parts}
        self._sorted = sorted(text for _, text in parts)

    def has_part_from(self, beginning: str) -> bool:
        """Return True if a part begins so, by a binary search."""
        at = bisect_left(self._sorted, beginning)
        first = self._sorted[at : at + 1]  # that does not sort before it
        return beginning != "" and any(text.startswith(beginning) for text in first)


@dataclass(slots=True, eq=False)
class _Item:
    """An item: its text in the order in which it came, and its parts.

    `newest` is the part that grows at each index. `is_done` once a record had it whole,
    `is_confirmed` once it was found in the record of the whole response.
    """

    text: _Text = field(default_factory=_Text)
    parts: list[tuple[Hashable, _Text]] = field(default_factory=list)
    newest: dict[Hashable, _Text] = field(default_factory=dict)
    is_done: bool = False
    is_confirmed: bool = False

    def begin(self, index: Hashable, text: str = "") -> _Text:
        """Begin a part and return it."""
        part = self.newest[index] = _Text()
        self.parts.append((index, part))
        self.append(part, text)
        return part

    def close_twin(self, whole: str) -> None:
        """Close an open part with this text, if there is one: the server gave it another index."""
        for _, part in self.parts:
            if part.is_open and str(part) == whole:
                part.closed = part.length
                return

    def append(self, part: _Text, text: str) -> None:
        part.append(text)
        self.text.append(text)

    def prefix_length(self, whole: str) -> int:
        """Return the text's length if `whole` begins with it, as it came or by part; else 0."""
        by_part = (str(text) for _, text in self.parts)
        texts = (str(self.text), "".join(by_part))
        return max((len(text) for text in texts if whole.startswith(text)), default=0)

    def streamed_of(self, whole: _Whole) -> list[int] | None:
        """Return how many characters of each part were streamed; None if this is another item.

        Parts are paired by index if that fits one pair; those that differ then count as streamed
        in full. Otherwise they are paired in their order.
        """
        if not any(whole.has_part_from(str(text)) for _, text in self.parts):
            return None
        wholes, own = whole.parts, {index: str(text) for index, text in self.parts}
        if own.keys() <= whole.indexes:
            pairs = [(own.get(index, ""), text) for index, text in wholes]
            if any(mine and text.startswith(mine) for mine, text in pairs):
                return [len(mine if text.startswith(mine) else text) for mine, text in pairs]
        streamed, at = [0] * len(wholes), 0
        for mine in filter(None, (str(text) for _, text in self.parts)):
            fits = (i for i in range(at, len(wholes)) if wholes[i][1].startswith(mine))
            if (found := next(fits, None)) is None:
                return None
            streamed[found], at = len(mine), found + 1
        return streamed if at else None

    def replaced_of(self, wholes: Sequence[PartText]) -> list[int]:
        """Return the same if nothing fits: a part counts as read, with another text, or as new."""
        read, indexes = str(self.text), {index for index, _ in self.parts}
        are_all = len(self.parts) >= len(wholes)
        is_short = len(read) * len(wholes) <= limits.SEARCHED
        stands = (
            are_all or index in indexes or (is_short and text in read) for index, text in wholes
        )
        return [len(text) * stand for (_, text), stand in zip(wholes, stands, strict=True)]

    def finish(self, wholes: Sequence[PartText]) -> None:
        """Replace the parts with those of a record that had the item whole."""
        self.parts.clear()
        self.text = _Text()
        for index, text in wholes:
            part = self.begin(index, text)
            part.closed = part.length
        self.is_done = True


class ItemTexts:
    """The texts of one kind (visible, or reasoning) of one response.

    `place` is a key of an item, `index` of a part within it. Raises `ProviderError` ("protocol")
    for more than `limits.TEXTS`.
    """

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._growing: dict[Hashable, _Item] = {}  # the last streamed, by place
        self._done: dict[Hashable, _Item] = {}  # the last that came whole, by place
        self._count = 0  # of parts

    def add(self, place: Hashable, index: Hashable, delta: str) -> bool:
        """Note a delta, which is always new; return True if it begins a further part."""
        item = self._growing.get(place)
        part = None if item is None else item.newest.get(index)
        if item is not None and part is not None and (part.is_open or not part.length):
            item.append(part, delta)
            return False
        return self._begin(place, index, delta)

    def end_part(self, place: Hashable, index: Hashable, whole: str) -> Remainder:
        """Return the end of a part that came whole, and note it as streamed."""
        item = self._growing.get(place)
        own = None if item is None else item.newest.get(index)
        if item is not None:
            if item.is_done:
                return Remainder("")
            if own is not None and not own.is_open and str(own) == whole:
                item.close_twin(whole)  # without one, it is the same record again
                return Remainder("")
            if (end := _end_inside(item, own, whole)) is not None:
                return Remainder(end)
        if (end := self._end_elsewhere(item, whole)) is not None:
            return Remainder(end)
        if own is not None:
            own.closed = own.length
            return Remainder("")
        begins = self._begin(place, index, whole)
        own = self._growing[place].newest[index]
        own.closed = own.length
        return Remainder(whole, begins)

    def end_item(
        self, place: Hashable, wholes: Sequence[PartText], *, is_response: bool = False
    ) -> list[Remainder]:
        """Return the end of each part of an item that came whole, and note it as streamed.

        `is_response`: it is from the record of the whole response, whose places may differ.
        """
        if not any(text for _, text in wholes):
            return [Remainder("")] * len(wholes)
        self._refuse_more_than(len(wholes))
        own = self._growing.get(place)
        own = self._done.get(place) if own is None or own.is_done else own
        found, streamed = self._find(own, _Whole(wholes), is_response=is_response)
        item = next(iter(found), None)
        if item is None:
            item = _Item()
            self._items.append(item)
        self._count_parts(len(wholes) - sum(len(one.parts) for one in found))
        for other in found:
            other.is_done = other.is_confirmed = True
        item.finish(wholes)
        item.is_confirmed = is_response
        self._done[place] = item
        remainders, begun = [], any(streamed)
        for (_, text), length in zip(wholes, streamed, strict=True):
            remainders.append(Remainder(text[length:], begun and not length))
            begun = begun or bool(text)
        return remainders

    def _find(
        self, own: _Item | None, whole: _Whole, *, is_response: bool
    ) -> tuple[list[_Item], list[int]]:
        """Return the items that streamed these texts, and how much of each part they streamed.

        They are several if a server streams the parts of one item at different places.
        """
        left, found = whole.text, list[_Item]()
        if own is not None and (length := own.prefix_length(left)):
            found, left = [own], left[length:]
        elif own is not None and (streamed := own.streamed_of(whole)) is not None:
            return [own], streamed
        others = [one for one in self._items if one is not own and not one.is_done]
        left, more = _consume(left, [(str(other.text), other) for other in others])
        found += more
        if is_response and not found:
            repeated = (one for one in self._items if one.is_done and not one.is_confirmed)
            found = [one for one in repeated if str(one.text) == whole.text][:1]
            left = "" if found else left
        if found:
            return found, _spread(whole.parts, len(whole.text) - len(left))
        if own is None or own.is_done:  # then it is another item at the same place
            fits = ((one, one.streamed_of(whole)) for one in others)
            found_at = next((([one], streamed) for one, streamed in fits if streamed), None)
            return found_at or ([], [0] * len(whole.parts))
        return [own], own.replaced_of(whole.parts)

    def _begin(self, place: Hashable, index: Hashable, text: str) -> bool:
        """Begin a part; return True if it is a further one of its item."""
        self._count_parts(1)
        item = self._growing.get(place)
        if item is None or item.is_done:
            item = self._growing[place] = _Item()
            self._items.append(item)
        is_further = bool(item.text.length)
        item.begin(index, text)
        return is_further

    def _end_elsewhere(self, item: _Item | None, whole: str) -> str | None:
        """Return the end of a part that was streamed at other places; None if it was not."""
        others = [one for one in self._items if one is not item and not one.is_done]
        growing = [(o, text) for o in others for _, text in o.parts if text.is_open]
        end, found = _consume(whole, [(text.rest, (other, text)) for other, text in growing])
        for _, text in found:
            text.closed = text.length
        if not found:
            return None
        return _complete(*found[-1], end)

    def _count_parts(self, more: int) -> None:
        """Count further parts; raise `ProviderError` for too many."""
        self._count += max(0, more)
        self._refuse_more_than(self._count)

    def _refuse_more_than(self, count: int) -> None:
        if count > limits.TEXTS:
            raise limits.too_many("parts of text in one response", limits.TEXTS)


def _end_inside(item: _Item, own: _Text | None, whole: str) -> str | None:
    """Return the end of an open part of the item, `own` before others; None if none fits."""
    growing = [text for _, text in item.parts if text.is_open]
    for text in sorted(growing, key=lambda text: text is not own):
        if whole.startswith(rest := text.rest):
            return _complete(item, text, whole[len(rest) :])
        if whole and rest.startswith(whole):  # several parts have the same index
            text.closed += len(whole)
            return ""
    if own is not None and own.length and whole.startswith(str(own)):
        return _complete(item, own, whole[own.length :])
    return None


def _complete(item: _Item, text: _Text, end: str) -> str:
    """Add the end of a part, close the part, and return the end."""
    item.append(text, end)
    text.closed = text.length
    return end


def _consume(whole: str, texts: Iterable[tuple[str, T]]) -> tuple[str, list[T]]:
    """Return the rest of `whole` after those texts that it begins with, one after the other.

    Of several that fit the longest is taken. With the rest come the things that the taken
    texts belong to.
    """
    left: dict[str, list[T]] = {}
    for text, owner in texts:
        left.setdefault(text, []).append(owner)
    left.pop("", None)
    longest_first, found, at = sorted(left, key=len, reverse=True), list[T](), 0
    while fit := next((text for text in longest_first if whole.startswith(text, at)), None):
        found.append(left[fit].pop(0))
        at += len(fit)
        if not left[fit]:
            longest_first.remove(fit)
    return whole[at:], found


def _spread(wholes: Sequence[PartText], length: int) -> list[int]:
    """Return how much of each part is within the first `length` characters of all."""
    ends = accumulate((len(text) for _, text in wholes))
    return [
        min(len(text), max(0, length - end + len(text)))
        for (_, text), end in zip(wholes, ends, strict=True)
    ]
