"""The events of a session on their way from the connection, which adds them, to `stream`."""

import asyncio
from collections.abc import Sequence

from lfgtui.model.events import Heartbeat, WireEvent

_MOST = 2_000
"""Most events that wait; with more, `put` waits, so the agent's output is not read."""


class Inbox:
    """Events that have arrived; none of them while `is_discarding`, during a cancel."""

    def __init__(self) -> None:
        self.is_discarding = False
        self._events: list[WireEvent] = []
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def put(self, events: Sequence[WireEvent]) -> None:
        """Add events, and wait while there are too many."""
        self.add(*events)
        while len(self._events) > _MOST:
            self._has_room.clear()
            await self._has_room.wait()

    def add(self, *events: WireEvent) -> None:
        """Add events without waiting; signs of life in a row become one."""
        if self.is_discarding:
            return
        for event in events:
            is_alive = isinstance(event, Heartbeat)
            if not (is_alive and self._events and isinstance(self._events[-1], Heartbeat)):
                self._events.append(event)
        if self._events:
            self._arrived.set()

    async def take(self, ended: asyncio.Event) -> list[WireEvent]:
        """Return the events that have arrived, at least one; [] once `ended` is set."""
        while not self._events and not ended.is_set():
            self._arrived.clear()
            await self._arrived.wait()
        return self.take_now()

    def take_now(self) -> list[WireEvent]:
        """Return the events that have arrived."""
        events, self._events = self._events, []
        self._has_room.set()
        return events

    def wake(self) -> None:
        """Make `take` check again whether the turn has ended."""
        self._arrived.set()

    def discard(self) -> None:
        """Drop present and future events, until `is_discarding` is reset."""
        self.is_discarding = True
        self._events.clear()
        self._has_room.set()
