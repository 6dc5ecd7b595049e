"""Globs and ignore rules, against what a person expects of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.tools.globs import glob_test, ignore_rules, is_ignored


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.py", "a.py src/deep/a.py", "a.pyc"),
        ("*.PY", "", "a.py"),
        ("./*.py", "a.py", ""),
        ("a.py", "src/a.py", ""),
        ("src/*.py", "src/a.py", "src/x/a.py lib/src/a.py"),
        ("src/**/*.py", "src/a.py src/x/y/a.py", ""),
        ("**/test_*.py", "test_a.py", ""),
        ("*.{ts,tsx}", "web/a.tsx", "a.js"),
        ("{src,lib}/{a,b}.c", "lib/b.c", ""),
        ("?.md", "x.md", ""),
        ("a?c", "", "ac"),
        ("[ab].md", "b.md", ""),
        ("src/**", "src/a/b", "src"),
        ("src/", "src/a src/a/b", "src lib/src"),
        ("{src,lib}/", "lib/a", "a"),
        ("/", "a a/b", ""),
        ("**", "a/b", ""),
        ("{a", "{a", ""),
        ("a*" * 40 + "b", "", "a/" * 40 + "a" * 200 + "c"),  # and does not take for ever
        ("**/" * 40 + "b", "a/" * 50 + "b", "a/" * 40 + "a" * 200 + "c"),
        ("{a,b}" * 40, "", "a/" * 40 + "a" * 200 + "c"),
        ("*a" * 40 + "/" + "*a" * 40, "", "a/" * 40 + "a" * 200 + "c"),
    ],
)
def test_a_glob_matches_these_files_and_not_those(pattern: str, matching: str, others: str) -> None:
    assert all(map(glob_test(pattern), matching.split()))
    assert not any(map(glob_test(pattern), others.split()))


@pytest.mark.parametrize("pattern", ["components/*.tsx", "web/components/*.tsx"])
def test_a_glob_is_seen_from_the_workspace_or_from_its_folder(pattern: str) -> None:
    assert glob_test(pattern, "web")("web/components/a.tsx")


@given(pattern=st.text(alphabet="ab*?/.[]{},!-\\", max_size=20), path=st.text("ab/.", min_size=1))
def test_every_text_is_a_glob(pattern: str, path: str) -> None:
    glob_test(pattern)(path)


NAMES = st.text("abc.", min_size=1).filter(lambda name: name not in (".", ".."))


@given(path=st.lists(NAMES, min_size=1).map("/".join))
def test_a_path_without_wildcards_means_itself(path: str) -> None:
    assert glob_test(path)(path)


RULES = r"""
# what is built
*.log
!keep.log
build/
/top
docs/*.html
a/**/z
in/**
!in/keep
\#odd
"""


@pytest.mark.parametrize(
    ("paths", "ignored"),
    [
        ("x.log a/x.log build/ src/build/ top docs/a.html a/z a/b/c/z in/x in/sub/ #odd", True),
        ("keep.log build src/top src/docs/a.html in/ in/keep a.py", False),
    ],
)
def test_the_last_rule_about_a_path_decides(paths: str, ignored: bool) -> None:
    for path in paths.split():
        parts = tuple(path.rstrip("/").split("/"))
        found = is_ignored(ignore_rules(RULES, ()), parts, is_folder=path.endswith("/"))
        assert found is ignored, path


def test_rules_hold_below_their_own_folder_only_and_take_no_longer_with_many_stars() -> None:
    rules = ignore_rules("/x\n" + "**/" * 33_000 + "y", ("sub",))  # took minutes
    for parts, ignored in ((("sub", "x"), True), (("x",), False), (("sub", "a", "y"), True)):
        assert is_ignored(rules, parts, is_folder=False) is ignored
