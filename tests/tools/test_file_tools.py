"""read_file, write_file and edit_file: what the model sees, what changes, and nothing else."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lfgtui.tools import ToolLimits, ToolOutcome

from .conftest import Call, run_call


@pytest.mark.parametrize(
    ("data", "output"),
    [
        (b"one\n  two\n\nthree", "one\n  two\n\nthree"),
        (b"one\n", "one\n"),
        (b"", "[the file is empty]"),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café"),
        ("café".encode("utf-16"), "café\n[the file is utf-16-le, not utf-8]"),
        (b"caf\xe9", "café\n[the file is cp1252, not utf-8]"),
    ],
)
def test_a_file_that_fits_is_given_whole_with_plain_endings_and_its_encoding_named(
    workspace: Path, call: Call, data: bytes, output: str
) -> None:
    (workspace / "a.txt").write_bytes(data)
    assert call("read_file", path="a.txt") == ToolOutcome(output)


def test_a_part_is_given_with_where_to_go_on(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("".join(f"line {n}\n" for n in range(1, 11)))
    outcome = call("read_file", path="a.txt", start_line=3, max_lines=2)
    assert outcome.output == "line 3\nline 4\n[lines 3-4 of 10; go on with start_line=5]"
    outcome = call("read_file", path="a.txt", start_line=9)
    assert outcome.output == "line 9\nline 10\n[lines 9-10 of 10]"
    error = call("read_file", path="a.txt", start_line=12).error
    assert error == '"a.txt" has 10 lines; start_line 12 is after the last'


def test_a_long_file_is_cut_between_lines_and_a_long_line_in_its_middle(
    workspace: Path, call: Call
) -> None:
    (workspace / "a.txt").write_text("0123456789\n" * 100)
    outcome = call("read_file", path="a.txt", limits=ToolLimits(output_characters=50))
    assert outcome.output == "0123456789\n" * 4 + "[lines 1-4 of 100; go on with start_line=5]"
    (workspace / "a.txt").write_text("a" * 500 + "z" * 500 + "\nnext\n")
    output = call("read_file", path="a.txt", limits=ToolLimits(output_characters=100)).output
    assert output.startswith("a" * 50 + "\n[... 900 characters left out ...]\n" + "z" * 50)
    assert output.endswith("[lines 1-1 of 2; go on with start_line=2]")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("a.bin", '"a.bin" is a binary file of 6 bytes, not text'),
        ("src/confg.py", 'there is no "src/confg.py"; did you mean "src/config.py"?'),
        ("qq", 'there is no "qq"; list_files shows what there is'),
        (
            "a.log",
            '"a.log" has 1,001 bytes, more than the 1,000 that can be read; search_files finds'
            " lines in it, or use head, tail or sed",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do_instead(
    workspace: Path, call: Call, path: str, error: str
) -> None:
    (workspace / "src").mkdir()
    (workspace / "src" / "config.py").write_text("")
    (workspace / "a.bin").write_bytes(b"\x7fELF\0\0")
    (workspace / "a.log").write_bytes(b"x" * 1_001)
    assert call("read_file", path=path, limits=ToolLimits(max_file_bytes=1_000)).error == error


def test_a_file_is_created_with_its_folders_or_overwritten(workspace: Path, call: Call) -> None:
    outcome = call("write_file", path="a/b/c.txt", content="one\ntwo")
    assert outcome == ToolOutcome("created a/b/c.txt (2 lines)")
    assert (workspace / "a/b/c.txt").read_bytes() == b"one\ntwo"
    outcome = call("write_file", path="a/b/c.txt", content="new\n")
    assert outcome.output == "overwritten a/b/c.txt (1 line)"
    assert (workspace / "a/b/c.txt").read_text() == "new\n"


def test_a_folder_or_a_file_in_the_way_is_an_error(workspace: Path, call: Call) -> None:
    (workspace / "a").mkdir()
    (workspace / "f").write_text("")
    assert call("write_file", path="a", content="").error == '"a" is a folder, not a file'
    assert call("write_file", path=".", content="").error == '"." is a folder, not a file'
    error = call("write_file", path="f/g", content="").error
    assert error == '"f/g": a part of the path is not a folder'


@pytest.mark.parametrize("content", ["x" * 11, "\ud800"], ids=["too long", "half a pair"])
def test_content_that_cannot_be_written_makes_no_file(
    workspace: Path, call: Call, content: str
) -> None:
    limits = ToolLimits(max_file_bytes=10)
    outcome = call("write_file", path="a", content=content, limits=limits)
    assert outcome.error is not None and outcome.output.isascii()
    assert not (workspace / "a").exists()


def test_the_one_occurrence_is_replaced_and_its_line_named(workspace: Path, call: Call) -> None:
    (workspace / "a.py").write_text("x = 1\ny = 2\nz = 3\n")
    outcome = call("edit_file", path="a.py", old="y = 2", new="y = 20\nyy = 21")
    assert outcome == ToolOutcome("edited a.py at line 2")
    assert (workspace / "a.py").read_text() == "x = 1\ny = 20\nyy = 21\nz = 3\n"


@pytest.mark.parametrize(
    ("content", "old", "told"),
    [
        ("pass\nx\npass\npass\n", "pass", '"old" is 3 times in a.py, at lines 1, 3, 4;'),
        ("aaa", "aa", "2 times"),
    ],
)
def test_several_occurrences_are_refused_also_where_they_overlap(
    workspace: Path, call: Call, content: str, old: str, told: str
) -> None:
    (workspace / "a.py").write_text(content)
    error = str(call("edit_file", path="a.py", old=old, new="return").error)
    assert told in error and "replace_all" in error
    assert (workspace / "a.py").read_text() == content


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
    error = str(call("edit_file", path="a.py", old=old, new="y").error)
    assert error.startswith('edit_file: "old" is not in a.py; ')
    assert hint in error


def test_a_hint_for_a_file_of_equal_lines_is_not_quadratic(workspace: Path, call: Call) -> None:
    (workspace / "f").write_text("x\n" * 200_000 + " y\n")
    outcome = call("edit_file", path="f", old="x\n" * 100_000 + "z", new="")  # took minutes
    assert "the nearest to its first line is line 1: x" in str(outcome.error)
    outcome = call("edit_file", path="f", old="x\n" * 100_000 + "y", new="")
    assert "line 100001 onwards differs only in spaces" in str(outcome.error)


def test_an_edit_that_changes_nothing_is_refused(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("a")
    assert "empty" in (call("edit_file", path="a", old="", new="x").error or "")
    assert "the same" in (call("edit_file", path="a", old="a", new="a").error or "")


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"one\r\ntwo\r\nthree\r\n", "one\ntwo", "1\n2\n3", b"1\r\n2\r\n3\r\nthree\r\n"),
        (b"one\r\ntwo\nthree\r\nfour\r\n", "three\nfour", "3\n4", b"one\r\ntwo\n3\r\n4\r\n"),
    ],
    ids=["crlf", "mixed"],
)
def test_line_endings_stay_as_they_were(
    workspace: Path, call: Call, before: bytes, old: str, new: str, after: bytes
) -> None:
    (workspace / "a").write_bytes(before)
    assert call("edit_file", path="a", old=old, new=new).error is None
    assert (workspace / "a").read_bytes() == after


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        *((b"", one) for one in ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")),
        (b"\xfe\xff", "utf-16-be"),
    ],
)
def test_the_encoding_is_kept(workspace: Path, call: Call, mark: bytes, encoding: str) -> None:
    (workspace / "a").write_bytes(mark + "café = 1\nb = 2\n".encode(encoding))
    assert call("edit_file", path="a", old="= 1", new="= 'é'").error is None
    assert (workspace / "a").read_bytes() == mark + "café = 'é'\nb = 2\n".encode(encoding)


def test_a_character_the_encoding_has_not_is_an_error(workspace: Path, call: Call) -> None:
    (workspace / "a").write_bytes(b"caf\xe9")
    error = call("edit_file", path="a", old="caf", new="→").error
    assert error == "\"a\" is cp1252, which cannot hold '→'; write it otherwise"
    assert (workspace / "a").read_bytes() == b"caf\xe9"


def test_replacements_that_would_fill_the_memory_are_refused(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("x" * 1_000_000)
    error = call("edit_file", path="a", old="x", new="y" * 1_000_000, replace_all=True).error
    assert "would have 1,000,000,000,000 bytes" in str(error)
    assert (workspace / "a").read_text() == "x" * 1_000_000


any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@given(content=any_text)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_in_the_file(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        arguments: dict[str, object] = {"path": "f", "content": content}
        assert run_call(Path(folder), "write_file", arguments).error is None
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
        arguments: dict[str, object] = {"path": "f", "old": old, "new": new}
        assert run_call(Path(folder), "edit_file", arguments).error is None
        assert path.read_bytes() == data(new)
