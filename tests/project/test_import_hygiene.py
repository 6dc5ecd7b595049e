"""Deferred imports stay deferred: each in a process of its own."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.terminal import run_in_terminal

SDKS = {"anthropic", "openai", "httpx", "httpx2"}
SERVER = {"starlette", "uvicorn", "redis"}
SCREEN = {"textual"}
LATER = SDKS | SERVER | {"email", "markdown_it", "pygments", "sqlite3"}

STOP_AT_THE_FIRST_FRAME = """
import os, sys
from pathlib import Path
from textual.app import App

def first_display(self, screen, renderable):
    if renderable is not None and self.screen.size:
        Path(sys.argv[1]).write_text("\\n".join(sys.modules))
        os._exit(0)

App._display = first_display
from lfgtui.__main__ import main
main(sys.argv[2:])
"""


def packages(modules: str) -> set[str]:
    """The top-level packages of modules named one a line."""
    return {module.partition(".")[0] for module in modules.split()}


@cache
def imported_by(modules: str) -> set[str]:
    """What importing the modules brings along."""
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return packages(done.stdout)


def modules_at_first_frame(report: Path, *arguments: str) -> set[str]:
    """The modules lfg has imported when it paints for the first time, in a real terminal."""
    command = [sys.executable, "-c", STOP_AT_THE_FIRST_FRAME, str(report), *arguments]
    run_in_terminal(command, {**os.environ, "TERM": "xterm-256color"}, report.parent)
    return set(report.read_text().split())


def test_the_demo_paints_before_it_imports_engine_sdk_or_server(tmp_path: Path) -> None:
    modules = modules_at_first_frame(tmp_path / "modules", "demo")
    assert "lfgtui.ui.app" in modules
    assert "lfgtui.engine.engine" not in modules
    assert packages("\n".join(modules)) & LATER == set()


@pytest.mark.parametrize(
    ("modules", "never"),
    [
        ("lfgtui.cli.history, lfgtui.cli.show, lfgtui.cli.doctor", SCREEN | SDKS | SERVER),
        ("lfgtui.cli.search", {"msgspec", "asyncio"} | SCREEN | SDKS | SERVER),
        ("lfgtui.engine.engine", {"httpx_sse"} | SCREEN | SDKS | SERVER),
        ("lfgtui.providers.registry, lfgtui.providers.base", SDKS),
        ("lfgtui.providers.sdk.anthropic", {"openai"}),
        ("lfgtui.providers.sdk.openai", {"anthropic"}),
    ],
)
def test_a_module_brings_nothing_that_others_need(modules: str, never: set[str]) -> None:
    assert imported_by(modules) & never == set()


@pytest.mark.parametrize(
    ("modules", "needed"),
    [
        ("lfgtui.model.events, lfgtui.model.tickets, lfgtui.model.fold.transcript", set()),
        ("lfgtui.settings.config", {"platformdirs"}),  # where themes are
    ],
)
def test_the_foundation_is_msgspec_and_the_standard_library(modules: str, needed: set[str]) -> None:
    foreign = imported_by(modules) - set(sys.stdlib_module_names)
    assert foreign - imported_by("msgspec") == {"lfgtui"} | needed


def has_inner_imports(file: Path) -> bool:
    tree = ast.parse(file.read_text("utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    inner = (node for function in functions for node in ast.walk(function))
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in inner)


def test_imports_inside_functions_are_those_that_the_decision_gives_a_reason_for() -> None:
    root = Path(__file__).parents[2]
    (decision,) = (root / "docs" / "decisions").glob("0005-*.md")
    reasons = decision.read_text("utf-8")
    package = root / "lfgtui"
    workspace = package / "simulator" / "demo"
    ours = (file for file in package.rglob("*.py") if workspace not in file.parents)
    named = {str(file.relative_to(package)) for file in ours if has_inner_imports(file)}
    assert [name for name in named if f"`{name}`" not in reasons] == []
