"""`lfg replay` and `lfg export --format cast`, as they are typed."""

import json

import pyte
import pytest

from lfgtui.__main__ import main
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import LIFE, store
from tests.helpers.terminal import lfg_in_terminal
from tests.text.redaction.secrets import GITHUB


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


def test_a_cast_shows_no_secret_unless_it_is_asked_to(capsys: pytest.CaptureFixture[str]) -> None:
    life = [*LIFE[:4], e.TextDelta(GITHUB[:9]), e.TextDelta(GITHUB[9:] + " ok"), *LIFE[5:]]
    ticket = Ticket(id="a", prompt="p", title=f"Use {GITHUB}", workspace="/")
    run = store(f"With {GITHUB}", [ticket], life)

    def seen(*options: str) -> str:
        assert main(["export", run, "--format", "cast", "--size", "200x30", *options]) in (0, None)
        return "".join(json.loads(line)[2] for line in capsys.readouterr().out.splitlines()[1:])

    assert GITHUB[10:] not in seen()
    assert GITHUB[10:] in seen("--no-redact")


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


def test_it_plays_in_a_terminal_and_is_left_with_q(run: str) -> None:
    with lfg_in_terminal("replay", run, "--from", "50%") as lfg:
        lfg.read_until("REPLAY")
        lfg.read_until("Gone")
        lfg.type(b"q")
        assert lfg.wait() == 0


def test_a_position_beyond_the_end_is_refused_before_the_screen_opens(run: str) -> None:
    with lfg_in_terminal("replay", run, "--from", "9:00") as lfg:
        assert lfg.wait() == 2
    assert b"lfg: the replay is only 0:03 long" in lfg.written


def test_a_finished_run_is_not_resumed(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", run, "--headless"]) == 0
    assert capsys.readouterr().err == f"run {run} is already finished\n"
    assert main(["history", "--json"]) == 0
    assert [one["run"] for one in json.loads(capsys.readouterr().out)] == [run]
