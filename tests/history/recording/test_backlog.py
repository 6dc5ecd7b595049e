import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from lfgtui.history.recording import backlog
from lfgtui.history.recording.backlog import BUSY_EVENTS, Barrier, Item, Pending
from lfgtui.history.storage.batch import submission
from lfgtui.history.storage.runs import TicketState
from lfgtui.model.events import TextDelta

STATE = TicketState(1, "run", "ticket")
PATIENCE = 60.0


def some_events(count: int) -> list[Item]:
    return [submission(STATE, 1, 0.0, TextDelta("word ")) for _ in range(count)]


def put(pending: Pending, items: list[Item]) -> None:
    for item in items:
        assert pending.put(item)


def fill(pending: Pending) -> None:
    while not pending.is_full:
        put(pending, some_events(1))


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Pending:
    """A queue that would rest for hours, since many events came at once."""
    monkeypatch.setattr(backlog, "BUSY_REST", 3600.0)
    pending = Pending()
    put(pending, some_events(BUSY_EVENTS + 1))
    items, _ = pending.take(PATIENCE, or_closing=True)
    assert len(items) == BUSY_EVENTS + 1
    return pending


@pytest.mark.parametrize(
    "hurry",
    [lambda pending: pending.put(Barrier(False, Future())), Pending.close, fill],
    ids=["somebody waits", "closing", "full"],
)
def test_a_queue_collects_until_hurried(busy: Pending, hurry: Callable[[Pending], object]) -> None:
    taken: list[Item] = []

    def take() -> None:
        taken.extend(busy.take(PATIENCE, or_closing=True)[0])

    taking = threading.Thread(target=take)
    taking.start()
    put(busy, some_events(3))
    hurry(busy)
    taking.join(PATIENCE)
    assert not taking.is_alive()
    assert len([item for item in taken if not isinstance(item, Barrier)]) >= 3


def test_a_queue_that_is_not_busy_gives_out_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "BUSY_REST", 3600.0)
    pending = Pending()
    for _ in range(3):
        put(pending, some_events(BUSY_EVENTS))
        assert len(pending.take(PATIENCE, or_closing=True)[0]) == BUSY_EVENTS
