"""A run that never asks for anything: the bench says when tokens arrive."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from lfgtui.engine.commands import Command
from lfgtui.model import events as e
from lfgtui.model.events import Sink
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket

_START = 1_772_600_000.0


class BenchRun:
    """`LiveRun`, folding real entries into real transcripts and meters.

    Without a clock of its own it stands still but for `advance`.
    """

    run = "20260304-0513-a1b2"
    title = "Bench"
    health = Health()

    def __init__(self, panes: int, clock: Callable[[], float] | None) -> None:
        self.tickets = tuple(
            Ticket(id=f"pane-{n}", title=f"Pane {n}", prompt="Write.", workspace=".")
            for n in range(panes)
        )
        self.started = asyncio.Event()
        self._clock = clock
        self._now = _START
        self._transcripts = [Transcript() for _ in self.tickets]
        self._meters = [Meter() for _ in self.tickets]
        self._by_id = {ticket.id: n for n, ticket in enumerate(self.tickets)}
        self._panes = {id(transcript): n for n, transcript in enumerate(self._transcripts)}
        self._sinks: list[Sink] = []

    def clock(self) -> float:
        """Seconds since the epoch, as the screen sees them."""
        return self._clock() if self._clock is not None else self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def pane_of(self, transcript: Transcript) -> int:
        """Which pane shows it."""
        return self._panes[id(transcript)]

    def stream(self, pane: int, tokens: Sequence[str]) -> None:
        """Tokens arrive, one entry each, as one batch."""
        self._happen(pane, [e.TextDelta(token) for token in tokens])

    def _happen(self, pane: int, happened: Sequence[e.Event]) -> None:
        transcript, meter, now = self._transcripts[pane], self._meters[pane], self.clock()
        entries = []
        for event in happened:
            number = transcript.last_seq + 1
            entry = e.Entry(self.run, self.tickets[pane].id, 1, number, now, event)
            transcript.apply(entry)
            meter.apply(entry)
            entries.append(entry)
        for sink in self._sinks:
            sink(entries)

    # What the screen asks for

    def transcript(self, ticket: str) -> Transcript:
        return self._transcripts[self._by_id[ticket]]

    def meter(self, ticket: str) -> Meter:
        return self._meters[self._by_id[ticket]]

    @property
    def unfinished(self) -> Sequence[str]:
        return list(self._by_id)

    def subscribe(self, sink: Sink) -> None:
        self._sinks.append(sink)

    def watch(self, tickets: Collection[str]) -> None:
        """Nothing is read sooner than anything else."""

    def painted(self, tickets: Collection[str]) -> None:
        """Nothing is measured here but by the bench."""

    def start(self) -> None:
        for pane in range(len(self.tickets)):
            begun = e.AttemptStarted("anthropic", "claude-sonnet-4-5")
            prompt = e.UserMessage("Write.")
            self._happen(pane, [e.TicketQueued(), begun, prompt, e.RequestSent(1)])
        self.started.set()

    def send(self, command: Command) -> None:
        """Nothing is asked of a bench."""

    async def shutdown(self) -> None:
        """Nothing runs."""
