"""docs/security.md names a test for each boundary, and each of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_boundary_names_tests_that_exist() -> None:
    page = (ROOT / "docs/security.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "→" in line]
    assert rows and all(NAMED.search(row) for row in rows)
    missing = [
        f"{file}::{name}"
        for file, name in NAMED.findall(page)
        if not re.search(rf"def {name}\(", (ROOT / file).read_text("utf-8"))
    ]
    assert not missing
