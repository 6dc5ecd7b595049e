"""Matches in a text that arrives in pieces, found in one pass.

All patterns are one machine (`patterns`), a nondeterministic automaton. A *reader* is an attempt to
match that began at one character. The state of the machine is the set of steps that readers have
reached; of several readers at the same step only the one that began first is kept. So there are
never more readers than steps, and each character is read once. States, and the state to which a
character leads from each, are remembered within a bound, so most characters cost one look into a
dict.

A pattern matches wherever it can, so the matches do not depend on the pieces in which the text
came. One that can go on is found at each of its ends, and matches may overlap; callers join them.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from lfgtui.text.patterns import At, Char, Fork, Found, Place, compiled

MOST_KEPT = 200_000
"""Most steps in all remembered states together, a move counted as eight; beyond that all states
are forgotten."""

_Kind: TypeAlias = Literal["word", "line", "other", "edge"]
"""The kind of a character, which decides the places (`\\b`, `$`) beside it; `edge` is the text's
beginning or end."""

_WORD = re.compile(r"\w")


class Match(NamedTuple):
    """Pattern number `rule` matches from `start` to `end` (exclusive), counted from the text's
    start."""

    rule: int
    start: int
    end: int


class _Move(NamedTuple):
    """The transition that a character makes.

    `kept` has the numbers of the groups of steps that go on, in the new order; -1 stands for a
    reader that begins with the character. `ends_before` and `ends_after` are the matches that end
    before the character and after it, each as the number of the pattern and that of the group.
    """

    state: "_State"
    kept: tuple[int, ...]
    ends_before: tuple[tuple[int, int], ...]
    ends_after: tuple[tuple[int, int], ...]


class _State:
    """A state: a group of steps for each reader, oldest first; `last` is the character before."""

    def __init__(self, groups: tuple[tuple[int, ...], ...], last: _Kind) -> None:
        self.groups = groups
        self.last = last
        self.plain: dict[str, _State] = {}
        """The next state for characters with which all readers go on and no match ends."""
        self.moves: dict[str, _Move] = {}
        """The transitions for other characters; "" is the text's end."""


class Matcher:
    """The patterns as one machine, which any number of `MatchStream` share.

    `first` finds where a match may begin. `steps_taken` counts the work: for tests. Raises
    `PatternError` for patterns that cannot be matched in one pass.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._steps, self._begin = compiled(patterns)
        self._has_places = any(isinstance(step, At) for step in self._steps)
        self._states: dict[tuple[tuple[tuple[int, ...], ...], _Kind], _State] = {}
        self._kept = 0
        self.steps_taken = 0
        self.first = self._first()

    @property
    def size(self) -> int:
        """The number of the machine's steps."""
        return len(self._steps)

    def _first(self) -> re.Pattern[str]:
        """Return a pattern for the first two characters of a match; for one, at the text's end or
        if it is a whole match."""
        ways = dict[str, None]()
        for step in self._chars(self._begin):
            after = self._reached([step.then], "anywhere", set())
            second = "|".join(_source(each) for each in self._chars(step.then))
            is_whole = not second or self._found(after)
            ways[_source(step) + ("" if is_whole else f"(?:{second}|\\Z)")] = None
        return re.compile("|".join(ways))

    def _chars(self, begin: int) -> list[Char]:
        """Return the steps that may read the next character, whatever the places before it."""
        reached = self._reached([begin], "anywhere", set())
        return [self._char(step) for step in reached if self._is_char(step)]

    def _is_char(self, step: int) -> bool:
        return isinstance(self._steps[step], Char)

    def _char(self, step: int) -> Char:
        found = self._steps[step]
        assert isinstance(found, Char)
        return found

    def state(self, groups: tuple[tuple[int, ...], ...], last: _Kind) -> _State:
        """Return the state with these groups after a character of the kind `last`."""
        last = last if self._has_places else "other"
        found = self._states.get((groups, last))
        if found is None:
            self._kept += 1 + sum(map(len, groups))
            if self._kept > MOST_KEPT:
                for state in self._states.values():
                    state.plain.clear()
                    state.moves.clear()
                self._states.clear()
                self._kept = 0
            found = self._states[groups, last] = _State(groups, last)
        return found

    def move(self, state: _State, char: str) -> _Move:
        """Return the transition that the character makes, and remember it; "" is the text's end."""
        next_kind = _kind(char)
        seen: set[int] = set()
        fits: dict[re.Pattern[str], bool] = {}
        groups: list[tuple[int, ...]] = []
        kept: list[int] = []
        ends_before: list[tuple[int, int]] = []
        ends_after: list[tuple[int, int]] = []
        for number, steps in (*enumerate(state.groups), (-1, (self._begin,))):
            here: Sequence[int] = steps
            if self._has_places or number < 0:
                here = self._reached(steps, (state.last, next_kind), set())
            ahead: list[int] = []
            for each in here:
                step = self._steps[each]
                if isinstance(step, Found) and number >= 0:
                    ends_before.append((step.rule, number))
                elif isinstance(step, Char) and char:
                    if (does := fits.get(step.fits)) is None:
                        does = fits[step.fits] = step.fits.match(char) is not None
                    if does:
                        ahead.append(step.then)
            after = self._reached(ahead, None, seen)
            ends_after += ((rule, number) for rule in self._found(after))
            if left := tuple(one for one in after if not isinstance(self._steps[one], Found)):
                groups.append(left)
                kept.append(number)
        found = self.state(tuple(groups), next_kind)
        move = _Move(found, tuple(kept), tuple(ends_before), tuple(ends_after))
        if ends_before or ends_after or kept != [*range(len(state.groups))]:
            state.moves[char] = move
        else:
            state.plain[char] = found
        self._kept += 8
        return move

    def _found(self, steps: Sequence[int]) -> list[int]:
        """Return the numbers of the patterns whose end is among the steps."""
        found = (self._steps[step] for step in steps)
        return [step.rule for step in found if isinstance(step, Found)]

    def _reached(
        self,
        steps: Sequence[int],
        between: tuple[_Kind, _Kind] | Literal["anywhere"] | None,
        seen: set[int],
    ) -> list[int]:
        """Return the steps that are reached from these without reading a character.

        `between` are the kinds of the characters on both sides. With None they are not known yet,
        so an `At` stays; with "anywhere" it is passed. Steps in `seen` are left out, and all that
        are met are added to it.
        """
        left, reached = list(steps), list[int]()
        before = len(seen)
        while left:
            number = left.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self._steps[number]
            if isinstance(step, Fork):
                left += step.ways
            elif isinstance(step, At) and between is not None:
                if between == "anywhere" or _is_at(step.place, *between):
                    left.append(step.then)
            else:
                reached.append(number)
        self.steps_taken += len(seen) - before
        reached.sort()
        return reached


class MatchStream:
    """One text. `feed` returns the matches that end in a piece, `finish` those at the end.

    With a `limit`, a match has at most that number of characters: longer attempts are given up.
    `length` is the number of characters so far.
    """

    def __init__(self, matcher: Matcher, limit: int = 0) -> None:
        self._matcher = matcher
        self._limit = limit
        self._state = matcher.state((), "edge")
        self._starts: list[int] = []  # where the reader of each group of the state began
        self._last = ""  # the last character
        self.length = 0

    @property
    def is_open(self) -> bool:
        """True if the end of the text so far may still become a match."""
        return bool(self._starts)

    @property
    def open_from(self) -> int:
        """The position from which the text may still become a match; `length` if none may."""
        return self._starts[0] if self._starts else self.length

    def feed(self, text: str) -> list[Match]:
        """Read a piece; return the matches that end in it."""
        if not (self._starts or self._matcher.first.search(text)):  # true for nearly all text
            self._last = text[-1:] or self._last
            self.length += len(text)
            return []
        found: list[Match] = []
        at, end = 0, len(text)
        while at < end:
            if not self._starts:
                first = self._matcher.first.search(text, at)
                if first is None:
                    break
                at = first.start()
                self._state = self._matcher.state((), _kind(text[at - 1] if at else self._last))
            stop = end
            if self._limit and self._starts:
                stop = min(end, self._starts[0] + self._limit - self.length)
            at = self._read(text, at, stop, found)
            if self._limit and self._starts and self.length + at - self._starts[0] >= self._limit:
                del self._starts[0]
                self._state = self._matcher.state(self._state.groups[1:], self._state.last)
        self._last = text[-1:] or self._last
        self.length += end
        return found

    def _read(self, text: str, at: int, stop: int, found: list[Match]) -> int:
        """Read from `at` to `stop`, adding to `found`; return the position that was reached.

        That is before `stop` where no reader is left; with a limit also where one begins or ends.
        """
        state = self._state
        plain = state.plain
        while at < stop:
            char = text[at]
            at += 1
            if (following := plain.get(char)) is not None:
                state = following
                plain = state.plain
                continue
            move = state.moves.get(char) or self._matcher.move(state, char)
            state = self._state = move.state
            plain = state.plain
            if move.kept or move.ends_before or move.ends_after or self._starts:
                self._starts = self._end_matches(move, self._starts, self.length + at, found)
                if self._limit or not self._starts:
                    break
        self._state = state
        return at

    def finish(self) -> list[Match]:
        """End the text, and return the matches at its end; the next `feed` begins another text."""
        found: list[Match] = []
        if self._starts:
            self._end_matches(
                self._matcher.move(self._state, ""), self._starts, self.length + 1, found
            )
        self._starts, self._last, self.length = [], "", 0
        return found

    def _end_matches(
        self, move: _Move, starts: list[int], position: int, found: list[Match]
    ) -> list[int]:
        """Add the matches that a transition ends to `found`; return where its readers began.

        `starts` are those of the state before, `position` is that after the character.
        """
        began = [*starts, position - 1]
        for rule, group in move.ends_before:
            found.append(Match(rule, began[group], position - 1))
        for rule, group in move.ends_after:
            found.append(Match(rule, began[group], position))
        return [began[group] for group in move.kept]


def _source(step: Char) -> str:
    """Return the pattern of a character with its flags, to be part of another pattern."""
    flags = ((re.I, "i"), (re.S, "s"), (re.A, "a"))
    names = "".join(name for flag, name in flags if step.fits.flags & flag)
    return f"(?{names}:{step.fits.pattern})"


def _kind(char: str) -> _Kind:
    if not char:
        return "edge"
    if char == "\n":
        return "line"
    return "word" if _WORD.match(char) else "other"


def _is_at(place: Place, last: _Kind, following: _Kind) -> bool:
    """Return True if the position between characters of these kinds is such a place."""
    match place:
        case "\\b":
            return (last == "word") != (following == "word")
        case "\\B":
            return (last == "word") == (following == "word")
        case "^":
            return last in ("edge", "line")
        case "$":
            return following in ("edge", "line")
        case "\\A":
            return last == "edge"
        case "\\Z":
            return following == "edge"
