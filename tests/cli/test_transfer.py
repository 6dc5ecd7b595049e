"""`lfg export` and `lfg import`, as they are typed."""

import io
import json
import stat
import subprocess
from pathlib import Path

import pytest

from lfgtui import events as e
from lfgtui import paths
from lfgtui.__main__ import main
from lfgtui.history import History
from lfgtui.tickets import Ticket

LIFE: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("p", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
    e.TextDelta("Gone."),
    e.ResponseFinished(1, "end"),
    e.TicketDone("end"),
]


@pytest.fixture
def run() -> str:
    with History.open(paths.history_file()) as history:
        run = history.start_run("Hi", [Ticket(id="a", prompt="p", workspace="/")], None)
        for at, event in enumerate(LIFE):
            history.submit(run, "a", 1, 1000.0 + at, event)
        history.finish_run(run, "done")
    return run


def test_a_round_trip_shows_the_same(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run.jsonl"
    assert main(["export", "last", "--format", "jsonl", "-o", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert main(["show", run, "--json"]) == 0
    here = capsys.readouterr().out
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "elsewhere"))
    assert main(["import", str(file)]) == 0
    assert capsys.readouterr().out == f"{run}\n"
    assert main(["show", "last", "--json"]) == 0
    assert capsys.readouterr().out == here


def test_markdown_and_json_are_what_show_prints(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", run])
    assert "Gone." in capsys.readouterr().out
    main(["export", run, "--format", "json"])
    exported = json.loads(capsys.readouterr().out)
    main(["show", run, "--json"])
    assert json.loads(capsys.readouterr().out) == exported


def test_a_file_is_never_written_over(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine"
    file.write_text("precious")
    assert main(["export", run, "-o", str(file)]) == 2
    assert capsys.readouterr().err == f"lfg: {file} exists already; name a new file\n"
    assert file.read_text() == "precious"


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_pruning_asks_unless_it_is_told_not_to(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 4e9)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["history", "prune", "--older-than", "1d"]) == 130
    assert main(["show", run]) in (0, None)
    capsys.readouterr()
    main(["history", "prune", "--older-than", "1d", "--yes"])
    assert capsys.readouterr().out == f"{run}\n"
    main(["history", "prune", "--older-than", "1d"])
    assert capsys.readouterr().err == "no run ended that long ago\n"


def test_the_advice_after_a_rescue_leaves_a_sound_history(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = paths.history_file()
    left = History.open(path)  # its log is not folded in: as after a kill
    left.start_run("Killed", [Ticket(id="k", prompt="p", workspace="/")], None)
    rescued = tmp_path / "rescued.db"
    assert main(["history", "repair", str(rescued)]) in (0, None)
    advice = capsys.readouterr().err.partition(": ")[2]
    subprocess.run(["sh", "-c", advice], check=True)
    for lease in left._leases.values():  # its process is gone
        lease.release()
    assert main(["history", "check"]) == 0
    main(["history", "--json"])
    states = {
        one["title"]: one["state"] for one in json.loads(capsys.readouterr().out.split("\n")[1])
    }
    assert states == {"Hi": "done", "Killed": "interrupted"}
