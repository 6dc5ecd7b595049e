"""Answers printed in whole sentences or sections instead of in the pieces that arrive."""

from collections.abc import Iterator

import msgspec

from lfgtui.cli.launching.printer import Formatter
from lfgtui.model.events import Entry, TextDelta
from lfgtui.text.units import Unit, UnitSplitter


class WholeUnits:
    """Formats the answers unit by unit, all other entries as they come.

    A unit takes the place of the entry that completed it. Whatever ends a text completes it.
    """

    def __init__(self, unit: Unit, text_of: Formatter) -> None:
        self._unit = unit
        self._text_of = text_of
        self._open: dict[str, tuple[UnitSplitter, Entry]] = {}

    def __call__(self, entry: Entry) -> str:
        return "".join(map(self._text_of, self._whole(entry)))

    def _whole(self, entry: Entry) -> Iterator[Entry]:
        if isinstance(entry.event, TextDelta):
            splitter, _ = self._open.get(entry.ticket) or (UnitSplitter(self._unit), entry)
            self._open[entry.ticket] = splitter, entry
            yield from _parts(entry, splitter.feed(entry.event.text))
            return
        if entry.ticket in self._open and not entry.event.facets.is_aside:
            splitter, last = self._open.pop(entry.ticket)
            yield from _parts(last, splitter.close())
        yield entry


def _parts(entry: Entry, texts: list[str]) -> Iterator[Entry]:
    return (msgspec.structs.replace(entry, event=TextDelta(text)) for text in texts)
