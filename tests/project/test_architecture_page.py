"""docs/architecture.md and docs/decisions name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "docs/architecture.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs/decisions").iterdir(),
]
NAMED = re.compile(r"`(?:lfgtui/)?((?:[a-z_]+/)+[a-z_]+\.py)`")
MOST_FILES = 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    named = NAMED.findall(page.read_text("utf-8"))
    assert [
        file for file in named if not any((ROOT / root / file).is_file() for root in ("lfgtui", ""))
    ] == []


def test_a_record_reaches_its_cell_in_a_bounded_number_of_files() -> None:
    page = PAGES[0].read_text("utf-8")
    way = page.partition("## One record, from socket to cell")[2].partition("\n## ")[0]
    assert 20 < len(NAMED.findall(way)) <= MOST_FILES
