"""Excerpts: where a text matches a query, and the stretch of it that shows most of the words.

FTS5 has `highlight()` and `snippet()` for that, whose time grows with the square
of the matches: minutes, for a common word in some megabytes.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

from lfgtui.history.search.query import OPERATORS

Match: TypeAlias = tuple[int, int]
"""A match: [start, end) in characters."""

Finder: TypeAlias = Callable[[str], list[Match]]
"""Finds the first matches in a text."""

_WIDTH = 200
"""Characters of an excerpt."""

_LEAD = 40
_TRIED = 200
"""Matches of a text that are looked at."""

_LONG = 32_768
"""Characters of a text beyond which diacritics count."""

_LETTER = r"[^\W_]"
_SPACE = re.compile(r"\s+")
_TERM = re.compile(r'("(?:[^"]|"")*"|\w+)\s*(\*)?')


class _Folding(dict[int, str]):
    """Each character as one that is compared: without case and diacritics, as in the index."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFD", chr(code))[0].casefold()
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


_FOLDING = _Folding()


def finder(expression: str) -> Finder:
    """Return a function that finds the words and phrases of an FTS5 expression in a text."""
    terms = []
    for term, star in _TERM.findall(expression):
        words = re.findall(f"{_LETTER}+", _folded(term))
        if words and term not in OPERATORS:
            terms.append(r"[\W_]+".join(words) + (f"{_LETTER}*" if star else ""))
    pattern = re.compile(f"(?:{'|'.join(terms)})(?!{_LETTER})" if terms else "(?!)")

    def find(text: str) -> list[Match]:
        folded = _folded(text)
        spans = (found.span() for found in pattern.finditer(folded))
        # Checked here: a pattern that begins with a look behind takes ten times as long.
        whole = (span for span in spans if not folded[span[0] - 1 : span[0]].isalnum())
        return list(islice(whole, _TRIED))

    return find


def excerpt(text: str, matches: list[Match]) -> tuple[str, list[Match]]:
    """Return the stretch of the text that shows most of the words, cut between words."""
    if len(text) <= _WIDTH:
        return text, matches
    best = max(range(len(matches)), key=lambda i: _variety(text, matches[i:]), default=None)
    first_start, first_end = matches[best] if best is not None else (0, 0)
    begin = max(0, first_start - _LEAD)
    if begin and (space := _SPACE.search(text, begin, first_start)):
        begin = space.end()
    end = min(len(text), begin + _WIDTH)
    if end < len(text) and (spaces := list(_SPACE.finditer(text, first_end, end))):
        end = spaces[-1].start()
    before, after = "…" * (begin > 0), "…" * (end < len(text))
    shift = len(before) - begin
    inside = [
        (start + shift, min(stop, end) + shift) for start, stop in matches if begin <= start < end
    ]
    return f"{before}{text[begin:end]}{after}", inside


def _variety(text: str, matches: list[Match]) -> int:
    """Return the number of different words in an excerpt that begins with the first match."""
    limit = matches[0][0] - _LEAD + _WIDTH
    return len({text[start:end].casefold() for start, end in matches if end <= limit})


def _folded(text: str) -> str:
    """Return the text as it is compared, character for character."""
    if not text.isascii() and len(text) <= _LONG:
        return text.translate(_FOLDING)
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text
