"""Kills of lfg, of its agents and of their supervisors: nothing may go on running.

    python -m tests.program.agent_kills [--rounds 50] [--seed N]

Three of four agents work at once and the fourth is being prepared. Each starts a child, a
daemon (a session of its own, its parent gone) and a daemon with an empty environment. At a
random moment something is killed. Every other ten rounds there is no sandbox. Then no process of
the run may be left, and the run can be resumed to its end.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from lfgtui.history import maintenance
from lfgtui.processes import supervisor
from tests.acp import agent
from tests.acp.agent import Steps
from tests.acp.scripts import ended, leave_behind, scripted, shell
from tests.helpers.terminal import LFG, Program
from tests.helpers.waiting import PATIENCE, until

MARK = "LFG_KILLS_TEST"
NAMES = "abcd"
LONGEST = 2.5
"""Seconds after the first agent's start within which something is killed."""

WAYS = (
    *("SIGKILL", "SIGTERM", "SIGINT", "ctrl+c", "closed terminal"),  # of lfg, with its screen
    *("agent", "supervisor", "guard", "agent and supervisor"),  # under an lfg that goes on
    "lfg and supervisor",
)
"""What is killed, or ended as a person does."""

_QUESTION = re.compile(rb"Quit anyway\?")


class Process(NamedTuple):
    """A living process of the run."""

    pid: int
    parent: int
    command: bytes


class Outcome(NamedTuple):
    """What one kill left; `seconds` until nothing of the run was alive."""

    way: str
    after: float
    alive: int
    left: list[str]
    seconds: float
    damage: list[str]
    resumed: dict[str, str]

    @property
    def is_well(self) -> bool:
        """True if the promise held."""
        ends = set(self.resumed.values())
        return not self.left and not self.damage and ends == {"done"} and self.alive > 0


def stage(folder: Path, sandbox: str = "auto") -> dict[str, str]:
    """Write tickets, agents and config; return the environment for lfg."""
    folder.mkdir(exist_ok=True)
    token = f"{os.getpid()}-{folder.name}"
    bare: Steps = [
        {
            "command": {
                "shell": f"env -i /bin/sh -c '/bin/sleep 600; : {token}' &",
                "background": True,
                "setsid": True,
            }
        }
    ]
    child: Steps = [{"command": {"shell": "sleep 600", "background": True}}]
    slow = "for n in $(seq 50); do echo $n; sleep 0.05; done"
    turn: Steps = [{"text": "I begin."}, *child, *leave_behind("daemon.pid"), *bare]
    turn += [*shell(slow), ended("run-1", "done"), {"text": " That is all."}]
    (folder / "config.toml").write_text(
        f'[sandbox]\nmode = "{sandbox}"\n{scripted(folder, turns=[turn]).config()}'
    )
    tickets = ""
    for name in NAMES:
        (folder / name).mkdir()
        tickets += f'[[ticket]]\nid = "{name}"\nprovider = "mine"\nprompt = "Go."\n'
        tickets += f'workspace = "{name}"\n'
    (folder / "tickets.toml").write_text(tickets)
    variables = {"LFG_CONFIG": str(folder / "config.toml"), "TERM": "xterm-256color", MARK: token}
    return {**os.environ, **variables}


def killed_once(
    folder: Path, environment: dict[str, str], way: str, dice: random.Random
) -> Outcome:
    """One run, in which something is killed at a random moment after its first agent's start."""
    data = Path(tempfile.mkdtemp(dir=folder))
    environment = {**environment, "LFG_DATA_DIR": str(data)}
    token, after = environment[MARK], dice.uniform(0.0, LONGEST)
    ends_alone = way in ("agent", "supervisor", "guard", "agent and supervisor")
    command = [*LFG, "run", str(folder / "tickets.toml"), "--yes", "--concurrency", "3"]
    with closing(Program([*command, *["--headless"] * ends_alone], environment)) as program:
        until(lambda: agents(token), "no agent is ever started")
        time.sleep(after)
        alive = len(living(token))
        kill(program, way, token, dice)
        began = time.monotonic()
        assert program.wait() is not None, f"lfg goes on after {way}"
        left = gone_or_left(token)
        seconds = time.monotonic() - began
    damage = maintenance.damage(data / "history.db")
    if set(states(environment).values()) != {"done"}:
        resume = [*LFG, "resume", "last", "--headless"]
        subprocess.run(resume, cwd="/", env=environment, capture_output=True, check=False)
        left += gone_or_left(token)
    return Outcome(way, after, alive, left, seconds, damage, states(environment))


def kill(program: Program, way: str, token: str, dice: random.Random) -> None:
    """Kill what the way says; of agents any one."""
    lfg = program.process.pid
    above = {one.pid: one.parent for one in living(token) if _is_supervisor(one)}
    found = [one for one in agents(token) if one.parent in above]
    agent_pid, supervising = dice.choice([(one.pid, one.parent) for one in found] or [(0, 0)])
    guard = above.get(supervising, 0)
    match way:
        case "closed terminal":
            program.hang_up()
        case "ctrl+c":
            program.type(b"\x03")
            if program.wait_for(_QUESTION) is not None:
                program.type(b"y")
        case "SIGKILL" | "SIGTERM" | "SIGINT":
            os.kill(lfg, getattr(signal, way))
        case _:
            victims = {
                "agent": [agent_pid],
                "supervisor": [supervising],
                "guard": [guard] if guard in above else [],
                "agent and supervisor": [supervising, agent_pid],
                "lfg and supervisor": [supervising, lfg],
            }[way]
            for victim in filter(None, victims):
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)


def gone_or_left(token: str) -> list[str]:
    """Wait until nothing of the run is alive; name, and kill, what goes on."""
    with suppress(AssertionError):
        until(lambda: not list(living(token)), patience=PATIENCE / 2)
    left = list(living(token))
    for one in left:
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
    return [f"{one.pid} {one.command.decode(errors='replace')}" for one in left]


def living(token: str) -> list[Process]:
    """The processes with the token in their environment or their command, this one aside."""
    return list(_living(token.encode()))


def _living(token: bytes) -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            marked = b"=" + token + b"\0" in (folder / "environ").read_bytes()
            if not (marked or token in command) or int(folder.name) == os.getpid():
                continue
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] not in (b"Z", b"X"):
                yield Process(int(folder.name), int(fields[1]), command.replace(b"\0", b" "))


def agents(token: str) -> list[Process]:
    """The agents themselves, without their supervisors."""
    program = os.fsencode(agent.__file__)
    return [one for one in living(token) if program in one.command and not _is_supervisor(one)]


def _is_supervisor(one: Process) -> bool:
    return os.fsencode(supervisor.__file__) in one.command


def states(environment: dict[str, str]) -> dict[str, str]:
    """The state of each ticket of the last run."""
    shown = subprocess.run(
        [*LFG, "show", "last", "--json"],
        cwd="/",
        env=environment,
        capture_output=True,
        check=True,
    )
    return {one["ticket"]: one["state"] for one in json.loads(shown.stdout)["tickets"]}


def main() -> int:
    """Print each round that failed, and how many held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = {mode: Path(scratch, mode) for mode in ("auto", "none")}
        stages = [(folder, stage(folder, mode)) for mode, folder in folders.items()]
        for number in range(chosen.rounds):
            way = WAYS[number % len(WAYS)]
            folder, environment = stages[number // len(WAYS) % len(stages)]
            outcome = killed_once(folder, environment, way, dice)
            outcomes.append(outcome)
            if not outcome.is_well:
                print(f"round {number + 1}: {outcome}", flush=True)
    well = sum(one.is_well for one in outcomes)
    killed = sum(one.alive for one in outcomes)
    print(f"{well} of {chosen.rounds} kills left nothing ({killed} processes had been alive)")
    return 0 if well == chosen.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
