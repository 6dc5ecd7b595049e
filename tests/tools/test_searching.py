"""search_files: the same answers with ripgrep and without."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lfgtui.tools import ToolLimits, ToolOutcome, grep

from .conftest import Call

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
@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (
            {"pattern": r"import\b"},
            "notes.md:1: The import of x.\nsrc/b.py:1: import os\nsrc/b.py:3: import sys",
        ),
        ({"pattern": "x", "glob": "*.py"}, "a.py:1: x = 2\nsrc/b.py:2: x = 1"),
        ({"pattern": "x", "path": "src"}, "src/b.py:2: x = 1"),
        ({"pattern": "x", "path": "a.py"}, "a.py:1: x = 2"),
        ({"pattern": "nowhere", "glob": "*.py"}, "[no line matches in 2 files]"),
        ({"pattern": r"(?<=import )s"}, "src/b.py:3: import sys"),
        ({"pattern": r"(s)y\1"}, "src/b.py:3: import sys"),
        ({"pattern": "--files"}, "[no line matches in 5 files]"),
    ],
)
def test_matching_lines_are_given_by_file_and_line_within_path_and_glob(
    call: Call, arguments: dict[str, str], output: str
) -> None:
    assert call("search_files", **arguments) == ToolOutcome(output)


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("pattern", ["(", "[a", "*x", r"(?P<n>a)(?P<n>b)"])
def test_a_bad_expression_is_an_error_that_says_what_is_wrong(call: Call, pattern: str) -> None:
    error = call("search_files", pattern=pattern).error
    assert error is not None
    assert error.startswith('search_files: "pattern" is not a valid regular expression: ')


def test_a_bad_expression_is_an_error_even_where_there_are_no_files(call: Call) -> None:
    assert call("search_files", pattern="(").error is not None


@pytest.mark.parametrize(
    ("content", "output"),
    [
        ("x\n" * 50, "a:1: x\na:2: x\n[the first 2 matches; narrow it with path or glob]"),
        ("x\nx\n", "a:1: x\na:2: x"),
        ("x" * 1_000, "a:1: xxxxxxxxxx… (+990 characters)"),
    ],
    ids=["many", "as many as allowed", "long line"],
)
def test_more_than_the_limits_allow_is_cut_and_that_is_said(
    workspace: Path, call: Call, content: str, output: str
) -> None:
    (workspace / "a").write_text(content)
    limits = ToolLimits(max_matches=2, line_characters=10)
    assert call("search_files", pattern="x", limits=limits).output == output


def test_more_files_than_fit_a_command_line_are_all_searched(workspace: Path, call: Call) -> None:
    for number in range(600):
        (workspace / f"{number:04}.txt").write_text("needle\n" if number == 599 else "hay\n")
    assert call("search_files", pattern="needle").output == "0599.txt:1: needle"


def test_a_line_longer_than_all_that_may_be_printed_is_left_out(
    workspace: Path, call: Call
) -> None:
    (workspace / "a").write_text("needle\n" + "x" * 900_000 + "\n")
    (workspace / "b").write_text("\n".join(["needle" + "x" * 900_000] * 12))
    output = call("search_files", pattern="needle").output  # never came back
    assert output.startswith("a:1: needle\nb:1: needlexxx")
    assert output.endswith("matches; narrow it with path or glob]")


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


def test_a_remark_on_a_binary_file_hides_no_match(
    workspace: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "rg"
    program.parent.mkdir()
    remark = "Binary file blob matches (found NUL byte around offset 6)"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --files ] || printf "{remark}\\n"\nprintf "a\\000001:needle\\n"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}:/usr/bin:/bin")
    (workspace / "a").write_text("needle\n")
    assert call("search_files", pattern="needle").output == "a:1: needle"


@pytest.mark.parametrize(
    ("data", "pattern", "output"),
    [
        *((end, "^one$", "a:1: one") for end in (b"one\r\ntwo\r\n", b"\xef\xbb\xbfone\ntwo\n")),
        *((end, "o$", "a:2: two") for end in (b"one\r\ntwo\r\n", b"one\ntwo")),
        ("\ufefföne\r\ntwo\r\n".encode("utf-16-le"), "^(öne|two)$", "a:1: öne\na:2: two"),
        ("\ufefföne\r\ntwo\r\n".encode("utf-16-be"), "^(öne|two)$", "a:1: öne\na:2: two"),
        (b"caf\xe9 needle\n", "needle", "a:1: caf\ufffd needle"),
        (b"one\n\ntwo\n", "^$", "a:2: "),
    ],
)
def test_anchors_and_letters_match_whatever_the_endings_and_the_encoding(
    workspace: Path, call: Call, data: bytes, pattern: str, output: str
) -> None:
    (workspace / "a").write_bytes(data)
    assert call("search_files", pattern=pattern).output == output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may raise any limit")
def test_a_machine_that_allows_less_time_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("needle\n")
    command = [sys.executable, "-I", grep.__file__, "needle", "9", str(tmp_path / "text")]
    limited = ["/bin/sh", "-c", f'ulimit -t {grep.CPU_SECONDS - 1}; exec "$@"', "sh", *command]
    assert subprocess.run(limited, check=True, capture_output=True).stdout.endswith(b"1:needle\n")
