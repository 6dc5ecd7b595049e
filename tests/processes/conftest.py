"""Children written in Python, of which none outlives its test."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from lfgtui.processes.child import ChildLimits, ChildProcess
from tests.helpers.leash import Leash

PROLOGUE = """
import os, signal, sys, time
say = lambda *words: print(*words, flush=True)
"""

Start = Callable[..., Awaitable[ChildProcess]]


def python(script: str) -> list[str]:
    """Return the command that runs a script after the prologue."""
    return [sys.executable, "-I", "-S", "-c", PROLOGUE + dedent(script)]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """`start(script, limit=...)`: the child that runs it, in `tmp_path`."""
    started: list[ChildProcess] = []

    async def start(script: str, **limits: float) -> ChildProcess:
        bounds = ChildLimits(**limits)  # type: ignore[arg-type]  # of floats and integers
        child = await ChildProcess.start(python(script), tmp_path, os.environ, bounds)
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
