"""Children written in Python, of which none outlives its test."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from lfgtui.processes.child import ChildLimits, ChildProcess, start_child
from tests.helpers.children import python
from tests.helpers.leash import Leash

Start = Callable[..., Awaitable[ChildProcess]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """`start(script, limit=...)`: the child that runs it, in `tmp_path`."""
    started: list[ChildProcess] = []

    async def start(script: str, **limits: float) -> ChildProcess:
        bounds = ChildLimits(**limits)  # type: ignore[arg-type]  # of floats and integers
        child = await start_child(python(script), tmp_path, os.environ, bounds)
        started.append(child)
        return child

    yield start
    for child in started:
        await child.terminate(0)


@pytest.fixture
def leash(tmp_path: Path) -> Iterator[Leash]:
    held = Leash(tmp_path / "leash")
    yield held
    os.close(held.descriptor)
