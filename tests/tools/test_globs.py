"""Globs and ignore rules, against what a person expects of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.tools.globs import Glob, ignore_rules, is_ignored


@pytest.mark.parametrize(
    ("pattern", "path", "base"),
    [
        ("*.py", "a.py", "."),
        ("*.py", "src/deep/a.py", "."),
        ("./*.py", "a.py", "."),
        ("a.py", "src/a.py", "."),
        ("src/*.py", "src/a.py", "."),
        ("src/**/*.py", "src/a.py", "."),
        ("src/**/*.py", "src/x/y/a.py", "."),
        ("**/test_*.py", "test_a.py", "."),
        ("*.{ts,tsx}", "web/a.tsx", "."),
        ("{src,lib}/{a,b}.c", "lib/b.c", "."),
        ("?.md", "x.md", "."),
        ("[ab].md", "b.md", "."),
        ("components/*.tsx", "web/components/a.tsx", "web"),
        ("web/components/*.tsx", "web/components/a.tsx", "web"),
        ("src/**", "src/a/b", "."),
        ("**", "a/b", "."),
        ("{a", "{a", "."),
    ],
)
def test_a_glob_means_this_file(pattern: str, path: str, base: str) -> None:
    assert Glob(pattern, base).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.py", "a.pyc"),
        ("src/*.py", "src/x/a.py"),
        ("src/*.py", "lib/src/a.py"),
        ("*.{ts,tsx}", "a.js"),
        ("*.PY", "a.py"),
        ("a?c", "ac"),
    ],
)
def test_a_glob_does_not_mean_this_file(pattern: str, path: str) -> None:
    assert not Glob(pattern).matches(path)


@pytest.mark.parametrize(
    "pattern", ["a*" * 40 + "b", "**/" * 40 + "b", "{a,b}" * 40, "*a" * 40 + "/" + "*a" * 40]
)
def test_no_glob_takes_for_ever(pattern: str) -> None:
    assert not Glob(pattern).matches("a/" * 40 + "a" * 200 + "c")


@given(pattern=st.text(alphabet="ab*?/.[]{},!-\\", max_size=20), path=st.text("ab/.", min_size=1))
def test_every_text_is_a_glob(pattern: str, path: str) -> None:
    Glob(pattern).matches(path)


NAMES = st.text("abc.", min_size=1).filter(lambda name: name not in (".", ".."))


@given(path=st.lists(NAMES, min_size=1).map("/".join))
def test_a_path_without_wildcards_means_itself(path: str) -> None:
    assert Glob(path).matches(path)
    assert Glob("**").matches(path)


RULES = """
# what is built
*.log
!keep.log
build/
/top
docs/*.html
a/**/z
\\#odd
"""


@pytest.mark.parametrize(
    ("path", "is_folder", "ignored"),
    [
        ("x.log", False, True),
        ("deep/x.log", False, True),
        ("keep.log", False, False),
        ("build", True, True),
        ("src/build", True, True),
        ("build", False, False),
        ("top", False, True),
        ("src/top", False, False),
        ("docs/a.html", False, True),
        ("src/docs/a.html", False, False),
        ("a/z", False, True),
        ("a/b/c/z", False, True),
        ("#odd", False, True),
        ("a.py", False, False),
    ],
)
def test_the_last_rule_about_a_path_decides(path: str, is_folder: bool, ignored: bool) -> None:
    rules = ignore_rules(RULES, ())
    assert is_ignored(rules, path.split("/"), is_folder=is_folder) is ignored


def test_rules_hold_below_their_own_folder_only() -> None:
    rules = ignore_rules("/x\n", ("sub",))
    assert is_ignored(rules, ("sub", "x"), is_folder=False)
    assert not is_ignored(rules, ("x",), is_folder=False)
