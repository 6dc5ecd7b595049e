"""A real history in a folder of its own, and what came out of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest

from lfgtui.history.recording.store import History
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket


class Recorder:
    """A history and everything it delivered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[e.Entry] = []
        self.batches: list[list[e.Entry]] = []
        self.behind: SimpleQueue[str | None] = SimpleQueue()
        self.history = History.open(path, on_entries=self._take, on_behind=self.behind.put)
        self._at = 1000.0

    def _take(self, entries: list[e.Entry]) -> None:
        self.batches.append(entries)
        self.entries.extend(entries)

    def start(self, *names: str, title: str = "a run") -> str:
        """A new run of these tickets."""
        tickets = [Ticket(id=name, prompt="do it", workspace="/") for name in names]
        return self.history.start_run(title, tickets, None)

    def play(self, run: str, ticket: str, events: Sequence[e.Event], attempt: int = 1) -> None:
        """Submit the events, a second apart, and wait until they are delivered."""
        for event in events:
            self._at += 1
            self.history.submit(run, ticket, attempt, self._at, event)
        self.history.flush().result(30)

    def of(self, ticket: str) -> list[e.Entry]:
        """What was delivered of one ticket."""
        return [entry for entry in self.entries if entry.ticket == ticket]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def recorder(path: Path) -> Iterator[Recorder]:
    recorder = Recorder(path)
    yield recorder
    recorder.history.close()
