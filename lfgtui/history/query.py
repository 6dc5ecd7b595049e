"""Parses queries as people type them: filters, and words for FTS5; makes excerpts of matches.

A filter is a name, a colon and a value (in quotes if it has blanks), as in
`state:failed after:7d parser`. Any other word with a colon is just a word, so
`std::move` and a URL can be searched for.

Excerpts are made here, since the time of FTS5's `highlight()` and `snippet()` grows
with the square of the matches: minutes for a common word in some megabytes. As
`lfg search` should start fast, this module imports little.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple, TypeAlias, get_args

from lfgtui.errors import UsageError, did_you_mean
from lfgtui.model.facets import Kind

MOST_WORDS = 64
"""Most words of a query: FTS5 searches for each, and compares all of them at each match."""

STATES = (
    "queued", "starting", "waiting", "streaming", "running_tool", "needs_approval", "retrying",
    "paused", "done", "failed", "cancelled", "limit", "blocked", "interrupted",
)  # fmt: skip
"""`model.fold.states.State`, copied: importing that would take longer than a search. A test
compares the two."""

_OPERATORS = frozenset(("AND", "OR", "NOT", "NEAR"))
_SYNTAX = re.compile(r'\b(?:AND|OR|NOT|NEAR)\b|["()*]')  # what may be meant as FTS5's syntax
_WORD = re.compile(r'"(?:[^"]|"")*"|[^\s()"]+')  # a word, or a "phrase in quotes"

_LIKE = "LIKE ? ESCAPE '\\'"
# Filters: SQL conditions on a segment `s` and its ticket `t`; `_values` gives their values.
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
_FILTER = re.compile(rf'(?<!\S)({"|".join(_CONDITIONS)}):("[^"]*"|[^\s"]+)')  # title:"a b"
_AGE = re.compile(r"(\d{1,5})(min|h|d|w)")  # 7d
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m")


Match: TypeAlias = tuple[int, int]
"""The place of a match in a text: [start, end) in characters."""

Finder: TypeAlias = Callable[[str], list[Match]]
"""Returns the first matches in a text."""

_WIDTH = 200
"""Most characters of an excerpt."""

_LEAD = 40
"""Most characters of an excerpt before its first match."""

_TRIED = 200
"""Most matches of a text that are looked at."""

_LONG = 32_768
"""Characters of the longest text in which diacritics are ignored, as that is slow."""

_LETTER = r"[^\W_]"
_SPACE = re.compile(r"\s+")
_TERM = re.compile(r'("(?:[^"]|"")*"|\w+)\s*(\*)?')  # a word or "phrase", perhaps with a star


class ParsedQuery(NamedTuple):
    """A query's words without its filters; `where` has these as SQL (` AND ...`), with `values`."""

    words: str
    where: str
    values: tuple[object, ...]


def parse(query: str) -> ParsedQuery:
    """Return the query's parts; raises `UsageError` for a filter with an invalid value."""
    where = ""
    values: list[object] = []
    query = query.encode(errors="replace").decode()  # arguments may be invalid UTF-8
    for match in _FILTER.finditer(query):
        name, value = match[1], match[2].strip('"')
        where += f" AND {_CONDITIONS[name]}"
        values += _values(name, value)
    return ParsedQuery(_FILTER.sub(" ", query).strip(), where, tuple(values))


def without_repeats(words: str) -> str:
    """Return the words, each once; unchanged if they may have FTS5's syntax.

    The last word stays last, since it may be unfinished (`prefix` in `expressions`).
    """
    *others, last = words.split() or [""]
    if re.search(r'["()+:^{}]', words) or not _OPERATORS.isdisjoint((*others, last)):
        return words
    return " ".join([*{word.casefold(): word for word in others}.values(), last])


def expressions(words: str, *, prefix: bool) -> Iterator[str]:
    """Yield the words as FTS5 expressions, to be tried in turn until FTS5 accepts one.

    First come the words unchanged: words, "phrases", prefix*, AND, OR and NOT. FTS5 refuses other
    syntax (`c++`, `foo-bar`, an open quote): then each word is quoted, to be searched for
    literally or, if FTS5 refuses that, too, all words as one phrase. `prefix` allows the last word
    to be unfinished, for searching while typing. Raises `UsageError` for more than `MOST_WORDS`.
    """
    count = sum(word not in _OPERATORS for word in _WORD.findall(words))
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
    """Return whether the expression quotes words that were probably meant as FTS5's syntax.

    Punctuation within words (`c++`, `foo-bar`) is not taken for syntax.
    """
    return expression not in (words, f"{words}*") and _SYNTAX.search(words) is not None


def is_refusal(error: sqlite3.Error) -> bool:
    """Return whether FTS5 refuses the query, rather than the file being at fault."""
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
    """Return the moment that a date, a time or an age names, in seconds since the epoch."""
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
        " a duration (90min, 12h, 7d, 2w), today or yesterday"
    )


class _Folding(dict[int, str]):
    """Maps characters to the ones that are compared: without case and diacritics, as in FTS5's
    index (`remove_diacritics 2`). For `str.translate`."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFD", chr(code))[0].casefold()
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


_FOLDING = _Folding()


def finder(expression: str) -> Finder:
    """Return a function that finds the words and phrases of an FTS5 expression in a text."""
    terms = []
    for term, star in _TERM.findall(expression):
        words = re.findall(f"{_LETTER}+", _folded(term))
        if words and term not in _OPERATORS:
            terms.append(r"[\W_]+".join(words) + (f"{_LETTER}*" if star else ""))
    pattern = re.compile(f"(?:{'|'.join(terms)})(?!{_LETTER})" if terms else "(?!)")

    def find(text: str) -> list[Match]:
        folded = _folded(text)
        spans = (found.span() for found in pattern.finditer(folded))
        # Checked here, as a pattern with a lookbehind would take ten times as long.
        whole = (span for span in spans if not folded[span[0] - 1 : span[0]].isalnum())
        return list(islice(whole, _TRIED))

    return find


def excerpt(text: str, matches: list[Match]) -> tuple[str, list[Match]]:
    """Return the part of the text with most of the matching words, and the matches in it.

    It has about `_WIDTH` characters and is cut between words, with `…` where text is left out.
    """
    if len(text) <= _WIDTH:
        return text, matches
    best = max(range(len(matches)), key=lambda i: _variety(text, matches[i:]), default=None)
    first_start, first_end = matches[best] if best is not None else (0, 0)
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


def _folded(text: str) -> str:
    """Return the text as it is compared: lower case, without diacritics, of the same length."""
    if not text.isascii() and len(text) <= _LONG:
        return text.translate(_FOLDING)
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text
