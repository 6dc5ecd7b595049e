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
from collections.abc import Callable, Collection
from typing import Literal

from lfgtui.model.bounds import DEEPEST
from lfgtui.model.call_summary import Member
from lfgtui.providers import lenient_json

_BLANKS = re.compile(r"[ \t\n\r]*")
_OUTSIDE = re.compile(r'[^"{}\[\],]*')
# Whole characters and whole escapes. The first half of a surrogate pair is whole only
# once it is plain what follows it: the second half, another escape, or no escape.
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

_Expected = Literal["object", "first name", "name", "colon", "value", "more", "nothing"]


class PartialObject:
    """A reader of a JSON object in pieces. The last value of a repeated name holds."""

    def __init__(self) -> None:
        self.is_broken = False
        """True once this can be no JSON object, whatever follows."""
        self._members: dict[str, Member] = {}
        self._open = Member("")
        self._name: list[str] = []
        self._expects: _Expected = "object"
        self._read: Callable[[str, int], int] = self._sign
        self._rest = ""
        self._depth = 0
        self._is_quoted = False

    @property
    def members(self) -> Collection[Member]:
        """Members in the order of their names."""
        return self._members.values()

    @property
    def is_complete(self) -> bool:
        """True once the object is closed."""
        return self._expects == "nothing" and not self.is_broken

    @property
    def arguments(self) -> dict[str, object]:
        """The complete members."""
        return {m.name: m.value for m in self._members.values() if m.is_complete}

    def feed(self, text: str) -> None:
        """Read on. Never raises."""
        text, at = self._rest + text, 0
        while at < len(text) and not self.is_broken:
            reader, begin = self._read, at
            at = reader(text, begin)
            if at == begin and reader == self._read:
                break
        self._rest = "" if self.is_broken else text[at:]

    # Each reads from a place in the text and says how far it came.

    def _sign(self, text: str, at: int) -> int:
        """Read signs between names and values."""
        at = _end(_BLANKS, text, at)
        match self._expects, text[at : at + 1]:
            case _, "":
                return at
            case "object", "{":
                self._expects = "first name"
            case (("first name" | "more"), "}"):
                self._expects = "nothing"
            case (("first name" | "name"), '"'):
                self._name.clear()
                self._read = self._in_name
            case "colon", ":":
                self._expects = "value"
            case "value", sign:
                return at + self._begin(sign)
            case "more", ",":
                self._expects = "name"
            case _:
                self.is_broken = True
        return at + 1

    def _in_name(self, text: str, at: int) -> int:
        end = self._run_end(text, at)
        self._name.append(_said(text[at:end]))
        if text.startswith('"', end):
            self._expects, self._read = "colon", self._sign
            return end + 1
        return end

    def _begin(self, sign: str) -> int:
        """Begin the value; return the number of its characters read."""
        is_string = sign == '"'
        self._open = Member("".join(self._name), is_string)
        self._members[self._open.name] = self._open
        self._read = self._in_string if is_string else self._in_other
        return int(is_string)

    def _in_string(self, text: str, at: int) -> int:
        end = self._run_end(text, at)
        self._open.add(_said(text[at:end]))
        if text.startswith('"', end):
            self._close(str(self._open.text))
            return end + 1
        return end

    def _in_other(self, text: str, at: int) -> int:
        """Read a number, word, list or object, up to the comma or brace that is not its own."""
        end = self._run_end(text, at) if self._is_quoted else _end(_OUTSIDE, text, at)
        sign = text[end : end + 1]
        if self._depth == 0 and sign in (",", "}"):
            self._open.add(text[at:end])
            self._close_other()
            return end
        if sign == '"':
            self._is_quoted = not self._is_quoted
        elif self._is_quoted:
            sign = ""  # an escape that is not whole
        self._depth += _DEEPER.get(sign, 0)
        self.is_broken = self.is_broken or not 0 <= self._depth < DEEPEST
        self._open.add(text[at:end] + sign)
        return end + len(sign)

    def _close_other(self) -> None:
        try:
            self._close(lenient_json.parse(str(self._open.text)))
        except ValueError:
            self.is_broken = True

    def _close(self, value: object) -> None:
        self._open.value, self._open.is_complete = value, True
        self._expects, self._read = "more", self._sign

    def _run_end(self, text: str, at: int) -> int:
        """Return the end of the certain part of the string."""
        end = _end(_RUN, text, at)
        if text.startswith("\\", end) and not _UNFINISHED.fullmatch(text, end):
            self.is_broken = True
        return end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the end of a match that may be empty."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _said(run: str) -> str:
    """Return the text of whole characters and escapes."""
    return str(lenient_json.parse(f'"{run}"')) if "\\" in run else run
