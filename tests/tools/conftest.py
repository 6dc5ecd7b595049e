"""A workspace of real files, and a way to call a tool on it."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from lfgtui.model.events import ToolArguments
from lfgtui.tools import ToolLimits, ToolOutcome, run_tool
from tests.helpers.leash import Leash

Call = Callable[..., ToolOutcome]


def run_call(
    workspace: Path, name: str, arguments: ToolArguments, limits: ToolLimits | None = None
) -> ToolOutcome:
    limits = limits or ToolLimits()
    return asyncio.run(
        run_tool(name, arguments, workspace, on_output=lambda *_: None, limits=limits)
    )


def make(workspace: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        (workspace / name).write_bytes(data)


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


@pytest.fixture
def leash(workspace: Path) -> Iterator[Leash]:
    held = Leash(workspace / "leash")
    yield held
    os.close(held.descriptor)
