"""The position in a stream, so that it can be resumed there and nothing is repeated.

A server that gives its events ids can be asked for the events after the last one
(`Last-Event-ID`). Servers answer in four ways: they continue after that id; they send
some events again; they start over from the first, with the same ids; or they have
forgotten the run and begin a new one. The first three lead to the same text, since
events that came before are recognized by their ids. The fourth is refused: half of one
answer and the whole of another make no sense.

Events without an id of their own belong to the id before them, and come again
after it. They can only be recognized by their content, in their order.
"""

from string import digits

from httpx_sse import ServerSentEvent

from lfgtui.errors import ProviderError
from lfgtui.providers.transport.body import Part, Whole
from lfgtui.providers.transport.sse import Position


class NewRunError(ProviderError):
    """The server sent another run instead of the one that broke off."""

    def __init__(self) -> None:
        super().__init__("cut", "the server started a new run")


class Cursor:
    """The position in one run's stream, across its connections.

    `last_id` is the last event's id, "" if the stream cannot be resumed. `is_replaying` while a
    resumed connection has brought no new id. The wire sets the rest: `retry`, in seconds, and
    `url` are when and where the server wants to be asked, if it said so; `connect` is the seconds
    that the newest connection took to open, None if it was open.
    """

    def __init__(self) -> None:
        self.last_id = ""
        self.is_replaying = False
        self.retry: float | None = None
        self.url = ""
        self.connect: float | None = None
        self._id = ""  # the one in force on this connection
        self._seen: set[str] = set()
        self._counts = True  # all ids so far count upwards, see `_follows`
        self._head: list[int] = []  # digests of what came before the first id
        self._tail: list[int] = []  # digests of what came after the last id
        # How many digests this connection has repeated, and may repeat of the tail.
        self._matched_head = self._matched_tail = self._repeatable = 0

    def resume(self) -> None:
        """Prepare for a new connection, whose events are compared with earlier ones."""
        self.is_replaying = True
        self._id = ""
        self._matched_head = self._matched_tail = 0
        self._repeatable = len(self._tail)

    def is_new(self, part: Part) -> bool:
        """Return True if a part did not come before, and note it; to be called once for each.

        Raises `NewRunError` if the part shows that another run is being sent.
        """
        if isinstance(part, ServerSentEvent):
            if part.id != self._id:  # it stays in force until the next one
                if part.id:
                    return self._move(part.id)
                self._move("")
            return self._is_new_content(hash((part.event, part.data)))
        if isinstance(part, Position):
            self._move(part.id)
        elif isinstance(part, Whole) and self.is_replaying:
            raise NewRunError
        return True

    def _move(self, event_id: str) -> bool:
        """Move to an id, or "" for none; return False if it came before."""
        self._id, self._matched_tail = event_id, 0
        if self.is_replaying and event_id in self._seen:
            return False
        if event_id:
            follows = not self.last_id or _follows(self.last_id, event_id)
            if self.is_replaying and self._counts and len(self._seen) > 1 and not follows:
                raise NewRunError
            self._counts = self._counts and follows
            self._seen.add(event_id)
        self.is_replaying = False
        self.last_id = event_id
        self._tail.clear()
        return True

    def _is_new_content(self, digest: int) -> bool:
        """Return True if an event without an id of its own did not come before."""
        if self.is_replaying:
            if self._id not in ("", self.last_id):
                return False  # it follows an id that came before
            at = self._matched_tail
            if at < self._repeatable and self._tail[at] == digest:
                self._matched_tail += 1
                return False
            at = self._matched_head
            if not self._id and at < len(self._head) and self._head[at] == digest:
                self._matched_head += 1
                return False
        (self._tail if self._seen else self._head).append(digest)
        return True


def _follows(before: str, after: str) -> bool:
    """Return True for two ids that count upwards after one prefix, as `run-7:9`, `run-7:10`."""
    prefix = before.rstrip(digits)
    old, new = before[len(prefix) :], after[len(prefix) :]
    return after.rstrip(digits) == prefix and (len(new), new) > (len(old), old)
