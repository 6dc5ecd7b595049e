"""The hint costs little, whatever the texts are."""

from collections.abc import Iterator
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.tools import limits
from lfgtui.tools.limits import closest


@given(st.text(min_size=1, max_size=20), st.lists(st.text(max_size=20), max_size=9))
def test_a_text_is_most_like_itself(wanted: str, others: list[str]) -> None:
    assert closest(wanted, [*others, wanted]) == wanted


def test_what_is_like_nothing_gets_no_hint() -> None:
    assert closest("return total", ["", "xyz", "#" * 100]) is None
    assert closest("", [""]) == ""


def test_few_are_compared_and_no_more_are_read_than_there_are_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
