"""Every case, by name. A new one is a function in one of these modules."""

from collections.abc import Iterator

from tests.hostile import calls, floods, http, numbers, records, terminals, texts
from tests.hostile.cases import CASES, WORDS, Note, Pause, Step, case
from tests.hostile.wires import Wire

__all__ = ["CASES", "calls", "floods", "http", "numbers", "records", "terminals", "texts"]

GAP = 0.05
"""Seconds between two of them."""


@case("done", wires=())
def healthy(wire: Wire) -> Iterator[Step]:
    """Paced words, each noted as it is sent; no misbehaviour at all."""
    yield wire.begin()
    for word in WORDS:
        yield Note(word)
        yield wire.text(f"{word} ")
        yield Pause(GAP)
    yield wire.finish()
