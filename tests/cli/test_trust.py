"""A tickets file in a cloned repository can do nothing on its own."""

from pathlib import Path

import pytest

from lfgtui.cli.trust import ensure_trusted
from lfgtui.errors import UsageError
from lfgtui.tickets import TicketsFile, load_tickets

AUTO = '[[ticket]]\nid = "a"\nprompt = "Hi."\napprove = "auto"\n'


def loaded(folder: Path, text: str) -> tuple[Path, TicketsFile]:
    path = folder / "tickets.toml"
    path.write_text(text)
    return path, load_tickets(path)


def test_a_file_that_asks_for_everything_needs_no_trust(tmp_path: Path) -> None:
    ensure_trusted(*loaded(tmp_path, '[[ticket]]\nid = "a"\nprompt = "Hi."\n'), yes=False)


def test_reading_by_itself_needs_no_trust(tmp_path: Path) -> None:
    text = '[[ticket]]\nid="a"\nprompt="Hi."\ntools=["read_file"]\napprove="auto"\n'
    ensure_trusted(*loaded(tmp_path, text), yes=False)


def test_what_was_trusted_once_stays_trusted(tmp_path: Path) -> None:
    ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    ensure_trusted(*loaded(tmp_path, AUTO), yes=False)


def test_any_change_asks_again(tmp_path: Path) -> None:
    ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    with pytest.raises(UsageError, match="approves tool calls by itself"):
        ensure_trusted(*loaded(tmp_path, AUTO.replace("Hi.", "Delete it all.")), yes=False)


def test_a_changed_prompt_file_asks_again(tmp_path: Path) -> None:
    (tmp_path / "p.md").write_text("Hi.")
    text = AUTO.replace('prompt = "Hi."', 'prompt_file = "p.md"')
    ensure_trusted(*loaded(tmp_path, text), yes=True)
    (tmp_path / "p.md").write_text("Delete it all.")
    with pytest.raises(UsageError):
        ensure_trusted(*loaded(tmp_path, text), yes=False)


def test_the_same_file_elsewhere_asks_again(tmp_path: Path) -> None:
    ensure_trusted(*loaded(tmp_path, AUTO), yes=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError):
        ensure_trusted(*loaded(tmp_path / "other", AUTO), yes=False)
