"""Filters of a search: `state:failed after:7d parser` and the like.

A filter is a name, a colon and a value (in quotes where it has blanks). A
name that is no filter's is a word like any other, so `std::move` and a URL can
be searched for as they stand.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from lfgtui.errors import UsageError, did_you_mean
from lfgtui.model.facets import Kind

STATES = (
    "queued", "starting", "waiting", "streaming", "running_tool", "needs_approval", "retrying",
    "paused", "done", "failed", "cancelled", "limit", "blocked", "interrupted",
)  # fmt: skip
"""The states of a ticket; its own module would cost more to import than a search."""

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
        case "state":
            return (_one_of(name, value, STATES),)
        case "kind":
            return (_one_of(name, value, get_args(Kind)),)
        case "before" | "after":
            return (_moment(name, value),)
        case _:
            return (value,)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"{name}:{value}: no such {name}{did_you_mean(value, known)}")
    return value


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
