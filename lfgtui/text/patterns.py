"""Patterns for streams: the part of Python's regular expressions that needs no backtracking.

A pattern becomes the steps of a machine (`matching`) that reads each character once, whatever the
pattern. So there are no references to what a group matched, no lookahead or lookbehind beyond
`\\b`, and nothing atomic or possessive. Characters, classes and escapes mean what they mean to
`re`, which compiles each of them; `^` and `$` match at a line's ends.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

MOST_STEPS = 1000
"""Most steps of one pattern: `a{5}` has five. The work for a character grows with them."""

Place: TypeAlias = Literal["\\b", "\\B", "^", "$", "\\A", "\\Z"]
"""A condition on the characters at both sides; `matching` decides it."""


# A step is known by its index in the list of all steps; `then` and `ways` are such indexes.


class Char(NamedTuple):
    """Reads one character that `fits` matches, then goes to `then`."""

    fits: re.Pattern[str]
    then: int


class Fork(NamedTuple):
    """Goes to all of these steps, and reads nothing."""

    ways: tuple[int, ...]


class At(NamedTuple):
    """Goes to `then` if the position is such a place, and reads nothing."""

    place: Place
    then: int


class Found(NamedTuple):
    """The end of a pattern; `rule` is its number."""

    rule: int


Step: TypeAlias = Char | Fork | At | Found

# Text, so that it is compiled with the first pattern and not before the first frame.
_ATOM = (
    r"(?s)\[\^?\]?(?:\\.|[^\]\\])*\]|\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|0[0-7]{0,2}|[1-3][0-7]{2}|.)|."
)
_REPEAT = r"(?:([*+?])|\{(?!\})(\d*)(,?)(\d*)\})([?+]?)"
_OPEN = r"\((?:\?(?:P<\w+>|([aiLmsux]*)(-[imsx]+)?([:)])))?"
_PLACES: tuple[Place, ...] = ("\\b", "\\B", "^", "$", "\\A", "\\Z")


class PatternError(ValueError):
    """An invalid pattern, or one that cannot be matched in one pass."""


def phrase_pattern(phrase: str) -> str:
    """Return the pattern for words, in any case and with any white space between them."""
    return "(?i)" + r"\s+".join(map(re.escape, phrase.split()))


def compiled(patterns: Sequence[str]) -> tuple[list[Step], int]:
    """Return the steps of all patterns, and the index of the first.

    Raises `PatternError` for a pattern that cannot be used, or that matches empty text.
    """
    steps: list[Step] = []
    begins: list[int] = []
    for rule, pattern in enumerate(patterns):
        try:
            begin = _Parser(pattern, steps).parse(rule)
        except RecursionError:
            raise PatternError("it is nested too deeply") from None
        begins.append(begin)
        if _is_empty(steps, begin):
            raise PatternError("it matches empty text")
    steps.append(Fork(tuple(begins)))
    return steps, len(steps) - 1


def _is_empty(steps: Sequence[Step], begin: int) -> bool:
    """Return True if the end is reached from the step without reading a character."""
    seen, left = {begin}, [begin]
    while left:
        step = steps[left.pop()]
        match step:
            case Found():
                return True
            case Fork(ways):
                new = set(ways) - seen
            case At(_, then):
                new = {then} - seen
            case Char():
                new = set()
        seen |= new
        left += new
    return False


_Piece: TypeAlias = Callable[[int], int]
"""Makes the steps of a part of a pattern, given the step after it; returns the first of them. It
can be called several times, as for `a{5}`."""


class _Parser:
    """Adds the steps of one pattern to `steps`; raises `PatternError`, also where `re` raises."""

    def __init__(self, pattern: str, steps: list[Step]) -> None:
        try:
            with warnings.catch_warnings(action="ignore"):
                re.compile(pattern)
        except (re.error, OverflowError) as error:
            raise PatternError(str(error)) from None
        self._pattern = pattern
        self._at = 0
        self._steps = steps
        self._most = len(steps) + MOST_STEPS
        self._flags = re.NOFLAG

    def parse(self, rule: int) -> int:
        """Make the steps, with the pattern's end after them; return the first."""
        piece = self._choice()
        return piece(self._add(Found(rule)))

    def _add(self, step: Step) -> int:
        """Add a step; return its index."""
        if len(self._steps) >= self._most:
            raise PatternError(
                f"it has more than {MOST_STEPS} steps when repetitions are written out"
            )
        self._steps.append(step)
        return len(self._steps) - 1

    def _choice(self) -> _Piece:
        """Read alternatives up to `)` or the end."""
        ways = [self._sequence()]
        while self._pattern.startswith("|", self._at):
            self._at += 1
            ways.append(self._sequence())
        if len(ways) == 1:
            return ways[0]
        return lambda then: self._add(Fork(tuple(way(then) for way in ways)))

    def _sequence(self) -> _Piece:
        """Read parts up to `|`, `)` or the end."""
        pieces: list[_Piece] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            if (piece := self._one()) is not None:
                pieces.append(self._repeated(piece))

        def make(then: int) -> int:
            for piece in reversed(pieces):
                then = piece(then)
            return then

        return make

    def _one(self) -> _Piece | None:
        """Read a group, a place or a character; None for flags, which apply from there on."""
        if self._pattern[self._at] == "(":
            return self._group()
        atom = re.compile(_ATOM).match(self._pattern, self._at)
        assert atom is not None
        self._at = atom.end()
        text = atom[0]
        for place in _PLACES:
            if text == place:
                return lambda then: self._add(At(place, then))
        if re.fullmatch(r"\\[1-9]\d?", text):
            raise PatternError(f"{text} refers to a group, which cannot be matched in one pass")
        with warnings.catch_warnings(action="ignore"):
            fits = re.compile(text, self._flags)
        return lambda then: self._add(Char(fits, then))

    def _group(self) -> _Piece | None:
        """Read a group, with the flags that it sets; None for flags alone."""
        opened = re.compile(_OPEN).match(self._pattern, self._at)
        assert opened is not None
        if opened[0] == "(" and self._pattern.startswith("(?", self._at):
            what = self._pattern[self._at : self._at + 3]
            raise PatternError(f"{what}...) cannot be matched in one pass")
        added, removed, closing = opened[1] or "", opened[2] or "", opened[3]
        if "x" in added:
            raise PatternError("the flag x is not supported")
        before, self._at = self._flags, opened.end()
        for letter in added:
            self._flags |= re.RegexFlag[letter.upper()]
        for letter in removed[1:]:
            self._flags &= ~re.RegexFlag[letter.upper()]
        if closing == ")":
            return None
        piece = self._choice()
        self._flags = before
        self._at += 1
        return piece

    def _repeated(self, piece: _Piece) -> _Piece:
        """Read the repetitions (`+`, `{2,3}`) after a part; return the repeated part."""
        while (times := re.compile(_REPEAT).match(self._pattern, self._at)) is not None:
            self._at = times.end()
            if times[5] == "+":
                raise PatternError(f"{times[0]} is possessive, which cannot be matched in one pass")
            least, most = _bounds(times)
            piece = self._times(piece, least, most)
        return piece

    def _times(self, piece: _Piece, least: int, most: int | None) -> _Piece:
        """Return the part, repeated; `most` is None for any number."""

        def make(then: int) -> int:
            if most is None:
                again = self._add(Fork(()))
                self._steps[again] = Fork((piece(again), then))
                then = again
            for _ in range((most or least) - least):
                then = self._add(Fork((piece(then), then)))
            for _ in range(least):
                if (before := piece(then)) == then:  # it reads nothing, however often
                    break
                then = before
            return then

        return make


def _bounds(times: re.Match[str]) -> tuple[int, int | None]:
    """Return the least and the most repetitions that `_REPEAT` matched."""
    sign, least, comma, most, _ = times.groups()
    if sign:
        return int(sign == "+"), 1 if sign == "?" else None
    return int(least or 0), int(most) if most else None if comma else int(least)
