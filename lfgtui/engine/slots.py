"""Slots: at most as many tickets work at the same time as there are slots.

A ticket that waits for a person, for a retry's delay or for an open circuit gives up its slot, and
waits for one again before its next request or tool run. Tickets that have begun come first, in the
order in which they began to wait; then the others, in the file's order. `turns` decides who is
next; slots are not stored.
"""

import asyncio
import math
from collections.abc import Callable
from itertools import count


class Slots:
    """The slots of a run: `number` of them, which the engine changes on a command.

    `on_change`, set by the engine, is called when a slot is given up or waited for. `are_kept`
    (`hold_slot` in the config): tickets keep their slot while they wait.
    """

    def __init__(self, number: int, *, are_kept: bool = False) -> None:
        self.number = number
        self.are_kept = are_kept
        self.on_change: Callable[[], None] = lambda: None
        self.turns = count()
        """The next place in the line, for `Slot.line_up`."""


class Slot:
    """A ticket's slot. Tickets get theirs in the order of `turn`, equal ones in the file's order.

    `is_taken`: the ticket has it. `TicketRun` also clears that, e.g. when the ticket ends.
    """

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
        """Take the next place in the line; without `has_begun`, one after all that have begun."""
        self.turn = next(self._slots.turns) if has_begun else math.inf

    def take(self) -> None:
        """Have the slot from now on."""
        self.is_taken = True
        self.leave()

    def give_up(self) -> None:
        """Leave the slot to others while the ticket waits, unless slots `are_kept`."""
        if self.is_taken and not self._slots.are_kept:
            self.is_taken = False
            self._slots.on_change()

    async def wait(self) -> None:
        """Wait until the engine calls `take`, or until `leave`."""
        self._wait = asyncio.get_running_loop().create_future()
        self.line_up()
        self._slots.on_change()
        try:
            await self._wait
        finally:
            self._wait = None

    def leave(self) -> bool:
        """End the wait; return False if the ticket did not wait."""
        if self._wait is None or self._wait.done():
            return False
        self._wait.set_result(None)
        return True
