"""The list of what may reach a terminal: what lfg writes is on it, nothing else is."""

import pytest

from tests.helpers.terminal_sequences import SCREEN, foreign_sequences

OURS = [
    b"\x1b[?1049h\x1b[?25l\x1b[>25u\x1b[?2026$p",
    b"\x1b[40;1H\x1b[1;38;5;60;48;5;16m enter\x1b[0m grid 3/6 \r\n",
    b"\x1b]22;default\x07",
    b"\x1b]8;id=4;https://example.com/a?b=c\x1b\\link\x1b]8;;\x1b\\",
    "Příliš žluťoučký 設計 👩‍🔬".encode(),
]

THEIRS = [
    b"\x1b]52;c;cm0gLXJmIC8=\x07",
    b"\x1b]0;title\x07",
    b"\x1b]8;;file:///etc/pass\x01wd\x1b\\",
    b"\x1b[2J",
    b"\x1b[6n",
    b"\x1b[?1047h",
    b"\x1bPq#0\x1b\\",
    b"\x1bc",
    b"\x1b",
    "\x9b2J".encode(),
    b"\x9b2J",
    b"\x08",
    "\u202e".encode(),
    b"over\rwritten",
    b"a\nb",
    b"\x7f",
    b"\xc3(",
]


CUT = [
    b"\x1b[38;5\x1b\\\x1b[?1049l",
    b"\x1b[\x1b\\\x1b[?1049l",
    b"p\xc5\x1b\\\x1b[?1049l",
    b"\xf0\x9f\x91\x1b\\\x1b[?1049l",
    b"text\x1b\\\x1b[?1049l",
]
"""What a terminal got that never read the rest."""


@pytest.mark.parametrize("written", OURS)
def test_sequences_of_the_screen_are_its_own(written: bytes) -> None:
    assert foreign_sequences(written, SCREEN) == []


@pytest.mark.parametrize("written", THEIRS)
@pytest.mark.parametrize("is_cut", [False, True])
def test_sequences_that_act_or_deceive_are_foreign(written: bytes, is_cut: bool) -> None:
    assert foreign_sequences(b"before " + written + b" after", SCREEN, is_cut=is_cut)


@pytest.mark.parametrize("written", CUT)
def test_cut_sequences_are_foreign_but_to_a_terminal_that_stopped_reading(written: bytes) -> None:
    assert foreign_sequences(written, SCREEN)
    assert foreign_sequences(written, SCREEN, is_cut=True) == []
