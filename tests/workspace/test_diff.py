"""Git's output read into values, whatever is in it."""

import os

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.workspace.diff import (
    ChangedFile,
    Hunk,
    bounded,
    numbered,
    read_hunks,
    read_patch,
    read_summary,
)

ZERO, BLOB = "0" * 40, "a" * 40


def summary(*fields: str) -> list[ChangedFile]:
    return read_summary(os.fsencode("\0".join(fields)))


def test_a_summary_has_a_file_for_each_record_and_its_counts() -> None:
    raw = (f":000000 100755 {ZERO} {ZERO} A", "run", f":100644 100644 {BLOB} {ZERO} R090", "a", "b")
    new, moved = summary(*raw, "2\t0\trun", "1\t3\t", "a", "b", "")
    assert new == ChangedFile("run", "added", added=2, note="executable", old_blob=ZERO)
    assert moved == ChangedFile("b", "renamed", "a", added=1, removed=3, old_blob=BLOB)
    assert moved.paths == ["a", "b"]


def test_a_name_may_look_like_a_record_or_a_count() -> None:
    names = (f":100644 100644 {BLOB} {ZERO} M", "1\t2\tx", "")
    found = summary(*(part for n in names[:2] for part in (names[0], n)), f"3\t4\t{names[0]}")
    assert [(one.path, one.added) for one in found] == [(names[0], 3), ("1\t2\tx", 0)]


PATCH = b"""\
diff --git a/one b/one
index 1..2 100644
--- a/one
+++ b/one
@@ -1,2 +1,2 @@ def f():
-diff --git a/x b/x
+@@ -1 +1 @@
 same
@@ -9 +9,2 @@
-last
\\ No newline at end of file
+last
+diff --git
diff --git a/two b/two
old mode 100644
new mode 100755
diff --git a/link b/link
deleted file mode 120000
@@ -1 +0,0 @@
-one
diff --git a/link b/link
new file mode 100644
@@ -0,0 +1 @@
+--- a/one
"""


def test_hunks_belong_to_files_by_their_order_whatever_their_lines_say() -> None:
    files = [ChangedFile("1"), ChangedFile("u", "unmerged"), ChangedFile("2")]
    read = read_patch([*files, ChangedFile("3", "type")], PATCH)
    assert read == {
        "1": [
            Hunk(1, 1, "def f():", ("-diff --git a/x b/x", "+@@ -1 +1 @@", " same")),
            Hunk(9, 9, "", ("-last", "\\ No newline at end of file", "+last", "+diff --git")),
        ],
        "2": [],
        "3": [Hunk(1, 0, "", ("-one",)), Hunk(0, 1, "", ("+--- a/one",))],
    }
    assert list(numbered(read["1"][1])) == [
        (9, 0, "-last"),
        (0, 0, "\\ No newline at end of file"),
        (0, 9, "+last"),
        (0, 10, "+diff --git"),
    ]


def test_a_blank_line_may_have_lost_its_sign() -> None:
    assert read_hunks("@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n") == [
        Hunk(1, 1, "", (" a", " ", "-b", "+c"))
    ]


def test_what_is_too_long_ends_with_the_number_of_lines_that_follow() -> None:
    hunks = [Hunk(1, 1, "", ("-a", "+b")), Hunk(9, 9, "", ("-c", "+d", " e"))]
    assert bounded(hunks, 5) == hunks
    last = Hunk(9, 9, "", ("-c", "\\ 2 more lines are not shown"))
    assert bounded(hunks, 3) == [hunks[0], last]


rows = st.sampled_from(["@@ -1,2 +1,2 @@ x", "diff --git a/a b/a", "+a", "-b", " c", "", "\\ No"])
damaged = st.lists(rows | st.text(max_size=5)).map("\n".join)


@given(damaged)
def test_nothing_raises_and_no_hunk_has_more_lines_than_its_head_says(text: str) -> None:
    for hunk in read_hunks(text):
        signs = [row[:1] for row in hunk.rows]
        assert len(list(numbered(hunk))) == len(hunk.rows)
        if "@@ -1,2 +1,2 @@" in text and "@@" not in text.replace("@@ -1,2 +1,2 @@", ""):
            assert signs.count(" ") + signs.count("-") <= 2
    read_patch([ChangedFile("a"), ChangedFile("b", "type")], text.encode())


fields = st.sampled_from([f":100644 100644 {BLOB} {ZERO} R1", "1\t2\t", "-\t-\tx", "x", ""])


@given(st.lists(fields | st.text(max_size=5)))
def test_a_damaged_summary_raises_nothing(parts: list[str]) -> None:
    read_summary("\0".join(parts).encode("utf-8", "replace"))


@given(st.binary())
def test_bytes_that_are_no_output_of_git_raise_nothing(data: bytes) -> None:
    read_summary(data)
    read_patch([ChangedFile("a")], data)
