"""run_program: a helper program ends, and is gone, whatever it prints and however it is left."""

import asyncio
from pathlib import Path

import pytest

from lfgtui.errors import ToolError
from lfgtui.tools.programs import Deadline, ProgramOutput, run_program
from tests.helpers.leash import Leash


async def test_both_channels_and_the_exit_code_are_told(workspace: Path) -> None:
    printed = await run_program(
        ["sh", "-c", "echo out; echo err >&2; exit 3"], workspace, Deadline(30), most_bytes=100
    )
    assert printed == ProgramOutput(b"out\n", "err\n", 3, True)


async def test_one_that_prints_too_much_is_cut_off(workspace: Path, leash: Leash) -> None:
    command = ["sh", "-c", "exec 3>leash; yes & yes"]
    printed = await run_program(command, workspace, Deadline(30), most_bytes=1_000_000)
    assert (len(printed.stdout), printed.complete) == (1_000_000, False)
    await asyncio.to_thread(leash.wait_until_free)


async def test_one_that_takes_too_long_is_stopped(workspace: Path, leash: Leash) -> None:
    command = ["sh", "-c", "exec 3>leash; sleep 600 & wait"]
    with pytest.raises(ToolError, match=r"stopped after 0\.2 s"):
        await run_program(command, workspace, Deadline(0.2), most_bytes=100)
    await asyncio.to_thread(leash.wait_until_free)


@pytest.mark.parametrize("turns", range(4))
async def test_one_that_floods_can_be_cancelled(workspace: Path, leash: Leash, turns: int) -> None:
    command = ["sh", "-c", "exec 3>leash; echo >&3; exec yes"]
    work = run_program(command, workspace, Deadline(600), most_bytes=1_000_000_000)
    running = asyncio.ensure_future(work)
    await leash.written()
    for _ in range(turns * 5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(leash.wait_until_free)


async def test_a_long_complaint_is_cut(workspace: Path) -> None:
    command = ["sh", "-c", "seq 100000 >&2"]
    printed = await run_program(command, workspace, Deadline(30), most_bytes=100)
    assert len(printed.stderr) == 10_000
