"""Searches the history: words and filters, newest or best first, live text included.

FTS5 visits the matches of a query from the newest back and stops at the limit,
without sorting, so the size of the history does not matter. Ranking has to compare
all matches, so it looks only at the newest `RANKED`. Text that is still streaming is
not in the index: there is little of it, so it is indexed for each query.

`code` scans the texts themselves: 40 ms in a history of 200,000 events. An index
of trigrams would take 3 ms, and two fifths of the file's size.

As `lfg search` should start fast, little is imported: most modules of lfg take
longer to import than a search takes.
"""

import re
import sqlite3
from contextlib import closing
from typing import NamedTuple, TypeAlias, get_args

from lfgtui.errors import UsageError
from lfgtui.history import query as queries
from lfgtui.history.last_run import find_last_run
from lfgtui.history.query import Finder, Match, ParsedQuery
from lfgtui.history.storage import file, values
from lfgtui.model.facets import Kind

MOST_CHARACTERS = 1_000
"""Most characters of a query: FTS5 takes minutes for one of thousands of words."""

RANKED = 10_000
"""The number of newest matches that ranking looks at."""

_LAST = re.compile(r"(?<!\S)run:last(?!\S)")

_COLUMNS = "t.run, t.name, s.attempt, s.first_seq, s.kind, s.at, s.text"
_TEXTS = f"""
SELECT {_COLUMNS} FROM segments s CROSS JOIN tickets t ON t.id = s.ticket
WHERE t.run <> '' AND s.kind <> 'fingerprint'
"""
# CROSS JOIN keeps SQLite from changing the order of the tables, and with it that of the matches.
_MATCHES = """
FROM segments_fts
    CROSS JOIN segments s ON s.id = segments_fts.rowid
    CROSS JOIN tickets t ON t.id = s.ticket
WHERE segments_fts MATCH ? AND t.run <> '' AND s.kind <> 'fingerprint'
"""
_Row: TypeAlias = tuple[object, ...]


class SearchHit(NamedTuple):
    """A text that matches; `seq` is the number of its first entry, `at` that entry's time.

    `matches` are [start, end) in characters of `snippet`. `lfg search --json` prints the fields.
    """

    run: str
    ticket: str
    attempt: int
    seq: int
    kind: Kind
    at: float
    snippet: str
    matches: list[Match]


class SearchResult(NamedTuple):
    """Hits in order.

    `is_partly_ranked`: there were more matches than ranking looked at. `is_literal`: the query's
    syntax was invalid, and its words were searched for literally.
    """

    hits: list[SearchHit]
    is_partly_ranked: bool = False
    is_literal: bool = False


def search(
    connection: sqlite3.Connection,
    query: str,
    limit: int,
    *,
    prefix: bool = False,
    ranked: bool = False,
    code: bool = False,
) -> SearchResult:
    """Return the texts that match the query, newest first, or best first if `ranked`.

    All words must occur; "phrases", prefix*, AND, OR and NOT as in FTS5; filters
    as in `query.parse`. `code` searches for the words exactly, with blanks and
    punctuation. `prefix` allows the last word to be unfinished.

    Raises `UsageError` for a query that is too long or has a filter with an
    invalid value, `sqlite3.Error` if the file cannot be read.
    """
    if not query.strip():
        return SearchResult([])
    if len(query) > MOST_CHARACTERS:
        raise UsageError(
            f"the query has {len(query):,} characters; the limit is {MOST_CHARACTERS:,}"
        )
    if _LAST.search(query):
        query = _LAST.sub(f"run:{find_last_run(connection)}", query)
    parsed = queries.parse(query)

    def answer(db: sqlite3.Connection) -> SearchResult:
        if code or not parsed.words:
            return _scan(db, parsed, limit)
        return _match(db, parsed, limit, prefix=prefix, ranked=ranked)

    with file.snapshot(connection):  # or a text that ends between the two would be missed
        result = answer(connection)
        if connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None:
            return result
        from lfgtui.history.storage.batch import in_memory  # slow; needed only for live text

        memory = in_memory(connection)
    with closing(memory):
        live = answer(memory).hits
    return result._replace(hits=[*live, *result.hits][:limit])


def _scan(db: sqlite3.Connection, parsed: ParsedQuery, limit: int) -> SearchResult:
    """Search without the index: all texts that pass the filters and contain the words."""
    sql = f"{_TEXTS}{parsed.where} AND (? = '' OR instr(s.text, ?)) ORDER BY s.id DESC LIMIT ?"
    rows = db.execute(sql, (*parsed.values, parsed.words, parsed.words, limit)).fetchall()

    def find(text: str) -> list[Match]:
        start = text.find(parsed.words) if parsed.words else -1
        return [] if start < 0 else [(start, start + len(parsed.words))]

    return SearchResult([_hit(row, find) for row in rows])


def _match(
    db: sqlite3.Connection, parsed: ParsedQuery, limit: int, *, prefix: bool, ranked: bool
) -> SearchResult:
    """Search with the index, by the first of the query's expressions that FTS5 accepts."""
    choose = _best if ranked else _newest
    words = queries.without_repeats(parsed.words)
    for expression in queries.expressions(words, prefix=prefix):
        try:
            rows, is_partly_ranked = choose(db, expression, parsed, limit)
        except sqlite3.Error as error:
            if not queries.is_refusal(error):
                raise
            continue
        find = queries.finder(expression)
        hits = [_hit(row, find) for row in rows]
        return SearchResult(hits, is_partly_ranked, queries.is_literal(expression, words))
    return SearchResult([])


def _newest(
    db: sqlite3.Connection, expression: str, parsed: ParsedQuery, limit: int
) -> tuple[list[_Row], bool]:
    sql = f"SELECT {_COLUMNS}{_MATCHES}{parsed.where} ORDER BY segments_fts.rowid DESC LIMIT ?"
    return db.execute(sql, (expression, *parsed.values, limit)).fetchall(), False


def _best(
    db: sqlite3.Connection, expression: str, parsed: ParsedQuery, limit: int
) -> tuple[list[_Row], bool]:
    """Return the best of the newest `RANKED` matches, and whether there were more matches."""
    oldest = db.execute(
        "SELECT rowid FROM segments_fts WHERE segments_fts MATCH ? ORDER BY rowid DESC"
        " LIMIT 1 OFFSET ?",
        (expression, RANKED),
    ).fetchone()
    beyond = -1 if oldest is None else oldest[0]
    # Texts are read only for the best matches, not for all that are compared.
    tables = _MATCHES if parsed.where else "FROM segments_fts WHERE segments_fts MATCH ?"
    best = db.execute(
        f"SELECT segments_fts.rowid {tables} AND segments_fts.rowid > ? {parsed.where}"
        " ORDER BY bm25(segments_fts), segments_fts.rowid DESC LIMIT ?",
        (expression, beyond, *parsed.values, limit),
    ).fetchall()
    rows = [db.execute(f"{_TEXTS} AND s.id = ?", key).fetchone() for key in best]
    # Texts that are just being deleted have no row.
    return [row for row in rows if row is not None], oldest is not None


def _hit(row: _Row, find: Finder) -> SearchHit:
    run, ticket, attempt, seq, kind, at, stored = row
    text = values.text(stored)
    return SearchHit(
        values.text(run),
        values.text(ticket),
        values.count(attempt),
        values.count(seq),
        values.one_of(kind, get_args(Kind), "text"),
        values.moment(at),
        *queries.excerpt(text, find(text)),
    )
