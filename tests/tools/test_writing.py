"""write_file and edit_file: what changes, and that nothing else does."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lfgtui.tools import ToolLimits, ToolOutcome, run_tool

Call = Callable[..., ToolOutcome]


def run(workspace: Path, name: str, **arguments: object) -> ToolOutcome:
    return asyncio.run(
        run_tool(
            name, arguments, workspace, on_output=lambda _channel, _text: None, limits=ToolLimits()
        )
    )


def test_a_new_file_is_created_with_its_folders(workspace: Path, call: Call) -> None:
    outcome = call("write_file", path="a/b/c.txt", content="one\ntwo")
    assert outcome == ToolOutcome("created a/b/c.txt (2 lines)")
    assert (workspace / "a/b/c.txt").read_bytes() == b"one\ntwo"


def test_an_old_file_is_overwritten_and_that_is_said(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("old")
    assert call("write_file", path="a.txt", content="new\n").output == "overwritten a.txt (1 line)"
    assert (workspace / "a.txt").read_text() == "new\n"


def test_a_folder_or_a_file_in_the_way_is_an_error(workspace: Path, call: Call) -> None:
    (workspace / "a").mkdir()
    (workspace / "f").write_text("")
    assert call("write_file", path="a", content="").error == '"a" is a folder, not a file'
    assert call("write_file", path=".", content="").error == '"." is a folder, not a file'
    error = call("write_file", path="f/g", content="").error
    assert error == '"f/g": a part of the path is not a folder'


def test_more_than_the_limit_is_not_written(workspace: Path, call: Call) -> None:
    limits = ToolLimits(max_file_bytes=10)
    assert call("write_file", path="a", content="x" * 11, limits=limits).error is not None
    assert not (workspace / "a").exists()


def test_half_a_surrogate_pair_is_an_error_for_the_model(workspace: Path, call: Call) -> None:
    outcome = call("write_file", path="a", content="\ud800")
    assert outcome.error is not None
    assert outcome.output.isascii()
    assert not (workspace / "a").exists()


def test_the_one_occurrence_is_replaced_and_its_line_named(workspace: Path, call: Call) -> None:
    (workspace / "a.py").write_text("x = 1\ny = 2\nz = 3\n")
    outcome = call("edit_file", path="a.py", old="y = 2", new="y = 20\nyy = 21")
    assert outcome == ToolOutcome("edited a.py at line 2")
    assert (workspace / "a.py").read_text() == "x = 1\ny = 20\nyy = 21\nz = 3\n"


def test_several_occurrences_are_refused_with_their_lines(workspace: Path, call: Call) -> None:
    (workspace / "a.py").write_text("pass\nx\npass\npass\n")
    error = call("edit_file", path="a.py", old="pass", new="return").error
    assert error is not None
    assert '"old" is 3 times in a.py, at lines 1, 3, 4;' in error
    assert "replace_all" in error
    assert (workspace / "a.py").read_text() == "pass\nx\npass\npass\n"


def test_occurrences_that_overlap_are_two(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("aaa")
    assert "2 times" in (call("edit_file", path="a", old="aa", new="b").error or "")


def test_all_are_replaced_when_that_is_asked_for(workspace: Path, call: Call) -> None:
    (workspace / "a.py").write_text("pass\nx\npass\n")
    outcome = call("edit_file", path="a.py", old="pass", new="return", replace_all=True)
    assert outcome.output == "edited a.py at lines 1, 3 (2 replacements)"
    assert (workspace / "a.py").read_text() == "return\nx\nreturn\n"


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("  if x:\n    go()", "line 2 onwards differs only in spaces"),
        ("    return totl", "the nearest to its first line is line 5: return total"),
        ("nothing of the kind at all", "read the file again"),
        ("\n\n\n", "read the file again"),
    ],
)
def test_text_that_is_not_there_gets_a_hint(
    workspace: Path, call: Call, old: str, hint: str
) -> None:
    (workspace / "a.py").write_text("def f():\n    if x:\n\n        go()\n    return total\n")
    error = call("edit_file", path="a.py", old=old, new="y").error
    assert error is not None
    assert error.startswith('edit_file: "old" is not in a.py; ')
    assert hint in error


def test_a_hint_for_a_file_of_equal_lines_is_not_quadratic(workspace: Path, call: Call) -> None:
    (workspace / "f").write_text("x\n" * 200_000 + " y\n")
    outcome = call("edit_file", path="f", old="x\n" * 100_000 + "z", new="")  # took minutes
    assert "the nearest to its first line is line 1: x" in str(outcome.error)
    outcome = call("edit_file", path="f", old="x\n" * 100_000 + "y", new="")
    assert "line 100001 onwards differs only in spaces" in str(outcome.error)


def test_an_edit_that_says_nothing_is_refused(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("a")
    assert "empty" in (call("edit_file", path="a", old="", new="x").error or "")
    assert "the same" in (call("edit_file", path="a", old="a", new="a").error or "")


def test_a_file_with_crlf_keeps_it(workspace: Path, call: Call) -> None:
    (workspace / "a").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    assert call("edit_file", path="a", old="one\ntwo", new="1\n2\n3").error is None
    assert (workspace / "a").read_bytes() == b"1\r\n2\r\n3\r\nthree\r\n"


def test_mixed_endings_outside_of_the_edit_stay_mixed(workspace: Path, call: Call) -> None:
    (workspace / "a").write_bytes(b"one\r\ntwo\nthree\r\nfour\r\n")
    assert call("edit_file", path="a", old="three\nfour", new="3\n4").error is None
    assert (workspace / "a").read_bytes() == b"one\r\ntwo\n3\r\n4\r\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-with-mark", "cp1252", "latin-1"]
)
def test_the_encoding_is_kept(workspace: Path, call: Call, encoding: str) -> None:
    def encode(text: str) -> bytes:
        if encoding == "utf-16-be-with-mark":
            return b"\xfe\xff" + text.encode("utf-16-be")
        return text.encode(encoding)

    (workspace / "a").write_bytes(encode("café = 1\nb = 2\n"))
    assert call("edit_file", path="a", old="= 1", new="= 'é'").error is None
    assert (workspace / "a").read_bytes() == encode("café = 'é'\nb = 2\n")


def test_a_character_the_encoding_has_not_is_an_error(workspace: Path, call: Call) -> None:
    (workspace / "a").write_bytes(b"caf\xe9")
    error = call("edit_file", path="a", old="caf", new="→").error
    assert error == "\"a\" is cp1252, which cannot hold '→'; write it otherwise"
    assert (workspace / "a").read_bytes() == b"caf\xe9"


any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@given(content=any_text)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_in_the_file(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert run(Path(folder), "write_file", path="f", content=content).error is None
        assert (Path(folder) / "f").read_bytes() == content.encode()


words = st.text(alphabet="ab é\n→", max_size=12)


@given(before=words, after=words, old=words, new=words, crlf=st.booleans(), mark=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_unique_text_is_replaced_and_every_other_byte_stays(
    before: str, after: str, old: str, new: str, crlf: bool, mark: bool
) -> None:
    old = f"<{old}>"
    assume(old != new)
    ending = "\r\n" if crlf else "\n"

    def data(middle: str) -> bytes:
        text = f"{before}\n{middle}{after}".replace("\n", ending)
        return (b"\xef\xbb\xbf" if mark else b"") + text.encode()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(data(old))
        outcome = run(Path(folder), "edit_file", path="f", old=old, new=new)
        assert outcome.error is None
        assert path.read_bytes() == data(new)


def test_replacements_that_would_fill_the_memory_are_refused(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("x" * 1_000_000)
    error = call("edit_file", path="a", old="x", new="y" * 1_000_000, replace_all=True).error
    assert error is not None
    assert "would have 1,000,000,000,000 bytes" in error
    assert (workspace / "a").read_text() == "x" * 1_000_000
