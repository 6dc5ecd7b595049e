"""With ripgrep or without: the same files and the same lines, whatever is in them."""

import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import run_call

pytestmark = pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")

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


def answers(workspace: Path, pattern: str) -> list[str]:
    calls: list[tuple[str, dict[str, object]]] = [
        ("list_files", {}),
        ("search_files", {"pattern": pattern}),
    ]
    return [run_call(workspace, name, arguments).output for name, arguments in calls]


@given(files=st.dictionaries(names, contents, max_size=6), pattern=patterns)
@settings(max_examples=30, deadline=None)
def test_the_answers_are_the_same(files: dict[str, str], pattern: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(text.encode())
        with_ripgrep = answers(Path(folder), pattern)
        with patch.dict(os.environ, PATH=f"{folder}/no-programs"):
            without = answers(Path(folder), pattern)
    assert without == with_ripgrep
