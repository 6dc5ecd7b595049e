"""Slots: no more tickets than there are slots work at the same time.

A ticket that waits for a person, for a retry's delay or for an open circuit gives up its slot,
and takes one again before its next request or its tool's run. Tickets that have begun come
first, in the order in which they began to wait; then the others, in the file's order. The engine
gives out the slots, and does not store them.
"""

import asyncio
import math
from collections.abc import Callable
from itertools import count


class Slots:
    """The slots of a run. `on_change` is called when one is given up or waited for.

    `are_kept`: tickets keep their slot while they wait.
    """

    def __init__(self, number: int, *, are_kept: bool = False) -> None:
        self.number = number
        self.are_kept = are_kept
        self.on_change: Callable[[], None] = lambda: None
        self.turns = count()


class Slot:
    """A ticket's slot. Tickets get theirs in the order of `turn`."""

    def __init__(self, slots: Slots) -> None:
        self.is_taken = False
        self.turn = math.inf
        self._slots = slots
        self._wait: asyncio.Future[None] | None = None

    @property
    def is_awaited(self) -> bool:
        """True while a ticket at work waits for it."""
        return self._wait is not None and not self._wait.done()

    def line_up(self, *, has_begun: bool = True) -> None:
        """Begin to wait, after the others; a ticket that has not begun lets later ones pass."""
        self.turn = next(self._slots.turns) if has_begun else math.inf

    def take(self) -> None:
        """Have the slot from now on."""
        self.is_taken = True
        self.leave()

    def give_up(self) -> None:
        """Leave the slot to others while the ticket waits for something else."""
        if self.is_taken and not self._slots.are_kept:
            self.is_taken = False
            self._slots.on_change()

    async def wait(self) -> None:
        """Wait until the slot is taken, or until `leave`."""
        self._wait = asyncio.get_running_loop().create_future()
        self.line_up()
        self._slots.on_change()
        try:
            await self._wait
        finally:
            self._wait = None

    def leave(self) -> bool:
        """Wait no longer; return False if nobody did."""
        if self._wait is None or self._wait.done():
            return False
        self._wait.set_result(None)
        return True
