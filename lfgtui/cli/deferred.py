"""A run whose engine is built after the first frame.

The engine brings the agent, the tools and the providers along; their import
is a good part of the program's start and none of it is needed to draw panes
of queued tickets.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from lfgtui.engine.commands import Command
from lfgtui.events import Entry
from lfgtui.metrics import Meter
from lfgtui.tickets import Ticket
from lfgtui.transcript import Transcript

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine

Sink = Callable[[Sequence[Entry]], None]


class DeferredRun:
    """`ui.view.LiveRun` before there is an engine, and the way to it afterwards."""

    def __init__(
        self, run: str, title: str, tickets: Sequence[Ticket], build: "Callable[[], Engine]"
    ) -> None:
        self.run = run
        self.title = title
        self.tickets = tuple(tickets)
        self._build = build
        self._engine: Engine | None = None
        self._sinks: list[Sink] = []
        self._starting: asyncio.Task[None] | None = None
        self._nothing = Transcript()
        self._still = Meter()

    @property
    def behind(self) -> str | None:
        return self._engine.behind if self._engine else None

    @property
    def unfinished(self) -> Sequence[str]:
        if self._engine is None:
            return [ticket.id for ticket in self.tickets]
        return self._engine.unfinished

    def transcript(self, ticket: str) -> Transcript:
        return self._engine.transcript(ticket) if self._engine else self._nothing

    def meter(self, ticket: str) -> Meter:
        return self._engine.meter(ticket) if self._engine else self._still

    def subscribe(self, sink: Sink) -> None:
        self._sinks.append(sink)

    def send(self, command: Command) -> None:
        if self._engine is not None:
            self._engine.send(command)

    def start(self) -> None:
        """Import and build the engine, then start it."""
        gc.freeze()  # what the start made stays: no collection need look at it again
        gc.enable()
        self._starting = asyncio.create_task(self._start())

    async def shutdown(self) -> None:
        if self._starting is None:
            self.start()
        assert self._starting is not None
        await self._starting
        assert self._engine is not None
        await self._engine.shutdown()

    async def _start(self) -> None:
        await asyncio.to_thread(import_module, "lfgtui.engine.engine")
        self._engine = self._build()
        for sink in self._sinks:
            self._engine.subscribe(sink)
        self._engine.start()
