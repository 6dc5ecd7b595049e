"""A workspace of real files, and a way to call a tool on it as an agent does."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lfgtui.tools import ToolLimits, ToolOutcome, run_tool

Call = Callable[..., ToolOutcome]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def call(workspace: Path) -> Call:
    """`call(name, argument=...)`: the outcome of one call; `limits=` for other limits."""

    def run(name: str, *, limits: ToolLimits | None = None, **arguments: object) -> ToolOutcome:
        return asyncio.run(
            run_tool(
                name,
                arguments,
                workspace,
                on_output=lambda _channel, _text: None,
                limits=limits or ToolLimits(),
            )
        )

    return run


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
