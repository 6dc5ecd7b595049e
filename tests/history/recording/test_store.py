import re
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording.store import History
from lfgtui.history.storage import file, leases
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.history.conftest import Recorder

BEGIN: list[e.Event] = [e.TicketQueued(), e.AttemptStarted("simulator", "m1"), e.RequestSent(1)]


def ticket(name: str) -> Ticket:
    return Ticket(id=name, prompt="p", workspace="/", approve={"run_command": "auto"}, timeout=5)


def locks(path: Path) -> list[str]:
    return [p.name for p in (path.parent / "locks").iterdir()]


def abandon(history: History) -> None:
    """Lets go of everything as a killed process would: leases free, rows as they are."""
    history.close()


def test_a_run_id_sorts_by_time_and_is_short(recorder: Recorder) -> None:
    run = recorder.start("a")
    assert re.fullmatch(r"\d{8}-\d{6}-[a-z0-9]{4}", run)


def test_a_run_keeps_its_tickets_as_they_were_asked_for(recorder: Recorder) -> None:
    asked = [ticket("b"), ticket("a")]
    run = recorder.history.start_run("Two things", asked, Path("/some/tickets.toml"))
    with recorder.history.reader() as reader:
        assert [stored.ticket for stored in reader.tickets(run)] == asked
        assert [stored.state for stored in reader.tickets(run)] == ["queued", "queued"]
        assert reader.source(run) == Path("/some/tickets.toml")
        assert reader.run(run).state == "running"


def test_tickets_follow_their_events(recorder: Recorder) -> None:
    run = recorder.start("a", "b", "c")
    recorder.play(run, "a", [*BEGIN, e.TextDelta("hi")])
    recorder.play(run, "b", [*BEGIN, e.TextDelta("hi"), e.TicketDone("end")])
    with recorder.history.reader() as reader:
        a, b, c = reader.tickets(run)
    assert (a.state, a.attempt, a.provider, a.model) == ("streaming", 1, "simulator", "m1")
    assert (b.state, b.started_at, b.ended_at) == ("done", 1006.0, 1009.0)
    assert (c.state, c.attempt, c.provider, c.ended_at) == ("queued", 0, None, None)


def test_a_paused_ticket_goes_back_to_where_it_was(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*BEGIN[:2], e.Paused(), e.Resumed()])
    with recorder.history.reader() as reader:
        assert reader.tickets(run)[0].state == "starting"


def test_cost_is_the_last_usage_of_each_turn_of_each_attempt(recorder: Recorder) -> None:
    def turn(number: int, *costs: float | None) -> list[e.Event]:
        usages = [e.Usage(10, 5, 0, cost) for cost in costs]
        return [e.RequestSent(number), *usages, e.ResponseFinished(number, "end")]

    run = recorder.start("a", "b", "c")
    recorder.play(run, "a", [*BEGIN[:2], *turn(1, 0.25, 0.5), *turn(2, 1.0)])
    recorder.play(run, "a", [e.Retrying("busy", 1.0, 2), BEGIN[1], *turn(1, 2.0)], attempt=2)
    recorder.play(run, "b", [*BEGIN[:2], *turn(1, 4.0)])
    recorder.play(run, "c", [*BEGIN[:2], *turn(1, None)])
    with recorder.history.reader() as reader:
        assert [stored.cost for stored in reader.tickets(run)] == [3.5, 4.0, None]
        assert reader.run(run).cost == 7.5


def test_a_finished_run_has_its_state_and_no_lock_file(recorder: Recorder) -> None:
    run = recorder.start("a")
    assert locks(recorder.path) == [f"{run}.lock"]
    recorder.history.submit(run, "a", 1, 1.0, e.TicketQueued())
    recorder.history.submit(run, "a", 1, 2.0, e.TicketCancelled())
    recorder.history.finish_run(run, "failed")
    assert locks(recorder.path) == []
    with recorder.history.reader() as reader:
        summary = reader.run(run)
        assert len(list(reader.entries(run, "a"))) == 2
    assert summary.state == "failed" and summary.ended_at is not None
    with pytest.raises(HistoryError):
        recorder.history.submit(run, "a", 1, 3.0, e.TicketQueued())


def test_a_run_that_is_being_run_cannot_be_resumed(recorder: Recorder) -> None:
    run = recorder.start("a")
    with History.open(recorder.path) as other:
        assert other.recovered == []
        with pytest.raises(HistoryError, match=f"run {run} is being run by another lfg"):
            other.resume_run(run)


def test_a_run_that_is_not_there_cannot_be_resumed(recorder: Recorder) -> None:
    with pytest.raises(HistoryError, match="no run 20200101"):
        recorder.history.resume_run("20200101-000000-aaaa")
    assert locks(recorder.path) == []


def test_a_resumed_run_goes_on_where_it_was(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*BEGIN, e.TextDelta("half"), e.Usage(1, 1, 0, 0.5)])
    recorder.play(run, "a", [e.TicketInterrupted()])
    recorder.history.finish_run(run, "interrupted")
    with History.open(recorder.path) as again:
        again.resume_run(run)
        with again.reader() as reader:
            summary = reader.run(run)
        assert (summary.state, summary.ended_at) == ("running", None)
        for event in [*BEGIN, e.Usage(1, 1, 0, 1.0), e.ResponseFinished(1, "end")]:
            again.submit(run, "a", 2, 2000.0, event)
        again.submit(run, "a", 2, 2000.0, e.TicketDone("end"))
        again.finish_run(run, "done")
        with again.reader() as reader:
            assert [entry.seq for entry in reader.entries(run, "a")] == list(range(1, 13))
            assert reader.run(run).cost == 1.5
            assert reader.transcript(run, "a").state == "done"
            assert [a.number for a in reader.transcript(run, "a").attempts] == [1, 2]


def test_what_a_dead_process_left_running_is_interrupted(recorder: Recorder) -> None:
    run = recorder.start("running", "done", "untouched")
    recorder.play(run, "running", [*BEGIN, e.TextDelta("unfinished business")])
    recorder.play(run, "done", [*BEGIN[:3], e.TicketCancelled()])
    abandon(recorder.history)
    with History.open(recorder.path) as history, history.reader() as reader:
        assert history.recovered == [run]
        assert reader.run(run).state == "interrupted"
        states = {t.ticket.id: t.state for t in reader.tickets(run)}
        assert states == {"running": "interrupted", "done": "cancelled", "untouched": "interrupted"}
        entries = list(reader.entries(run, "running"))
        assert (entries[-1].seq, entries[-1].attempt) == (5, 1)
        assert entries[-1].event == e.TicketInterrupted()
        assert reader.transcript(run, "untouched").state == "interrupted"
        assert [hit.kind for hit in reader.search("unfinished business")] == ["text"]
    assert locks(recorder.path) == []
    with History.open(recorder.path) as history:
        assert history.recovered == []


def test_all_tickets_of_a_dead_process_ended_when_it_was_last_heard(recorder: Recorder) -> None:
    run = recorder.start("queued", "quiet", "busy", "untouched")
    recorder.play(run, "queued", BEGIN[:1])
    recorder.play(run, "quiet", BEGIN)
    recorder.play(run, "busy", [*BEGIN, e.TextDelta("last words")])
    last = recorder.of("busy")[-1].at
    abandon(recorder.history)
    with History.open(recorder.path) as history, history.reader() as reader:
        for ticket in ("queued", "quiet", "busy", "untouched"):
            assert [*reader.entries(run, ticket)][-1].at == last


def test_a_dead_run_may_be_resumed_without_reopening(path: Path) -> None:
    with History.open(path) as history:
        other = Recorder(path)
        run = other.start("a")
        other.play(run, "a", BEGIN)
        abandon(other.history)
        history.resume_run(run)
        with history.reader() as reader:
            assert reader.transcript(run, "a").state == "interrupted"
            assert reader.run(run).state == "running"


def test_lock_files_left_behind_are_removed(recorder: Recorder) -> None:
    recorder.start("a")
    stale = recorder.path.parent / "locks" / "20200101-000000-aaaa.lock"
    stale.touch()
    with History.open(recorder.path):
        assert not stale.exists()
        assert len(locks(recorder.path)) == 1


def test_text_is_stored_once(recorder: Recorder) -> None:
    run = recorder.start("a")
    text = "".join(f"word{n} " for n in range(60_000))
    recorder.play(run, "a", [*BEGIN, e.TextDelta(text), e.ResponseFinished(1, "end")])
    recorder.play(run, "a", [e.TicketDone("end")])
    with closing(file.connect_to_read(recorder.path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
        dump = "".join(
            str(row)
            for table in ("entries", "segments", "segments_fts_data")
            for row in connection.execute(f"SELECT * FROM {table}")
        )
        (packs,) = connection.execute("SELECT sum(length(body)) FROM packs").fetchone()
    assert "segments_fts_content" not in tables
    assert dump.count("word59999 ") == 1
    assert packs < len(text) / 100


def test_what_is_over_is_packed_while_a_long_response_goes_on(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", BEGIN)
    for number in range(10):
        calls = [e.HostedTool("search", f"query {number} {n}", "found") for n in range(500)]
        recorder.play(run, "a", calls)
    with closing(file.connect_to_read(recorder.path)) as connection:
        (unpacked,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    assert unpacked <= 2500
    with Reader(recorder.path) as reader:
        assert len(list(reader.entries(run, "a"))) == len(BEGIN) + 5000
        assert reader.search("query")


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_a_commit_waits_for_the_disk_where_it_was_asked_to(
    path: Path, durability: file.Durability, level: int
) -> None:
    with History.open(path, durability=durability) as history, history._written() as own:
        for connection in (own, history._writer._file.connection):
            assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
            assert connection.execute("PRAGMA fullfsync").fetchone() == (int(level == 2),)


def test_a_run_ended_with_its_last_ticket_however_much_later_that_is_stored(
    recorder: Recorder,
) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*BEGIN, e.TicketCancelled()])
    ended_at = recorder.entries[-1].at
    recorder.history._clock = lambda: 99_999.0
    recorder.history.mark_run(run, "failed")
    recorder.history.finish_run(run, "failed")
    with recorder.history.reader() as reader:
        assert reader.run(run).ended_at == ended_at


def test_a_lease_that_is_only_looked_at_is_waited_for(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.history.finish_run(run, "failed")
    looked = leases.take(recorder.path.parent / "locks", run)
    assert looked is not None
    Timer(0.1, looked.release).start()
    recorder.history.resume_run(run)
