"""Search: words, filters, newest or best first, and what is still being said.

FTS5 walks the matches of a query from the newest back and stops at the limit,
with nothing to sort: that is the order of choice, whatever the size. Ranking
has to look at every match, so it looks at the newest `RANKED` only and says
so. Text that is not finished yet is in no index: there is little of it, so it
is indexed in memory for each question.

Nothing here needs more than `sqlite3`: `lfg search` is typed often, and most
of what the program imports costs more than the search.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime
from typing import NamedTuple, TypeAlias, get_args

from lfgtui.errors import UsageError
from lfgtui.history.search import query as queries
from lfgtui.history.search.filters import Asked, Term, read
from lfgtui.history.storage import values as values_
from lfgtui.model.facets import Kind

MOST_CHARACTERS = 1_000
"""Most characters of a query: FTS5 takes minutes for one of thousands of words."""

RANKED = 10_000
"""Matches that ranking looks at, the newest ones."""

Values: TypeAlias = Sequence[object]

_COLUMNS = """
SELECT t.run, t.name, s.attempt, s.first_seq, s.kind, s.at,
    CASE WHEN length(segments_fts.text) <= ? THEN highlight(segments_fts, 0, ?, ?) END,
    CASE WHEN length(segments_fts.text) > ? THEN segments_fts.text END
"""
# CROSS JOIN keeps the order of the tables, and so that of the walk.
_MATCHES = """
FROM segments_fts
    CROSS JOIN segments s ON s.id = segments_fts.rowid
    CROSS JOIN tickets t ON t.id = s.ticket
WHERE segments_fts MATCH ? AND t.run <> ''
"""
_NEWEST = "SELECT id FROM runs WHERE id <> '' ORDER BY started_at DESC, id DESC LIMIT 1"
_LISTED = """
SELECT t.run, t.name, s.attempt, s.first_seq, s.kind, s.at, s.text
FROM segments s CROSS JOIN tickets t ON t.id = s.ticket
WHERE t.run <> ''
"""


class SearchHit(NamedTuple):
    """A run of text that matches; `seq` is its first entry's.

    `matches` are [start, end) in characters of `snippet`.
    """

    run: str
    ticket: str
    attempt: int
    seq: int
    kind: Kind
    at: float
    snippet: str
    matches: list[tuple[int, int]]


class Found(NamedTuple):
    """The hits; `is_partly_ranked`: there were more matches than were looked at.

    `is_literal`: the query could not be read as one, and its words were
    searched for as they stand.
    """

    hits: list[SearchHit]
    is_partly_ranked: bool = False
    is_literal: bool = False


def search(
    connection: sqlite3.Connection,
    query: str,
    limit: int,
    *,
    run: str | None = None,
    prefix: bool = False,
    ranked: bool = False,
    code: bool = False,
    now: datetime | None = None,
) -> Found:
    """What matches the query, newest first, or best first where `ranked`.

    Words must all occur; "phrases", prefix*, AND, OR and NOT as in FTS5;
    filters as in `filters.read`. `code` looks for the words as they stand,
    blanks and marks included. `prefix` lets the last word be unfinished.

    Raises `UsageError` for a filter's impossible value, `sqlite3.Error` where
    the file cannot be read.
    """
    if not query.strip():
        return Found([])
    if len(query) > MOST_CHARACTERS:
        raise UsageError(
            f"the query has {len(query):,} characters; the limit is {MOST_CHARACTERS:,}"
        )
    if "run:last" in query.split():  # as everywhere
        newest = connection.execute(_NEWEST).fetchone()
        query = query.replace("run:last", f"run:{newest[0] if newest else 'last'}")
    asked = read(query, now or datetime.now().astimezone().replace(tzinfo=None))
    terms: list[Term] = [*asked.terms]
    if run is not None:
        terms.append(("t.run = ?", (run,)))

    def ask(one: sqlite3.Connection) -> Found:
        if code or not asked.words:
            return Found(_listed(one, asked.words, terms, limit))
        return _matching(one, asked, terms, limit, prefix=prefix, ranked=ranked)

    connection.execute("BEGIN")  # what is sealed in between would be in neither
    try:
        found = ask(connection)
        if connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None:
            return found
        from lfgtui.history.search.live_text import in_memory  # only where something runs

        memory = in_memory(connection)
    finally:
        connection.execute("COMMIT")
    with closing(memory):
        unfinished = ask(memory).hits
    return found._replace(hits=[*unfinished, *found.hits][:limit])


def _matching(
    connection: sqlite3.Connection,
    asked: Asked,
    terms: Sequence[Term],
    limit: int,
    *,
    prefix: bool,
    ranked: bool,
) -> Found:
    where, values = _and(terms)
    words = queries.without_repeats(asked.words)
    if (count := queries.word_count(words)) > queries.MOST_WORDS:
        raise UsageError(f"the query has {count} words; the limit is {queries.MOST_WORDS}")
    for expression in queries.expressions(words, prefix=prefix):
        try:
            if ranked:
                found = _ranked(connection, expression, where, values, limit)
                return found._replace(is_literal=queries.is_literal(expression, words))
            rows = connection.execute(
                f"{_COLUMNS}{_MATCHES}{where} ORDER BY segments_fts.rowid DESC LIMIT ?",
                (*_marks(expression), expression, *values, limit),
            ).fetchall()
        except sqlite3.Error as error:
            if queries.is_refusal(error):
                continue
            raise
        is_literal = queries.is_literal(expression, words)
        return Found([_hit(expression, row) for row in rows], is_literal=is_literal)
    return Found([])


def _ranked(
    connection: sqlite3.Connection, expression: str, where: str, values: Values, limit: int
) -> Found:
    newest = connection.execute(
        "SELECT rowid FROM segments_fts WHERE segments_fts MATCH ? ORDER BY rowid DESC"
        " LIMIT 1 OFFSET ?",
        (expression, RANKED),
    ).fetchone()
    beyond = newest[0] if newest is not None else -1
    # What is shown of a hit is worked out for the best alone, not for all that are compared.
    matches = _MATCHES if where else "FROM segments_fts WHERE segments_fts MATCH ?"
    best = connection.execute(
        f"SELECT segments_fts.rowid {matches} AND segments_fts.rowid > ? {where}"
        " ORDER BY bm25(segments_fts), segments_fts.rowid DESC LIMIT ?",
        (expression, beyond, *values, limit),
    ).fetchall()
    hits = []
    for (id_,) in best:
        row = connection.execute(
            f"{_COLUMNS}{_MATCHES} AND segments_fts.rowid = ?",
            (*_marks(expression), expression, id_),
        ).fetchone()
        if row is not None:  # of a run that is just being deleted
            hits.append(_hit(expression, row))
    return Found(hits, is_partly_ranked=newest is not None)


def _listed(
    connection: sqlite3.Connection, words: str, terms: Sequence[Term], limit: int
) -> list[SearchHit]:
    """Without the index of words: all that the filters leave, or what contains the text."""
    where, values = _and([*terms, *([("instr(s.text, ?)", (words,))] if words else [])])
    rows = connection.execute(
        f"{_LISTED}{where} ORDER BY s.id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    hits = []
    for *place, text in rows:
        text = values_.text(text)
        start = text.find(words) if words else -1
        matches = [(start, start + len(words))] if start >= 0 else []
        hits.append(_at(place, *queries.excerpt(text, matches)))
    return hits


def _marks(expression: str) -> Values:
    opening, ending = queries.MARKS
    longest = queries.longest_marked(expression)
    return (longest, opening, ending, longest)


def _and(terms: Iterable[Term]) -> tuple[str, Values]:
    terms = list(terms)
    where = "".join(f" AND {condition}" for condition, _ in terms)
    return where, [value for _, values in terms for value in values]


def _hit(expression: str, row: Sequence[object]) -> SearchHit:
    *place, marked, long = row
    if isinstance(marked, str):
        text, matches = queries.unmark(marked)
    else:
        text = long if isinstance(long, str) else ""
        matches = queries.spot(text, expression)
    return _at(place, *queries.excerpt(text, matches))


def _at(place: Sequence[object], snippet: str, matches: list[tuple[int, int]]) -> SearchHit:
    run, ticket, attempt, seq, kind, at = place
    return SearchHit(
        values_.text(run),
        values_.text(ticket),
        values_.count(attempt),
        values_.count(seq),
        values_.one_of(kind, get_args(Kind), "text"),
        values_.moment(at),
        snippet,
        matches,
    )
