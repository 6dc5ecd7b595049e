"""One run in which much goes wrong at once, through the real screen: all of it is named and kept.

Two agents collide on a file and assume different ports, one goes in circles, one says a key, one
asks twice, one spends more than it may, and one watches them.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings import paths
from tests.helpers.frames import Frames
from tests.helpers.processes import simulator
from tests.helpers.terminal import LFG, Program
from tests.helpers.waiting import until

SIZE = (200, 60)
KEY = "ghp_" + "9aB3dE5fG7hJ1kL2mN4pQ6rS8tU0vW2xY4zA"
SETTINGS = '{{ path = "settings.toml", content = "port = {}\\n" }}'
FOUND = [
    {
        "kind": "contradiction",
        "tickets": ["api", "docs"],
        "assumes": ["the port is 8080", "the port is 9090"],
        "quotes": ["listens on port 8080", "browser at port 9090"],
    }
]


def turn(text: str, *calls: tuple[str, str]) -> str:
    """Return a turn of a scenario, with its calls as name and arguments."""
    made = [f'[[turn.call]]\nname = "{name}"\narguments = {given}' for name, given in calls]
    return "\n".join([f"[[turn]]\ntext = {json.dumps(text)}", *made, ""])


LOOK = ("read_file", '{ path = "notes.txt" }')
COMMANDS = [("run_command", f'{{ command = "echo {word}" }}') for word in ("one", "two")]
TRIES = "until grep -q 9090 settings.toml; do sleep 0.02; done"
WAITS = "until test -e settings.toml; do sleep 0.02; done"
SCENARIOS = {
    "api": [
        turn("The server listens on port 8080.", ("write_file", SETTINGS.format(8080))),
        turn("I try it.", ("run_command", f'{{ command = "{TRIES}" }}')),
        turn("The server is there."),
    ],
    "docs": [
        turn("I wait for the settings.", ("run_command", f'{{ command = "{WAITS}" }}')),
        turn("Point your browser at port 9090.", ("write_file", SETTINGS.format(9090))),
        turn("The page is there."),
    ],
    "circles": [*[turn("Once more.", LOOK)] * 4, turn("Enough.")],
    "leaks": [turn(f"I sign in with {KEY} and go on.")],
    "asks": [*[turn("May I?", command) for command in COMMANDS], turn("Thanks.")],
    "dear": [turn("This takes a while.", LOOK), turn("And goes on.")],
    "watch": [
        turn(f"```json\n{json.dumps(FOUND)}\n```"),
        f"[[follow_up]]\ntext = {json.dumps(f'```json{chr(10)}{json.dumps(FOUND)}{chr(10)}```')}\n",
    ],
}
CONFIG = """
[providers.trouble]
wire = "openai-chat"
base_url = "{root}/v1"
price = {{ input = 0.0, output = 0.0 }}

[providers.dear]
wire = "openai-chat"
base_url = "{root}/v1"
price = {{ input = 1000.0, output = 1000.0 }}
"""
MORE = {
    "asks": 'approve = { run_command = "ask" }',
    "dear": 'provider = "dear"\nmax_cost = 0.0001',
    "watch": "watch = true\ntools = []",
}


SHOWN = (
    r"≠ ✓ done +api .*≠ ✓ done +docs ",
    r"contradiction with docs: ",
    r"third identical call of read_file in a row",
    r"⚑ ✓ done +leaks ",
    r"secrets: github token in the answer",
    r"⊤ limit +dear ",
    r"stopped: reached max_cost",
    r"✓ done +watch ",
)
SPACES = re.compile(r"[\s▌!]+")


@pytest.fixture
def troubled(tmp_path: Path) -> Iterator[Path]:
    """A folder with the tickets, of which each has a model of its own."""
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name, turns in SCENARIOS.items():
        (folder / f"{name}.toml").write_text("\n".join(turns))
    (tmp_path / "notes.txt").write_text("Nothing new.\n")
    tickets = [
        f'[[ticket]]\nid = "{name}"\nmodel = "{name}"\nprompt = "Go."\n{MORE.get(name, "")}\n'
        for name in SCENARIOS
    ]
    defaults = '[defaults]\nprovider = "trouble"\nworkspace = "."\napprove = "auto"\n'
    (tmp_path / "tickets.toml").write_text("\n".join([defaults, *tickets]))
    with simulator("--speed", "20", *(f"--scenario={x}" for x in folder.iterdir())) as root:
        paths.config_file().parent.mkdir()
        paths.config_file().write_text(CONFIG.format(root=root))
        yield tmp_path


def missing(text: str) -> list[str]:
    """Return those of what a screen is to show that it does not."""
    shown = SPACES.sub(" ", text)
    return [words for words in SHOWN if not re.search(words, shown)]


def test_all_that_goes_wrong_is_named_and_in_the_history(troubled: Path) -> None:
    command = [*LFG, "run", "tickets.toml", "--yes"]
    with closing(Program(command, folder=troubled, size=SIZE)) as program:
        screen = Frames(program, SIZE)
        screen.wait_for("2 to approve", 0)
        screen.press("i")
        screen.wait_for(r"inbox:\d", -1)
        left = {"$ echo one", "$ echo two", "third identical call of"}
        while left:
            left -= screen.wait_for_any(left)
            screen.press_once_read("a")
        screen.wait_for("nothing left to answer; esc leaves", -1)
        screen.press("\x1b")
        screen.wait_for("2 conflicts", 0)
        until(lambda: not missing(screen.text), f"not all is shown: {SHOWN}")
        screen.press("q")
        assert program.wait() == 1
    with Reader(paths.history_file()) as reader:
        run = reader.runs(1)[0].run
        said = {one: [entry.event for entry in reader.entries(run, one)] for one in SCENARIOS}
    for one, other in (("api", "docs"), ("docs", "api")):
        kinds = {type(x) for x in said[one]}
        assert {e.ConflictDetected, e.ContradictionFound} <= kinds, one
        (conflict,) = (x for x in said[one] if isinstance(x, e.ConflictDetected))
        assert (conflict.path, conflict.tickets) == ("settings.toml", (other,))
        (found,) = (x for x in said[one] if isinstance(x, e.ContradictionFound))
        assert (found.tickets, found.found_by) == ((one, other), "watch")
    tripped = {x.guard for one in said.values() for x in one if isinstance(x, e.GuardTripped)}
    assert tripped == {"secrets", "repetition"}
    given = {one: sum(isinstance(x, e.ApprovalGiven) for x in said[one]) for one in said}
    assert {one: number for one, number in given.items() if number} == {"circles": 1, "asks": 2}
    assert e.TicketLimited("cost") in said["dear"]
