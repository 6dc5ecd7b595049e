"""A workspace of real files, a way to call a tool on it, and proof that processes are gone."""

import asyncio
import os
import select
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lfgtui.model.events import ToolArguments
from lfgtui.tools import ToolLimits, ToolOutcome, run_tool

Call = Callable[..., ToolOutcome]


def run_call(
    workspace: Path, name: str, arguments: ToolArguments, limits: ToolLimits | None = None
) -> ToolOutcome:
    limits = limits or ToolLimits()
    return asyncio.run(
        run_tool(name, arguments, workspace, on_output=lambda *_: None, limits=limits)
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def call(workspace: Path) -> Call:
    """`call(name, argument=...)`: the outcome of one call; `limits=` for other limits."""

    def call(name: str, *, limits: ToolLimits | None = None, **arguments: object) -> ToolOutcome:
        return run_call(workspace, name, arguments, limits)

    return call


@pytest.fixture(params=["ripgrep", "python"])
def searcher(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """With ripgrep, and as on a machine that has none."""
    if request.param == "python":
        monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    elif shutil.which("rg") is None:
        pytest.skip("ripgrep is not installed")
    return str(request.param)


class Leash:
    """A FIFO that the processes of a command hold open for as long as they live."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_until_free(self) -> None:
        """Return once no process holds it; fails if one still does after 10 s."""
        hung_up = select.poll()
        hung_up.register(self.descriptor, select.POLLIN)
        events = dict(hung_up.poll(10_000))
        assert events.get(self.descriptor, 0) & select.POLLHUP, "a process is still alive"

    async def written(self) -> None:
        """Return once a process has written to it."""
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.descriptor, ready.set)
        await ready.wait()
        loop.remove_reader(self.descriptor)
        os.read(self.descriptor, 10)


@pytest.fixture
def leash(workspace: Path) -> Iterator[Leash]:
    held = Leash(workspace / "leash")
    yield held
    os.close(held.descriptor)
