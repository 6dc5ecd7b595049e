"""What a diff shows of a call's arguments, and how much it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model.unified_diff import beside, change_in_words, is_before
from lfgtui.text.diffs import diff

LINES = st.lists(st.sampled_from(["a", "b", "  c", "d ", "é", ""]), max_size=30)
FILE = "".join(f"line {number}\n" for number in range(1, 31))
CHANGED = FILE.replace("line 7\n", "seven\n").replace("line 25\n", "")
DIFF = diff(FILE, CHANGED).text


def is_shown(text: str, name: str = "content") -> bool:
    return not beside([DIFF], {name: text})


@given(LINES, LINES)
def test_a_diff_shows_what_it_is_made_of(before: list[str], after: list[str]) -> None:
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    if change := diff(old, new).text:
        shown = {"old_string": old, "new_string": new, "content": new, "diff": change}
        hidden = beside([change], shown)
        assert not hidden.keys() - {name for name, text in shown.items() if not text.strip()}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (CHANGED, True),
        (CHANGED.removesuffix("\n"), True),
        ("seven", True),
        ("line 6\nseven\nline 8\n", True),
        ("ne 6\nsev", True),
        (CHANGED.replace("seven", "eight"), False),
        ("line 15\n", False),
        (f"first\n{CHANGED}", False),
        (f"--- a\n+++ b\n{DIFF}", True),
        (DIFF.replace("+seven", "+eight"), False),
        ("rm -rf ~", False),
    ],
)
def test_a_text_is_in_a_diff_as_a_piece_or_as_the_whole_file(text: str, shown: bool) -> None:
    assert is_shown(text) == shown


def test_what_is_no_text_of_the_file_is_never_taken_for_shown() -> None:
    arguments: dict[str, object] = {"mode": "line 6", "path": "seven", "content": ["seven"]}
    assert beside([DIFF], arguments) == arguments
    assert beside([], {"content": ""}) == {"content": ""}


def test_a_file_that_is_deleted_shows_no_content() -> None:
    deleted = diff("one\n", "").text
    assert beside([deleted], {"content": "two"}) == {"content": "two"}


def test_several_diffs_are_counted_together() -> None:
    assert change_in_words([DIFF, "@@ -1 +1,2 @@\n a\n+b"]) == "+2 −2"
    assert change_in_words([]) == change_in_words(["[redacted: secret]"]) == ""


texts = st.lists(st.sampled_from(["a", "b", "ab", ""]), max_size=6).map("\n".join)


@given(texts, texts)
def test_a_file_after_a_change_is_never_taken_for_the_one_before(old: str, new: str) -> None:
    if old != new:
        assert not is_before(diff(old, new).text, new)


@pytest.mark.parametrize(
    ("old", "new", "file", "is_known"),
    [
        ("", "new\n", None, True),
        ("", "new\n", "old\n", True),
        ("", "new\n", "new\n", False),
        ("old", "new", None, False),
        ("two", "2", "one\ntwo\nthree\n", True),
        ("two", "2", "one\n2\nthree\n", False),
        ("two", "two and a half", "one\ntwo\n", True),
        ("two", "two and a half", "one\ntwo and a half\n", False),
        ("one\ntwo\nthree\n", "one\nthree\n", "one\ntwo\nthree\n", True),
        ("one\ntwo\n", "one\n", "one\ntwo\nthree\n", False),
    ],
)
def test_a_file_is_the_one_before_a_change_if_that_is_certain(
    old: str, new: str, file: str | None, is_known: bool
) -> None:
    assert is_before(diff(old, new).text, file) == is_known
