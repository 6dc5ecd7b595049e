"""Queries as typed, turned into FTS5 expressions; excerpts of what they match."""

import os
import re
import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

# Different each time, so that no text can have them in it.
_TOKEN = os.urandom(6).hex()
_OPEN, _CLOSE = f"\x02{_TOKEN}[", f"\x02{_TOKEN}]"
_MARK = re.compile(re.escape(_OPEN) + "|" + re.escape(_CLOSE))

_WIDTH, _LEAD = 200, 40
"""Characters of an excerpt, and of those before its first match."""

LONG = 32_768
"""Characters of a text up to which FTS5 may mark the matches."""

MOST_WORDS = 64
"""Most words of a query: FTS5 looks for each, and compares all of them at each match."""

_FEW_WORDS = 8
_TRIED = 200
_LETTER = r"[^\W_]"
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r'"(?:[^"]|"")*"|[^\s()"]+')
_OPERATORS = frozenset(("AND", "OR", "NOT", "NEAR"))
_SYNTAX = re.compile(r'["()+:^{}]')
_MEANT = re.compile(r'\b(?:AND|OR|NOT|NEAR)\b|["()*]')

Match: TypeAlias = tuple[int, int]
"""A match: [start, end) in characters."""

MARKS = (_OPEN, _CLOSE)
"""Marks that FTS5 puts around a match; `unmark` takes them out again."""


def expressions(query: str, *, prefix: bool) -> Iterator[str]:
    """Yield the query as FTS5 expressions, to be tried in turn until one is accepted.

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


def without_repeats(query: str) -> str:
    """Return the query with each word once; unchanged if it has operators.

    The last word stays last, since with `prefix` it may be unfinished.
    """
    *words, last = query.split() or [""]
    if _SYNTAX.search(query) or not _OPERATORS.isdisjoint((*words, last)):
        return query
    folded = {word.casefold(): word for word in words}
    return " ".join([*folded.values(), last])


def word_count(query: str) -> int:
    """Return the number of words and phrases to look for."""
    return sum(word not in _OPERATORS for word in _WORD.findall(query))


def longest_marked(expression: str) -> int:
    """Return the longest text in which FTS5 is to mark the matches: shorter for more words.

    It compares each word's next match at every match, and there are as many
    matches again for each word that stands for the same text (`f* fo* fox*`).
    """
    return min(LONG, LONG * _FEW_WORDS**2 // max(1, word_count(expression)) ** 2)


def is_literal(expression: str, query: str) -> bool:
    """Return whether the expression takes literally what was meant as syntax.

    Marks alone (`c++`, `foo-bar`) are not.
    """
    return expression not in (query, f"{query}*") and _MEANT.search(query) is not None


def is_refusal(error: sqlite3.Error) -> bool:
    """Return whether the error is the query's fault, and not the file's."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def unmark(marked: str) -> tuple[str, list[Match]]:
    """Return the text without marks, and the matches between them."""
    pieces: list[str] = []
    matches: list[Match] = []
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


def spot(text: str, expression: str) -> list[Match]:
    """Return the places of the expression's words in a text of more than `LONG` characters.

    FTS5's `highlight()` would tell exactly, but copies the text once a match:
    minutes, for a common word in some megabytes. This knows no diacritics
    and takes the words of a phrase one by one, which is good enough for an
    excerpt.
    """
    words = [
        re.escape(word) + (_LETTER + "*" if star else "")
        for word, star in re.findall(rf"({_LETTER}+)(\s*\*)?", expression.replace('"', " "))
        if word not in ("AND", "OR", "NOT", "NEAR")
    ]
    if not words:
        return []
    wanted = re.compile(rf"(?<!{_LETTER})(?:{'|'.join(words)})(?!{_LETTER})", re.IGNORECASE)
    return [found.span() for found in islice(wanted.finditer(text), _TRIED)]


def excerpt(text: str, matches: list[Match]) -> tuple[str, list[Match]]:
    """Return the stretch of the text that shows most of the words, cut between words.

    FTS5's own `snippet()` takes time with the square of the matches in a
    text, too long for a common word in a long tool output.
    """
    if len(text) <= _WIDTH:
        return text, matches
    tried = matches[:_TRIED]
    best = max(range(len(tried)), key=lambda i: _variety(text, tried[i:]), default=None)
    first_start, first_end = tried[best] if best is not None else (0, 0)
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


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
