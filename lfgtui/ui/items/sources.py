"""Citations of a response: one line, the list on request."""

from collections.abc import Hashable, Iterator

from lfgtui.model.events import Citation
from lfgtui.model.items import SourcesItem
from lfgtui.text.terminal_safe import plain_output, visible_line
from lfgtui.ui.items.base import Context
from lfgtui.ui.items.card import CardView
from lfgtui.ui.markdown.paragraph import linked
from lfgtui.ui.text.palette import EM, Palette
from lfgtui.ui.text.wrapping import Row, Span, wrap

_WEB = ("http://", "https://")


class SourcesView(CardView):
    """The sources of one response."""

    def __init__(self, item: SourcesItem) -> None:
        super().__init__()
        self._item = item

    @property
    def source(self) -> str:
        """The list, also where only its line is shown."""
        named = ((number, _name(c), c.url) for number, c in enumerate(self._item.citations, 1))
        return "\n".join(f"{n}. {name}" + f" {url}" * (url != name) for n, name, url in named)

    def key(self, context: Context) -> tuple[Hashable, ...]:
        return (self._item.revision,)

    def left(self, context: Context) -> list[Span]:
        palette, citations = self.palette(context), self._item.citations
        count = f"{len(citations)} source{'s' * (len(citations) != 1)}"
        names = " · ".join(map(_name, citations))
        return [(f"{count}  ", palette.tool), (names, palette.muted)]

    def right(self, context: Context) -> list[Span]:
        return []

    def body(self, context: Context, width: int) -> Iterator[Row]:
        palette = self.palette(context)
        for number, citation in enumerate(self._item.citations, 1):
            first = (f"{number}. ", palette.marker)
            rest = (" " * len(first[0]), palette.marker)
            yield from wrap(_entry(citation, palette), width, (first,), (rest,))
            if citation.quote and _name(citation) != (quote := _flat(citation.quote)):
                yield from wrap([(quote, palette.muted + EM)], width, (rest,), (rest,))


def _entry(citation: Citation, palette: Palette) -> Iterator[Span]:
    """Its name and where it leads, which is always written out: the name may claim another."""
    name, url = _name(citation), citation.url
    is_web = url.startswith(_WEB)
    yield name, linked(palette.link, url) if is_web else palette.text
    if url and url != name:
        yield " ", palette.text
        yield visible_line(url), linked(palette.muted, url) if is_web else palette.muted


def _name(citation: Citation) -> str:
    return _flat(citation.title) or citation.url or _flat(citation.quote)


def _flat(text: str) -> str:
    return " ".join(plain_output(text).split())
