"""`lfg replay` and `lfg export --format cast`, as they are typed."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pyte
import pytest

from lfgtui.__main__ import main
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from tests.text.redaction.secrets import GITHUB

LIFE: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("simulator", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
    e.TextDelta("Gone *for good*."),
    e.ResponseFinished(1, "end"),
    e.TicketDone("end"),
]


@pytest.fixture
def run() -> str:
    with Recorder(paths.history_file()) as history:
        run = history.start_run("Hi\x1b[31m", [Ticket(id="a", prompt="p", workspace="/")], None)
        for at, event in enumerate(LIFE):
            history.submit(run, "a", 1, 1000.0 + at * 0.5, event)
        history.finish_run(run, "done")
    return run


def test_a_cast_is_one_that_players_read(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "90x20", "--speed", "2"]
    assert main(["export", "last", "--format", "cast", *options]) in (0, None)
    header, *written = capsys.readouterr().out.splitlines()
    assert json.loads(header) == {
        "version": 2,
        "width": 90,
        "height": 20,
        "timestamp": 1000,
        "title": "Hi␛[31m",
        "env": {"TERM": "xterm-256color"},
    }
    screen = pyte.Screen(90, 20)
    stream = pyte.Stream(screen)
    for at, kind, data in map(json.loads, written):
        assert isinstance(at, float) and kind == "o"
        stream.feed(data)
    text = "\n".join(screen.display)
    for part in ("REPLAY", "SIMULATED MODELS", "Gone for good.", "✓ done", "2×", " end "):
        assert part in text
    assert json.loads(written[-1])[0] == 1.5


def test_a_cast_shows_no_secret_unless_it_is_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    with Recorder(paths.history_file()) as history:
        name = Ticket(id="a", prompt="p", title=f"Use {GITHUB}", workspace="/")
        run = history.start_run(f"With {GITHUB}", [name], None)
        said = [*LIFE[:4], e.TextDelta(GITHUB[:9]), e.TextDelta(GITHUB[9:] + " ok"), *LIFE[5:]]
        for at, event in enumerate(said):
            history.submit(run, "a", 1, 1000.0 + at, event)
        history.finish_run(run, "done")

    def seen(*options: str) -> str:
        assert main(["export", run, "--format", "cast", "--size", "200x30", *options]) in (0, None)
        return "".join(json.loads(line)[2] for line in capsys.readouterr().out.splitlines()[1:])

    assert GITHUB[10:] not in seen()
    assert GITHUB[10:] in seen("--no-redact")


def test_a_cast_goes_into_a_file_of_its_own(run: str, tmp_path: Path) -> None:
    file = tmp_path / "run.cast"
    assert main(["export", run, "--format", "cast", "-o", str(file)]) in (0, None)
    assert json.loads(file.read_text().partition("\n")[0])["width"] == 120
    assert main(["export", run, "--format", "cast", "-o", str(file)]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--format", "cast", "--size", "wide"],
            '--size: invalid size "wide": expected COLUMNSxROWS, e.g. 120x40',
        ),
        (["--format", "cast", "--size", "9x9"], "--size: 9x9 is not between 40x12 and 500x200"),
        (
            ["--format", "cast", "--speed", "nan"],
            "Invalid value for '--speed': nan is not a valid number",
        ),
        (
            ["--format", "cast", "--idle-limit", "inf"],
            "Invalid value for '--idle-limit': inf is not a valid number",
        ),
        (["--speed", "2"], "--size, --speed and --idle-limit require --format cast"),
    ],
)
def test_mistakes_in_an_export(
    run: str, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["export", run, *options]) == 2
    assert capsys.readouterr().err == f"lfg: {message}\n"


def test_without_a_terminal_it_says_what_to_do(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", run]) == 2
    said = capsys.readouterr().err
    assert said.startswith("lfg: lfg replay needs a terminal; `lfg export")
    assert said.count("\n") == 1


def on_a_terminal(*arguments: str, until: str, keys: str) -> tuple[str, int]:
    """Run lfg in a terminal, press keys once a text is there; its picture and its exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lfgtui", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "90", "LINES": "24"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    screen = pyte.Screen(90, 24)
    stream = pyte.ByteStream(screen)
    shown, deadline = "", time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.05)[0]:
            continue
        try:
            stream.feed(os.read(ours, 65536))
        except OSError:
            break
        if not shown and until in (picture := "\n".join(screen.display)):
            shown = picture
            os.write(ours, keys.encode())
    process.kill() if time.monotonic() >= deadline else None
    code = process.wait()
    os.close(ours)
    return shown or "\n".join(screen.display), code


def test_it_plays_in_a_terminal_and_is_left_with_q(run: str) -> None:
    shown, code = on_a_terminal("replay", "last", "--from", "50%", until="Gone", keys="q")
    assert "REPLAY" in shown and "event" in shown
    assert code == 0


def test_a_place_that_is_none_is_said_before_the_screen_opens(run: str) -> None:
    shown, code = on_a_terminal("replay", "last", "--from", "9:00", until="\0", keys="")
    assert "lfg: the replay is only 0:03 long" in shown
    assert code == 2


def test_a_finished_run_is_not_gone_on_with(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--json"]) == 0
    before = capsys.readouterr().out
    assert main(["resume", run, "--headless"]) == 0
    assert capsys.readouterr().err == f"run {run} is already finished\n"
    assert main(["history", "--json"]) == 0
    assert capsys.readouterr().out == before
