"""Nothing a model or a tool says can drive the terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from lfgtui.ui.lines import cut, finish, fit, width_of, wrap
from lfgtui.ui.visible import plain, visible

BASE = Style()
ANYTHING = st.text(st.characters(), max_size=80) | st.text(
    st.sampled_from("\x00\x07\x1b[]31m;\x07\x9b\x9d\x7f\r\n\t \u202e\u2066\u2028a中🎉\ud800"),
    max_size=60,
)


def is_harmless(character: str) -> bool:
    return (
        unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        and unicodedata.bidirectional(character) not in FORBIDDEN_DIRECTIONS
    )


FORBIDDEN_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(ANYTHING)
def test_no_control_character_survives_but_newline_and_tab(text: str) -> None:
    shown = visible(text)
    assert all(is_harmless(c) for c in shown if c not in "\n\t")
    assert len(shown) == len(text)
    assert visible(shown) == shown
    shown.encode()


@given(ANYTHING, st.integers(1, 40))
def test_no_line_on_the_screen_has_one_or_is_of_another_width(text: str, width: int) -> None:
    spans = [(text[:7], BASE), (text[7:], BASE)]
    rows = [*wrap(spans, width), *cut(spans, width), fit(spans, spans, width, BASE)]
    for line in finish(rows, width, BASE):
        assert all(is_harmless(character) for character in line.strip.text)
        assert line.strip.cell_length == width == width_of(line.strip.text)


def test_harmful_characters_are_shown_as_symbols() -> None:
    assert visible("\x1b[31m\x07\x7f\x9b\u202e\r") == "␛[31m␇␡␛␦␍"


def test_right_to_left_text_itself_is_left_alone() -> None:
    assert visible("שלום مرحبا") == "שלום مرحبا"


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        ("\x1b[1;32mok\x1b[0m done", "ok done"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r50%\r100%\nnext", "100%\nnext"),
        ("\x9b31mred", "red"),
    ],
)
def test_tool_output_reads_as_on_a_dumb_terminal(output: str, seen: str) -> None:
    assert plain(output) == seen
