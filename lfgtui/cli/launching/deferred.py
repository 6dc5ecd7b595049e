"""A run whose engine is built after the first frame.

The engine brings the history, the agent, the tools and the providers along;
their import is a good part of the program's start and none of it is needed to
draw panes of queued tickets.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lfgtui.engine.commands import Command
from lfgtui.errors import LfgError
from lfgtui.model.events import Sink
from lfgtui.model.metrics import Meter
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.ui.painting.gc_policy import collect_rarely

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine


class DeferredRun:
    """`ui.view.LiveRun` before there is an engine, and the way to it afterwards.

    `build` runs in a thread. Where it raises, `failure` says why and
    `give_up` is called: there is nothing to show. Where the run's end cannot
    be saved, `failure` says that.
    """

    def __init__(
        self,
        title: str,
        tickets: Sequence[Ticket],
        build: "Callable[[], Engine]",
        give_up: Callable[[], None],
    ) -> None:
        self.title = title
        self.tickets = tuple(tickets)
        self.failure: Exception | None = None
        self._build = build
        self._give_up = give_up
        self._engine: Engine | None = None
        self._sinks: list[Sink] = []
        self._starting: asyncio.Task[None] | None = None
        self._nothing = Transcript()
        self._still = Meter()

    @property
    def run(self) -> str:
        return self._engine.run if self._engine else ""

    @property
    def behind(self) -> str | None:
        return self._engine.behind if self._engine else None

    @property
    def resting(self) -> Mapping[str, float]:
        return self._engine.resting if self._engine else {}

    @property
    def queued_bytes(self) -> int:
        return self._engine.queued_bytes if self._engine else 0

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
        """Build the engine and start it. Call once, from the running loop."""
        collect_rarely()
        self._starting = asyncio.create_task(self._start())

    async def shutdown(self) -> None:
        if self._starting is None:
            return
        await self._starting
        if self._engine is not None:
            try:
                await self._engine.shutdown()
            except LfgError as error:  # the end could not be saved: told when the screen is gone
                self.failure = error

    async def _start(self) -> None:
        try:
            engine = await asyncio.to_thread(self._build)
        except Exception as error:
            self.failure = error
            self._give_up()
            return
        for sink in self._sinks:
            engine.subscribe(sink)
        self._engine = engine
        engine.start()
