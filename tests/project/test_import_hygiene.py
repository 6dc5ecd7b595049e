"""Deferred imports stay deferred: each in a process of its own."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

SDKS = {"anthropic", "openai", "httpx", "httpx2"}
SERVER = {"starlette", "uvicorn"}
SIZE = struct.pack("HHHH", 40, 120, 0, 0)

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


def imported_by(module: str) -> set[str]:
    """What importing the module brings along."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return packages(done.stdout)


def drain(terminal: int) -> None:
    """Read what is painted, as a terminal would, until it is closed."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def modules_at_first_frame(report: Path, *arguments: str) -> set[str]:
    """The modules lfg has imported when it paints for the first time, in a real terminal."""
    terminal, its_side = pty.openpty()
    fcntl.ioctl(its_side, termios.TIOCSWINSZ, SIZE)
    command = [sys.executable, "-c", STOP_AT_THE_FIRST_FRAME, str(report), *arguments]
    process = subprocess.Popen(
        command,
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(its_side)
    reader = threading.Thread(target=drain, args=(terminal,))
    reader.start()
    try:
        process.wait(60)
    finally:
        process.kill()
        reader.join()
        os.close(terminal)
    return set(report.read_text().split())


def test_the_demo_paints_before_it_imports_an_sdk_or_the_server(tmp_path: Path) -> None:
    modules = modules_at_first_frame(tmp_path / "modules", "demo")
    assert "lfgtui.ui.app" in modules
    assert packages("\n".join(modules)) & (SDKS | SERVER) == set()


def test_the_demo_paints_before_it_imports_the_engine(tmp_path: Path) -> None:
    assert "lfgtui.engine.engine" not in modules_at_first_frame(tmp_path / "modules", "demo")


def test_checking_the_machine_needs_no_screen_no_sdk_and_no_server() -> None:
    code = "import lfgtui.doctor.machine as m; m.check_machine(); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert packages(done.stdout) & {"textual", *SDKS, *SERVER} == set()


def test_asking_the_history_needs_no_screen() -> None:
    assert imported_by("lfgtui.cli.history") & {"textual", *SDKS, *SERVER} == set()


def test_a_search_needs_little_more_than_sqlite() -> None:
    heavy = {"msgspec", "asyncio", "textual", *SDKS, *SERVER}
    assert imported_by("lfgtui.cli.search") & heavy == set()


def test_the_engine_brings_no_sdk_no_http_client_and_no_screen() -> None:
    assert imported_by("lfgtui.engine.engine") & {"textual", "httpx_sse", *SDKS, *SERVER} == set()


@pytest.mark.parametrize("module", ["lfgtui.providers.registry", "lfgtui.providers.base"])
def test_naming_providers_imports_none(module: str) -> None:
    assert imported_by(module) & SDKS == set()


@pytest.mark.parametrize(
    "module",
    [
        "lfgtui.model.events",
        "lfgtui.model.tickets",
        "lfgtui.settings.config",
        "lfgtui.model.transcript",
        "lfgtui.model.record",
    ],
)
def test_the_foundation_stands_on_msgspec_and_the_standard_library(module: str) -> None:
    foreign = imported_by(module) - set(sys.stdlib_module_names)
    assert foreign - imported_by("msgspec") == {"lfgtui"}
