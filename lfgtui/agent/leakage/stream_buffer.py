"""Text that is still arriving, read by parsers that can wait in the middle.

A parser is a generator. It yields where the text so far does not decide, and
is resumed when more has come; so each dialect is written as if the whole text
lay there. A decision that looks ahead waits for the characters it needs and
for no more, and that is why the cuts of the stream change nothing.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Parsing: TypeAlias = Generator[None, None, T]

SPACE = re.compile(r"\s+")
_SPACE_LIMIT = 200
"""Characters: so much white space may stand between two pieces of one markup."""


class Heads:
    """A set of strings one of which may stand at a place."""

    def __init__(self, heads: Iterable[str]) -> None:
        self._heads = frozenset(heads)
        self._lengths = sorted({len(head) for head in self._heads}, reverse=True)
        self._prefixes = frozenset(h[:n] for h in self._heads for n in range(len(h)))
        self.longest = max(self._lengths, default=0)
        self.firsts = frozenset(head[0] for head in self._heads)
        firsts = "".join(sorted(map(re.escape, self.firsts)))
        self.stops = re.compile(f"[{firsts}]" if firsts else r"(?!)")

    def __iter__(self) -> Iterator[str]:
        return iter(self._heads)

    def __contains__(self, head: object) -> bool:
        return head in self._heads

    def __or__(self, other: "Heads") -> "Heads":
        return Heads(self._heads | other._heads)

    def may_grow(self, text: str) -> bool:
        """Whether more text could make it one of them, or a longer one."""
        return text in self._prefixes

    def match(self, text: str) -> str | None:
        """The longest that the text begins with."""
        return next((text[:n] for n in self._lengths if text[:n] in self._heads), None)


class Tape:
    """The text that is not read yet, and from a mark on what was read tentatively."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._mark: int | None = None
        self.is_closed = False
        """Nothing follows: what waits is told so."""
        self.is_settling = False
        """Nothing follows for now: what looks ahead decides on what there is."""

    def append(self, text: str) -> None:
        """More has arrived. What was read is let go."""
        begin = self._at if self._mark is None else self._mark
        self._text = self._text[begin:] + text
        self._at -= begin
        if self._mark is not None:
            self._mark = 0

    # What is there now

    @property
    def next(self) -> str:
        """The next character, "" where none is there."""
        return self.peek(0)

    def peek(self, offset: int) -> str:
        """The character that far on, "" where none is there."""
        return self._text[self._at + offset : self._at + offset + 1]

    def skip(self, count: int) -> None:
        """Go past that many characters."""
        self._at += count

    def back(self, count: int) -> None:
        """Return that many characters, read since the parser last waited or the mark."""
        self._at -= count

    def take(self, pattern: re.Pattern[str], limit: int | None = None) -> str:
        """What is there now of a run that the pattern matches, "" where it does not."""
        end = len(self._text) if limit is None else self._at + limit
        found = pattern.match(self._text, self._at, end)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def take_to(self, stops: re.Pattern[str], least: int = 0) -> str:
        """What is there now up to the first stop, which is not looked for in the `least` first."""
        begin = self._at
        found = stops.search(self._text, begin + least)
        self._at = found.start() if found else len(self._text)
        return self._text[begin : self._at]

    # Going back

    def mark(self) -> None:
        """Keep what is read from here on."""
        self._mark = self._at

    def unmark(self) -> None:
        """What was read since the mark is what it was taken for."""
        self._mark = None

    @property
    def since_mark(self) -> str:
        """What was read since the mark."""
        return self._text[self._at if self._mark is None else self._mark : self._at]

    # What may have to wait

    def wait(self) -> Parsing[bool]:
        """Wait for a character; False at the end of the text."""
        while self._at >= len(self._text):
            if self.is_closed:
                return False
            yield
        return True

    def _more(self) -> Parsing[bool]:
        """Wait for what a decision needs; False if it is not to come."""
        if self.is_closed or self.is_settling:
            return False
        yield
        return True

    def starts_with(self, heads: Heads, offset: int = 0) -> Parsing[str | None]:
        """Which of the heads stands here, `offset` characters on; nothing is read."""
        while True:
            begin = self._at + offset
            text = self._text[begin : begin + heads.longest]
            if not heads.may_grow(text) or not (yield from self._more()):
                return heads.match(text)

    def past_space(self) -> Parsing[int | None]:
        """How much white space stands here; None where nothing follows, or too much stands."""
        while True:
            found = SPACE.match(self._text, self._at)
            count = found.end() - self._at if found else 0
            if count > _SPACE_LIMIT:
                return None
            if self._at + count < len(self._text):
                return count
            if not (yield from self._more()):
                return None

    def upcoming(self) -> Parsing[str | None]:
        """The next character that is no white space, read up to it; None where there is none."""
        count = yield from self.past_space()
        if count is None:
            return None
        self._at += count
        return self.next

    def ahead(self, end: str, limit: int, never: str = "") -> Parsing[str | None]:
        """What stands before `end`, both read; None and nothing read where it does not come.

        It must come within `limit` characters, and none of `never` before it.
        """
        while True:
            window = self._text[self._at : self._at + limit + len(end)]
            found = window.find(end)
            body = window[:found] if found >= 0 else _without_start_of(end, window)
            if any(char in never for char in body):
                return None
            if found >= 0:
                self._at += found + len(end)
                return body
            if len(window) == limit + len(end) or not (yield from self._more()):
                return None

    def matched(self, pattern: re.Pattern[str], limit: int) -> Parsing[str | None]:
        """What the pattern matches here, read; None where it does not within `limit` characters."""
        while True:
            end = self._at + limit
            if found := pattern.match(self._text, self._at, end):
                self._at = found.end()
                return found[0]
            if len(self._text) >= end or not (yield from self._more()):
                return None

    def ends_line(self) -> Parsing[bool]:
        """Whether a line ends here, or the text."""
        while not self.next and (yield from self._more()):
            pass
        return self.next in ("\n", "\r", "")

    def skip_space(self) -> Parsing[None]:
        """Go past white space, as much as there is."""
        while (yield from self.wait()) and self.take(SPACE):
            pass

    def copy_until(self, ends: Heads, to: Callable[[str], None]) -> Parsing[str | None]:
        """Hand the text on as it arrives until one of `ends`, which is read; None at the end."""
        while (yield from self.wait()):
            if piece := self.take_to(ends.stops):
                to(piece)
                continue
            head = yield from self.starts_with(ends)
            if head is not None:
                self._at += len(head)
                return head
            to(self.next)
            self._at += 1
        return None


def _without_start_of(end: str, text: str) -> str:
    """The text without what may be the beginning of `end`."""
    count = next((n for n in range(len(end) - 1, 0, -1) if text.endswith(end[:n])), 0)
    return text[: len(text) - count]
