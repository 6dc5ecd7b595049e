"""Copying, with real programs and with the terminal; what is said is what is known."""

import base64
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lfgtui.ui.terminal import clipboard
from lfgtui.ui.terminal.clipboard import copy_commands
from tests.ui.emulator import Emulator, on_terminal
from tests.ui.fake_live import FakeLive
from tests.ui.screen_text import make_app, toasts

Install = Callable[[str, str], None]
TEXT = "one fish,\r\ntwo \x1bfish é!"
SEEN = "one fish,\ntwo ␛fish é!"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program on a path of its own, at a machine with a display."""
    monkeypatch.delenv("SSH_TTY")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("sys.platform", "linux")

    def install(name: str, script: str) -> None:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
        program.chmod(0o755)

    return install


@pytest.mark.parametrize(
    ("environment", "platform", "names"),
    [
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({}, "linux", []),
        ({}, "darwin", ["pbcopy"]),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, "linux", []),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", []),
    ],
)
def test_programs_are_chosen_by_the_display_and_none_over_ssh(
    environment: Mapping[str, str], platform: str, names: list[str]
) -> None:
    assert [name for name, *_ in copy_commands(environment, platform)] == names


@pytest.mark.parametrize(
    ("script", "told", "is_sent"),
    [
        ("cat > copied", "22 characters copied with xsel", False),
        ("cat > copied; sleep 60 & exit 0", "22 characters copied with xsel", False),
        ("exit 3", "xsel failed (exit code 3): 22 characters sent to the terminal's", True),
        ("exec sleep 60", "xsel took more than 0 s: 22 characters sent to the terminal's", True),
        ("", "22 characters sent to the terminal's clipboard", True),
    ],
    ids=["takes it", "goes on in the background", "fails", "hangs", "none"],
)
async def test_what_is_told_is_what_is_known(
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    told: str,
    is_sent: bool,
) -> None:
    if script:
        install("xsel", script)
    if "exec" in script:
        monkeypatch.setattr(clipboard, "_PATIENCE", 0.01)
    sent: list[str] = []
    monkeypatch.setattr(Emulator, "write", lambda _, data: sent.append(data))
    live = FakeLive("a")
    app = make_app(live)
    async with on_terminal(app, (100, 30)) as terminal:
        live.begin("a")
        live.stream("a", TEXT)
        await terminal.press("y")
        await app.workers.wait_for_complete()
        (toast,) = toasts(app)
        assert toast.startswith(told)
    texts = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", "".join(sent))
    assert [base64.b64decode(text).decode() for text in texts] == [SEEN] * is_sent
    assert is_sent or (tmp_path / "copied").read_text("utf-8") == SEEN
