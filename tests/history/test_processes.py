"""Several lfg processes and one history file, with real processes and real kills."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from lfgtui.history import maintenance
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.storage import file
from lfgtui.model import events as e
from tests.history.conftest import check_index

WRITE = """
import sys
from itertools import count, islice
from pathlib import Path
from lfgtui.model import events as e
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.tickets import Ticket

def seen(entries):
    for entry in entries:
        print(entry.run, entry.ticket, entry.seq, flush=True)

def submit(at, *events):
    for name in "abc":
        for event in events:
            history.submit(run, name, 1, float(at), event)

with Recorder(Path(sys.argv[1])) as history:
    history.on_entries = seen
    tickets = [Ticket(id=name, prompt="p", workspace="/") for name in "abc"]
    run = history.start_run("t", tickets, None)
    submit(0, e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1))
    for n in islice(count(1), int(sys.argv[2])):
        submit(n, e.TextDelta(f"word{n} "), e.Heartbeat())
        if n % 20 == 0:
            history.flush().result()
    submit(n, e.ResponseFinished(1, "end"), e.TicketDone("end"))
    history.finish_run(run, "done")
assert history.failure is None, history.failure
"""
ENDLESS = sys.maxsize


def writer(path: Path, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", WRITE, str(path), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_words(reader: Reader, run: str, ticket: str) -> int:
    """Check that the ticket's words are numbered without a gap; return their number."""
    words = reader.transcript(run, ticket).attempts[0].text.split()
    assert words == [f"word{n}" for n in range(1, len(words) + 1)]
    return len(words)


def assert_sound(path: Path) -> None:
    assert maintenance.damage(path) == []
    check_index(path)


def test_what_a_killed_process_showed_is_in_the_history(path: Path) -> None:
    with writer(path, ENDLESS) as process:
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(300)]
        with Recorder(path) as history, Reader(path) as reader:
            assert history.recovered == []
            assert reader.run(shown[0].split()[0]).state == "running"
        process.kill()
        shown += [line for line in process.stdout if line.endswith("\n")]
    with Recorder(path) as history, Reader(path) as reader:
        (run,) = history.recovered
        assert reader.run(run).state == "interrupted"
        for name in "abc":
            entries = list(reader.entries(run, name))
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            seqs = [int(seq) for _, ticket, seq in map(str.split, shown) if ticket == name]
            assert 0 < max(seqs) <= len(entries)
            assert entries[-1].event == e.TicketInterrupted()
            assert_words(reader, run, name)
        assert {hit.ticket for hit in reader.search("word1")} == set("abc")
        history.resume_run(run)
    assert_sound(path)


def test_a_dozen_processes_share_one_file(path: Path) -> None:
    processes = [writer(path, 60) for _ in range(12)]
    for process in processes:
        _, errors = process.communicate(timeout=200)
        assert (process.returncode, errors) == (0, "")
    with Reader(path) as reader:
        runs = reader.runs()
        assert [(run.state, run.tickets, run.done) for run in runs] == [("done", 3, 3)] * 12
        assert {assert_words(reader, run.run, name) for run in runs for name in "abc"} == {60}
        assert len(reader.search("word60", 200)) == 36
    assert list((path.parent / "locks").iterdir()) == []
    assert_sound(path)


def test_opening_twice_in_a_process_keeps_the_locks_of_the_first(path: Path) -> None:
    with closing(file.connect(path)) as first, closing(file.connect(path)):
        first.execute("INSERT INTO runs VALUES ('r', 't', 'done', NULL, 1, 2, 0, '')")
        look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM runs')"
        subprocess.run([sys.executable, "-c", look, path], check=True)
        assert path.with_name("history.db-wal").exists()  # the other did not think it was alone
