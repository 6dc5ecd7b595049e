"""Patterns that also tell what may still become a match, for text that is arriving.

A head is the string that markup begins with (`<think>`, `Action:`); a shape is the pattern of what
must follow a head before it counts as markup. `blocks` builds its tables from them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple


class Heads:
    """A set of heads to look for in a text."""

    def __init__(self, heads: Iterable[str]) -> None:
        self._heads = frozenset(heads)
        self._prefixes = frozenset(h[:n] for h in self._heads for n in range(1, len(h)))
        self._longest = max(map(len, self._heads), default=0)
        longest_first = sorted(self._heads, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        """Matches a head, the longest that fits; nothing if there are no heads."""
        self.firsts = frozenset(head[0] for head in self._heads)
        """The first characters of the heads."""
        self.may_begin = re.compile(f"[\n{re.escape(''.join(sorted(self.firsts)))}]")
        """Finds where a head may begin, or the end of a line, after which one may."""

    def match(self, text: str, at: int) -> str | None:
        """Return the longest head that begins at `at`."""
        match = self.pattern.match(text, at)
        return match[0] if match else None

    def is_cut_off(self, text: str, at: int) -> bool:
        """Return True if the text ends in the middle of a head that begins at `at`."""
        return text[at : at + self._longest] in self._prefixes

    def cut_off_at(self, text: str, at: int) -> int:
        """Return where a head begins that the text ends in the middle of, from `at` on.

        If there is none, that is the text's length.
        """
        first = max(at, len(text) - self._longest + 1)
        return next((n for n in range(first, len(text)) if text[n:] in self._prefixes), len(text))


class Piece(NamedTuple):
    """A part of a shape: a pattern for all of it, and one for each of its beginnings."""

    full: str
    begun: str


def repeated(chars: str, least: int, most: int) -> Piece:
    """Return a piece of `least` to `most` characters of a class (`[a-z]`), matched lazily."""
    return Piece(f"{chars}{{{least},{most}}}?", f"{chars}{{0,{most}}}")


def word(*words: str) -> Piece:
    """Return a piece that is one of the words."""
    full = "|".join(map(re.escape, words))
    begun = "|".join(
        reduce(lambda rest, c: f"(?:{re.escape(c)}{rest})?", w[::-1], "") for w in words
    )
    return Piece(f"(?:{full})", f"(?:{begun})")


@dataclass(frozen=True, slots=True)
class Shape:
    """The text that must follow a head, as patterns.

    `full.match` succeeds once all of it is there; `begun.fullmatch` while what has arrived may
    still become it.
    """

    full: re.Pattern[str]
    begun: re.Pattern[str]


def shape(*pieces: Piece, is_header: bool = False) -> Shape:
    """Return the shape of the pieces, one after the other.

    With `is_header` the text that matches is read as part of the head. Otherwise the shape is only
    a lookahead, and the text is read as the block's content.
    """
    full = "".join(piece.full for piece in pieces)
    begun = reduce(lambda rest, p: f"(?:{p.begun}|{p.full}{rest})", reversed(pieces), "(?!)")
    return Shape(re.compile(full if is_header else f"(?={full})"), re.compile(begun))
