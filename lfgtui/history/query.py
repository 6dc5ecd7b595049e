"""What a person types into a search, as FTS5 wants it."""

import re
import sqlite3
from collections.abc import Iterator

_OPEN, _CLOSE = "\x02[", "\x02]"
_MARK = re.compile(re.escape(_OPEN) + "|" + re.escape(_CLOSE))

MARKS = (_OPEN, _CLOSE)
"""What FTS5 is told to put around a match; `unmark` takes it out again."""


def expressions(query: str, *, prefix: bool) -> Iterator[str]:
    """The query as FTS5 expressions, to be tried in turn until one is not refused.

    First as it stands, for words, "phrases", prefix*, AND, OR and NOT. FTS5
    refuses what is none of that (`c++`, `foo-bar`, an open quote): then its
    words are quoted and searched for as they are, and were there too many of
    them, all as one phrase. `prefix` lets the last word be unfinished, for
    searching while typing.
    """
    query = query.encode(errors="replace").decode().replace("\0", " ").strip()
    if not query:
        return
    if prefix and (query[-1].isalnum() or query[-1] == "_"):
        yield f"{query}*"
    yield query
    words = [_quoted(word) for word in query.replace('"', " ").split()]
    yield " ".join(words) + ("*" if prefix and words else "")
    yield _quoted(query)


def is_refusal(error: sqlite3.Error) -> bool:
    """Whether it is the query's fault, and not the file's."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def unmark(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """The snippet without marks, and the matches as [start, end) in characters."""
    pieces: list[str] = []
    matches: list[tuple[int, int]] = []
    length = start = position = 0
    for mark in _MARK.finditer(marked):
        piece = marked[position : mark.start()]
        pieces.append(piece)
        length, position = length + len(piece), mark.end()
        if mark.group() == _OPEN:
            start = length
        else:
            matches.append((start, length))
    pieces.append(marked[position:])
    return "".join(pieces), matches


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
