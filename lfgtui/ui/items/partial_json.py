"""A JSON object while it arrives: the certain part of it, and no more.

A model writes a call's arguments a few characters at a time, and the person should
see what the agent is about to do before it is complete. So the object is read as
it comes, each character once, and at any moment there are members whose names
are true, whose strings are the beginnings of the true strings, and which only grow.

Text that may still change its meaning waits: an escape that is not whole (`\\u00`), the
first half of a surrogate pair whose second half may follow, a name before its
closing quote, a number before the comma (12 may become 123). That is never
more than eleven characters of a string. A value that is an object or a list
is kept as the JSON it came as, cut where no escape is open.

`lenient_json` reads the complete arguments in the end, so it decides what counts as
JSON here: raw newlines in strings and lone surrogates too. Text that it would refuse
is broken from the offending character on.
"""

import re
from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

from lfgtui.model.bounds import DEEPEST
from lfgtui.model.call_summary import Member
from lfgtui.providers import lenient_json

_T = TypeVar("_T")
_Reading: TypeAlias = Generator[None, None, _T]

_BLANKS = re.compile(r"[ \t\n\r]*")
# Outside strings: all up to the next quote, bracket, brace or comma, such as `12` or `true`.
_OUTSIDE = re.compile(r'[^"{}\[\],]*')
# Complete characters and escapes. The first half of a surrogate pair is complete only
# once it is clear what follows: the second half, another escape, or no escape.
_RUN = re.compile(
    r'[^"\\]*+(?:\\(?:["\\/bfnrt]|u(?![dD][89abAB])[0-9a-fA-F]{4}'
    r"|u[dD][89abAB][0-9a-fA-F]{2}(?=[^\\]|\\[^u]|\\u[0-9a-fA-F]{4}))"
    r'[^"\\]*+)*+'
)
# What may become an escape, or a pair of them.
_UNFINISHED = re.compile(
    r"\\(?:u(?:[0-9a-fA-F]{0,3}|[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?))?"
)

_DEEPER = {"{": 1, "[": 1, "}": -1, "]": -1}


class PartialObject:
    """A reader of a JSON object in pieces. If a name is repeated, its last value counts."""

    def __init__(self) -> None:
        self.is_broken = False
        """True once this cannot be a JSON object, whatever follows."""
        self._is_closed = False
        self.members: dict[str, Member] = {}
        """The members by name, in the order in which they came."""
        self._text = ""
        self._at = 0
        self._reading = self._read()

    @property
    def is_complete(self) -> bool:
        """True once the object is closed."""
        return self._is_closed and not self.is_broken

    def feed(self, text: str) -> None:
        """Read more text. Never raises."""
        if not self.is_broken:
            self._text, self._at = self._text[self._at :] + text, 0
            next(self._reading)

    # Each of these generators reads from `_at` in the text on, yields whenever it needs more
    # text, and raises `ValueError` at text that cannot be right.

    def _read(self) -> _Reading[None]:
        """Read the object; a mistake in it breaks it, as does any text after it but blanks."""
        try:
            yield from self._object()
            self._is_closed = True
            yield from self._sign()
        except ValueError:
            pass
        self.is_broken, self._text = True, ""
        yield

    def _object(self) -> _Reading[None]:
        if (yield from self._sign()) != "{":
            raise ValueError
        sign = yield from self._sign()
        while sign != "}":
            if sign != '"':
                raise ValueError
            name: list[str] = []
            yield from self._string(name.append)
            if (yield from self._sign()) != ":":
                raise ValueError
            yield from self._value("".join(name))
            match (yield from self._sign()):
                case "}":
                    return
                case ",":
                    sign = yield from self._sign()
                case _:
                    raise ValueError
            if sign == "}":
                raise ValueError

    def _sign(self) -> _Reading[str]:
        """Return the next character that is not a blank."""
        while True:
            self._at = _end(_BLANKS, self._text, self._at)
            if self._at < len(self._text):
                self._at += 1
                return self._text[self._at - 1]
            yield

    def _value(self, name: str) -> _Reading[None]:
        sign = yield from self._sign()
        member = self.members[name] = Member(name, sign == '"')
        if member.is_string:
            yield from self._string(member.add)
            member.value = str(member.text)
        else:
            self._at -= 1
            yield from self._other(member.add)
            member.value = lenient_json.parse(str(member.text))
        member.is_complete = True

    def _string(self, add: Callable[[str], None]) -> _Reading[None]:
        """Read up to the closing quote."""
        while True:
            end = self._run_end()
            add(_unescaped(self._text[self._at : end]))
            self._at = end
            if self._text.startswith('"', end):
                self._at += 1
                return
            yield

    def _other(self, add: Callable[[str], None]) -> _Reading[None]:
        """Read a number, word, list or object, up to the comma or brace after it."""
        depth, is_quoted = 0, False
        while True:
            end = self._run_end() if is_quoted else _end(_OUTSIDE, self._text, self._at)
            sign, is_own = self._text[end : end + 1], True
            if sign == '"':
                is_quoted = not is_quoted
            elif is_quoted:
                sign = ""  # an incomplete escape
            elif depth == 0 and sign in ("}", ","):
                is_own = False
            depth += _DEEPER.get(sign, 0) if is_own else 0
            if not 0 <= depth < DEEPEST:
                raise ValueError
            add(self._text[self._at : end] + (sign if is_own else ""))
            self._at = end + len(sign) * is_own
            if not is_own:
                return
            if not sign:
                yield

    def _run_end(self) -> int:
        """Return the end of the certain part of the string."""
        end = _end(_RUN, self._text, self._at)
        if self._text.startswith("\\", end) and not _UNFINISHED.fullmatch(self._text, end):
            raise ValueError
        return end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the end of a match that may be empty."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _unescaped(run: str) -> str:
    """Return the text of complete characters and escapes."""
    return str(lenient_json.parse(f'"{run}"')) if "\\" in run else run
