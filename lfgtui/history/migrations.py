r"""The tables of the history file, and how they came to be.

An event is stored in `entries`, as the JSON it is everywhere else, from the
moment it happens until the turn it belongs to is over. A `segment` is a
finished run of text (an answer between two tool calls, say): its text is
joined out of the entries when it ends, and FTS5 indexes it there, as external
content. At the end of a turn its entries go into a `pack`, which counts their
text off from the segments. So in the end no text is stored twice, and what is
found is what was shown.

Two spots look odd and are not. SQLite's JSON ends a string at `\u0000`, so the
views read it as `\u2400`, the picture of a NUL (as text of equal length it
keeps every other escape valid). And a tool call's arguments are indexed leaf
by leaf: as JSON text, the `\n` before `main` would make the word `nmain`.
"""

import sqlite3
from collections.abc import Iterator

_FIRST = r"""
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT,
    started_at REAL NOT NULL,
    ended_at REAL
);
CREATE INDEX runs_by_start ON runs (started_at);
CREATE INDEX runs_by_state ON runs (state);

CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    provider TEXT,
    model TEXT,
    cost REAL,
    started_at REAL,
    ended_at REAL,
    UNIQUE (run, name)
);

CREATE TABLE entries (
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    type TEXT GENERATED ALWAYS AS (json_extract(body, '$.type')) VIRTUAL,
    PRIMARY KEY (ticket, seq)
) WITHOUT ROWID;

CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    attempt INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    call TEXT,
    at REAL NOT NULL
);

CREATE VIEW pieces AS
SELECT ticket, seq, type, json_extract(body, '$.call_id') AS call,
    CASE type
        WHEN 'text_delta' THEN 'text'
        WHEN 'reasoning_delta' THEN 'reasoning'
        WHEN 'user_message' THEN 'prompt'
        WHEN 'tool_call_started' THEN 'tool_call'
        WHEN 'tool_arguments_delta' THEN 'tool_call'
        WHEN 'tool_call_requested' THEN 'tool_call'
        WHEN 'tool_output_delta' THEN 'tool_output'
        WHEN 'tool_call_finished' THEN 'tool_output'
        WHEN 'hosted_tool' THEN iif(json_extract(body, '$.output') = '', 'tool_call', 'tool_output')
        ELSE 'error'
    END AS kind,
    CASE type
        WHEN 'tool_call_started' THEN json_extract(body, '$.name') || char(10)
        WHEN 'tool_arguments_delta' THEN replace(replace(replace(
            json_extract(body, '$.json'), '\n', char(10)), '\t', char(9)), '\"', '"')
        WHEN 'tool_call_requested' THEN json_extract(body, '$.name') || coalesce((
            SELECT group_concat(leaf, '') FROM (
                SELECT char(10) || iif(typeof(key) = 'text' AND fullkey <> '$.arguments',
                    key || ': ', '') || atom AS leaf
                FROM json_tree(body, '$.arguments') WHERE atom IS NOT NULL ORDER BY id)), '')
        WHEN 'tool_call_finished' THEN json_extract(body, '$.output') || iif(
            instr(json_extract(body, '$.output'), coalesce(json_extract(body, '$.error'), '')), '',
            char(10) || json_extract(body, '$.error'))
        WHEN 'hosted_tool' THEN json_extract(body, '$.name') || char(10)
            || json_extract(body, '$.input') || char(10) || json_extract(body, '$.output')
        WHEN 'retrying' THEN json_extract(body, '$.reason')
        WHEN 'ticket_blocked' THEN json_extract(body, '$.reason')
        WHEN 'ticket_failed' THEN json_extract(body, '$.message')
        WHEN 'guard_tripped' THEN json_extract(body, '$.message')
        ELSE json_extract(body, '$.text')
    END AS text
FROM (SELECT ticket, seq, type, replace(body, '\u0000', '\u2400') AS body FROM entries);

-- A call's live output and the output the model was told are mostly one inside
-- the other; then the longer one stands for both.
CREATE VIEW segment_text AS
SELECT id,
    CASE
        WHEN told IS NULL THEN coalesce(streamed, '')
        WHEN instr(told, rtrim(coalesce(streamed, ''), char(10, 13, 32))) THEN told
        WHEN instr(streamed, rtrim(told, char(10, 13, 32))) THEN streamed
        ELSE streamed || char(10) || told
    END AS text
FROM (
    SELECT s.id AS id,
        (SELECT group_concat(text, '') FROM (
            SELECT p.text FROM pieces p
            WHERE p.ticket = s.ticket AND p.seq BETWEEN s.first_seq AND s.last_seq
                AND p.kind = s.kind AND p.type <> 'tool_call_finished'
                AND (s.call IS NULL OR p.call = s.call)
            ORDER BY p.seq)) AS streamed,
        (SELECT p.text FROM pieces p
            WHERE p.ticket = s.ticket AND p.seq = s.last_seq
                AND p.type = 'tool_call_finished') AS told
    FROM segments s);

CREATE VIRTUAL TABLE segments_fts USING fts5 (
    text, content='segment_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
"""

_PACKS = r"""
CREATE TABLE whole_segments (
    id INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    attempt INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    tool TEXT,
    file TEXT,
    at REAL NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO whole_segments
SELECT s.id, s.ticket, s.attempt, s.first_seq, s.last_seq, s.kind,
    iif(s.kind = 'tool_call', substr(v.text, 1, instr(v.text || char(10), char(10)) - 1), NULL),
    NULL, s.at, v.text
FROM segments s JOIN segment_text v ON v.id = s.id ORDER BY s.id;
DROP VIEW segment_text;
DROP TABLE segments_fts;
DROP TABLE segments;
ALTER TABLE whole_segments RENAME TO segments;
CREATE INDEX segments_by_ticket ON segments (ticket, first_seq);
CREATE VIRTUAL TABLE segments_fts USING fts5 (
    text, content='segments', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
INSERT INTO segments_fts (segments_fts) VALUES ('rebuild');

-- `id` is the ticket's, shifted by 32 bits, plus the first entry's seq.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
"""

_MARKS = r"""
ALTER TABLE runs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
DROP VIEW pieces;
CREATE VIEW pieces AS
SELECT ticket, seq, type, json_extract(body, '$.call_id') AS call,
    CASE type
        WHEN 'text_delta' THEN 'text'
        WHEN 'reasoning_delta' THEN 'reasoning'
        WHEN 'user_message' THEN 'prompt'
        WHEN 'tool_call_started' THEN 'tool_call'
        WHEN 'tool_arguments_delta' THEN 'tool_call'
        WHEN 'tool_call_requested' THEN 'tool_call'
        WHEN 'tool_output_delta' THEN 'tool_output'
        WHEN 'tool_call_finished' THEN 'tool_output'
        WHEN 'hosted_output_delta' THEN 'tool_output'
        WHEN 'hosted_tool' THEN iif(json_extract(body, '$.output') = '', 'tool_call', 'tool_output')
        ELSE 'error'
    END AS kind,
    CASE type
        WHEN 'tool_call_started' THEN json_extract(body, '$.name') || char(10)
        WHEN 'tool_arguments_delta' THEN replace(replace(replace(
            json_extract(body, '$.json'), '\n', char(10)), '\t', char(9)), '\"', '"')
        WHEN 'tool_call_requested' THEN json_extract(body, '$.name') || coalesce((
            SELECT group_concat(leaf, '') FROM (
                SELECT char(10) || iif(typeof(key) = 'text' AND fullkey <> '$.arguments',
                    key || ': ', '') || atom AS leaf
                FROM json_tree(body, '$.arguments') WHERE atom IS NOT NULL ORDER BY id)), '')
        WHEN 'tool_call_finished' THEN json_extract(body, '$.output') || iif(
            instr(json_extract(body, '$.output'), coalesce(json_extract(body, '$.error'), '')), '',
            char(10) || json_extract(body, '$.error'))
        WHEN 'hosted_tool' THEN json_extract(body, '$.name') || char(10)
            || json_extract(body, '$.input') || char(10) || json_extract(body, '$.output')
        WHEN 'retrying' THEN json_extract(body, '$.reason')
        WHEN 'ticket_blocked' THEN json_extract(body, '$.reason')
        WHEN 'ticket_failed' THEN json_extract(body, '$.message')
        WHEN 'guard_tripped' THEN json_extract(body, '$.message')
        ELSE json_extract(body, '$.text')
    END AS text
FROM (SELECT ticket, seq, type, replace(body, '\u0000', '\u2400') AS body FROM entries);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _PACKS, _MARKS)
"""Applied in order, once each; never edited after a release, only added to."""

CODE_INDEX = """
CREATE TABLE code_index (built_from INTEGER NOT NULL);
INSERT INTO code_index SELECT coalesce(max(id), 0) + 1 FROM segments;
CREATE VIRTUAL TABLE segments_code USING fts5 (
    text, content='segments', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none
);
CREATE TRIGGER segments_code_insert AFTER INSERT ON segments
WHEN new.id >= (SELECT built_from FROM code_index) BEGIN
    INSERT INTO segments_code (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER segments_code_delete AFTER DELETE ON segments
WHEN old.id >= (SELECT built_from FROM code_index) BEGIN
    INSERT INTO segments_code (segments_code, rowid, text) VALUES ('delete', old.id, old.text);
END;
"""
"""The SQL of the optional index for code; see `code_index`."""


def statements(script: str) -> Iterator[str]:
    """The script's statements; `executescript` would commit our transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
