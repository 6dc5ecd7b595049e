"""Sources, in the many ways that providers name them."""

import pytest

from lfgtui.model.events import Citation
from lfgtui.providers.wire.dedupe import Citations, citation_of

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
