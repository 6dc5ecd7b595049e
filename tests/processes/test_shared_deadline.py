"""Shared deadlines: what runs past one is ended by its supervisor, and by nobody else."""

import os
import time
from pathlib import Path

import pytest

from lfgtui.processes.child import StartError, start_child
from lfgtui.processes.limits import ProcessLimits
from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.processes.shared_deadline import SharedDeadline
from tests.helpers.children import python
from tests.helpers.leash import Leash

HOLD = "leash = open('leash', 'w'); os.set_inheritable(leash.fileno(), True)\n"
"""Has the child hold the leash, and all that it starts."""

STAYS = f"{HOLD}os.setsid() if os.fork() == 0 else say('runs'); time.sleep(600)"


def within(deadline: SharedDeadline, **limits: int) -> Confinement:
    return Confinement(limits=ProcessLimits(deadline=deadline, **limits))


async def test_all_that_runs_is_ended_while_lfg_does_nothing(tmp_path: Path, leash: Leash) -> None:
    deadline = SharedDeadline(time.monotonic() + 600)
    # With a limit to watch over, the supervisor sees an earlier deadline soon.
    held = within(deadline, processes=1000)
    child = await start_child(python(STAYS), tmp_path, os.environ, confinement=held)
    assert await child.read_lines() == [b"runs"]
    deadline.put_off(time.monotonic())
    leash.wait_until_free()  # which blocks this process
    await child.wait()
    assert child.reports.excess == "deadline"


async def test_a_deadline_that_is_put_off_holds_no_more(tmp_path: Path) -> None:
    first = time.monotonic() + 5
    deadline = SharedDeadline(first)
    outlives = f"while time.monotonic() < {first} + 0.1: time.sleep(0.01)\nsay('lives')"
    child = await start_child(python(outlives), tmp_path, os.environ, confinement=within(deadline))
    deadline.put_off(first + 600)
    assert await child.read_lines() == [b"lives"]
    await child.wait()
    assert child.ending == "exit code 0"


async def test_nothing_begins_after_it(tmp_path: Path) -> None:
    held = within(SharedDeadline(time.monotonic()))
    with pytest.raises(StartError, match="time"):
        await start_child(["touch", "begun"], tmp_path, os.environ, confinement=held)
    assert not (tmp_path / "begun").exists()


async def test_programs_do_not_have_its_file(tmp_path: Path) -> None:
    held = within(SharedDeadline(time.monotonic() + 600))
    shown = "say(*sorted(os.listdir('/dev/fd'))[:4])"
    child = await start_child(python(shown), tmp_path, os.environ, confinement=held)
    assert await child.read_lines() in ([b"0 1 2 3"], [b"0 1 2"])  # 3 is the folder itself
    await child.wait()


async def test_one_that_is_beyond_all_clocks_is_as_good_as_none(tmp_path: Path) -> None:
    held = within(SharedDeadline(1e300))
    child = await start_child(python("say('runs')"), tmp_path, os.environ, confinement=held)
    assert await child.read_lines() == [b"runs"]
    await child.wait()
    assert child.ending == "exit code 0"
