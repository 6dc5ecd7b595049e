"""`lfg replay` and `lfg export --format cast`, as they are typed."""

import json

import pyte
import pytest

from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from tests.cli.conftest import LIFE, Lfg, store
from tests.helpers.terminal import lfg_in_terminal
from tests.text.secrets import GITHUB

CAST = ("--format", "cast")


def test_a_cast_is_one_that_players_read(run: str, lfg: Lfg) -> None:
    code, out, _ = lfg("export", run, *CAST, "--size", "90x20", "--speed", "2")
    header, *written = map(json.loads, out.splitlines())
    assert code == 0 and header == {
        "version": 2,
        "width": 90,
        "height": 20,
        "timestamp": 1000,
        "title": "Hi␛[31m",
        "env": {"TERM": "xterm-256color"},
    }
    screen = pyte.Screen(90, 20)
    stream = pyte.Stream(screen)
    for at, kind, data in written:
        assert isinstance(at, float) and kind == "o"
        stream.feed(data)
    text = "\n".join(screen.display)
    for part in ("REPLAY", "SIMULATED MODELS", "Gone for good.", "✓ done", "2×", " end "):
        assert part in text
    assert written[-1][0] == 1.5


def test_a_cast_shows_no_secret_unless_it_is_asked_to(lfg: Lfg) -> None:
    life = [*LIFE[:4], e.TextDelta(GITHUB[:9]), e.TextDelta(GITHUB[9:] + " ok"), *LIFE[5:]]
    ticket = Ticket(id="a", prompt="p", title=f"Use {GITHUB}", workspace="/")
    run = store(f"With {GITHUB}", [ticket], life)

    def seen(*options: str) -> str:
        out = lfg("export", run, *CAST, "--size", "200x30", *options).out
        return "".join(json.loads(line)[2] for line in out.splitlines()[1:])

    assert GITHUB[10:] not in seen()
    assert GITHUB[10:] in seen("--no-redact")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((*CAST, "--size", "wide"), '--size: invalid size "wide": expected COLUMNSxROWS, e.g. 120'),
        ((*CAST, "--size", "9x9"), "--size: 9x9 is not between 40x12 and 500x200"),
        ((*CAST, "--speed", "nan"), "Invalid value for '--speed': nan is not a valid number"),
        ((*CAST, "--idle-limit", "inf"), "Invalid value for '--idle-limit': inf is not a valid"),
        (("--speed", "2"), "--size, --speed and --idle-limit require --format cast"),
    ],
)
def test_mistakes_in_an_export(run: str, lfg: Lfg, options: list[str], message: str) -> None:
    code, _, err = lfg("export", run, *options)
    assert code == 2 and err.startswith(f"lfg: {message}") and err.count("\n") == 1


def test_without_a_terminal_it_says_what_to_do(run: str, lfg: Lfg) -> None:
    code, _, err = lfg("replay", run)
    assert code == 2 and err.count("\n") == 1
    assert err.startswith("lfg: lfg replay needs a terminal; `lfg export")


def test_it_plays_in_a_terminal_and_runs_are_kept_from_its_history(run: str) -> None:
    with lfg_in_terminal("replay", run, "--from", "50%") as lfg:
        lfg.read_until("REPLAY")
        lfg.read_until("Gone")
        lfg.type(b"H")
        lfg.read_until("1 run")
        lfg.type(b"\t")
        lfg.read_until("pin")
        lfg.type(b"i")
        lfg.read_until("◆")
        lfg.type(b"q")
        assert lfg.wait() == 0


def test_a_position_beyond_the_end_is_refused_before_the_screen_opens(run: str) -> None:
    with lfg_in_terminal("replay", run, "--from", "9:00") as lfg:
        assert lfg.wait() == 2
    assert b"lfg: the replay is only 0:03 long" in lfg.written


def test_a_finished_run_is_not_resumed(run: str, lfg: Lfg) -> None:
    assert lfg("resume", run, "--headless") == (0, "", f"run {run} is already finished\n")
    assert [one["run"] for one in lfg("history", "--json").json] == [run]
