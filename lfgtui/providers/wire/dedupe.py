"""Removal of what a stream repeats: texts, and the sources that they cite.

On the Responses wire the same words may come as deltas, again in the record
that closes the part, again in the item, again in the whole response; any of
these may be missing, and items may change their places and ids between them.
So a text that comes whole is compared with what was streamed: where it goes on
from there, the remainder is new; where nothing of it was streamed, all of it;
where it differs, what the person has read stands.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from lfgtui.model.events import Citation
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.lenient_json import JsonObject

_URL = ("url", "uri", "source", "file_id", "document_id")
_TITLE = ("title", "document_title", "filename", "name")
_PLACE = ("start_index", "end_index", "index")
_QUOTE = ("cited_text", "content", "snippet", "quote", "text")


@dataclass(slots=True)
class _Streamed:
    pieces: list[str] = field(default_factory=list)
    is_closed: bool = False
    is_confirmed: bool = False  # the whole response repeated it

    @property
    def text(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""


class TextDeduplicator:
    """The texts of one kind (visible, or reasoning) of one response, by their places.

    Raises `ProviderError` ("protocol") where there are more than `limits.TEXTS`.
    """

    def __init__(self) -> None:
        self._texts: dict[Hashable, _Streamed] = {}

    def add(self, place: Hashable, delta: str) -> None:
        """Note a delta, which is always new."""
        self._at(place).pieces.append(delta)

    def remainder(self, place: Hashable, whole: str, *, is_response: bool = False) -> str:
        """Return the end of a whole text that was not streamed, and note it as streamed.

        `is_response`: the place is one in the whole response, which need not be the stream's.
        """
        own = self._at(place)
        known = own if whole.startswith(own.text) else None
        if known is None or not own.text:
            known = self._elsewhere(whole, is_response=is_response) or known
        own.is_closed = True
        if known is None:
            return ""
        new = whole[len(known.text) :]
        known.pieces.append(new)
        known.is_closed = True
        known.is_confirmed = known.is_confirmed or is_response
        return new

    def _at(self, place: Hashable) -> _Streamed:
        if place not in self._texts:
            if len(self._texts) >= limits.TEXTS:
                raise limits.too_many("parts of text in one response", limits.TEXTS)
            self._texts[place] = _Streamed()
        return self._texts[place]

    def _elsewhere(self, whole: str, *, is_response: bool) -> _Streamed | None:
        others = [
            other
            for other in self._texts.values()
            if other.text
            and whole.startswith(other.text)
            # A closed text may be how another begins, but hardly all of it.
            and (
                not other.is_closed
                or (is_response and other.text == whole and not other.is_confirmed)
            )
        ]
        return max(others, key=lambda other: len(other.text), default=None)


class Citations:
    """The sources of one response, each place once.

    Some servers repeat the list in every chunk, or send it live and again at the end.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str | int | None, ...]] = set()

    def take(self, sources: Iterable[JsonObject]) -> Iterator[Citation]:
        """Yield the sources that are new and name anything."""
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
    """The pages of a document; the quote itself shows characters and blocks."""
    first = lenient_json.number(source, "start_page_number")
    end = lenient_json.number(source, "end_page_number")  # exclusive
    if first is None:
        return ""
    return f", page {first}" if end is None or end <= first + 1 else f", pages {first}-{end - 1}"
