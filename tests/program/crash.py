"""`kill -9` in the middle: what stood on the terminal is in the history.

    python -m tests.program.crash [--rounds 200] [--seed N]

Three tickets on three wires stream numbered words into a real terminal (a pty
read by pyte). At a random moment lfg is killed. Every word that had been on
the screen must be in the history, the file must be sound, and a resume must
finish all three.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pyte

from lfgtui.history import maintenance
from tests.helpers.processes import simulator, three_wires
from tests.helpers.terminal import COLUMNS, LFG, ROWS, Program
from tests.helpers.waiting import PATIENCE

WORDS = 400

_ANY = re.compile(rb"(?s).")

# The next response follows the last word with nothing between.
_WORD = re.compile(r"\b([abc])(\d{4})(?!\d)")


class Outcome(NamedTuple):
    """What one kill left. `shown` and `stored` are the last word of each ticket."""

    after: float
    shown: dict[str, int]
    stored: dict[str, int]
    lost: set[str]
    damage: list[str]
    resumed: dict[str, str]

    @property
    def is_well(self) -> bool:
        """Whether the promise held."""
        ends = set(self.resumed.values())
        return not self.lost and not self.damage and ends == {"done"}


@contextmanager
def stage(folder: Path) -> Iterator[dict[str, str]]:
    """A simulator of its own, tickets and config; gives the environment for lfg."""
    for name in "abc":
        text = " ".join(f"{name}{number:04}" for number in range(WORDS))
        reading = "[[turn.call]]\nname = 'list_files'\n"
        said = f'rate = 400\nfirst_token = 0.05\n[[turn]]\ntext = "{text}"\n{reading}'
        (folder / f"{name}.toml").write_text(f'{said}[[turn]]\ntext = "the end"\n')
    with simulator(*(f"--scenario={folder / name}.toml" for name in "abc")) as root:
        (folder / "config.toml").write_text(three_wires(root, "abc"))
        ticket = '[[ticket]]\nid = "{0}"\nprovider = "{0}"\nmodel = "{0}"\nprompt = "Go."\n'
        (folder / "tickets.toml").write_text("".join(map(ticket.format, "abc")))
        variables = {"LFG_CONFIG": str(folder / "config.toml"), "TERM": "xterm-256color"}
        yield {**os.environ, **variables}


def killed_once(folder: Path, environment: dict[str, str], dice: random.Random) -> Outcome:
    """One run, killed at a random moment after its first word."""
    data = Path(tempfile.mkdtemp(dir=folder))
    environment = {**environment, "LFG_DATA_DIR": str(data)}
    after = dice.uniform(0.0, 2.5)
    seen = _watched([*LFG, "run", str(folder / "tickets.toml")], environment, after)
    stored = _stored(environment)
    damage = maintenance.damage(data / "history.db")
    subprocess.run(
        [*LFG, "resume", "last", "--headless"],
        cwd="/",
        env=environment,
        capture_output=True,
        check=False,
    )
    resumed = {name: state for name, (state, _) in _tickets(environment).items()}
    lost = {word for word in seen if word not in stored}
    return Outcome(after, _last(seen), _last(stored), lost, damage, resumed)


def _watched(command: list[str], environment: dict[str, str], after: float) -> set[str]:
    """Run it in a terminal, kill it so long after its first word; every word it ever showed."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    seen: set[str] = set()
    with closing(Program(command, environment)) as program:
        read = 0

        def look() -> None:
            nonlocal read
            piece = bytes(program.written[read:])
            read += len(piece)
            stream.feed(piece)
            seen.update(_shown(screen.display))

        deadline: float | None = None
        given_up = time.monotonic() + PATIENCE
        while deadline is None or time.monotonic() < deadline:
            assert time.monotonic() < given_up, "lfg never showed a word"
            program.wait_for(_ANY, read, 0.02)
            look()
            if seen and deadline is None:
                deadline = time.monotonic() + after
        program.close()
        look()  # what it had written by then counts as well
    return seen


def _shown(rows: Sequence[str]) -> set[str]:
    """Return the words that stand behind the word before them.

    Others may be no words: a frame that is read half-way joins the beginning of a new word
    and the end of an old one.
    """
    words = _words("\n".join(rows))
    return {w for w in words if w[1:] == "0000" or f"{w[0]}{int(w[1:]) - 1:04}" in words}


def _words(text: str) -> set[str]:
    return {f"{name}{number}" for name, number in _WORD.findall(text)}


def _last(words: set[str]) -> dict[str, int]:
    return {n: max((int(w[1:]) for w in words if w[0] == n), default=-1) for n in "abc"}


def _tickets(environment: dict[str, str]) -> dict[str, tuple[str, str]]:
    """State and all visible text of each ticket."""
    shown = subprocess.run(
        [*LFG, "show", "last", "--json"],
        cwd="/",
        env=environment,
        capture_output=True,
        check=True,
    )
    return {
        ticket["ticket"]: (ticket["state"], "".join(a["text"] for a in ticket["attempts"]))
        for ticket in json.loads(shown.stdout)["tickets"]
    }


def _stored(environment: dict[str, str]) -> set[str]:
    return {word for _, text in _tickets(environment).values() for word in _words(text)}


def main() -> int:
    """Print each round and how many held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    well = words = 0
    with tempfile.TemporaryDirectory() as scratch, stage(Path(scratch)) as environment:
        for number in range(1, chosen.rounds + 1):
            outcome = killed_once(Path(scratch), environment, dice)
            well += outcome.is_well
            words += sum(last + 1 for last in outcome.shown.values())
            if not outcome.is_well:
                print(f"round {number}: {outcome}")
        print(f"{well} of {chosen.rounds} kills lost nothing ({words} words had been shown)")
    return 0 if well == chosen.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
