"""list_files and search_files: the same answers with ripgrep and without."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.tools import ToolLimits, ToolOutcome, grep

from .conftest import Call, make, run_call

both = pytest.mark.usefixtures("searcher")


@both
@pytest.mark.parametrize(
    ("names", "ignored", "arguments", "output"),
    [
        (
            "b.py a/z.py a/y/x.py .github/ci.yml .git/config a/.git",
            {},
            {},
            ".github/ci.yml a/y/x.py a/z.py b.py",
        ),
        (
            "a.py a.pyc out/b sub/c.tmp sub/out/d sub/keep.pyc",
            {".gitignore": "*.pyc\nout/\n!keep.pyc\n", "sub/.gitignore": "*.tmp\n"},
            {},
            ".gitignore a.py sub/.gitignore sub/keep.pyc",
        ),
        ("in/keep in/x in/sub/y", {".gitignore": "in/**\n!in/keep\n"}, {}, ".gitignore in/keep"),
        ("big/a big/b/c x/big/d", {}, {"pattern": "big/"}, "big/a big/b/c"),
        # An ignored folder that is asked for by name is listed, and folders above have no say.
        ("deps/x/i.js a.py", {".gitignore": "deps\n"}, {"path": "deps"}, "deps/x/i.js"),
        ("a.py", {"../.gitignore": "workspace\n*.py\n", "../.git/config": ""}, {}, "a.py"),
        ("a.py s/b.py s/c.js s/d/d.py", {}, {"path": "s", "pattern": "*.py"}, "s/b.py s/d/d.py"),
        ("a.py s/b.py s/c.js s/d/d.py", {}, {"pattern": "s/*.{py,js}"}, "s/b.py s/c.js"),
        ("a.py s/c.js", {}, {"path": "s/c.js"}, "s/c.js"),
        ("a.py", {}, {"pattern": "!a.py"}, "[no files]"),  # it excludes nothing
        ("", {}, {}, "[no files]"),
    ],
)
def test_files_are_listed_sorted_within_path_and_pattern_without_what_is_ignored(
    workspace: Path,
    call: Call,
    names: str,
    ignored: dict[str, str],
    arguments: dict[str, str],
    output: str,
) -> None:
    make(workspace, dict.fromkeys(names.split(), "") | ignored)
    assert call("list_files", **arguments).output.replace("\n", " ") == output


@both
def test_a_missing_folder_is_answered_with_another_call_than_this_one(call: Call) -> None:
    error = 'there is no "nope/x"; list_files with the path "." shows what there is'
    assert call("list_files", path="nope/x").error == error


@both
def test_links_are_not_followed(workspace: Path, call: Call) -> None:
    make(workspace, {"real/a.py": ""})
    (workspace / "link").symlink_to("real")
    (workspace / "up").symlink_to("..")
    assert call("list_files").output == "real/a.py"
    assert call("list_files", path="link").output == "real/a.py"
    assert call("list_files", path="rael").error == 'there is no "rael"; did you mean "real"?'


@both
@pytest.mark.parametrize(
    ("limits", "shown"), [(ToolLimits(max_listed_files=3), 3), (ToolLimits(output_characters=8), 2)]
)
def test_a_long_list_is_cut(workspace: Path, call: Call, limits: ToolLimits, shown: int) -> None:
    names = [f"f{n}" for n in range(10, 20)]
    make(workspace, dict.fromkeys(names, ""))
    note = f"[{shown} of 10 files; narrow it with path or pattern]"
    assert call("list_files", limits=limits).output.split("\n") == [*names[:shown], note]


@pytest.fixture
def sources(workspace: Path) -> None:
    make(
        workspace,
        {
            "src/b.py": "import os\nx = 1\nimport sys\n",
            "a.py": "x = 2\n",
            "notes.md": "The import of x.\r\n",
            "blob.bin": b"import\0\nimport\n",
            "skipped.py": "import x\n",
            ".gitignore": "skipped.py\n",
        },
    )


@both
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


@both
@pytest.mark.parametrize("pattern", ["(", "[a", "*x", r"(?P<n>a)(?P<n>b)"])
def test_a_bad_expression_is_an_error_even_without_files(call: Call, pattern: str) -> None:
    error = str(call("search_files", pattern=pattern).error)
    assert error.startswith('search_files: "pattern" is not a valid regular expression: ')


@both
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
    make(workspace, {"a": content})
    limits = ToolLimits(max_matches=2, line_characters=10)
    assert call("search_files", pattern="x", limits=limits).output == output


@both
def test_more_files_than_fit_a_command_line_are_all_searched(workspace: Path, call: Call) -> None:
    make(workspace, {f"{number:04}": "needle" if number == 599 else "" for number in range(600)})
    assert call("search_files", pattern="needle").output == "0599:1: needle"


@both
def test_a_line_longer_than_all_that_may_be_said_is_left_out(workspace: Path, call: Call) -> None:
    line = "x" * 900_000 + "\n"
    make(workspace, {"a": "needle\n" + line, "b": f"needle{line}" * 12})
    output = call("search_files", pattern="needle").output  # never came back
    assert output.startswith("a:1: needle\nb:1: needlexxx")
    assert output.endswith("matches; narrow it with path or glob]")


@both
@pytest.mark.parametrize(
    ("name", "data", "pattern", "output"),
    [
        ("-e:1: x", b"a:b\n", "a", "-e:1: x:1: a:b"),
        *(("a", end, "^one$", "a:1: one") for end in (b"one\r\ntwo\r\n", b"\xef\xbb\xbfone\ntwo")),
        *(("a", end, "o$", "a:2: two") for end in (b"one\r\ntwo\r\n", b"one\ntwo")),
        *(
            ("a", "\ufefföne\r\ntwo\r\n".encode(utf_16), "^(öne|two)$", "a:1: öne\na:2: two")
            for utf_16 in ("utf-16-le", "utf-16-be")
        ),
        ("a", b"caf\xe9 needle\n", "needle", "a:1: caf\ufffd needle"),
        ("a", b"one\n\ntwo\n", "^$", "a:2: "),
    ],
)
def test_anchors_and_letters_match_whatever_the_name_the_endings_and_the_encoding(
    workspace: Path, call: Call, name: str, data: bytes, pattern: str, output: str
) -> None:
    make(workspace, {name: data})
    assert call("search_files", pattern=pattern).output == output


@both
def test_an_expression_that_never_ends_is_stopped(workspace: Path, call: Call) -> None:
    make(workspace, {"a": "a" * 60 + "!\n"})
    pattern = r"^(a+)+(?<!x)$"  # look-behind, so that Python searches in either case
    outcome = call("search_files", pattern=pattern, limits=ToolLimits(search_seconds=0.5))
    assert outcome.error == "stopped after 0.5 s; narrow it with path or a glob"


@pytest.fixture
def fake_ripgrep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a program that is found as `rg`."""
    program = tmp_path / "bin" / "rg"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}:/usr/bin:/bin")
    return program


def test_the_time_is_for_the_whole_search(workspace: Path, call: Call, fake_ripgrep: Path) -> None:
    listing = "seq -f '%04g' 520 | tr '\\n' '\\0'"
    fake_ripgrep.write_text(f'#!/bin/sh\n[ "$1" = --files ] && exec sh -c "{listing}"\nsleep 0.6\n')
    error = call("search_files", pattern="x", limits=ToolLimits(search_seconds=1.0)).error
    assert error == "stopped after 1 s; narrow it with path or a glob"


def test_a_remark_on_a_file_hides_no_match(workspace: Path, call: Call, fake_ripgrep: Path) -> None:
    remark = "Binary file blob matches (found NUL byte around offset 6)"
    fake_ripgrep.write_text(
        f'#!/bin/sh\n[ "$1" = --files ] && exec printf "a\\000"\nprintf "{remark}\\n"\n'
        'printf "a\\0001:needle\\n"\n'
    )
    assert call("search_files", pattern="needle").output == "a:1: needle"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may raise any limit")
def test_a_machine_that_allows_less_time_is_searched_too(tmp_path: Path) -> None:
    make(tmp_path, {"text": "needle\n"})
    command = [sys.executable, "-I", grep.__file__, "needle", "9", str(tmp_path / "text")]
    limited = ["/bin/sh", "-c", f'ulimit -t {grep.CPU_SECONDS - 1}; exec "$@"', "sh", *command]
    assert subprocess.run(limited, check=True, capture_output=True).stdout.endswith(b"1:needle\n")


names = st.sampled_from(
    ["a.py", "b.txt", ".hidden", "d/a.py", "d/e/b.txt", "d/.gitignore", ".gitignore", "build/a.py"]
)
lines = st.sampled_from(
    [
        *("one", "two words", "", "  indented", "# a", "*.py", "build/", "!a.py", "/d", "ö中"),
        *("d/e", "x" * 500),
    ]
)
endings = st.sampled_from(["\n", "\r\n"])
contents = st.builds(lambda some, end: end.join(some), st.lists(lines, max_size=5), endings)
patterns = st.sampled_from([r"^\w+$", "o", r"\bwords$", "^$", r"\S+", "[ö-ü]", "(?i)ONE", r"a|^\s"])


@pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")
@given(files=st.dictionaries(names, contents, max_size=6), pattern=patterns)
@settings(max_examples=30, deadline=None)
def test_answers_are_the_same_without_ripgrep(files: dict[str, str], pattern: str) -> None:
    def answers() -> list[ToolOutcome]:
        search = run_call(Path(folder), "search_files", {"pattern": pattern})
        return [run_call(Path(folder), "list_files", {}), search]

    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), files)
        with_ripgrep = answers()
        with patch.dict(os.environ, PATH=f"{folder}/no-programs"):
            assert answers() == with_ripgrep
