"""The text most like another, as a hint for the model, found in bounded time.

`difflib.get_close_matches` takes quadratic time for each text, however many
there are. Here a linear measure chooses the few that are compared in full, and
the number and length of the texts are bounded.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import islice

TEXTS = 2_000
"""Most texts that are considered."""

WIDTH = 255
"""Most characters of a text that is considered; a file name has no more bytes."""

COMPARED = 20
"""Most texts that are compared in full."""

_ENOUGH = 0.6  # as in difflib


def closest(wanted: str, texts: Iterable[str]) -> str | None:
    """Return the text most like the wanted one, the first of equals; None if none is alike."""
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted[:WIDTH])

    def share(text: str) -> float:
        matcher.set_seq1(text)
        return matcher.quick_ratio()

    def likeness(text: str) -> float:
        matcher.set_seq1(text)
        return matcher.ratio()

    short = (text for text in islice(texts, TEXTS) if len(text) <= WIDTH)
    likely = nlargest(COMPARED, dict.fromkeys(short), share)
    scored = [(likeness(text), text) for text in likely]
    best = max(scored, key=lambda one: one[0], default=(0.0, ""))
    return best[1] if best[0] >= _ENOUGH else None
