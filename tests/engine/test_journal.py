"""A run's line to the history, when the history cannot be written."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lfgtui.engine.journal import PENDING_EVENTS, Journal
from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording import store, writer
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(writer, "CLOSING_PATIENCE", 0.3)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program in the middle of a transaction."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def begun(path: Path) -> Journal:
    journal = Journal(path)
    journal.begin("t", [Ticket(id="a", prompt="p", workspace="/")], None)
    return journal


@pytest.mark.usefixtures("impatient")
async def test_a_run_whose_end_cannot_be_saved_ends_all_the_same(path: Path) -> None:
    journal = await asyncio.to_thread(begun, path)
    told: list[str | None] = []
    journal.attach(asyncio.get_running_loop(), lambda _: None, told.append)
    lock = locked(path)
    await asyncio.to_thread(lock.__enter__)
    journal.submit("a", 1, 0.0, e.TicketQueued())
    await journal.settle()
    journal.mark("running")
    journal.mark("done")
    with pytest.raises(HistoryError, match="could not be saved"):
        await journal.finish("done")
    await asyncio.to_thread(journal.__exit__, None, None, None)
    await asyncio.to_thread(lock.__exit__, None, None, None)
    assert "1 entries could not be saved" in str(journal.failure)
    assert "another program holds it" in str(told[0])


async def test_a_run_marked_while_history_is_behind_is_marked_when_it_has_caught_up(
    path: Path,
) -> None:
    journal = await asyncio.to_thread(begun, path)
    journal.attach(asyncio.get_running_loop(), lambda _: None, lambda _: None)
    lock = locked(path)
    await asyncio.to_thread(lock.__enter__)
    journal.submit("a", 1, 0.0, e.TicketQueued())
    await journal.settle()
    journal.mark("failed")
    await asyncio.to_thread(lock.__exit__, None, None, None)
    await journal.finish("failed")
    await asyncio.to_thread(journal.__exit__, None, None, None)

    def state() -> str:
        with Reader(path) as reader:
            return reader.run(journal.run).state

    assert await asyncio.to_thread(state) == "failed"
    assert journal.failure is None


async def test_many_small_events_hold_back_who_reads_as_large_ones_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 30.0)
    journal = await asyncio.to_thread(begun, path)
    journal.attach(asyncio.get_running_loop(), lambda _: None, lambda _: None)
    lock = locked(path)
    await asyncio.to_thread(lock.__enter__)
    submitted = 0

    async def flood() -> None:
        nonlocal submitted
        while submitted < 3 * PENDING_EVENTS:
            journal.submit("a", 1, 0.0, e.HostedTool("search", "q", "found"))
            submitted += 1
            await journal.room()

    flooding = asyncio.create_task(flood())
    await asyncio.sleep(0)  # until it waits, or has submitted all
    assert submitted == PENDING_EVENTS + 1
    await asyncio.to_thread(lock.__exit__, None, None, None)
    await flooding
    await asyncio.to_thread(journal.__exit__, None, None, None)
    assert submitted == 3 * PENDING_EVENTS
