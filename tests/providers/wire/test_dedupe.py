"""Text that was streamed is not repeated, and a source counts once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model.events import Citation
from lfgtui.providers.wire.dedupe import Citations, citation_of, remainder

Closing = tuple[str, str]
"""A whole text, and its new end."""

CASES: dict[str, tuple[str, list[Closing]]] = {
    "a text is completed once": ("Hel", [("Hello", "lo"), ("Hello", "")]),
    "a text that was not streamed is new once": ("", [("World", "World"), ("World", "")]),
    "a text that differs changes nothing": ("Hello [1]", [("Hello", ""), ("Hello and more", "")]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_whole_text_gives_only_its_new_end(case: str) -> None:
    streamed, closings = CASES[case]
    texts = [streamed]
    for whole, new in closings:
        assert remainder(texts, whole) == new


@given(st.text(min_size=1), st.lists(st.integers(0, 40)), st.integers(0, 40))
def test_deltas_and_closings_are_the_whole_once(whole: str, cuts: list[int], lost: int) -> None:
    at = sorted(min(cut, len(whole)) for cut in cuts)
    pieces = [whole[a:b] for a, b in zip([0, *at], [*at, len(whole)], strict=True)]
    streamed = [piece for piece in pieces[:lost] if piece]
    texts = list(streamed)
    closing = [remainder(texts, whole) for _ in range(3)]
    assert "".join([*streamed, *closing]) == whole


SOURCES: list[tuple[dict[str, object], Citation]] = [
    # Anthropic
    ({"document_index": 0, "document_title": "f.txt"}, Citation("", "f.txt")),
    ({"document_title": "f.pdf", "start_page_number": 3}, Citation("", "f.pdf, page 3")),
    (
        {"document_index": 1, "start_page_number": 3, "end_page_number": 6},
        Citation("", "document 2, pages 3-5"),
    ),
    ({"document_index": 0, "cited_text": "q"}, Citation("", "document 1", "q")),
    ({"source": "https://b", "title": "B"}, Citation("https://b", "B")),
    # Responses
    ({"type": "file_citation", "file_id": "f", "filename": "a.pdf"}, Citation("f", "a.pdf")),
    ({"container_id": "c", "file_id": "f"}, Citation("f")),
    ({"type": "url_citation", "url": "https://a"}, Citation("https://a")),
    # chat
    ({"url": "https://a", "title": "A", "snippet": "s"}, Citation("https://a", "A", "s")),
    ({"uri": "https://g", "title": "G"}, Citation("https://g", "G")),
]


@pytest.mark.parametrize(("source", "expected"), SOURCES)
def test_every_kind_of_source_has_a_name(source: dict[str, object], expected: Citation) -> None:
    assert citation_of(source) == expected


def test_a_source_counts_once_a_place() -> None:
    citations = Citations()
    one: dict[str, object] = {"url": "https://a", "start_index": 0, "end_index": 5}
    other: dict[str, object] = {"url": "https://a", "start_index": 9, "end_index": 12}
    assert len(list(citations.take([one, one | {"title": "A"}, other, {}, {"title": ""}]))) == 2
    assert list(citations.take([one])) == []
