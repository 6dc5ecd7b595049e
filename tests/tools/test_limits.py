"""What is cut says so and how much is gone; a hint costs little, whatever the texts are."""

import pickle
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.tools import limits
from lfgtui.tools.limits import HeadAndTail, closest, cut_line, cut_middle, fitting

pieces = st.lists(st.text(max_size=30), max_size=20)


@given(pieces=pieces, limit=st.integers(1, 100))
def test_it_does_not_matter_in_what_pieces_a_text_came(pieces: list[str], limit: int) -> None:
    kept = HeadAndTail(limit)
    for piece in pieces:
        kept.add(piece)
    assert str(kept) == cut_middle("".join(pieces), limit)


@given(text=st.text("ab\n", max_size=300), limit=st.integers(1, 100))
def test_head_and_tail_are_kept_and_the_rest_is_counted(text: str, limit: int) -> None:
    cut = cut_middle(text, limit)
    if len(text) <= limit:
        assert cut == text
        return
    note = re.search(r"\n\[\.\.\. ([\d,]+) characters left out \.\.\.\]\n", cut)
    assert note is not None
    head, tail = cut[: note.start()], cut[note.end() :]
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + len(tail) == limit
    assert int(note[1].replace(",", "")) == len(text) - limit


def test_a_flood_takes_no_more_memory_than_the_limit() -> None:
    kept = HeadAndTail(1_000)
    for _ in range(10_000):
        kept.add("x" * 100)
    assert len(str(kept)) < 1_100
    assert len(pickle.dumps(kept)) < 2_000


def test_a_long_line_says_how_much_is_missing() -> None:
    assert cut_line("abc", 3) == "abc"
    assert cut_line("a" * 1_503, 3) == "aaa… (+1,500 characters)"


@given(lines=st.lists(st.text("ab", max_size=9), min_size=1), room=st.integers(0, 60))
def test_lines_are_kept_whole_from_the_first(lines: list[str], room: int) -> None:
    kept = fitting(lines, room)
    assert kept == lines[: len(kept)]
    assert len(kept) == 1 or sum(len(line) + 1 for line in kept) <= room


@given(st.text(min_size=1, max_size=20), st.lists(st.text(max_size=20), max_size=9))
def test_a_text_is_most_like_itself(wanted: str, others: list[str]) -> None:
    assert closest(wanted, [*others, wanted]) == wanted


def test_what_is_like_nothing_gets_no_hint() -> None:
    assert closest("return total", ["", "xyz", "#" * 100]) is None
    assert closest("", [""]) == ""


def test_few_are_compared_and_no_more_read_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = read = 0
    ratio = SequenceMatcher.ratio

    def counted(matcher: "SequenceMatcher[str]") -> float:
        nonlocal compared
        compared += 1
        return ratio(matcher)

    def near() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield f"{'ab' * 100}{read:06}"

    monkeypatch.setattr(SequenceMatcher, "ratio", counted)
    assert str(closest(f"{'ab' * 100}000100x" * 1000, near())).startswith("abab")
    assert compared == limits.COMPARED
    assert read == limits.TEXTS
