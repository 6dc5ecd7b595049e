"""Queries as typed: their filters, and their words as FTS5 expressions.

A filter is a name, a colon and a value (in quotes where it has blanks), as in
`state:failed after:7d parser`. A name that is no filter's is a word like any
other, so `std::move` and a URL can be searched for as they stand.
"""

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from lfgtui.errors import UsageError, did_you_mean
from lfgtui.model.facets import Kind

MOST_WORDS = 64
"""Most words of a query: FTS5 looks for each, and compares all of them at each match."""

STATES = (
    "queued", "starting", "waiting", "streaming", "running_tool", "needs_approval", "retrying",
    "paused", "done", "failed", "cancelled", "limit", "blocked", "interrupted",
)  # fmt: skip
"""The states of a ticket; its own module would cost more to import than a search."""

OPERATORS = frozenset(("AND", "OR", "NOT", "NEAR"))
_SYNTAX = re.compile(r'\b(?:AND|OR|NOT|NEAR)\b|["()*]')
_WORD = re.compile(r'"(?:[^"]|"")*"|[^\s()"]+')

_LIKE = "LIKE ? ESCAPE '\\'"
# Conditions on a segment `s` and its ticket `t`; a value for LIKE stands between %.
_CONDITIONS = {
    "run": f"(t.run = ? OR t.run {_LIKE} OR t.run {_LIKE})",
    "title": f"t.run IN (SELECT id FROM runs WHERE title {_LIKE} OR note {_LIKE})",
    "ticket": "t.name = ?",
    "provider": "t.provider = ?",
    "model": f"t.model {_LIKE}",
    "state": "t.state = ?",
    "tool": "s.tool = ?",
    "file": f"s.file {_LIKE}",
    "kind": "s.kind = ?",
    "before": "s.at < ?",
    "after": "s.at >= ?",
}
_FILTER = re.compile(rf'(?<!\S)({"|".join(_CONDITIONS)}):("[^"]*"|[^\s"]+)')
_AGE = re.compile(r"(\d{1,5})(min|h|d|w)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m")


class ParsedQuery(NamedTuple):
    """A query taken apart: its words, and the filters as conditions with their values."""

    words: str
    where: str
    values: tuple[object, ...]


def parse(query: str) -> ParsedQuery:
    """Take the query apart; raises `UsageError` for a filter's impossible value."""
    where = ""
    values: list[object] = []
    query = query.encode(errors="replace").decode()  # a byte that is no text, from the shell
    for found in _FILTER.finditer(query):
        name, value = found[1], found[2].strip('"')
        where += f" AND {_CONDITIONS[name]}"
        values += _values(name, value)
    return ParsedQuery(_FILTER.sub(" ", query).strip(), where, tuple(values))


def expressions(words: str, *, prefix: bool) -> Iterator[str]:
    """Yield the words as FTS5 expressions, to be tried in turn until one is accepted.

    First as they stand: words, "phrases", prefix*, AND, OR and NOT. FTS5
    refuses what is none of that (`c++`, `foo-bar`, an open quote): then they
    are quoted and searched for as they are, and were there too many of them,
    all as one phrase. `prefix` lets the last word be unfinished, for searching
    while typing. Raises `UsageError` for more than `MOST_WORDS`.
    """
    count = sum(word not in OPERATORS for word in _WORD.findall(words))
    if count > MOST_WORDS:
        raise UsageError(f"the query has {count} words; the limit is {MOST_WORDS}")
    words = words.replace("\0", " ").strip()
    if not words:
        return
    if prefix and (words[-1].isalnum() or words[-1] == "_"):
        yield f"{words}*"
    yield words
    quoted = [_quoted(word) for word in words.replace('"', " ").split()]
    yield " ".join(quoted) + ("*" if prefix and quoted else "")
    yield _quoted(words)


def is_literal(expression: str, words: str) -> bool:
    """Return whether the expression takes literally what was meant as syntax.

    Marks alone (`c++`, `foo-bar`) are not.
    """
    return expression not in (words, f"{words}*") and _SYNTAX.search(words) is not None


def is_refusal(error: sqlite3.Error) -> bool:
    """Return whether the error is the query's fault, and not the file's."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _values(name: str, value: str) -> tuple[object, ...]:
    """Return the values of the filter's condition."""
    pattern = re.sub(r"([%_\\])", r"\\\1", value)
    match name:
        case "run":
            return value, f"{pattern}%", f"%{pattern}"
        case "title":
            return f"%{pattern}%", f"%{pattern}%"
        case "model" | "file":
            return (f"%{pattern}%",)
        case "before" | "after":
            return (_moment(name, value),)
    known = {"state": STATES, "kind": get_args(Kind)}.get(name)
    if known is not None and value not in known:
        raise UsageError(f"{name}:{value}: no such {name}{did_you_mean(value, known)}")
    return (value,)


def _moment(name: str, value: str) -> float:
    """Return a date, a time or an age in seconds since the epoch."""
    now = datetime.now()
    if value in ("today", "yesterday"):
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - timedelta(days=value == "yesterday")).timestamp()
    if age := _AGE.fullmatch(value):
        return now.timestamp() - timedelta(**{_UNITS[age[2]]: int(age[1])}).total_seconds()
    for form in _DATES:
        try:
            return datetime.strptime(value, form).timestamp()
        except (ValueError, OverflowError):
            continue
    raise UsageError(
        f"{name}:{value}: expected a date (2026-11-21), a time (2026-11-21T14:30),"
        " an age (90min, 12h, 7d, 2w), today or yesterday"
    )
