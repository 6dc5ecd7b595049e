"""Nothing a model or a tool says can drive the terminal."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from lfgtui.text.terminal_safe import escaped, plain_output, visible, visible_line
from lfgtui.ui.text.strips import strip_of
from lfgtui.ui.text.wrapping import cut, fit, width_of, wrap

BASE = Style()
ANYTHING = st.text(st.characters(), max_size=80) | st.text(
    st.sampled_from("\x00\x07\x1b[]31m;\x07\x9b\x9d\x7f\r\n\t \u202e\u2066\u2028a中🎉\ud800"),
    max_size=60,
)
FORBIDDEN_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_harmless(character: str) -> bool:
    return (
        unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        and unicodedata.bidirectional(character) not in FORBIDDEN_DIRECTIONS
    )


@given(ANYTHING)
def test_no_control_character_survives_but_tab_and_in_texts_newline(text: str) -> None:
    shown, line = visible(text), visible_line(text)
    assert all(is_harmless(c) for c in shown if c not in "\n\t")
    assert all(is_harmless(c) for c in line if c != "\t")
    assert len(shown) == len(line) == len(text)
    assert visible(shown) == shown and len(line.splitlines()) <= 1
    (shown + line).encode()


@given(ANYTHING, st.integers(1, 40))
def test_no_line_on_the_screen_has_one_or_is_of_another_width(text: str, width: int) -> None:
    spans = [(text[:7], BASE), (text[7:], BASE)]
    rows = [*wrap(spans, width), *cut(spans, width), fit(spans, spans, width, BASE)]
    for strip in (strip_of(row, width, BASE) for row in rows):
        assert all(is_harmless(character) for character in strip.text)
        assert strip.cell_length == width == width_of(strip.text)


def test_harmful_characters_are_shown_as_symbols() -> None:
    assert visible("\x1b[31m\x07\x7f\x9b\u202e\r\u2028\ud800") == "␛[31m␇␡␛␦␍␤�"
    assert visible("a\tb\nc") == "a\tb\nc"
    assert visible_line("a\tb\nc\r\n") == "a\tb␊c␍␊"


def test_right_to_left_text_itself_is_left_alone() -> None:
    for shown in (visible, visible_line, escaped, plain_output):
        assert shown("שלום مرحبا") == "שלום مرحبا"


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        ("\x1b[1;32mok\x1b[0m done", "ok done"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r50%\r100%\nnext", "100%\nnext"),
        ("\x9b31mred", "red"),
        ("\x1b(Bcharset", "charset"),
        ("never ends \x1b]0;title", "never ends \x1b]0;title"),
    ],
)
def test_tool_output_reads_as_on_a_dumb_terminal(output: str, seen: str) -> None:
    assert plain_output(output) == seen


def test_sequences_that_never_end_take_no_longer_than_others() -> None:
    text = "\x9d" * 200_000  # took minutes
    assert plain_output(text) == text


@given(text=st.text(st.characters()))
def test_escaped_text_is_one_line_of_characters_that_can_be_seen(text: str) -> None:
    shown = escaped(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_of_all_characters_those_that_cannot_be_seen_are_escaped_and_no_other() -> None:
    unseen = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        is_escaped = escaped(character) != character
        assert is_escaped == (unicodedata.category(character) in unseen), hex(code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rm -rf\u202e/", "rm -rf\\u202e/"),
        ("a\nb\tc\r\x1b[0m\x00\x9b", "a⏎b\\tc\\r\\e[0m\\x00\\x9b"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("3.00\u202fPM\u3000é中🎉", "3.00\u202fPM\u3000é中🎉"),
    ],
)
def test_what_would_hide_or_reorder_is_written_out(text: str, shown: str) -> None:
    assert escaped(text) == shown
