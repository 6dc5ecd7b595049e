"""read_file, write_file and edit_file: what the model sees, what changes, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lfgtui.tools import ToolLimits, ToolOutcome, files

from .conftest import Call

TEN = "".join(f"line {n}\n" for n in range(1, 11)).encode()
LONG = b"a" * 500 + b"z" * 500 + b"\nnext\n"

each_example = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("data", "arguments", "room", "output"),
    [
        (b"one\n  two\n\nthree", {}, 99, "one\n  two\n\nthree"),
        (b"one\n", {}, 99, "one\n"),
        (b"", {}, 99, "[the file is empty]"),
        (b"one\r\ntwo\r\n", {}, 99, "one\ntwo\n"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", {}, 99, "café"),
        ("café".encode("utf-16"), {}, 99, "café\n[the file is utf-16-le, not utf-8]"),
        (b"caf\xe9", {}, 99, "café\n[the file is cp1252, not utf-8]"),
        (
            *(TEN, {"start_line": 3, "max_lines": 2}, 99),
            "line 3\nline 4\n[lines 3-4 of 10; go on with start_line=5]",
        ),
        (TEN, {"start_line": 9}, 99, "line 9\nline 10\n[lines 9-10 of 10]"),
        (TEN, {}, 15, "line 1\nline 2\n[lines 1-2 of 10; go on with start_line=3]"),
        (
            *(LONG, {}, 8),
            "aaaa\n[... 992 characters left out ...]\nzzzz\n"
            "[lines 1-1 of 2; go on with start_line=2]",
        ),
    ],
)
def test_a_file_or_a_part_of_it_is_given_and_what_is_missing_or_unusual_said(
    workspace: Path, call: Call, data: bytes, arguments: dict[str, int], room: int, output: str
) -> None:
    (workspace / "a.txt").write_bytes(data)
    limits = ToolLimits(output_characters=room)
    assert call("read_file", limits=limits, path="a.txt", **arguments) == ToolOutcome(output)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"path": "a.bin"}, '"a.bin" is a binary file of 6 bytes, not text'),
        (
            {"path": "a.txt"},
            '"a.txt" starts with a utf-16-le byte order mark but is not valid utf-16-le',
        ),
        ({"path": "src/confg.py"}, 'there is no "src/confg.py"; did you mean "src/config.py"?'),
        ({"path": "qq"}, 'there is no "qq"; list_files with the path "." shows what there is'),
        (
            {"path": "src/config.py", "start_line": 12},
            '"src/config.py" has 1 lines; start_line 12 is after the last',
        ),
        (
            {"path": "a.log"},
            '"a.log" has 1,001 bytes, more than the 1,000 that can be read; search_files finds'
            " lines in it, or use head, tail or sed",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do_instead(
    workspace: Path, call: Call, arguments: dict[str, object], error: str
) -> None:
    (workspace / "src").mkdir()
    (workspace / "src" / "config.py").write_text("x")
    (workspace / "a.bin").write_bytes(b"\x7fELF\0\0")
    (workspace / "a.log").write_bytes(b"x" * 1_001)
    (workspace / "a.txt").write_bytes(b"\xff\xfea")
    assert call("read_file", limits=ToolLimits(max_file_bytes=1_000), **arguments).error == error


def test_a_file_is_created_with_its_folders_or_overwritten(workspace: Path, call: Call) -> None:
    outcome = call("write_file", path="a/b/c.txt", content="one\ntwo")
    assert outcome == ToolOutcome("created a/b/c.txt (2 lines)")
    outcome = call("write_file", path="a/b/c.txt", content="new\n")
    assert outcome.output == "overwritten a/b/c.txt (1 line)"
    assert (workspace / "a/b/c.txt").read_bytes() == b"new\n"


@pytest.mark.parametrize(
    ("path", "content", "error"),
    [
        ("a", "", '"a" is a folder, not a file'),
        (".", "", '"." is a folder, not a file'),
        ("f/g", "", '"f/g": a part of the path is not a folder'),
        ("new", "x" * 11, '"new" would have 11 bytes, more than the 10 that can be written'),
        ("new", "\ud800", "write_file: the arguments have half a surrogate pair in them; leave it"),
    ],
)
def test_what_cannot_be_written_is_refused_and_makes_no_file(
    workspace: Path, call: Call, path: str, content: str, error: str
) -> None:
    (workspace / "a").mkdir()
    (workspace / "f").write_text("")
    limits = ToolLimits(max_file_bytes=10)
    told = call("write_file", path=path, content=content, limits=limits).error
    assert str(told).startswith(error)
    assert not (workspace / "new").exists()


@pytest.mark.parametrize(
    ("before", "arguments", "after", "output"),
    [
        (b"x\ny = 2\nz\n", ("y = 2", "y = 20\nyy"), b"x\ny = 20\nyy\nz\n", "line 2"),
        (b"a\nx\na\n", ("a", "b", True), b"b\nx\nb\n", "lines 1, 3 (2 replacements)"),
        (b"1\r\n2\r\n3\r\n", ("1\n2", "x\ny\nz"), b"x\r\ny\r\nz\r\n3\r\n", "line 1"),
        (b"1\r\n2\n3\r\n4\r\n", ("3\n4", "x\ny"), b"1\r\n2\nx\r\ny\r\n", "line 3"),
    ],
    ids=["one", "all", "crlf", "mixed"],
)
def test_a_text_is_replaced_and_its_lines_named(
    workspace: Path,
    call: Call,
    before: bytes,
    arguments: tuple[str, str, bool],
    after: bytes,
    output: str,
) -> None:
    (workspace / "a.py").write_bytes(before)
    named = dict(zip(("old", "new", "replace_all"), arguments, strict=False))
    assert call("edit_file", path="a.py", **named) == ToolOutcome(f"edited a.py at {output}")
    assert (workspace / "a.py").read_bytes() == after


@pytest.mark.parametrize(
    ("content", "old", "new", "told"),
    [
        ("pass\nx\npass\npass\n", "pass", "", '"old" is 3 times in a.py, at lines 1, 3, 4; give'),
        ("aaa", "aa", "", "2 times"),
        ("a", "", "x", '"old" is empty; to create a file use write_file'),
        ("a", "a", "a", '"old" and "new" are the same, so nothing would change'),
        ("caf\xe9", "caf", "→", "\"a.py\" is cp1252, which cannot hold '→'; write it otherwise"),
    ],
)
def test_an_edit_that_is_unclear_or_impossible_changes_nothing(
    workspace: Path, call: Call, content: str, old: str, new: str, told: str
) -> None:
    (workspace / "a.py").write_text(content, "latin-1")
    assert told in str(call("edit_file", path="a.py", old=old, new=new).error)
    assert (workspace / "a.py").read_text("latin-1") == content


def test_what_another_ticket_wrote_between_reading_and_writing_is_kept(
    workspace: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = workspace / "a.txt"
    file.write_text("one\ntwo\n")
    real, others = files.read_bytes, iter([b"ONE\ntwo\n"])

    def read_late(path: files.WorkspacePath, limit: int) -> bytes:
        data = real(path, limit)
        for written in others:
            file.write_bytes(written)
        return data

    monkeypatch.setattr(files, "read_bytes", read_late)
    assert call("edit_file", path="a.txt", old="two", new="TWO").error is None
    assert file.read_text() == "ONE\nTWO\n"


def test_edits_of_many_tickets_at_once_are_all_in_the_file(workspace: Path, call: Call) -> None:
    file = workspace / "a.txt"
    file.write_text("".join(f"<{n}>\n" for n in range(8)))

    def edit(n: int) -> str | None:
        return call("edit_file", path="a.txt", old=f"<{n}>", new=f"({n})").error

    with ThreadPoolExecutor(8) as tickets:
        assert list(tickets.map(edit, range(8))) == [None] * 8
    assert file.read_text() == "".join(f"({n})\n" for n in range(8))


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("  if x:\n    go()", "line 2 onwards differs only in spaces"),
        ("    return totl", "the nearest to its first line is line 5: return total"),
        ("nothing of the kind at all", "read the file again"),
        ("\n\n\n", "read the file again"),
    ],
)
def test_text_that_is_missing_gets_a_hint(workspace: Path, call: Call, old: str, hint: str) -> None:
    (workspace / "a.py").write_text("def f():\n    if x:\n\n        go()\n    return total\n")
    error = str(call("edit_file", path="a.py", old=old, new="y").error)
    assert error.startswith(f'edit_file: "old" is not in a.py; {hint}')


def test_a_hint_for_a_file_of_equal_lines_is_not_quadratic(workspace: Path, call: Call) -> None:
    (workspace / "f").write_text("x\n" * 200_000 + " y\n")
    outcome = call("edit_file", path="f", old="x\n" * 100_000 + "z", new="")  # took minutes
    assert "the nearest to its first line is line 1: x" in str(outcome.error)
    outcome = call("edit_file", path="f", old="x\n" * 100_000 + "y", new="")
    assert "line 100001 onwards differs only in spaces" in str(outcome.error)


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


def test_replacements_that_would_fill_the_memory_are_refused(workspace: Path, call: Call) -> None:
    (workspace / "a").write_text("x" * 1_000_000)
    error = call("edit_file", path="a", old="x", new="y" * 1_000_000, replace_all=True).error
    assert "would have 1,000,000,000,000 bytes" in str(error)


@given(content=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
@each_example
def test_what_is_written_is_in_the_file(workspace: Path, call: Call, content: str) -> None:
    assert call("write_file", path="f", content=content).error is None
    assert (workspace / "f").read_bytes() == content.encode()


words = st.text(alphabet="ab é\n→", max_size=12)


@given(before=words, after=words, old=words, new=words, crlf=st.booleans(), mark=st.booleans())
@each_example
def test_a_unique_text_is_replaced_and_every_other_byte_stays(
    workspace: Path, call: Call, before: str, after: str, old: str, new: str, crlf: bool, mark: bool
) -> None:
    old = f"<{old}>"
    assume(old != new)

    def data(middle: str) -> bytes:
        text = f"{before}\n{middle}{after}".replace("\n", "\r\n" if crlf else "\n")
        return (b"\xef\xbb\xbf" if mark else b"") + text.encode()

    (workspace / "f").write_bytes(data(old))
    assert call("edit_file", path="f", old=old, new=new).error is None
    assert (workspace / "f").read_bytes() == data(new)
