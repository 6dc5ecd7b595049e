"""run_program: a helper program ends, and is gone, whatever it prints and however it is left."""

import asyncio
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfgtui.errors import ToolError
from lfgtui.tools.programs import Deadline, Printed, run_program


@pytest.fixture
def leash(workspace: Path) -> Iterator[int]:
    """A FIFO that a program holds open for as long as it, or a child of it, lives."""
    os.mkfifo(workspace / "leash")
    descriptor = os.open(workspace / "leash", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def assert_gone(leash: int) -> None:
    poll = select.poll()
    poll.register(leash, select.POLLIN)
    assert dict(poll.poll(10_000)).get(leash, 0) & select.POLLHUP, "a process is still alive"


async def started(leash: int) -> None:
    """Return once the program has written its first line to the leash."""
    said = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(leash, said.set)
    await said.wait()
    loop.remove_reader(leash)
    os.read(leash, 10)


async def test_both_channels_and_the_exit_code_are_told(workspace: Path) -> None:
    printed = await run_program(
        ["sh", "-c", "echo out; echo err >&2; exit 3"], workspace, Deadline(30), most_bytes=100
    )
    assert printed == Printed(b"out\n", "err\n", 3, True)


async def test_one_that_prints_too_much_is_stopped_and_its_beginning_kept(
    workspace: Path, leash: int
) -> None:
    command = ["sh", "-c", "exec 3>leash; yes & yes"]
    printed = await run_program(command, workspace, Deadline(30), most_bytes=1_000_000)
    assert (len(printed.stdout), printed.complete) == (1_000_000, False)
    assert_gone(leash)


async def test_one_that_takes_too_long_is_stopped(workspace: Path, leash: int) -> None:
    command = ["sh", "-c", "exec 3>leash; sleep 600 & wait"]
    with pytest.raises(ToolError, match=r"stopped after 0\.2 s"):
        await run_program(command, workspace, Deadline(0.2), most_bytes=100)
    assert_gone(leash)


@pytest.mark.parametrize("turns", range(4))
async def test_one_that_floods_can_be_cancelled(workspace: Path, leash: int, turns: int) -> None:
    command = ["sh", "-c", "exec 3>leash; echo >&3; exec yes"]
    work = run_program(command, workspace, Deadline(600), most_bytes=1_000_000_000)
    running = asyncio.ensure_future(work)
    await started(leash)
    for _ in range(turns * 5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert_gone(leash)


async def test_a_long_complaint_is_cut(workspace: Path) -> None:
    command = ["sh", "-c", "seq 100000 >&2"]
    printed = await run_program(command, workspace, Deadline(30), most_bytes=100)
    assert len(printed.stderr) == 10_000
