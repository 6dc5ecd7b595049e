"""A ticket's pauses, and its waits for a slot. Its time limit stands still in both."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from lfgtui.engine.recovery.recovery import Waiting
from lfgtui.engine.slots import Slot
from lfgtui.model import events as e


class Hold:
    """A gate that the person closes to pause the ticket, and the slot that it waits for.

    `emit` takes the ticket's events; `holding_clock` stops its time limit during the body.
    """

    def __init__(
        self,
        slot: Slot,
        emit: Callable[[e.Event], None],
        holding_clock: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._slot = slot
        self._emit = emit
        self._holding_clock = holding_clock
        self._gate = asyncio.Event()
        self._gate.set()

    @property
    def is_begun(self) -> bool:
        """True from the request for a pause until `end`."""
        return not self._gate.is_set()

    def begin(self, *, at_once: bool, says_so: bool = True) -> None:
        """Close the gate; a ticket at work pauses when it gets there, one that waits `at_once`.

        Without `says_so` nothing says that the pause is still to come.
        """
        if self.is_begun:
            return
        self._gate.clear()
        if at_once:
            self._emit(e.Paused())
        elif not self._slot.leave() and says_so:  # one that waited for its slot pauses now
            self._emit(e.Status("pausing after this response"))

    def end(self, *, says_so: bool = False) -> None:
        """Open the gate. `says_so`: emit it, for a ticket that is not waiting at the gate.

        (One that is emits it itself.)
        """
        if says_so and self.is_begun:
            self._emit(e.Resumed())
        self._gate.set()

    async def gate(self) -> None:
        """Wait while the ticket is paused, without a slot."""
        if self.is_begun:
            async with self.without_slot():
                await self._wait()

    @asynccontextmanager
    async def without_slot(self) -> AsyncIterator[None]:
        """Give up the slot for the body, and wait for one after it."""
        self._slot.give_up()
        yield
        await self.take_slot()

    async def take_slot(self, waiting: Waiting = nullcontext, *, holds: bool = True) -> None:
        """Wait for a slot unless the ticket has one; first at the gate, if it `holds`.

        `waiting` makes the context manager around the wait for the slot.
        """
        with self._holding_clock():
            while not self._slot.is_taken:
                if holds and self.is_begun:
                    await self._wait()
                else:
                    async with waiting():
                        await self._slot.wait()

    async def _wait(self) -> None:
        """Wait at the gate, paused."""
        self._emit(e.Paused())
        with self._holding_clock():
            await self._gate.wait()
        self._emit(e.Resumed())
