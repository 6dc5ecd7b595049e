"""What was said already is not said again."""

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.providers.wire.dedupe import TextDeduplicator


def spoken(*pieces: str) -> TextDeduplicator:
    found = TextDeduplicator()
    for piece in pieces:
        found.add(0, piece)
    return found


def test_what_closes_completes_what_was_streamed() -> None:
    said = spoken("Hel")
    assert said.remainder(0, "Hello") == "lo"
    assert said.remainder(0, "Hello") == ""


def test_what_was_not_streamed_is_new() -> None:
    said = spoken("Hello")
    assert said.remainder(1, "World") == "World"
    assert said.remainder(1, "World") == ""


def test_what_closes_otherwise_than_it_was_streamed_changes_nothing() -> None:
    said = spoken("Hello [1]")
    assert said.remainder(0, "Hello") == ""
    assert said.remainder(0, "Hello and more") == ""


def test_a_text_that_closes_in_another_place_is_known_by_its_beginning() -> None:
    assert spoken("Hel").remainder("another place", "Hello") == "lo"


def test_a_closed_text_is_no_beginning_of_another() -> None:
    said = spoken("A")
    assert said.remainder(0, "A") == ""
    assert said.remainder(1, "A B") == "A B"
    assert said.remainder(2, "A") == "A"


def test_the_whole_response_may_have_other_places() -> None:
    said = spoken("A")
    assert said.remainder(0, "A") == ""
    assert said.remainder(3, "A", is_response=True) == ""


def test_two_equal_texts_of_a_whole_response_are_two() -> None:
    said = TextDeduplicator()
    assert [said.remainder(place, "A", is_response=True) for place in (0, 1, 1)] == ["A", "A", ""]


@given(st.text(min_size=1), st.lists(st.integers(0, 40)), st.integers(0, 40))
def test_deltas_and_closing_records_together_say_the_whole_once(
    whole: str, cuts: list[int], lost: int
) -> None:
    at = sorted(min(cut, len(whole)) for cut in cuts)
    pieces = [whole[a:b] for a, b in zip([0, *at], [*at, len(whole)], strict=True)]
    streamed = [piece for piece in pieces[:lost] if piece]
    said = spoken(*streamed)
    closing = [said.remainder(0, whole) for _ in range(3)]
    assert "".join([*streamed, *closing]) == whole
