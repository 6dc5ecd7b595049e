"""Widths of text in terminal cells, and its clusters.

Textual lays out and paints with `rich.cells`, so its count is the one that
must hold, right or wrong: a row that we think is 40 cells and Rich 41 moves
everything beside it. Rich's count of a character depends on those before it
(a variation selector widens, a joiner swallows the next character), so the count
of a text is the sum of its parts only if it is split between clusters. Our
clusters are those of Unicode (UAX #29) as far as they take at most two cells,
with all following characters that Rich counts as nothing.

Whether two characters belong together never depends on later ones: text that
grows keeps its clusters, except the last.

No cluster is longer than what UAX #15 calls stream-safe (`stream_safe`): Textual cuts a
line in the square of its longest cluster, and 16,000 accents on one letter took it 25 s.

Three sorts of text, cheapest first: narrow (a character is a cell), loose
(a character is a cluster), and the rest.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

from rich._unicode_data import load
from rich.cells import cell_len, get_character_cell_size

NO_BREAK = "\u00a0"  # a blank at which no line is broken
_JOINER = "\u200d"  # joins emoji to one, and letters in some scripts

MOST_HUNG = 30
"""Most characters after a cluster's first: Unicode's own bound (UAX #15, Stream-Safe Text)."""

_CUT = "␦"
"""Replaces a character that is one too many."""

# Some of the characters that take one cell each, join nothing, and break lines only at blanks.
_NARROW = (
    "[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u0391-\u03a1"
    "\u03a3-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20ac\u2100-\u214f\u2190-\u22ff\u2500-\u25fc\u2713-\u2718\u2800-\u28ff]*"
)
_REGIONS = "\U0001f1e6-\U0001f1ff"  # regional indicators: two of them are a flag
_SKINS = "\U0001f3fb-\U0001f3ff"  # skin tones, which change the emoji before them
# Emoji and symbols, which a joiner may join to one picture, such as a family.
_PICTURES = (
    "\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u2bff"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
# A joiner that does not stand between two pictures.
_STRAY_JOINER = f"(?<![{_PICTURES}\ufe0f]){_JOINER}|{_JOINER}(?![{_PICTURES}])"
# Signs that stand before a number or a word and hang on it (Grapheme_Cluster_Break=Prepend).
_PREPENDED = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"
_ARABIC = "\u0620-\u064a\u0660-\u066f\u0671-\u06d5\u06ee-\u06ff\u0710-\u072f"
# Two consonants joined by a virama are one cluster in six scripts of India (GB9c), as are
# a vowel of Thai or Lao that takes a cell of its own and the letter it belongs to.
_VIRAMAS = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d"
_CONSONANTS = (
    "\u0915-\u0939\u0958-\u095f\u0978-\u097f\u0995-\u09b9\u09dc-\u09df\u09f0\u09f1"
    "\u0a95-\u0ab9\u0af9\u0b15-\u0b39\u0b5c-\u0b5f\u0b71\u0c15-\u0c39\u0c58-\u0c5a\u0d15-\u0d3a"
)
_LETTERS = "\u0e01-\u0e2e\u0e81-\u0eae"
_VOWELS = "\u0e33\u0eb3"


class Measure(NamedTuple):
    """A text's clusters: `heads` has a character for each, `cells` the width before it,
    `offsets` its index in the text; the last two also have the end."""

    heads: str
    cells: Sequence[int]
    offsets: Sequence[int]


def width_of(text: str) -> int:
    """Return the text's width in terminal cells, as Rich counts it."""
    if text.isascii():
        return len(text)
    return cell_len(drawn(text))


def drawn(text: str) -> str:
    """Return the text for the screen: without joiners that do not join emoji.

    Rich counts nothing for the character after a joiner; but between letters, as in
    Persian and the scripts of India, every terminal counts the letter.
    """
    return _compiled(_STRAY_JOINER).sub("", text) if _JOINER in text else text


def stream_safe(text: str) -> str:
    """Return the text with clusters cut at `MOST_HUNG` further characters.

    It is as long as the text, and the end of a text changes nothing before it.
    """
    if text.isascii() or len(text) <= MOST_HUNG or not _hung_run().search(text):
        return text
    characters = list(text)
    hung = 0
    before = last = ""
    joins, is_picture = _compiled(f"[{_PICTURES}\ufe0f]").match, _compiled(f"[{_PICTURES}]").match
    for index, character in enumerate(text):
        is_joined = last == _JOINER and joins(before) and is_picture(character)
        hung = hung + 1 if is_joined or not get_character_cell_size(character) else 0
        if hung > MOST_HUNG:
            characters[index] = character = _CUT
            hung = 0
        before, last = last, character
    return "".join(characters)


def is_narrow(text: str) -> bool:
    """Return True if each character surely takes one cell, and lines break only at blanks."""
    return text.isascii() or _compiled(_NARROW).fullmatch(text) is not None


def is_loose(text: str) -> bool:
    """Return True if each character is a cluster."""
    return text.isascii() or _loose().fullmatch(text) is not None


def measure(text: str) -> Measure:
    """Return the clusters of a text without newlines and tabs."""
    if is_loose(text):
        return Measure(text, _sums(map(get_character_cell_size, text)), range(len(text) + 1))
    clusters = _cluster().findall(text)
    return Measure(
        "".join(map(_head, clusters)), _sums(map(_size, clusters)), _sums(map(len, clusters))
    )


def fitting(text: str, room: int) -> int:
    """Return the number of characters, in whole clusters, that fit into `room` cells."""
    if is_narrow(text):
        return min(len(text), max(0, room))
    _, cells, offsets = measure(text)
    return offsets[max(0, bisect_right(cells, room) - 1)]


def _sums(sizes: Iterable[int]) -> list[int]:
    return list(accumulate(sizes, initial=0))


def _head(cluster: str) -> str:
    """Return the character that stands for a cluster; a blank with a mark counts as text."""
    return NO_BREAK if cluster[0] == " " and len(cluster) > 1 else cluster[0]


@lru_cache(4096)
def _size(cluster: str) -> int:
    return width_of(cluster)


# Compiled when first needed: together they take longer than the rest of this import.


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _loose() -> re.Pattern[str]:
    """Return a pattern of loose text; beyond the first plane only emoji and Chinese, since Python
    searches that part of a set from end to end."""
    marks, _ = _weightless()
    others = f"\U00010000-\U0001efff{_REGIONS}{_SKINS}\U000e0000-\U0010ffff"
    return re.compile(f"[^{marks}{_VOWELS}{_PREPENDED}{others}]*")


@cache
def _hung_run() -> re.Pattern[str]:
    """Return a cheap test for text that `stream_safe` may have to cut."""
    return re.compile(f"(?:{_JOINER}[{_PICTURES}]|{_mark()}){{{MOST_HUNG // 2}}}")


@cache
def _cluster() -> re.Pattern[str]:
    """Return a pattern of one cluster: its first character or pair, then all that hangs on it."""
    mark = _mark()
    return re.compile(
        f"(?:[{_CONSONANTS}](?:{mark}*[{_VIRAMAS}]{_JOINER}?[{_CONSONANTS}])?"
        f"|[{_LETTERS}](?:{mark}*[{_VOWELS}])?"
        f"|[{_PREPENDED}][{_ARABIC}]"
        f"|[{_REGIONS}]{{2}}"
        "|.)"
        f"(?:(?<=[{_PICTURES}\ufe0f]){_JOINER}[{_PICTURES}]|{mark})*",
        re.DOTALL,
    )


def _mark() -> str:
    """Return the pattern of one character without width."""
    low, high = _weightless()
    return f"(?:[{low}]|(?=[\U00010000-\U0010ffff])[{high}])"


@cache
def _weightless() -> tuple[str, str]:
    """Return the characters without width, of the first plane and beyond it.

    Rich gives public access to its table only a character at a time.
    """
    low: list[str] = []
    high: list[str] = []
    for first, last, cells in load("auto").widths:
        if cells == 0 and first >= 0xA0:
            (low if last <= 0xFFFF else high).append(_range(first, last))
    return "".join(low), "".join(high)


def _range(first: int, last: int) -> str:
    return f"{re.escape(chr(first))}-{re.escape(chr(last))}"
