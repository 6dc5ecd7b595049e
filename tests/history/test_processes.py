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
from pathlib import Path
from lfgtui.model import events as e
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.tickets import Ticket

path, count = Path(sys.argv[1]), int(sys.argv[2])
behind = []

def seen(entries):
    for entry in entries:
        print(entry.run, entry.ticket, entry.seq, flush=True)

history = Recorder(path)
history.on_entries, history.on_behind = seen, behind.append
names = ("a", "b", "c")
run = history.start_run("t", [Ticket(id=n, prompt="p", workspace="/") for n in names], None)
for name in names:
    for event in (e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1)):
        history.submit(run, name, 1, 0.0, event)
n = 0
while n != count:
    n += 1
    for name in names:
        history.submit(run, name, 1, float(n), e.TextDelta(f"word{n} "))
        history.submit(run, name, 1, float(n), e.Heartbeat())
    if n % 20 == 0:
        history.flush().result()
for name in names:
    history.submit(run, name, 1, float(n), e.ResponseFinished(1, "end"))
    history.submit(run, name, 1, float(n), e.TicketDone("end"))
history.finish_run(run, "done")
history.close()
assert history.failure is None, history.failure
"""


def writer(path: Path, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", WRITE, str(path), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_sound(path: Path) -> None:
    assert maintenance.damage(path) == []
    check_index(path)


def test_what_a_killed_process_showed_is_in_the_history(path: Path) -> None:
    with writer(path, -1) as process:
        assert process.stdout is not None
        shown = [process.stdout.readline().split() for _ in range(300)]
        with Recorder(path) as history, Reader(history.path) as reader:
            assert history.recovered == []
            assert reader.run(shown[0][0]).state == "running"
        process.kill()
        rest = process.stdout.read()
    whole = [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    with Recorder(path) as history, Reader(history.path) as reader:
        (run,) = history.recovered
        assert reader.run(run).state == "interrupted"
        for name in "abc":
            entries = list(reader.entries(run, name))
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            seen = [int(seq) for _, ticket, seq in [*shown, *whole] if ticket == name]
            assert seen and max(seen) <= len(entries)
            assert entries[-1].event == e.TicketInterrupted()
            transcript = reader.transcript(run, name)
            text = transcript.attempts[0].text
            count = text.count(" ")
            assert text == "".join(f"word{n} " for n in range(1, count + 1))
        assert {hit.ticket for hit in reader.search("word1")} == set("abc")
        history.resume_run(run)
    assert_sound(path)


def test_thirty_two_processes_share_one_file(path: Path) -> None:
    processes = [writer(path, 60) for _ in range(32)]
    outputs = [process.communicate(timeout=200) for process in processes]
    assert [
        (process.returncode, errors)
        for process, (_, errors) in zip(processes, outputs, strict=True)
    ] == [(0, "")] * 32
    for shown, _ in outputs:
        by_ticket: dict[str, list[int]] = {}
        for line in shown.splitlines():
            _, ticket, seq = line.split()
            by_ticket.setdefault(ticket, []).append(int(seq))
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_ticket.values())
    with Reader(path) as reader:
        runs = reader.runs()
        assert [(run.state, run.tickets, run.done) for run in runs] == [("done", 3, 3)] * 32
        for run in runs:
            for name in "abc":
                text = reader.transcript(run.run, name).attempts[0].text
                assert text == "".join(f"word{n} " for n in range(1, 61))
        assert len(reader.search("word60", 200)) == 96
    assert list((path.parent / "locks").iterdir()) == []
    assert_sound(path)


def test_opening_twice_in_a_process_keeps_the_locks_of_the_first(path: Path) -> None:
    with closing(file.connect(path)) as first, closing(file.connect(path)):
        first.execute("INSERT INTO runs VALUES ('r', 't', 'done', NULL, 1, 2, 0, '')")
        look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM runs')"
        subprocess.run([sys.executable, "-c", look, path], check=True)
        assert path.with_name("history.db-wal").exists()  # the other did not think it was alone
