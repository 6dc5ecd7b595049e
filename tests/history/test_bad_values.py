"""A run with an impossible value is listed and shown all the same, and so are the others."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import entries, file
from lfgtui.model import events as e
from lfgtui.ui.history.preview import read_run_preview
from lfgtui.ui.history.stored_run import read_run
from lfgtui.ui.replay.run import read_replay
from tests.history.conftest import Recording, events, run_ids, spoil, start
from tests.history.story import BEGIN, END

SAID = [
    *BEGIN,
    e.UserMessage("x"),
    e.TextDelta("hello fox"),
    e.ResponseFinished(1, "end"),
    e.TicketInterrupted(),
]


def keep(path: Path, title: str) -> str:
    """A run of two tickets, ended in good order."""
    with Recorder(path) as history:
        run = start(history, "a", "b", title=title)
        for name in ("a", "b"):
            for event in SAID:
                history.submit(run, name, 1, 1000.0, event)
        history.finish_run(run, "interrupted")
    return run


TICKET = "(SELECT id FROM tickets WHERE run = :run AND name = 'a')"
INSERT_INTO = "INSERT INTO entries (ticket, seq, attempt, at, body)"
INSERT = f"{INSERT_INTO} VALUES ({TICKET}, "
ENTRY = f"{INSERT}8, "
AGAIN = '1, 0, \'{"type":"ticket_queued"}\')'
BAD = {
    "a ticket's key": f"UPDATE tickets SET id = {2**63 - 1} WHERE id = {TICKET}",
    "spec": f"UPDATE tickets SET spec = '{{\"id\": 7}}' WHERE id = {TICKET}",
    "spec of bytes": f"UPDATE tickets SET spec = x'00ff' WHERE id = {TICKET}",
    "pack": f"UPDATE packs SET body = x'00' WHERE id >> 32 = {TICKET}",
    "pack of text": f"UPDATE packs SET body = 'text' WHERE id >> 32 = {TICKET}",
    "title of bytes": "UPDATE runs SET title = x'ff00' WHERE id = :run",
    "title of no UTF-8": "UPDATE runs SET title = CAST(x'ff1b5b324a' AS TEXT) WHERE id = :run",
    "start": "UPDATE runs SET started_at = 'soon' WHERE id = :run",
    "start never": "UPDATE runs SET started_at = 9e999 WHERE id = :run",
    "start late": "UPDATE runs SET started_at = 1e300, ended_at = -1e300 WHERE id = :run",
    "state": "UPDATE runs SET state = 'exploded', pinned = 'ja', note = x'ff' WHERE id = :run",
    "ticket's state": f"UPDATE tickets SET state = 'exploded' WHERE id = {TICKET}",
    "ticket's numbers": "UPDATE tickets SET attempt = 'many', started_at = 'x', ended_at = 1e300,"
    f" cost = 'free' WHERE id = {TICKET}",
    "endless cost": f"UPDATE tickets SET cost = 9e999 WHERE id = {TICKET}",
    "segment": "UPDATE segments SET kind = 'odd', at = 'x', attempt = 'y', first_seq = 'z'"
    f" WHERE ticket = {TICKET}",
    "segment of bytes": f"UPDATE segments SET text = x'ff00ff' WHERE ticket = {TICKET}",
    "source": "UPDATE runs SET source = x'ff' WHERE id = :run",
    "unknown event": f'{ENTRY} 1, 0, \'{{"type":"teleported"}}\')',
    "name of no UTF-8": "UPDATE tickets SET provider = CAST(x'ff' AS TEXT) WHERE run = :run",
    "an entry of no UTF-8": f"{ENTRY} 1, 0, CAST(x'7b2274797065223a22746578745f64656c7461222c"
    "2274657874223a22ff227d' AS TEXT))",
    "an entry's times": f"{ENTRY} 'x', 'y', '{{\"type\":\"ticket_queued\"}}')",
    "an entry without a number": f"{INSERT} 'last', {AGAIN}",
    "an entry between two": f"{INSERT} 7.5, {AGAIN}",
    "an entry before the first": f"{INSERT} -1, {AGAIN}",
    "an entry far away": f"{INSERT} {2**63 - 1}, {AGAIN}",
}


@pytest.fixture(params=BAD.values(), ids=list(BAD))
def runs(path: Path, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A run in good order, and one with a bad value."""
    good, bad = keep(path, "good"), keep(path, "bad")
    spoil(path, request.param, run=bad)
    return good, bad


def test_one_bad_value_keeps_nothing_else_from_being_read(
    path: Path, runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = runs
    assert run_ids(path) == {good, bad}
    others = [(good, "a"), (good, "b"), (bad, "b")]
    assert all(events(path, run, ticket) == SAID for run, ticket in others)
    with Reader(path) as reader:
        assert [one.ticket.id for one in reader.tickets(bad)] == ["a", "b"]
        for options in ({}, {"ranked": True}, {"code": True}):
            hits = reader.search("fox", **options)
            assert {(hit.run, hit.ticket) for hit in hits}.issuperset(others)
        reader.transcript(bad, "a")
        for run in (good, bad):
            replayed = read_replay(reader, run)
            replayed.seek_entry(replayed.timeline.count)
            replayed.proceed()
            read_run(reader, run)
            read_run_preview(reader, run)
    for arguments in (
        ["history"],
        ["history", "size"],
        ["search", "fox"],
        ["stats", "--by", "day"],
        ["stats", "--by", "model", "--json"],
        ["show", bad],
        ["show", bad, "--json"],
        *(["export", bad, "--format", form] for form in ("md", "json", "html")),
    ):
        exit_code = main(arguments)
        said = capsys.readouterr()
        assert exit_code == int("cannot be read" in said.err), arguments
        assert "\x1b" not in said.out
        assert "hello fox" in said.out or arguments[0] not in ("show", "export")
        if arguments[-1] == "--json":
            json.loads(said.out)


def test_one_bad_value_keeps_nothing_else_from_its_end(path: Path, runs: tuple[str, str]) -> None:
    good, bad = runs
    for table in ("runs", "tickets"):  # as after a crash
        spoil(path, f"UPDATE {table} SET state = 'running'")
    with Recorder(path) as history:
        with Reader(path) as reader:
            assert reader.run(good).state == "interrupted"
        history.resume_run(good)
        try:
            history.resume_run(bad)
        except HistoryError as refused:
            assert len(str(refused).splitlines()) == 1
    assert run_ids(path) == {good, bad}


def test_a_run_with_an_impossible_id_keeps_no_other_from_being_read(path: Path) -> None:
    good = keep(path, "good")
    far = 2**63 - 1
    add_run = "INSERT INTO runs (id, title, state, started_at) VALUES (:key, '', 'running', 0)"
    for key in (b"\xff", None):
        spoil(path, add_run, key=key)
    spoil(
        path,
        "INSERT INTO tickets (id, run, position, name, spec, state)"
        " VALUES (:key, x'ff', 0, 'a', '', 'running')",
        key=far,
    )
    spoil(path, f"{INSERT_INTO} VALUES (:key, 1, 1, 0, '{{}}')", key=far)
    new = keep(path, "new")
    with Reader(path) as reader:
        for run in (good, new):
            assert [entry.event for entry in reader.whole_entries(run, "a")] == SAID
        assert {hit.run for hit in reader.search("fox")} == {good, new}


def test_an_entry_with_an_impossible_number_is_not_packed_as_another_tickets(path: Path) -> None:
    run = keep(path, "one")
    far = 3 << 32 | 9
    with closing(file.connect(path)) as db, file.transaction(db):
        (first,) = db.execute("SELECT min(id) FROM tickets").fetchone()
        for number in (far, -1):
            db.execute(
                f"{INSERT_INTO} VALUES (?, ?, 1, 0, ?)",
                (first, number, '{"type":"text_delta","text":"not mine"}'),
            )
        packs = db.execute("SELECT id FROM packs").fetchall()
        entries.seal(db, first, far)
        assert db.execute("SELECT id FROM packs").fetchall() == packs
    assert events(path, run, "b") == SAID


def test_entries_and_tickets_of_another_version_are_named(recorder: Recording) -> None:
    path, run = recorder.path, recorder.start("a")
    recorder.play(run, "a", BEGIN[:1])
    recorder.finish_run(run, "interrupted")
    body = '{"type":"teleported","to":"Mars"}'
    spoil(path, f"{INSERT_INTO} VALUES (1, 2, 1, 0, '{body}')")
    spoil(path, "UPDATE tickets SET spec = '{\"id\": 7}'")
    why = rf"entry 2 of {run}/a cannot be read: .*teleported.*another version of lfg"
    with Reader(path) as reader:
        with pytest.raises(HistoryError, match=why):
            list(reader.whole_entries(run, "a"))
        first, gap = reader.entries(run, "a")
        (ticket,) = reader.tickets(run)
    assert (first.seq, gap.seq) == (1, 2)
    assert isinstance(gap.event, e.GuardTripped)
    assert re.match(f"entry 2 cannot be read: {why}", gap.event.message)
    assert ticket.ticket.id == "a" and "another version" in str(ticket.fault)
    with pytest.raises(HistoryError, match="another version"):
        recorder.resume_run(run)


def test_an_unreadable_orphaned_run_is_left_running_alone(recorder: Recording) -> None:
    path, run = recorder.path, recorder.start("a")
    recorder.play(run, "a", BEGIN[:1])
    recorder.close()
    spoil(path, 'UPDATE entries SET body = \'{"type":"teleported"}\'')
    with Recorder(path) as history:
        assert history.recovered == []
        history.finish_run(start(history, "b"), "done")
    with Reader(path) as reader:
        assert sorted(summary.state for summary in reader.runs()) == ["done", "running"]
        assert reader.run(run).state == "running"


def test_an_entry_without_a_number_beside_a_damaged_pack_is_a_gap(path: Path) -> None:
    run = keep(path, "bad")
    for name in ("pack", "unknown event", "an entry without a number"):
        spoil(path, BAD[name], run=run)
    with Reader(path) as reader:
        reader.transcript(run, "a")
        (gap,) = reader.gaps
    assert "cannot be read" in gap and "impossible number: 'last'" in gap


@pytest.mark.parametrize("is_resumed", [False, True])
def test_damage_at_the_end_is_reported_as_in_the_middle(
    recorder: Recording, capsys: pytest.CaptureFixture[str], is_resumed: bool
) -> None:
    run = recorder.start("a")
    before = SAID if is_resumed else [*SAID[:-1], e.RequestSent(2)]
    for some in (before, [e.TextDelta("more"), *END]):
        recorder.play(run, "a", some)
    recorder.finish_run(run, "done")
    first = len(before) + 1
    with closing(file.connect(recorder.path)) as db:
        which = "id & 0xFFFFFFFF >= ?"
        assert db.execute(f"UPDATE packs SET body = x'00' WHERE {which}", (first,)).rowcount > 0
        assert not db.execute("SELECT 1 FROM entries").fetchall()
    with recorder.reader() as reader:
        *read, end = [entry.event for entry in reader.entries(run, "a")]
        (gap,) = reader.gaps
    why = f"all entries from {first} on cannot be read: the file is damaged; {file.REPAIR}"
    assert gap == f"{run}/a: {why}"
    assert [*read, end] == before + ([] if is_resumed else [e.GuardTripped("history", why)])
    assert main(["show", f"{run}/a", "--json"]) == 1
    assert gap in capsys.readouterr().err
