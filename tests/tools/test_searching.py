"""search_files: the same answers with ripgrep and without."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lfgtui.tools import ToolLimits, ToolOutcome, grep

Call = Callable[..., ToolOutcome]

pytestmark = pytest.mark.usefixtures("searcher")


@pytest.fixture
def sources(workspace: Path) -> Path:
    (workspace / "src").mkdir()
    (workspace / "src" / "b.py").write_text("import os\nx = 1\nimport sys\n")
    (workspace / "a.py").write_text("x = 2\n")
    (workspace / "notes.md").write_text("The import of x.\r\n")
    (workspace / "blob.bin").write_bytes(b"import\0\nimport\n")
    (workspace / "skipped.py").write_text("import x\n")
    (workspace / ".gitignore").write_text("skipped.py\n")
    return workspace


@pytest.mark.usefixtures("sources")
def test_matches_are_given_by_file_and_line(call: Call) -> None:
    assert call("search_files", pattern=r"import\b").output.split("\n") == [
        "notes.md:1: The import of x.",
        "src/b.py:1: import os",
        "src/b.py:3: import sys",
    ]


@pytest.mark.usefixtures("sources")
def test_a_path_and_a_glob_narrow_it(call: Call) -> None:
    assert (
        call("search_files", pattern="x", glob="*.py").output == "a.py:1: x = 2\nsrc/b.py:2: x = 1"
    )
    assert call("search_files", pattern="x", path="src").output == "src/b.py:2: x = 1"
    assert call("search_files", pattern="x", path="a.py").output == "a.py:1: x = 2"


@pytest.mark.usefixtures("sources")
def test_nothing_found_says_where_it_was_looked_for(call: Call) -> None:
    assert call("search_files", pattern="nowhere", glob="*.py") == ToolOutcome(
        "[no line matches in 2 files]"
    )


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("pattern", ["(", "[a", "*x", r"(?P<n>a)(?P<n>b)"])
def test_a_bad_expression_is_an_error_that_says_what_is_wrong(call: Call, pattern: str) -> None:
    error = call("search_files", pattern=pattern).error
    assert error is not None
    assert error.startswith('search_files: "pattern" is not a valid regular expression: ')


def test_a_bad_expression_is_an_error_even_where_there_are_no_files(call: Call) -> None:
    assert call("search_files", pattern="(").error is not None


@pytest.mark.usefixtures("sources")
def test_look_behind_and_back_references_work(call: Call) -> None:
    assert call("search_files", pattern=r"(?<=import )s").output == "src/b.py:3: import sys"
    assert call("search_files", pattern=r"(s)y\1").output == "src/b.py:3: import sys"


@pytest.mark.usefixtures("sources")
def test_a_pattern_that_looks_like_an_option_is_a_pattern(call: Call) -> None:
    assert call("search_files", pattern="--files").output.startswith("[no line matches")


def test_many_matches_are_cut_and_that_is_said(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("x\n" * 50)
    output = call("search_files", pattern="x", limits=ToolLimits(max_matches=2)).output
    assert output == "a:1: x\na:2: x\n[the first 2 matches; narrow it with path or glob]"


def test_exactly_as_many_as_allowed_are_not_said_to_be_cut(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("x\nx\n")
    assert call("search_files", pattern="x", limits=ToolLimits(max_matches=2)).output == (
        "a:1: x\na:2: x"
    )


def test_long_lines_are_cut(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("x" * 1_000)
    output = call("search_files", pattern="x", limits=ToolLimits(line_characters=10)).output
    assert output == "a:1: xxxxxxxxxx… (+990 characters)"


def test_more_files_than_fit_a_command_line_are_all_searched(workspace: Path, call: Call) -> None:
    for number in range(600):
        (workspace / f"{number:04}.txt").write_text("needle\n" if number == 599 else "hay\n")
    assert call("search_files", pattern="needle").output == "0599.txt:1: needle"


def test_names_with_colons_and_dashes_are_kept_apart(workspace: Path, call: Call) -> None:
    (workspace / "-e:1: x").write_text("a:b\n")
    assert call("search_files", pattern="a").output == "-e:1: x:1: a:b"


def test_an_expression_that_never_ends_is_stopped(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("a" * 60 + "!\n")
    pattern = r"^(a+)+(?<!x)$"  # look-behind, so that Python searches in either case
    outcome = call("search_files", pattern=pattern, limits=ToolLimits(search_seconds=0.5))
    assert outcome.error == "stopped after 0.5 s; narrow it with path or a glob"


def test_the_time_limit_is_that_of_the_whole_search(
    workspace: Path, tmp_path: Path, call: Call, searcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if searcher != "ripgrep":
        pytest.skip("one program that takes its time is enough")
    slow = tmp_path / "bin" / "rg"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\n[ "$1" = --files ] || sleep 0.6\nexec {shutil.which("rg")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    for number in range(520):
        (workspace / f"{number:04}").touch()
    error = call("search_files", pattern="x", limits=ToolLimits(search_seconds=1.0)).error
    assert error == "stopped after 1 s; narrow it with path or a glob"


@pytest.mark.parametrize("data", [b"one\r\ntwo\r\n", b"one\ntwo", b"\xef\xbb\xbfone\ntwo\n"])
def test_anchors_hold_whatever_the_endings_and_the_mark(
    workspace: Path, call: Call, data: bytes
) -> None:
    (workspace / "a").write_bytes(data)
    assert call("search_files", pattern="^one$").output == "a:1: one"
    assert call("search_files", pattern="o$").output == "a:2: two"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_searched_as_it_is_read(workspace: Path, call: Call, encoding: str) -> None:
    (workspace / "a").write_bytes("\ufefföne\r\ntwo\r\n".encode(encoding))
    assert call("search_files", pattern="^(öne|two)$").output == "a:1: öne\na:2: two"


def test_a_line_that_is_not_utf_8_is_found_and_can_be_told(workspace: Path, call: Call) -> None:
    (workspace / "a").write_bytes(b"caf\xe9 needle\n")
    assert call("search_files", pattern="needle").output == "a:1: caf\ufffd needle"


def test_an_empty_line_matches_what_is_empty(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("one\n\ntwo\n")
    assert call("search_files", pattern="^$").output == "a:2: "


@pytest.mark.skipif(os.geteuid() == 0, reason="root may raise any limit")
def test_a_machine_that_allows_less_time_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("needle\n")
    command = [sys.executable, "-I", grep.__file__, "needle", "9", str(tmp_path / "text")]
    limited = ["/bin/sh", "-c", f'ulimit -t {grep.CPU_SECONDS - 1}; exec "$@"', "sh", *command]
    assert subprocess.run(limited, check=True, capture_output=True).stdout.endswith(b"1:needle\n")
