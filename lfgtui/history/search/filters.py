"""What a search is restricted to: `state:failed after:7d parser` and the like.

A filter is a name, a colon and a value (in quotes where it has blanks). A
name that is no filter's is a word like any other, so `std::move` and a URL can
be searched for as they stand.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from lfgtui.errors import UsageError, did_you_mean

NAMES = (
    "run", "title", "ticket", "provider", "model", "state", "tool", "file", "kind", "before",
    "after",
)  # fmt: skip
STATES = (
    "queued", "starting", "waiting", "streaming", "running_tool", "needs_approval", "retrying",
    "paused", "done", "failed", "cancelled", "limit", "blocked", "interrupted",
)  # fmt: skip
KINDS = ("text", "reasoning", "prompt", "tool_call", "tool_output", "error")

_FILTER = re.compile(rf'(?<!\S)({"|".join(NAMES)}):("[^"]*"|[^\s"]+)')
_AGE = re.compile(r"(\d{1,5})(min|h|d|w)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m")

Term = tuple[str, tuple[object, ...]]
"""A condition on a segment `s` and its ticket `t`, and its values."""


class Asked(NamedTuple):
    """A query taken apart: its words, and the conditions beside them."""

    words: str
    terms: tuple[Term, ...] = ()


def read(query: str, now: datetime) -> Asked:
    """Take the query apart; raises `UsageError` where a filter's value means nothing.

    `now` is the local time that an age (`after:7d`) is counted back from.
    """
    terms: list[Term] = []
    query = query.encode(errors="replace").decode()  # a byte that is no text, from the shell

    def take(found: re.Match[str]) -> str:
        name, value = found[1], found[2].strip('"')
        terms.append(_term(name, value, now))
        return " "

    words = _FILTER.sub(take, query)
    return Asked(words.strip(), tuple(terms))


def _term(name: str, value: str, now: datetime) -> Term:
    match name:
        case "run":
            return "(t.run = ? OR t.run LIKE ? ESCAPE '\\' OR t.run LIKE ? ESCAPE '\\')", (
                value,
                f"{_literal(value)}%",
                f"%{_literal(value)}",
            )
        case "title":
            like = f"%{_literal(value)}%"
            return (
                "t.run IN (SELECT id FROM runs WHERE title LIKE ? ESCAPE '\\'"
                " OR note LIKE ? ESCAPE '\\')",
                (like, like),
            )
        case "ticket":
            return "t.name = ?", (value,)
        case "provider":
            return "t.provider = ?", (value,)
        case "model":
            return "t.model LIKE ? ESCAPE '\\'", (f"%{_literal(value)}%",)
        case "state":
            return "t.state = ?", (_one_of(name, value, STATES),)
        case "kind":
            return "s.kind = ?", (_one_of(name, value, KINDS),)
        case "tool":
            return "s.tool = ?", (value,)
        case "file":
            return "s.file LIKE ? ESCAPE '\\'", (f"%{_literal(value)}%",)
        case "before":
            return "s.at < ?", (_moment(name, value, now),)
        case _:
            return "s.at >= ?", (_moment(name, value, now),)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"{name}:{value}: no such {name}{did_you_mean(value, known)}")
    return value


def _moment(name: str, value: str, now: datetime) -> float:
    """A date, a time or an age, in seconds since the epoch."""
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
        f"{name}:{value}: wants a date (2026-11-21), a time (2026-11-21T14:30),"
        " an age (90min, 12h, 7d, 2w), today or yesterday"
    )


def _literal(value: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", value)
