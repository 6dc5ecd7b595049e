"""`lfg export` and `lfg import`, as they are typed."""

import io
import json
import sqlite3
import stat
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.cli.launching.past_runs import plan_to_resume
from lfgtui.cli.launching.servers import embedded_simulator
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.history.transfer import import_run, lines_of
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.settings.config import PRESETS, Config
from tests.text.redaction.secrets import GITHUB

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
    with Recorder(paths.history_file()) as history:
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
    assert capsys.readouterr().err == f"lfg: {file} already exists; choose a new file\n"
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
    assert capsys.readouterr().err == "no runs ended more than 1d ago\n"


def test_the_advice_after_a_rescue_leaves_a_sound_history(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = paths.history_file()
    left = Recorder(path)  # its log is not folded in: as after a kill
    killed = left.start_run("Killed", [Ticket(id="k", prompt="p", workspace="/")], None)
    rescued = tmp_path / "rescued.db"
    assert main(["history", "repair", str(rescued)]) in (0, None)
    advice = capsys.readouterr().err.partition(": ")[2]
    subprocess.run(["sh", "-c", advice], check=True)
    left.release(killed)  # its process is gone
    assert main(["history", "check"]) == 0
    main(["history", "--json"])
    states = {
        one["title"]: one["state"] for one in json.loads(capsys.readouterr().out.split("\n")[1])
    }
    assert states == {"Hi": "done", "Killed": "interrupted"}


OTHER = Ticket(id="b", prompt="the other", workspace="/", title="the other")
HALVES = (f"It is {GITHUB[:12]}", f"{GITHUB[12:]}, keep it.")
SECRETIVE: list[e.Event] = [
    *LIFE[:4],
    e.ReasoningDelta(f"I know {GITHUB}"),
    e.ProviderItem("anthropic", {"type": "thinking", "signature": "abcd"}),
    *(e.TextDelta(half) for half in HALVES),
    e.ToolCallRequested("1", "run_command", {"command": f"echo {GITHUB}"}),
    *LIFE[5:],
]


@pytest.fixture
def secretive() -> str:
    """A run whose every part holds a token; the answer holds it in two pieces."""
    ticket = Ticket(id="a", prompt=f"Use {GITHUB}", workspace="/", system=GITHUB)
    with Recorder(paths.history_file()) as history:
        run = history.start_run(f"With {GITHUB}", [ticket, OTHER], None)
        for at, event in enumerate(SECRETIVE):
            history.submit(run, "a", 1, 1000.0 + at, event)
            history.flush().result()  # each a batch of its own: what follows is not merged
        history.finish_run(run, "done")
    return run


@pytest.mark.parametrize("form", ["md", "json", "jsonl", "html"])
def test_exports_hold_no_secrets(
    secretive: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", secretive, "--format", form])
    said = capsys.readouterr()
    assert GITHUB[:12] not in said.out
    assert GITHUB[12:] not in said.out
    assert (
        "It is [redacted: github token], keep it." in said.out.replace("\\", "") or form == "jsonl"
    )
    assert "github token" in said.err
    assert said.err.endswith("--no-redact keeps them\n")
    main(["export", secretive, "--format", form, "--no-redact"])
    said = capsys.readouterr()
    assert GITHUB in said.out
    assert said.err == ""


def test_a_redacted_run_is_imported_as_it_was_shown(
    secretive: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "run.jsonl"
    main(["export", secretive, "--format", "jsonl", "-o", str(file)])
    main(["export", secretive, "--format", "json"])
    here = capsys.readouterr().out
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["seq"] for line in lines if "seq" in line] == list(range(1, len(SECRETIVE) + 1))
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "elsewhere"))
    assert main(["import", str(file)]) == 0
    capsys.readouterr()
    main(["show", "last", "--json"])
    assert capsys.readouterr().out == here


def test_the_config_says_what_is_secret(
    secretive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = paths.config_file()
    config.parent.mkdir(parents=True)
    config.write_text('[history]\nredact = "never"\nsecrets = ["keep \\\\w+"]\n')
    main(["export", secretive])
    assert GITHUB in capsys.readouterr().out
    monkeypatch.setenv("XAI_API_KEY", "With ghp")
    main(["export", secretive, "--redact"])
    said = capsys.readouterr().out
    assert said.startswith("# \\[redacted: key in use\\]")
    assert "[redacted: github token], [redacted: secret]." in said


@pytest.mark.parametrize("form", ["md", "json", "html"])
def test_one_ticket(secretive: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", f"{secretive}/a", "--format", form]) == 0
    assert "the other" not in capsys.readouterr().out
    assert main(["export", f"{secretive}/c", "--format", form]) == 2
    assert 'no ticket "c" in that run' in capsys.readouterr().err


def test_what_is_imported_is_a_whole_run(
    secretive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", f"{secretive}/a", "--format", "jsonl"]) == 2
    assert "exports whole runs only" in capsys.readouterr().err


def test_pruning_takes_its_age_from_the_config(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["history", "prune", "--yes"]) == 2
    assert "set retention in [history]" in capsys.readouterr().err
    config = paths.config_file()
    config.parent.mkdir(parents=True)
    config.write_text('[history]\nretention = "1h"\n')
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert main(["history", "prune", "--yes"]) == 0
    assert capsys.readouterr().out == f"{run}\n"


def test_a_run_deletes_what_is_older_than_the_config_keeps(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = partial(embedded_simulator, "--speed", "9.0")
    monkeypatch.setattr("lfgtui.cli.launching.servers.embedded_simulator", hasty)
    config = paths.config_file()
    config.parent.mkdir(parents=True)
    config.write_text('[history]\nretention = "1h"\n')
    with closing(sqlite3.connect(paths.history_file())) as db:
        db.execute("UPDATE runs SET ended_at = 1.0")
        db.commit()
    arguments = ["--provider", "simulator", "--model", "generic", "--headless"]
    assert main(["run", "-p", "Hello", *arguments]) == 0
    main(["history", "--json"])
    assert run not in capsys.readouterr().out


def damage_packs() -> None:
    with closing(sqlite3.connect(paths.history_file())) as db:
        db.execute("UPDATE packs SET body = x'00'")
        db.commit()


def test_an_export_that_fails_leaves_no_half_a_file(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage_packs()
    assert main(["export", run, "--format", "jsonl", "-o", str(tmp_path / "out")]) == 2
    assert "lfg history repair" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_what_cannot_be_read_is_said_beside_what_can(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    damage_packs()
    for command in (
        ["export", run, "--format", form, "-o", str(tmp_path / "out")],
        ["show", run],
        ["show", run, "--json"],
    ):
        assert main(command) == 1
        told = capsys.readouterr().err.splitlines()
        assert len(told) == len(set(told)) > 0
        assert all("cannot be read" in line and "lfg history repair" in line for line in told)
    assert (tmp_path / "out").stat().st_size


def test_what_is_imported_is_not_deleted_for_its_age(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run.jsonl"
    main(["export", run, "--format", "jsonl", "-o", str(file)])
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "elsewhere"))
    config = paths.config_file()
    config.parent.mkdir(parents=True)
    config.write_text('[history]\nretention = "1d"\n')
    main(["import", str(file)])
    assert "pinned, since it is older" in capsys.readouterr().err
    main(["history", "prune", "--yes"])
    assert capsys.readouterr().err == "no runs ended more than 1d ago\n"


def test_vacuum_of_no_history_is_refused_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LFG_DATA_DIR", str(tmp_path / "nowhere"))
    assert main(["history", "vacuum"]) == 2
    assert not (tmp_path / "nowhere").exists()


def test_an_imported_run_asks_for_everything_when_it_goes_on(tmp_path: Path) -> None:
    with Recorder(tmp_path / "there.db") as history:
        said = Ticket(
            id="a",
            prompt="Read it.",
            workspace=str(tmp_path),
            tools=("read_file", "run_command"),
            approve={"read_file": "auto", "run_command": "deny"},
            extra={"tools": [{"type": "mcp"}]},
        )
        run = history.start_run("t", [said], None)
        history.submit(run, "a", 1, 1.0, e.TicketQueued())
        history.submit(run, "a", 1, 2.0, e.TicketCancelled())
        history.finish_run(run, "failed")
    with Reader(tmp_path / "there.db") as reader:
        lines = list(lines_of(reader, run))
    import_run(paths.history_file(), lines, "x.jsonl")
    (ticket,) = plan_to_resume(run, Config(providers=PRESETS)).tickets
    assert {tool: ticket.approval_for(tool) for tool in ticket.tools} == {
        "read_file": "ask",
        "run_command": "deny",
    }
    assert ticket.extra == {}
