"""read_file: what the model sees of a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lfgtui.tools import ToolLimits, ToolOutcome

Call = Callable[..., ToolOutcome]


def test_a_file_that_fits_is_given_as_it_is(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("one\n  two\n\nthree")
    assert call("read_file", path="a.txt") == ToolOutcome("one\n  two\n\nthree")
    (workspace / "a.txt").write_text("one\n")
    assert call("read_file", path="a.txt").output == "one\n"


def test_an_empty_file_says_that_it_is_empty(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("")
    assert call("read_file", path="a.txt").output == "[the file is empty]"


def test_a_part_is_given_with_where_to_go_on(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("".join(f"line {n}\n" for n in range(1, 11)))
    outcome = call("read_file", path="a.txt", start_line=3, max_lines=2)
    assert outcome.output == "line 3\nline 4\n[lines 3-4 of 10; go on with start_line=5]"
    outcome = call("read_file", path="a.txt", start_line=9)
    assert outcome.output == "line 9\nline 10\n[lines 9-10 of 10]"


def test_a_long_file_is_cut_between_two_lines(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("0123456789\n" * 100)
    outcome = call("read_file", path="a.txt", limits=ToolLimits(output_characters=50))
    assert outcome.output == "0123456789\n" * 4 + "[lines 1-4 of 100; go on with start_line=5]"


def test_a_line_longer_than_the_output_is_cut_in_its_middle(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("a" * 500 + "z" * 500 + "\nnext\n")
    output = call("read_file", path="a.txt", limits=ToolLimits(output_characters=100)).output
    assert output.startswith("a" * 50 + "\n[... 900 characters left out ...]\n" + "z" * 50)
    assert output.endswith("[lines 1-1 of 2; go on with start_line=2]")


def test_a_start_after_the_end_says_how_long_the_file_is(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("one\ntwo\n")
    error = call("read_file", path="a.txt", start_line=5).error
    assert error == '"a.txt" has 2 lines; start_line 5 is after the last'


def test_line_endings_are_shown_as_plain_ones(workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    assert call("read_file", path="a.txt").output == "one\ntwo\n"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"\xef\xbb\xbfcaf\xc3\xa9", ""),
        ("café".encode("utf-16"), "\n[the file is utf-16-le, not utf-8]"),
        (b"caf\xe9", "\n[the file is cp1252, not utf-8]"),
    ],
)
def test_other_encodings_are_read_and_named(
    workspace: Path, call: Call, data: bytes, note: str
) -> None:
    (workspace / "a.txt").write_bytes(data)
    assert call("read_file", path="a.txt").output == f"café{note}"


def test_a_binary_file_is_refused(workspace: Path, call: Call) -> None:
    (workspace / "a.bin").write_bytes(b"\x7fELF\0\0")
    assert call("read_file", path="a.bin").error == '"a.bin" is a binary file of 6 bytes, not text'


def test_a_file_too_large_is_refused_with_what_to_do_instead(workspace: Path, call: Call) -> None:
    (workspace / "a.log").write_bytes(b"x" * 1_001)
    error = call("read_file", path="a.log", limits=ToolLimits(max_file_bytes=1_000)).error
    assert error is not None
    assert '"a.log" has 1,001 bytes, more than the 1,000' in error
    assert "search_files" in error


def test_a_missing_file_names_the_nearest(workspace: Path, call: Call) -> None:
    (workspace / "src").mkdir()
    (workspace / "src" / "config.py").write_text("")
    error = call("read_file", path="src/confg.py").error
    assert error == 'there is no "src/confg.py"; did you mean "src/config.py"?'
    error = call("read_file", path="qq").error
    assert error == 'there is no "qq"; list_files shows what there is'
