"""Globs and ignore rules, against what a person expects of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.tools.globs import glob_test, ignore_rules, is_ignored


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.py", ["a.py", "src/deep/a.py"], ["a.pyc"]),
        ("*.PY", [], ["a.py"]),
        ("./*.py", ["a.py"], []),
        ("a.py", ["src/a.py"], []),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "lib/src/a.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], []),
        ("**/test_*.py", ["test_a.py"], []),
        ("*.{ts,tsx}", ["web/a.tsx"], ["a.js"]),
        ("{src,lib}/{a,b}.c", ["lib/b.c"], []),
        ("?.md", ["x.md"], []),
        ("a?c", [], ["ac"]),
        ("[ab].md", ["b.md"], []),
        ("src/**", ["src/a/b"], []),
        ("**", ["a/b"], []),
        ("{a", ["{a"], []),
    ],
)
def test_a_glob_matches_these_files_and_not_those(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    assert all(map(glob_test(pattern), matching))
    assert not any(map(glob_test(pattern), others))


@pytest.mark.parametrize("pattern", ["components/*.tsx", "web/components/*.tsx"])
def test_a_glob_is_seen_from_the_workspace_or_from_its_folder(pattern: str) -> None:
    assert glob_test(pattern, "web")("web/components/a.tsx")


@pytest.mark.parametrize(
    "pattern", ["a*" * 40 + "b", "**/" * 40 + "b", "{a,b}" * 40, "*a" * 40 + "/" + "*a" * 40]
)
def test_no_glob_takes_for_ever(pattern: str) -> None:
    assert not glob_test(pattern)("a/" * 40 + "a" * 200 + "c")


def test_nor_does_a_rule_of_a_gitignore() -> None:
    rules = ignore_rules("**/" * 33_000 + "x", ())  # took minutes
    assert is_ignored(rules, ("a", "b", "x"), is_folder=False)
    assert not is_ignored(rules, ("a", "b", "y"), is_folder=False)


@given(pattern=st.text(alphabet="ab*?/.[]{},!-\\", max_size=20), path=st.text("ab/.", min_size=1))
def test_every_text_is_a_glob(pattern: str, path: str) -> None:
    glob_test(pattern)(path)


NAMES = st.text("abc.", min_size=1).filter(lambda name: name not in (".", ".."))


@given(path=st.lists(NAMES, min_size=1).map("/".join))
def test_a_path_without_wildcards_means_itself(path: str) -> None:
    assert glob_test(path)(path)
    assert glob_test("**")(path)


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
    assert is_ignored(rules, tuple(path.split("/")), is_folder=is_folder) is ignored


def test_rules_hold_below_their_own_folder_only() -> None:
    rules = ignore_rules("/x\n", ("sub",))
    assert is_ignored(rules, ("sub", "x"), is_folder=False)
    assert not is_ignored(rules, ("x",), is_folder=False)
