"""Marks in place of what patterns match, in a text that arrives in pieces.

Only text that may still become a match is held back. Matches that overlap are replaced by one mark,
so no part of any of them stays. The result does not depend on the pieces. `redactor` uses this for
guards with `action = "redact"`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lfgtui.text.matching import Match, Matcher, MatchStream

LONGEST = 2048
"""Most characters of a match, and so of the text that is held back."""


class Marking:
    """Patterns, each with the name that its mark shows; `named` are pairs of name and pattern."""

    def __init__(self, named: Sequence[tuple[str, str]]) -> None:
        self.names = tuple(name for name, _ in named)
        self.matcher = Matcher([pattern for _, pattern in named])


@dataclass(slots=True)
class _Span:
    """Text that matches cover, counted from the text's start.

    `is_marked`: its mark was returned, and the rest of it is only left out.
    """

    start: int
    end: int
    rule: int
    is_marked: bool = False


class MarkingStream:
    """One text: `feed` returns what is decided, `finish` the rest. `mark` makes a name's mark.

    After `finish` it can be fed another text.
    """

    def __init__(self, marking: Marking, mark: Callable[[str], str]) -> None:
        self._names = marking.names
        self._mark = mark
        self._matches = MatchStream(marking.matcher, LONGEST)
        self._spans: list[_Span] = []
        self._held = ""
        self._begin = 0

    def feed(self, text: str) -> str:
        """Add a piece; return what is decided by now and was not returned yet."""
        self._held += text
        self._cover(self._matches.feed(text))
        return self._decided(self._matches.open_from)

    def finish(self) -> str:
        """End the text; return what was held."""
        self._cover(self._matches.finish())
        rest = self._decided(self._begin + len(self._held))
        self._begin, self._spans = 0, []
        return rest

    def _cover(self, matches: Sequence[Match]) -> None:
        """Add the matches to the spans; those that overlap become one span."""
        for rule, start, end in matches:
            span = _Span(start, end, rule)
            while self._spans and self._spans[-1].end > span.start:
                earlier = self._spans.pop()
                if earlier.start <= span.start:
                    span = _Span(earlier.start, end, earlier.rule, earlier.is_marked)
            self._spans.append(span)

    def _decided(self, upto: int) -> str:
        """Return the text up to a position, with marks, and forget it."""
        parts: list[str] = []
        while self._spans and self._spans[0].start < upto:
            span = self._spans[0]
            if not span.is_marked:
                parts += (self._take(span.start), self._mark(self._names[span.rule]))
            self._take(min(span.end, upto))
            if span.end > upto:
                span.start, span.is_marked = upto, True
                break
            del self._spans[0]
        parts.append(self._take(upto))
        return "".join(parts)

    def _take(self, upto: int) -> str:
        """Return the held text up to a position, and forget it."""
        count = upto - self._begin
        taken, self._held = self._held[:count], self._held[count:]
        self._begin = upto
        return taken
