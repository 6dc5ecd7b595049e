"""Removal of what a stream repeats: texts, and the sources that they cite.

A message may come in deltas and again whole. If the whole text begins with what was streamed, the
rest of it is new; if it differs, what the person has read stands.
"""

from collections.abc import Iterable, Iterator

from lfgtui.model.events import Citation
from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject

# The fields of a source that servers use; the first that is not empty counts.
_URL = ("url", "uri", "source", "file_id", "document_id")
_TITLE = ("title", "document_title", "filename", "name")
_PLACE = ("start_index", "end_index", "index")
_QUOTE = ("cited_text", "content", "snippet", "quote", "text")


def remainder(pieces: list[str], whole: str) -> str:
    """Return the end of a whole text that was not streamed in the pieces, and add it to them."""
    streamed = "".join(pieces)
    new = whole[len(streamed) :] if whole.startswith(streamed) else ""
    pieces.append(new)
    return new


class Citations:
    """The sources of one response, each once for every place in the text that cites it.

    Some servers repeat the list in every chunk, or send it live and again at the end.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str | int | None, ...]] = set()

    def take(self, sources: Iterable[JsonObject]) -> Iterator[Citation]:
        """Yield the sources that are new and have an address, a title or a quote."""
        for source in sources:
            citation = citation_of(source)
            name = citation.url or citation.title or citation.quote
            place = (lenient_json.number(source, key) for key in _PLACE)
            key = (name, *place)
            if name and key not in self._seen:
                self._seen.add(key)
                yield citation


def citation_of(source: JsonObject) -> Citation:
    """Read one source. A document has pages where a web page has an address."""
    title = lenient_json.text(source, *_TITLE)
    document = lenient_json.number(source, "document_index")
    if not title and document is not None:
        title = f"document {document + 1}"
    return Citation(
        lenient_json.text(source, *_URL), title + _pages(source), lenient_json.text(source, *_QUOTE)
    )


def _pages(source: JsonObject) -> str:
    """Return the pages of a document, as `, pages 3-4`; "" for places in characters or blocks."""
    first = lenient_json.number(source, "start_page_number")
    end = lenient_json.number(source, "end_page_number")  # exclusive
    if first is None:
        return ""
    return f", page {first}" if end is None or end <= first + 1 else f", pages {first}-{end - 1}"
