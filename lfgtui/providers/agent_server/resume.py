"""The position in a stream, so that it can be resumed there and nothing is repeated.

A server that gives its events ids can be asked for what follows the last one
(`Last-Event-ID`). How it answers is its own affair, and four answers are
known: it goes on behind that id; it sends some events again; it starts over
from the first, with the same ids; it has forgotten and begins a new run. The
first three lead to the same text, since events are known by their ids. The
fourth is refused: half of one answer and the whole of another are no answer.

Events without an id of their own belong to the id before them, and come again
after it. They can only be recognised by their content, in their order.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from lfgtui.providers.transport.body import Whole
from lfgtui.providers.transport.sse import Comment

_COUNTED = re.compile(r"(.*?)(\d{1,18})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as it came. `id` is its own, "" where it has none."""

    name: str
    data: str
    id: str = ""


Item: TypeAlias = Arrival | Comment | Whole
"""An item of a connection."""


class BeganAnew(Exception):  # noqa: N818 - a fact about the server
    """The server does not go on with the run that broke off."""


class Cursor:
    """The position in one run's stream, across its connections.

    `last_id` is where to go on, "" where that is not possible. `is_replaying`
    while a connection that was taken up has brought nothing new.
    """

    def __init__(self) -> None:
        self.last_id = ""
        self.is_replaying = False
        self._seen: set[str] = set()
        self._head: list[int] = []  # what came before the first id
        self._tail: list[int] = []  # what came after the last
        self._at: str | None = None
        self._matched_head = self._matched_tail = self._repeatable = 0
        self._counting = _Counting()

    def take_up(self) -> None:
        """Begin a new connection, which is compared with what came before."""
        self.is_replaying = True
        self._at = None
        self._matched_head = self._matched_tail = 0
        self._repeatable = len(self._tail)

    def move(self, event_id: str) -> None:
        """Move to an id that came alone, or "" for none."""
        if self.is_replaying and event_id in self._seen:
            self._at, self._matched_tail = event_id, 0
            return
        self.is_replaying = False
        self.last_id = event_id
        self._tail.clear()
        if event_id:
            self._seen.add(event_id)

    def is_new(self, arrival: Arrival) -> bool:
        """Return True if the event was not delivered before; it counts as delivered from now on.

        Raises `BeganAnew` where the ids show that another run is being sent.
        """
        if self.is_replaying and self._is_known(arrival):
            return False
        if arrival.id:
            if self.is_replaying and not self._counting.fits(arrival.id):
                raise BeganAnew
            self._counting.add(arrival.id)
            self.move(arrival.id)
            return True
        digest = hash((arrival.name, arrival.data))
        (self._tail if self._seen else self._head).append(digest)
        return True

    def _is_known(self, arrival: Arrival) -> bool:
        if arrival.id:
            if known := arrival.id in self._seen:
                self._at, self._matched_tail = arrival.id, 0
            return known
        digest = hash((arrival.name, arrival.data))
        if self._at not in (None, self.last_id):
            return True  # in the midst of what was delivered
        if self._matched_tail < self._repeatable and self._tail[self._matched_tail] == digest:
            self._matched_tail += 1
            return True
        if self._at is None and self._matched_head < len(self._head):
            if known := self._head[self._matched_head] == digest:
                self._matched_head += 1
            return known
        return False


class _Counting:
    """Ids that count upwards behind one prefix, as in `run-7:41`, `run-7:42`."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None
        self._added = 0
        self._holds = True

    def add(self, event_id: str) -> None:
        here = _parts(event_id)
        self._added += 1
        if self._last is not None and not _follows(self._last, here):
            self._holds = False
        self._last = here

    def fits(self, event_id: str) -> bool:
        """Return True if the id may continue the count, or nothing is counted."""
        if not self._holds or self._added < 2 or self._last is None:
            return True
        return _follows(self._last, _parts(event_id))


def _parts(event_id: str) -> tuple[str, int] | None:
    match = _COUNTED.fullmatch(event_id)
    return None if match is None else (match[1], int(match[2]))


def _follows(before: tuple[str, int], here: tuple[str, int] | None) -> bool:
    return here is not None and here[0] == before[0] and here[1] > before[1]
