"""A disk that fills up under a running lfg, and has room again: a real one, of two megabytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lfgtui.history import maintenance
from lfgtui.history.reader import Reader

# In a namespace of its own anybody may mount a file system in memory.
IN_A_SMALL_DISK = [
    *("unshare", "--user", "--map-root-user", "--mount"),
    *("sh", "-c", 'mount -t tmpfs -o size=2m lfg "$1" && shift && exec "$@"', "-"),
]

FILL_UP = """
import json, sys
from pathlib import Path
from queue import SimpleQueue
from lfgtui.model import events as e
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.maintenance import back_up
from lfgtui.model.tickets import Ticket

disk, copy = Path(sys.argv[1]), Path(sys.argv[2])
entries, behind = [], SimpleQueue()
history = Recorder(disk / "history.db")
history.on_entries, history.on_behind = entries.extend, behind.put
run = history.start_run("t", [Ticket(id="a", prompt="p", workspace="/")], None)
for event in (e.TicketQueued(), e.AttemptStarted("p", "m"), e.RequestSent(1)):
    history.submit(run, "a", 1, 0.0, event)
before = history.flush().result(30)
with (disk / "ballast").open("wb", buffering=0) as ballast:
    try:
        while ballast.write(bytes(4096)):
            pass
    except OSError:
        pass
for n in range(50):
    history.submit(run, "a", 1, float(n), e.TextDelta(f"word{n} " * 200))
    history.submit(run, "a", 1, float(n), e.Status(f"step {n}"))
full = history.flush().result(30)
said = behind.get(timeout=30).reason
unsaved = [entry.saved for entry in entries].count(False)
(disk / "ballast").unlink()
after = history.flush(saved=True).result(30)
history.submit(run, "a", 1, 60.0, e.ResponseFinished(1, "end"))
history.submit(run, "a", 1, 60.0, e.TicketDone("end"))
history.finish_run(run, "done")
history.close()
back_up(disk / "history.db", copy)
print(json.dumps([before, full, said, unsaved, after, behind.get(timeout=30), len(entries)]))
"""


def test_what_a_full_disk_did_not_take_is_written_once_it_has_room(tmp_path: Path) -> None:
    disk, copy = tmp_path / "disk", tmp_path / "copy.db"
    disk.mkdir()
    tried = subprocess.run([*IN_A_SMALL_DISK, str(disk), "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"no file system may be mounted here: {tried.stderr.decode().strip()}")
    done = subprocess.run(
        [*IN_A_SMALL_DISK, str(disk), sys.executable, "-c", FILL_UP, str(disk), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    before, full, said, unsaved, after, caught_up, count = json.loads(done.stdout)
    assert (before, full, after, caught_up) == (True, False, True, None)
    assert "full" in said and "free some space on its disk" in said
    assert unsaved > 0
    assert maintenance.damage(copy) == []
    with Reader(copy) as reader:
        run = reader.runs(1)[0].run
        assert reader.run(run).state == "done"
        assert [entry.seq for entry in reader.entries(run, "a")] == list(range(1, count + 1))
        text = "".join(f"word{n} " * 200 for n in range(50))
        assert reader.transcript(run, "a").attempts[0].text == text
