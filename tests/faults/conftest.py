"""Every test of faults ends with nothing left open: no task, no socket, no file."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

_TURNS = 200  # of the loop, for transports that close a turn after they are told


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    before = _open_files()
    yield
    mine = {asyncio.current_task()}
    for _ in range(_TURNS):
        if not (_open_files() - before or asyncio.all_tasks() - mine):
            break
        await asyncio.sleep(0)
    assert not _open_files() - before
    assert not asyncio.all_tasks() - mine


def _open_files() -> "Counter[str]":
    """What this process holds open, by kind: a socket's number may be used again."""
    held: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)  # noqa: PTH115 - Path.readlink makes a path of "socket:[1]"
        except FileNotFoundError:  # the one that listed them
            continue
        held[target.partition("[")[0]] += 1
    return held
