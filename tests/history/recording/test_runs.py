import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import file, leases
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.history.conftest import Recording, start
from tests.history.story import BEGIN, END


def locks(path: Path) -> list[str]:
    return [p.name for p in (path.parent / "locks").iterdir()]


def test_a_run_has_a_short_id_that_sorts_by_time_and_keeps_its_tickets(recorder: Recording) -> None:
    tickets = [
        Ticket(id=name, prompt="p", workspace="/", approve={"run_command": "auto"}, timeout=5)
        for name in "ba"
    ]
    run = recorder.start_run("Two things", tickets, Path("/some/tickets.toml"))
    assert re.fullmatch(r"\d{8}-\d{6}-[a-z0-9]{4}", run)
    with recorder.reader() as reader:
        assert [stored.ticket for stored in reader.tickets(run)] == tickets
        assert [stored.state for stored in reader.tickets(run)] == ["queued", "queued"]
        assert reader.source(run) == Path("/some/tickets.toml")
        assert reader.run(run).state == "running"


def test_tickets_follow_their_events(recorder: Recording) -> None:
    run = recorder.start("a", "b", "c", "d")
    recorder.play(run, "a", [*BEGIN, e.TextDelta("hi")])
    recorder.play(run, "b", [*BEGIN, e.TextDelta("hi"), e.TicketDone("end")])
    recorder.play(run, "d", [*BEGIN[:2], e.Paused(), e.Resumed()])
    with recorder.reader() as reader:
        a, b, c, d = reader.tickets(run)
    assert (a.state, a.attempt, a.provider, a.model) == ("streaming", 1, "simulator", "m")
    assert (b.state, b.started_at, b.ended_at) == ("done", 1006.0, 1009.0)
    assert (c.state, c.attempt, c.provider, c.ended_at) == ("queued", 0, None, None)
    assert d.state == "starting"


def test_cost_is_the_last_usage_of_each_turn_of_each_attempt(recorder: Recording) -> None:
    def turn(number: int, *costs: float | None) -> list[e.Event]:
        usages = [e.Usage(10, 5, 0, cost) for cost in costs]
        return [e.RequestSent(number), *usages, e.ResponseFinished(number, "end")]

    run = recorder.start("a", "b", "c")
    recorder.play(run, "a", [*BEGIN[:2], *turn(1, 0.25, 0.5), *turn(2, 1.0)])
    recorder.play(run, "a", [e.Retrying("busy", 1.0, 2), BEGIN[1], *turn(1, 2.0)], attempt=2)
    recorder.play(run, "b", [*BEGIN[:2], *turn(1, 4.0)])
    recorder.play(run, "c", [*BEGIN[:2], *turn(1, None)])
    with recorder.reader() as reader:
        assert [stored.cost for stored in reader.tickets(run)] == [3.5, 4.0, None]
        assert reader.run(run).cost == 7.5


def test_a_finished_run_has_its_state_and_no_lock_file(recorder: Recording) -> None:
    run = recorder.start("a")
    assert locks(recorder.path) == [f"{run}.lock"]
    recorder.play(run, "a", [*BEGIN, e.TicketCancelled()])
    ended_at = recorder.entries[-1].at
    recorder.set_clock(99_999.0)  # it ended with its last ticket, however much later it is stored
    recorder.mark_run(run, "failed")
    recorder.finish_run(run, "failed")
    assert locks(recorder.path) == []
    with recorder.reader() as reader:
        assert (reader.run(run).state, reader.run(run).ended_at) == ("failed", ended_at)
    with pytest.raises(HistoryError):
        recorder.submit(run, "a", 1, 3.0, e.TicketQueued())


def test_a_run_that_another_runs_or_is_not_there_cannot_be_resumed(recorder: Recording) -> None:
    run = recorder.start("a")
    with Recorder(recorder.path) as other:
        assert other.recovered == []
        for name, why in (
            (run, "is in progress in another lfg"),
            ("20200101-000000-aaaa", "no run"),
        ):
            with pytest.raises(HistoryError, match=why):
                other.resume_run(name)
    assert locks(recorder.path) == [f"{run}.lock"]


def test_a_resumed_run_goes_on_where_it_was(recorder: Recording) -> None:
    run = recorder.play_run(
        [*BEGIN, e.TextDelta("half"), e.Usage(1, 1, 0, 0.5), e.TicketInterrupted()]
    )
    with Recorder(recorder.path) as again, Reader(again.path) as reader:
        again.resume_run(run)
        assert (reader.run(run).state, reader.run(run).ended_at) == ("running", None)
        for event in [*BEGIN, e.Usage(1, 1, 0, 1.0), *END]:
            again.submit(run, "a", 2, 2000.0, event)
        again.finish_run(run, "done")
        assert [entry.seq for entry in reader.entries(run, "a")] == list(range(1, 13))
        assert reader.run(run).cost == 1.5
        assert reader.transcript(run, "a").state == "done"
        assert [a.number for a in reader.transcript(run, "a").attempts] == [1, 2]


def test_added_tickets_stand_behind_the_others_and_are_resumed_too(recorder: Recording) -> None:
    run = recorder.start("b", "c")
    recorder.add(run, "d", "a")
    recorder.play(run, "a", BEGIN)
    recorder.close()  # as after a kill: "d" had no event yet
    with Recorder(recorder.path) as again, Reader(again.path) as reader:
        states = [(one.ticket.id, one.ticket.prompt, one.state) for one in reader.tickets(run)]
        assert [name for name, *_ in states] == ["b", "c", "d", "a"]
        assert {tuple(how) for _, *how in states[2:]} == {("more", "interrupted")}
        again.resume_run(run)
        again.submit(run, "d", 1, 3.0, e.TicketQueued())
        with pytest.raises(HistoryError, match="not being written here"):
            again.add_tickets("another", [])


def test_a_copy_from_before_a_ticket_was_added_or_changed_gets_that_too(
    recorder: Recording,
) -> None:
    run, copy = recorder.start("a"), recorder.path.with_name("copy.db")
    recorder.play(run, "a", [*BEGIN, *END])
    maintenance.back_up(recorder.path, copy)
    recorder.add(run, "b")
    another = Ticket(id="a", prompt="another", workspace="/")
    recorder.submit(run, "a", 1, recorder.at, e.TicketQueued(starts_over=True), another)
    recorder.play(run, "b", BEGIN)
    for part in ("", "-wal", "-shm"):
        recorder.path.with_name(f"history.db{part}").unlink()
    copy.rename(recorder.path)
    recorder.play(run, "b", END)
    assert recorder.stored(run, "b") == recorder.of("b")
    with recorder.reader() as reader:
        prompts = [(one.ticket.prompt, one.state) for one in reader.tickets(run)]
        assert prompts == [("another", "queued"), ("more", "done")]
    assert maintenance.damage(recorder.path) == []


def test_tickets_of_a_dead_process_are_interrupted_when_last_heard(recorder: Recording) -> None:
    run = recorder.start("running", "done", "queued", "untouched")
    recorder.play(run, "queued", BEGIN[:1])
    recorder.play(run, "done", [*BEGIN, e.TicketCancelled()])
    recorder.play(run, "running", [*BEGIN, e.TextDelta("unfinished business")])
    last = recorder.entries[-1].at
    recorder.close()  # its leases are free and its rows as they were, as after a kill
    with Recorder(recorder.path) as history, Reader(history.path) as reader:
        assert history.recovered == [run]
        assert reader.run(run).state == "interrupted"
        states = {t.ticket.id: t.state for t in reader.tickets(run)}
        for ticket in ("running", "queued", "untouched"):
            *_, end = reader.entries(run, ticket)
            assert (round(end.at, 3), end.event) == (last, e.TicketInterrupted())
            assert states.pop(ticket) == reader.transcript(run, ticket).state == "interrupted"
        assert states == {"done": "cancelled"}
    assert [hit.kind for hit in recorder.search("unfinished business")] == ["text"]
    assert locks(recorder.path) == []
    with Recorder(recorder.path) as history:
        assert history.recovered == []


def test_a_dead_run_may_be_resumed_without_reopening(path: Path) -> None:
    with Recorder(path) as history:
        other = Recording(path)
        run = other.start("a")
        other.play(run, "a", BEGIN)
        other.close()
        (path.parent / "locks" / "20200101-000000-aaaa.lock").touch()
        history.resume_run(run)
        with Reader(path) as reader:
            assert reader.transcript(run, "a").state == "interrupted"
            assert reader.run(run).state == "running"
        with Recorder(path):
            assert locks(path) == [f"{run}.lock"]  # one left behind is removed


def test_text_is_stored_once(recorder: Recording) -> None:
    text = "".join(f"word{n} " for n in range(60_000))
    recorder.play_run([*BEGIN, e.TextDelta(text), *END])
    tables = ("entries", "segments", "segments_fts_data")
    with closing(file.connect_to_read(recorder.path)) as db:
        dump = "".join(str(row) for table in tables for row in db.execute(f"SELECT * FROM {table}"))
        (packs,) = db.execute("SELECT sum(length(body)) FROM packs").fetchone()
    assert dump.count("word59999 ") == 1
    assert packs < len(text) / 100


def test_every_commit_of_a_run_waits_for_the_disk_where_power_failures_count(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[file.Durability] = []
    connect = file.connect

    def recorded(path: Path, durability: file.Durability = "process") -> sqlite3.Connection:
        connected.append(durability)
        return connect(path, durability)

    monkeypatch.setattr(file, "connect", recorded)
    with Recorder(path, durability="power") as history:
        connected.remove("process")  # the one that ends orphaned runs
        history.finish_run(start(history, "a"), "done")
        assert connected and set(connected) == {"power"}


def test_a_brief_lease_is_waited_for(recorder: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorder.play_run(BEGIN)
    lease = leases.take(recorder.path.parent / "locks", run)
    assert lease is not None
    monkeypatch.setattr("time.sleep", lambda _: lease.release())
    recorder.resume_run(run)
