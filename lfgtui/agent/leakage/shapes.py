"""Patterns that also know what may still become a match, for text that is arriving."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple


class Heads:
    """A set of strings, one of which may stand at a place."""

    def __init__(self, heads: Iterable[str]) -> None:
        self._heads = frozenset(heads)
        self._prefixes = frozenset(h[:n] for h in self._heads for n in range(1, len(h)))
        self._longest = max(map(len, self._heads), default=0)
        longest_first = sorted(self._heads, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self.firsts = frozenset(head[0] for head in self._heads)
        self.may_begin = re.compile(f"[\n{re.escape(''.join(sorted(self.firsts)))}]")
        """Finds where one may begin, if only on the next line."""

    def match(self, text: str, at: int) -> str | None:
        """Return the longest that stands here."""
        match = self.pattern.match(text, at)
        return match[0] if match else None

    def is_begun(self, text: str, at: int) -> bool:
        """Return True if the text ends in the middle of one that begins here."""
        return text[at : at + self._longest] in self._prefixes

    def begun_at(self, text: str, at: int) -> int:
        """Return where one begins that the text ends in the middle of; its length if none does."""
        first = max(at, len(text) - self._longest + 1)
        return next((n for n in range(first, len(text)) if text[n:] in self._prefixes), len(text))


class Piece(NamedTuple):
    """A part of a shape: a pattern for all of it, and one for what may become it."""

    full: str
    begun: str


def run(chars: str, least: int, most: int) -> Piece:
    """Return the piece of so many characters of a class."""
    return Piece(f"{chars}{{{least},{most}}}?", f"{chars}{{0,{most}}}")


def word(*words: str) -> Piece:
    """Return the piece that is one of these words."""
    full = "|".join(map(re.escape, words))
    begun = "|".join(
        reduce(lambda rest, c: f"(?:{re.escape(c)}{rest})?", w[::-1], "") for w in words
    )
    return Piece(f"(?:{full})", f"(?:{begun})")


@dataclass(frozen=True, slots=True)
class Shape:
    """The text required behind a head. `begun` matches all of a text that may become that."""

    full: re.Pattern[str]
    begun: re.Pattern[str]


def shape(*pieces: Piece, is_header: bool = False) -> Shape:
    """Return the shape of these pieces in a row; only a header is read together with its head."""
    full = "".join(piece.full for piece in pieces)
    begun = reduce(lambda rest, p: f"(?:{p.begun}|{p.full}{rest})", reversed(pieces), "(?!)")
    return Shape(re.compile(full if is_header else f"(?={full})"), re.compile(begun))
