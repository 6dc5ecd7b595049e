"""What may lie in a workspace: pipes, holes, names that are no text, and what never ends."""

import os
import socket
from pathlib import Path

import pytest

from lfgtui.tools import ToolLimits

from .conftest import Call

CALLS: dict[str, dict[str, object]] = {
    "read_file": {},
    "list_files": {},
    "search_files": {"pattern": "x"},
    "write_file": {"content": "x"},
    "edit_file": {"old": "x", "new": "y"},
}


@pytest.fixture
def odd(workspace: Path) -> Path:
    """A workspace of what is neither file nor folder."""
    os.mkfifo(workspace / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(workspace / "socket"))
    (workspace / "circle").symlink_to("circle")
    (workspace / "zero").symlink_to("/dev/zero")
    (workspace / "text").write_text("x marks the spot\n")
    return workspace


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("path", ["pipe", "socket", "circle", "zero", "text/x", "pipe/x"])
def test_what_is_no_file_is_refused_at_once(odd: Path, call: Call, name: str, path: str) -> None:
    outcome = call(name, path=path, **CALLS[name])
    assert outcome.error is not None and "\n" not in outcome.error


@pytest.mark.usefixtures("odd", "searcher")
def test_what_is_no_file_is_passed_over_in_a_folder(call: Call) -> None:
    assert call("list_files").output == "text"
    assert call("search_files", pattern="x").output == "text:1: x marks the spot"


@pytest.mark.usefixtures("searcher")
def test_a_hole_of_gigabytes_is_neither_read_nor_searched(workspace: Path, call: Call) -> None:
    with (workspace / "hole").open("wb") as file:
        file.write(b"needle\n" * 2_000)
        file.truncate(10 << 30)
    assert "more than the 10,000,000" in str(call("read_file", path="hole").error)
    call("search_files", pattern="absent", limits=ToolLimits(search_seconds=2))


@pytest.mark.usefixtures("searcher")
def test_names_that_are_no_text_or_lines_are_told_apart(workspace: Path, call: Call) -> None:
    for name in (b"\xff\xfe", b"a\nb", b"\x1b[2J", "\u202egpj.exe".encode()):
        Path(os.fsdecode(os.fsencode(workspace) + b"/" + name)).write_text("needle\n")
    listed = call("list_files").output
    found = call("search_files", pattern="needle").output
    for output in (listed, found):
        assert len(output.split("\n")) == 4
        assert "\x1b" not in output


def test_a_list_that_takes_too_long_is_stopped(
    workspace: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    (workspace / "a").write_text("")
    outcome = call("list_files", limits=ToolLimits(search_seconds=-1.0))
    assert "narrow it with path or a glob" in str(outcome.error)


def test_a_glob_of_a_thousand_parts_is_refused(workspace: Path, call: Call) -> None:
    for parts, error in ((1_000, "a glob has at most 64 parts; narrow it with path"), (60, None)):
        assert call("list_files", pattern="**/" * parts + "x").error == error


def test_a_bug_in_a_tool_is_the_calls_failure(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lfgtui.tools.run.read_file", broken)
    error = call("read_file", path="a").error
    assert error == "read_file: a bug in lfg: ZeroDivisionError: division by zero"
