"""What the sandbox adds to a command: `run_command` with it, without it, and a bare shell.

Each round runs all of them once, in turn, so that a machine that slows down slows all. The
figures are wall time of the whole call, and of each round what it takes more than without the
sandbox; medians and 90th percentiles are printed.

    python bench/sandbox.py [ROUNDS]
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.availability import find_sandbox
from lfgtui.processes.sandbox.wall import Wall
from lfgtui.processes.sandbox.walls import Walls
from lfgtui.processes.usage import available_memory
from lfgtui.settings.sandbox import SandboxPolicy
from lfgtui.tools import ToolLimits, run_tool

COMMAND = "true"
BOUND = 50.0
"""Milliseconds that the sandbox may add."""


async def bare(folder: Path) -> None:
    """A shell, as whoever has no supervisor starts it."""
    await asyncio.to_thread(subprocess.run, ["bash", "-c", COMMAND], cwd=folder, check=True)


def calls(folder: Path, limits: ToolLimits, wall: Wall | None) -> Callable[[], Awaitable[None]]:
    """Return a call of run_command, as an agent makes it."""

    async def call() -> None:
        outcome = await run_tool(
            "run_command",
            {"command": COMMAND},
            folder,
            on_output=lambda *_: None,
            limits=limits,
            wall=wall,
        )
        assert outcome.exit_code == 0, outcome

    return call


async def measure(rounds: int, folder: Path, walls: Walls) -> dict[str, list[float]]:
    """Return milliseconds of each way, by round."""
    held = walls.of(Ticket(id="bench", prompt="", workspace=str(folder)))
    assert held.wall is not None, held.missing
    limits = ToolLimits(processes=held.limits)
    ways = {
        "a bare shell": lambda: bare(folder),
        "run_command": calls(folder, limits, None),
        "in the sandbox": calls(folder, limits, held.wall),
        "with network": calls(folder, limits, replace(held.wall, network=True)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 3):
        for name, way in ways.items():
            began = time.perf_counter()
            await way()
            if number >= 3:  # the first ones fill the caches
                taken[name].append((time.perf_counter() - began) * 1e3)
    return taken


def main() -> int:
    """Print the table; fail where the sandbox adds more than it may."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    found = find_sandbox()
    if not found.program:
        print(f"no sandbox here: {found.reason}")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "workspace").resolve()
        folder.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        walls = Walls(SandboxPolicy(), found, (), available_memory())
        try:
            taken = asyncio.run(measure(rounds, folder, walls))
        finally:
            walls.close()
    print(f"{rounds} rounds, milliseconds: median, 90th percentile, median of what it adds")
    without = taken["run_command"]
    added = {}
    for name, each in taken.items():
        added[name] = median(one - other for one, other in zip(each, without, strict=True))
        worst = quantiles(each, n=10)[-1]
        print(f"  {name:<16} {median(each):7.1f} {worst:7.1f} {added[name]:+7.1f}")
    return 0 if added["in the sandbox"] <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
