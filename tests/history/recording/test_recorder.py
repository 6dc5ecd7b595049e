import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording import backlog
from lfgtui.history.recording.backlog import PENDING_EVENTS
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage.runs import TicketState
from lfgtui.model import events as e
from lfgtui.model.event_json import encode_event
from tests.helpers.any_events import any_event
from tests.history.conftest import Recording, check_index, locked, start, stored
from tests.history.story import END


def visible(entries: list[e.Entry]) -> str:
    return "".join(x.event.text for x in entries if isinstance(x.event, e.TextDelta))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 2), any_event)))
def test_live_equals_stored_however_interleaved(story: list[tuple[str, int, e.Event]]) -> None:
    with TemporaryDirectory() as folder:
        recorder = Recording(Path(folder) / "history.db")
        run = recorder.start("a", "b", "c")
        for at, (ticket, attempt, event) in enumerate(story):
            recorder.submit(run, ticket, attempt, float(at), event)
        recorder.close()
        assert recorder.failure is None
        with Reader(recorder.path) as reader:
            for ticket in "abc":
                live = recorder.of(ticket)
                assert list(reader.entries(run, ticket)) == live
                assert [entry.seq for entry in live] == list(range(1, len(live) + 1))
                said = [x for name, _, x in story if name == ticket and isinstance(x, e.TextDelta)]
                assert visible(live) == "".join(delta.text for delta in said)
        check_index(recorder.path)


def test_seqs_are_dense_however_many_threads_submit(recorder: Recording) -> None:
    names = [f"t{n}" for n in range(8)]
    run = recorder.start(*names)

    def work(name: str) -> None:
        for n in range(300):
            recorder.submit(run, name, 1, float(n), e.TextDelta(f"{n} "))
            recorder.submit(run, name, 1, float(n), e.Status("tick"))

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(work, names))
    recorder.flush().result(30)
    for name in names:
        entries = recorder.of(name)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert visible(entries) == "".join(f"{n} " for n in range(300))


def test_an_entry_is_committed_before_it_is_delivered(path: Path) -> None:
    seen: list[bool] = []

    def look(entries: Sequence[e.Entry]) -> None:
        seen.extend(entry in stored(path, entry.run, entry.ticket) for entry in entries)

    with Recorder(path) as history:
        history.on_entries = look
        run = start(history, "a")
        for n in range(20):
            history.submit(run, "a", 1, float(n), e.Status(str(n)))
    assert history.failure is None
    assert seen == [True] * 20


def merged(story: list[tuple[str, int, e.Event]]) -> list[e.Entry]:
    """Return the entries of events of tickets and attempts that make one batch."""
    states = {name: TicketState(key, "run", name) for key, name in enumerate("ab")}
    batch = batches.make(
        [
            batches.submission(states[name], attempt, float(at), event)
            for at, (name, attempt, event) in enumerate(story)
        ]
    )
    assert batch.submitted == len(story)
    return [entry for _, entry, _ in batch.rows]


def test_deltas_of_one_batch_merge_across_interleaved_tickets() -> None:
    entries = merged(
        [
            ("a", 1, e.TextDelta("Hel")),
            ("b", 1, e.TextDelta("Good ")),
            ("a", 1, e.TextDelta("lo")),
            ("b", 1, e.ReasoningDelta("hm")),
            ("b", 1, e.TextDelta("bye")),
            ("b", 2, e.TextDelta("of another attempt")),
        ]
    )
    assert [(x.ticket, x.seq, x.at, x.event) for x in entries] == [
        ("a", 1, 0.0, e.TextDelta("Hello")),
        ("b", 1, 1.0, e.TextDelta("Good ")),
        ("b", 2, 3.0, e.ReasoningDelta("hm")),
        ("b", 3, 4.0, e.TextDelta("bye")),
        ("b", 4, 5.0, e.TextDelta("of another attempt")),
    ]


def test_a_merged_entry_stays_small() -> None:
    entries = merged([("a", 1, e.TextDelta("x" * 1000))] * 100)
    assert visible(entries) == "x" * 100_000 and len(entries) < 10
    assert all(len(encode_event(entry.event)) <= batches.MERGED_BYTES for entry in entries)


def test_closing_waits_for_what_was_submitted_before(recorder: Recording) -> None:
    run = recorder.start("a")
    for n in range(100):
        recorder.submit(run, "a", 1, float(n), e.Status(str(n)))
    recorder.close()
    recorder.close()
    assert len(recorder.entries) == 100


def test_what_cannot_be_stored_is_refused_at_once(recorder: Recording) -> None:
    run = recorder.start("a")
    with pytest.raises(HistoryError, match="not being written here"):
        recorder.submit(run, "b", 1, 0.0, e.TicketQueued())
    with pytest.raises(TypeError):
        recorder.submit(run, "a", 1, 0.0, e.ProviderItem("w", {"x": threading.Lock()}))
    recorder.play(run, "a", [e.Status("still there")])
    recorder.close()
    with pytest.raises(HistoryError):
        recorder.submit(run, "a", 1, 0.0, e.TicketQueued())
    with pytest.raises(HistoryError, match="closed"):
        recorder.flush().result(30)
    assert [entry.event for entry in recorder.entries] == [e.Status("still there")]


def test_what_json_cannot_carry_is_replaced_live_as_stored(recorder: Recording) -> None:
    run = recorder.start("a")
    odd: dict[str, object] = {"x": [float("nan"), float("inf"), 2**70, (1, 2.5)]}
    plain: dict[str, object] = {"x": [None, None, 2**70, [1, 2.5]]}
    recorder.play(
        run,
        "a",
        [
            e.ToolCallFinished("c", "caf\udce9.txt", None, 0, 0.1),
            e.ProviderItem("w", {"\udce9": ["\ud800", 1]}),
            e.ToolCallRequested("c", "n", odd),
            e.ProviderItem("w", odd),
        ],
    )
    assert [entry.event for entry in recorder.entries] == [
        e.ToolCallFinished("c", "caf�.txt", None, 0, 0.1),
        e.ProviderItem("w", {"�": ["�", 1]}),
        e.ToolCallRequested("c", "n", plain),
        e.ProviderItem("w", plain),
    ]
    assert recorder.stored(run) == recorder.entries


def test_an_error_of_the_receiver_is_kept_and_costs_no_entry(path: Path) -> None:
    def refuse(entries: Sequence[e.Entry]) -> None:
        raise RuntimeError("the loop is closed")

    history = Recorder(path)
    history.on_entries = refuse
    run = start(history, "a")
    history.submit(run, "a", 1, 0.0, e.TicketQueued())
    assert history.flush().result(30) is True
    history.submit(run, "a", 1, 1.0, e.Status("more"))
    history.close()
    assert str(history.failure) == "the loop is closed"
    assert [entry.seq for entry in stored(path, run)] == [1, 2]


def test_a_bug_in_the_writer_is_said_and_the_run_goes_on_unsaved(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    run = recorder.start("a")
    with monkeypatch.context() as patch:
        patch.setattr("lfgtui.history.storage.batch.write", broken)
        recorder.submit(run, "a", 1, 0.0, e.TicketQueued())
        recorder.submit(run, "a", 1, 1.0, e.AttemptStarted("p", "m"))
        assert recorder.flush().result(30) is False
        assert "a bug" in str(recorder.behind.get(timeout=30))
        assert [entry.saved for entry in recorder.entries] == [False, False]
    assert recorder.flush(saved=True).result(30) is True
    assert recorder.behind.get(timeout=30) is None
    assert [entry.seq for entry in recorder.stored(run)] == [1, 2]


def test_an_event_without_a_number_keeps_others_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    number = TicketState.number

    def numbered(state: TicketState, attempt: int, at: float, event: e.Event) -> object:
        return number(state, attempt, at, event) if event != e.Heartbeat() else 1 / 0

    monkeypatch.setattr(TicketState, "number", numbered)
    first, guard, last = merged(
        [("a", 1, e.Status("x")), ("a", 1, e.Heartbeat()), ("a", 1, END[1])]
    )
    assert (first.event, last.event) == (e.Status("x"), END[1])
    assert isinstance(guard.event, e.GuardTripped)
    assert "could not be stored: ZeroDivisionError" in guard.event.message


async def test_on_a_loop_entries_arrive_there_and_much_that_is_pending_holds_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "PATIENCE", 30.0)
    recorder = await asyncio.to_thread(Recorder, path)
    run = await asyncio.to_thread(start, recorder, "a")
    threads: set[int] = set()
    recorder.attach(lambda _: threads.add(threading.get_ident()), lambda _: None)
    submitted = 0

    async def flood() -> None:
        nonlocal submitted
        while submitted < 3 * PENDING_EVENTS:
            recorder.submit(run, "a", 1, 0.0, e.HostedTool("search", "q", "found"))
            submitted += 1
            await recorder.room()

    lock = locked(path)
    await asyncio.to_thread(lock.__enter__)
    flooding = asyncio.create_task(flood())
    await asyncio.sleep(0)  # until it waits, or has submitted all
    assert submitted == PENDING_EVENTS + 1
    await asyncio.to_thread(lock.__exit__, None, None, None)
    await flooding
    await recorder.settle(saved=True)
    await recorder.finish(run, "done")
    await asyncio.to_thread(recorder.close)
    assert submitted == 3 * PENDING_EVENTS
    assert threads == {threading.get_ident()}


def test_each_entry_of_a_run_is_later_than_the_one_before_whatever_the_clock_says(
    recorder: Recording,
) -> None:
    run = recorder.start("a", "b")
    for at in (1000.0, 1000.0, 1000.0004, 1000.002, 900.0):
        for ticket in "ab":
            recorder.submit(run, ticket, 1, at, e.Status(str(at)))
        recorder.flush().result(30)
    recorder.add(run, "c")
    recorder.submit(run, "c", 1, 950.0, e.Status("new"))
    recorder.finish_run(run, "failed")
    recorder.resume_run(run)
    recorder.submit(run, "a", 1, 800.0, e.Status("resumed"))
    recorder.flush().result(30)
    recorder.submit(run, "b", 1, 2000.0, e.Status("later"))
    recorder.flush().result(30)
    places = [entry.place for entry in recorder.entries]
    assert places == sorted(set(places))
    assert places[:3] == [1000_000_000, 1000_000_001, 1000_000_002]
    assert recorder.entries[-1].at == 2000.0
