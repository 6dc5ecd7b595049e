"""Kills of lfg while it makes, sets up, applies, discards and prunes worktrees.

    python -m tests.program.worktree_kills [--rounds 200] [--seed N]

Three tickets work in worktrees on a clone of this project in which a person has changes of every
kind. lfg is killed with SIGKILL, half of the time at any moment of a command and half of it just
after the command has begun to change something. After each kill nothing of the person's may differ
but files that are being applied, and each of those is either as it was or as it should be. Then
the same command, or a resume, is run to its end, and what it is for must be the case.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lfgtui.workspace.upkeep import state_of
from lfgtui.workspace.worktrees import Worktree, discard_worktree, find_worktrees
from tests.program.worktree_world import ADDED, CHANGED, World, work_of, world

REMOVED = "CONTRIBUTING.md"
APPLIED = {CHANGED, ADDED, REMOVED}
_LONGEST = {"run": 4.0, "resume": 4.0, "apply": 1.2, "discard": 1.2, "prune": 1.2}
"""Seconds that the commands take; a kill after the end of one is none."""

_AFTER_BEGIN = {"run": 1.5, "resume": 1.5, "apply": 0.06, "discard": 0.12, "prune": 0.12}
"""Seconds after its first effect within which a command is killed."""

_PATIENCE = 60.0


class Kill(NamedTuple):
    """What one kill left. `hit`: it came before the command's end."""

    command: str
    hit: bool
    is_late: bool
    faults: list[str]


class Kills:
    """Kills in one world, cycle after cycle."""

    def __init__(self, made: World, dice: random.Random) -> None:
        self._world, self._dice = made, dice
        self._mine = made.mine()
        self._runs = set[str]()
        self.kills: list[Kill] = []

    def cycle(self) -> None:
        """Run, apply one, discard another, prune; kill each once, and go on after it."""
        made = self._world
        tickets = str(made.tickets)
        self._kill("run", ["run", tickets, "--headless", "--yes"], self._is_making)
        if not self._has_new_run():
            made.lfg("run", tickets, "--headless", "--yes")
        elif self._dice.random() < 0.3:
            self._kill("resume", ["resume", "last", "--headless"], self._is_making)
        self._finish_run()
        run = self._worktrees()[0].run
        self._runs.add(run)
        self._apply(run)
        self._discard(run)
        self._prune(run)
        for worktree in self._worktrees():
            asyncio.run(discard_worktree(worktree))
        self._expect(made.git("branch", "--list", "lfg/*") == "", "no branch is left")
        self._expect(made.git("worktree", "list").count("\n") == 1, "no worktree is left")
        self._expect(not list(made.worktrees.iterdir()), "no folder is left")

    def _has_new_run(self) -> bool:
        """Return True if the run that was killed is in the history."""
        listed = self._world.lfg("history", "--json", "--limit", "100000")
        runs = {one["run"] for one in json.loads(listed)}
        is_new, self._runs = runs != self._runs, runs
        return is_new

    def _finish_run(self) -> None:
        made = self._world
        with made.start("resume", "last", "--headless") as process:
            _, err = process.communicate()
        is_over = process.returncode == 0
        self._expect(is_over, f"the resume ended well: {process.returncode} {err}")
        for worktree in self._worktrees():
            self._work_anew(worktree)
        kinds = {one.ticket: asyncio.run(state_of(one)).state for one in self._worktrees()}
        expected = {"apply": "unmerged", "discard": "dirty", "leave": "dirty"}
        self._expect(kinds == expected, f"all three worked: {kinds}")
        for log in made.worktrees.glob("*/*/set-up.log"):
            self._expect(log.read_text() == "1\n2\n3\n", "each was set up")

    def _work_anew(self, worktree: Worktree) -> None:
        """Do what an agent was interrupted in: nothing runs a command a second time unasked."""
        shown = json.loads(self._world.lfg("show", f"{worktree.run}/{worktree.ticket}", "--json"))
        calls = [call for one in shown["attempts"] for call in one["tool_calls"]]
        done = [call for call in calls if call["name"] == "run_command" and not call["error"]]
        if not done:
            command = f"git reset -q --hard {worktree.base}; git clean -qfd; "
            command += work_of(worktree.ticket)
            subprocess.run(["sh", "-c", command], cwd=worktree.path, check=True)

    def _apply(self, run: str) -> None:
        made = self._world
        staging = made.checkout / ".git" / "lfg" / "apply" / "new" / CHANGED
        place = f"{run}/apply"
        self._kill("apply", ["apply", place], staging.exists, may_differ=True)
        made.lfg("apply", place)
        is_new = (made.checkout / CHANGED).read_text().startswith("apply was here\n")
        is_added = (made.checkout / ADDED).read_text() == "apply\n"
        is_whole = is_new and is_added and not (made.checkout / REMOVED).exists()
        self._expect(is_whole, "the second apply goes on")
        self._expect(self._differing() == APPLIED, "and changes nothing else")
        made.git("restore", CHANGED, REMOVED)
        (made.checkout / ADDED).unlink()
        self._mine[".git/index"] = made.mine()[".git/index"]  # whose times `restore` has changed
        self._expect(not self._differing(), "what was applied can be taken back")

    def _discard(self, run: str) -> None:
        record = self._world.worktrees / run / "=discard.json"
        place = f"{run}/discard"
        begun = self._is_going(record)
        self._kill("discard", ["discard", place, "--yes"], begun)
        if "discard" in self._tickets():
            self._world.lfg("discard", place, "--yes")
        self._expect("discard" not in self._tickets(), "the second discard goes on")

    def _prune(self, run: str) -> None:
        """Prune when the one worktree's changes are committed, in a way that is taken back."""
        made = self._world
        head = made.git("rev-parse", "HEAD").strip()
        folder = made.worktrees / run / "apply"
        subprocess.run(["git", "reset", "-q", "--hard", head], cwd=folder, check=True)
        begun = self._is_going(made.worktrees / run / "=apply.json")
        self._kill("prune", ["worktrees", "prune", "--all"], begun)
        made.lfg("worktrees", "prune", "--all")
        is_left = self._tickets() == ["leave"]
        self._expect(is_left, "the second prune goes on, and takes nothing that holds anything")

    def _worktrees(self) -> list[Worktree]:
        return find_worktrees(self._world.worktrees)

    def _tickets(self) -> list[str]:
        return [one.ticket for one in self._worktrees()]

    def _is_making(self) -> bool:
        records = self._world.worktrees.glob("*/=*.json")
        return any(b'"making"' in _bytes(record) for record in records)

    def _is_going(self, record: Path) -> Callable[[], bool]:
        return lambda: not record.exists() or b'"discarding"' in _bytes(record)

    def _kill(
        self, name: str, command: list[str], has_begun: Callable[[], bool], *,
        may_differ: bool = False,
    ) -> None:  # fmt: skip
        """Run the command, kill it, and look at what is the person's."""
        is_late = self._dice.random() < 0.5
        most = _AFTER_BEGIN[name] if is_late else _LONGEST[name]
        with self._world.start(*command) as process:
            given_up = time.monotonic() + _PATIENCE
            while is_late and process.poll() is None and not has_begun():
                assert time.monotonic() < given_up, name
                time.sleep(0.001)
            until = time.monotonic() + self._dice.uniform(0, most)
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.001)
            is_hit = process.poll() is None
            process.kill()
            process.communicate()
        self.kills.append(Kill(name, is_hit, is_late, []))
        differing = self._differing()
        allowed = APPLIED if may_differ else set()
        self._expect(differing <= allowed, f"only {allowed or 'nothing'} differs: {differing}")
        if CHANGED in differing:
            text = (self._world.checkout / CHANGED).read_text()
            self._expect(text.startswith("apply was here\n"), "a file is old or new")

    def _differing(self) -> set[str]:
        now = self._world.mine()
        return {name for name in {*self._mine, *now} if self._mine.get(name) != now.get(name)}

    def _expect(self, condition: bool, what: str) -> None:
        if not condition:
            self.kills[-1].faults.append(what)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def main() -> int:
    """Print what went wrong, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="kills that hit")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, world(Path(scratch)) as made:
        kills = Kills(made, random.Random(chosen.seed))
        os.environ.update(made.environment)
        shown = 0
        while sum(kill.hit for kill in kills.kills) < chosen.rounds:
            try:
                kills.cycle()
            finally:  # what went wrong may have stopped it
                for kill in kills.kills[shown:]:
                    if kill.faults:
                        faults = "; ".join(kill.faults)
                        print(f"{kill.command}, late: {kill.is_late}: {faults}", flush=True)
                shown = len(kills.kills)
    hits = [kill for kill in kills.kills if kill.hit]
    well = sum(not kill.faults for kill in hits)
    commands = Counter(kill.command for kill in hits)
    print(f"{well} of {len(hits)} kills lost nothing, and the next command went on;")
    print(f"{sum(kill.is_late for kill in hits)} came just after something had begun to change")
    print(", ".join(f"{name} {number}" for name, number in commands.most_common()))
    return 0 if well == len(hits) and not any(kill.faults for kill in kills.kills) else 1


if __name__ == "__main__":
    sys.exit(main())
