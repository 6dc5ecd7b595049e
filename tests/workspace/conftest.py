"""A repository with a checkout, for each test."""

from pathlib import Path

import pytest

from tests.helpers.checkouts import Checkout, configure_person, make_checkout


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own configuration of git."""
    return configure_person(tmp_path, monkeypatch)


@pytest.fixture
def checkout(tmp_path: Path, person: Path) -> Checkout:
    return make_checkout(tmp_path / "project")
