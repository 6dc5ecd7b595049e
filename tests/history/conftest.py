"""A real history in a folder of its own, and what came out of it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest

from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.search import SearchHit
from lfgtui.history.storage import file
from lfgtui.model import events as e
from lfgtui.model.fold.metrics import HistoryTrouble
from lfgtui.model.tickets import Ticket


class Recording(Recorder):
    """A recorder, and everything it delivered."""

    def __init__(self, path: Path) -> None:
        self.entries: list[e.Entry] = []
        self.behind: SimpleQueue[HistoryTrouble | None] = SimpleQueue()
        self.at = 1000.0
        super().__init__(path)
        self.on_entries, self.on_behind = self.entries.extend, self.behind.put

    def start(self, *names: str, title: str = "a run") -> str:
        """Start a run of these tickets."""
        return start(self, *names, title=title)

    def play(
        self, run: str, ticket: str, events: Sequence[e.Event], attempt: int = 1
    ) -> list[e.Entry]:
        """Submit the events, a second apart, and wait until they are delivered."""
        for event in events:
            self.at += 1
            self.submit(run, ticket, attempt, self.at, event)
        self.flush().result(30)
        return self.of(ticket)

    def add(self, run: str, *names: str) -> None:
        """Add tickets to the run."""
        self.add_tickets(run, [Ticket(id=name, prompt="more", workspace="/") for name in names])

    def play_run(self, events: Sequence[e.Event], title: str = "a run") -> str:
        """Play a whole run of the one ticket `a`."""
        run = self.start("a", title=title)
        self.play(run, "a", events)
        self.finish_run(run, "failed")
        return run

    def set_clock(self, at: float) -> None:
        """Let it be that time, for the history as well as for events."""
        self.at = at - 100
        self.clock = lambda: at

    def reader(self) -> Reader:
        """Return a reader of the file that is written now."""
        return Reader(self.file.path)

    def of(self, ticket: str, run: str | None = None) -> list[e.Entry]:
        """Return what was delivered of one ticket."""
        return [one for one in self.entries if one.ticket == ticket and run in (None, one.run)]

    def stored(self, run: str, ticket: str = "a") -> list[e.Entry]:
        """Return the ticket's entries in the file."""
        return stored(self.path, run, ticket)

    def search(self, query: str, limit: int = 50, **how: bool) -> list[SearchHit]:
        """Return what a search of the file finds."""
        with Reader(self.path) as reader:
            return reader.search(query, limit, **how)


def start(history: Recorder, *names: str, title: str = "a run") -> str:
    """Start a run of these tickets."""
    tickets = [Ticket(id=name, prompt="do it", workspace="/") for name in names]
    return history.start_run(title, tickets, None)


def stored(path: Path, run: str, ticket: str = "a") -> list[e.Entry]:
    """Return the ticket's entries in that file."""
    with Reader(path) as reader:
        return list(reader.entries(run, ticket))


def events(path: Path, run: str, ticket: str = "a") -> list[e.Event]:
    """Return the ticket's events in that file."""
    return [entry.event for entry in stored(path, run, ticket)]


def run_ids(path: Path) -> set[str]:
    """Return the runs that the file lists."""
    with Reader(path) as reader:
        return {run.run for run in reader.runs()}


def spoil(path: Path, sql: str, **values: object) -> None:
    """Change the file as no lfg does."""
    with closing(file.connect(path)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(sql, values)


def check_index(path: Path) -> None:
    """Raise where the index of words does not list just what the segments hold."""
    with closing(file.connect(path)) as db:
        db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('integrity-check')")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program in the middle of a transaction."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def recorder(path: Path) -> Iterator[Recording]:
    recorder = Recording(path)
    yield recorder
    recorder.close()
