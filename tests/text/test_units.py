"""Sentences and sections: where they end, however the text arrives."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lfgtui.text.units import Unit, UnitSplitter

CODE = "```py\na. B\n\nc. D\n```\n"


def units(unit: Unit, *pieces: str) -> list[str]:
    """The units of a text that arrives in these pieces."""
    splitter = UnitSplitter(unit)
    return [one for piece in pieces for one in splitter.feed(piece)] + splitter.close()


def texts() -> st.SearchStrategy[str]:
    """Texts of what a boundary may depend on."""
    marks = ["#", "######", "-", "*", "+", "1.", "12)", ">", "|", "```", "~~~", "````", "`", "==="]
    stops = ["---", "***", ".", "!", "?", "…", "...", "。", "！", '"', ")", "”", "*", "_"]
    words = ["e.g", "Dr", "Fig", "J", "3", "3.5", "word", "Word", "第一", "https://a.b/c?d"]
    blanks = [" ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "\xa0", "\u2028"]
    parts = st.sampled_from([*marks, *stops, *words, *blanks, "x" * 210, "." * 40, " " * 70])
    return st.lists(parts, max_size=40).map("".join)


@given(
    texts(), st.lists(st.integers(0, 200), max_size=20), st.sampled_from(["sentence", "section"])
)
@example("12345678901. ```x`\na. B", [12], "section")
@example("\xa0```x` a. B\n", [5], "sentence")
def test_units_are_the_text_and_the_same_wherever_it_is_cut(
    text: str, cuts: list[int], unit: Unit
) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(places)]
    whole = units(unit, text)
    assert "".join(whole) == text
    assert units(unit, *pieces) == whole == units(unit, *text)


@pytest.mark.parametrize(
    "sentences",
    [
        ["One. ", "Two! ", "Three? ", "Four… ", "Five."],
        ["It costs 3.50 in v1.2 of main.py. ", "See https://a.b/c?d=1. ", "Yes."],
        [
            "Dr. Smith met J. R. Tolkien, e.g. Here, see Fig. 3 vs. Table 4. ",
            "So there is no. ",
            "No.",
        ],
        ["Wait ... what? ", "Wait ... ", "What?"],
        ['He said "Stop!" and left. ', '"No." ', "(Really.) ", "**Bold.** ", "_Yes!_ ", "Done"],
        ["第一句。", "「第二句！」", "第三"],
        ["It goes on\nin a line\nand another. ", "Here\r\nit ends.\r\n", "Next"],
        ["# A heading. With a stop\n", "Text.\n", "Title\n=====\n", "Text\n\n", "Text"],
        ["The list:\n", "- one. ", "Two\n  goes on\n", "  1. nested\n", "  2. more\n\n", "End."],
        ["> Quoted. ", "More.\n", "> Still\n>\n", "> quoted."],
        ["| a | b. C |\n", "| - | - |\n", "| c | d |\n\n", "End"],
        ["Call `a. B` and ``c` . D``. ", "End"],
        ["Code:\n", CODE + "\n", "End"],
        ["1. Do\n", "   ````sh\n   a. B\n   ```\n   ````\n", "2. Then"],
        [" \n\nBlanks lead.   ", "They follow.\n \n\n"],
    ],
)
def test_sentences(sentences: list[str]) -> None:
    assert units("sentence", "".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sections",
    [
        ["One. Two.\nThree.\n\n", "Four\n"],
        ["# Heading\n", "Text\n", "## Heading\n\n", "- a\n- b\n\n", "- c"],
        ["Code:\n", CODE, "More. Text\n", "~~~\n\n```\n~~~\n\n", "End"],
        ["```\nnever. Closed\n\n# at all"],
    ],
)
def test_sections(sections: list[str]) -> None:
    assert units("section", "".join(sections)) == sections


def test_a_sentence_is_complete_once_the_next_one_begins() -> None:
    splitter = UnitSplitter("sentence")
    assert splitter.feed("It is 3.") == splitter.feed("5 m. ") == []
    assert splitter.feed("It") == ["It is 3.5 m. "]
    assert splitter.feed(" is.\n\n`") == []
    assert splitter.feed("x") == ["It is.\n\n"]
    assert splitter.close() == ["`x"]
