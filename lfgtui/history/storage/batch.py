"""A batch: what is committed in one transaction.

`make` merges and numbers events, without I/O, but changes the states of their
tickets, so it is called once. `write` can be repeated: a transaction that failed
is tried again with the same batch.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.storage import entries, file
from lfgtui.history.storage.runs import TicketState, store_ticket
from lfgtui.history.storage.segments import OpenSegments, Segment, joined
from lfgtui.model import events as e
from lfgtui.model.event_json import decode_event, encode_event
from lfgtui.model.fold.states import RunState
from lfgtui.model.pieces import merge

_log = logging.getLogger(__name__)

MERGED_BYTES = 16 * 1024
"""About the most bytes of merged deltas, so that an entry is quick to read."""


class Submission(msgspec.Struct):
    """An event to be stored; `size` is that of its JSON in bytes.

    `seq` is its number if a worker's history has numbered it; 0 stands for the ticket's next.
    """

    state: TicketState
    attempt: int
    at: float
    event: e.Event
    size: int
    seq: int = 0


class RunMark(NamedTuple):
    """A run's state after all entries before it; `ended_at` is None while it goes on."""

    run: str
    state: RunState
    ended_at: float | None


class HandOut(NamedTuple):
    """A ticket is given to a worker or, if not `is_out`, taken back, after all entries before."""

    run: str
    ticket: str
    fence: int
    is_out: bool


class RequestedTickets(NamedTuple):
    """Tickets that join a run, or whose request changes: their states, and each as JSON."""

    tickets: Sequence[tuple[TicketState, str]]


class Batch(msgspec.Struct):
    """Numbered entries and what follows from them, ready to be written.

    `requested` are tickets with their requests as JSON, `rows` entries with their ticket and their
    JSON, `segments` the texts that closed. `complete` says up to which number a ticket's entries
    may be packed. `submitted` is how many events were merged into the entries, `size` their bytes.
    `is_stored` is set once the batch is committed (`WrittenFile`). The `rowid` of a state is read
    when the batch is written, since the run may be in another file by then; that of a `requested`
    ticket is set then.
    """

    requested: list[tuple[TicketState, str]] = msgspec.field(default_factory=list)
    rows: list[tuple[TicketState, e.Entry, str]] = msgspec.field(default_factory=list)
    segments: list[tuple[TicketState, Segment]] = msgspec.field(default_factory=list)
    complete: dict[TicketState, int] = msgspec.field(default_factory=dict)
    marks: dict[str, RunMark] = msgspec.field(default_factory=dict)
    hand_outs: list[HandOut] = msgspec.field(default_factory=list)
    size: int = 0
    submitted: int = 0
    is_stored: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.marks or self.requested or self.hand_outs)

    def add(self, submission: Submission) -> None:
        """Number the event, changing its ticket's state, and add the entry."""
        state = submission.state
        if submission.seq and submission.seq != state.last_seq + 1:
            raise HistoryError(f"entry {submission.seq} came after {state.last_seq}")
        entry, closed = state.number(submission.attempt, submission.at, submission.event)
        self.take(state, entry, encode_event(entry.event).decode(), closed)
        self.size += submission.size

    def take(self, state: TicketState, entry: e.Entry, body: str, closed: list[Segment]) -> None:
        """Add an entry that its state has applied, and the segments that it closed."""
        self.rows.append((state, entry, body))
        self.segments.extend((state, segment) for segment in closed)
        if state.complete_to is not None:
            self.complete[state] = state.complete_to


def submission(state: TicketState, attempt: int, at: float, event: e.Event) -> Submission:
    """Return a submission of the event, changed as it will be when it is read back.

    Characters that UTF-8 cannot encode (lone surrogates, as from a file name) become U+FFFD. NaN
    and infinity, which Python accepts in JSON, become null.
    """
    try:
        body = encode_event(event)
    except UnicodeEncodeError:
        body = msgspec.json.encode(_clean(msgspec.to_builtins(event)))
        event = decode_event(body)
    else:
        if event.facets.json:
            event = decode_event(body)
    return Submission(state, attempt, at, event, len(body))


def _clean(value: object) -> object:
    """Return the value with lone surrogates replaced, at any depth."""
    match value:
        case str():
            return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value


def make(items: Sequence[Submission | RunMark | HandOut | RequestedTickets]) -> Batch:
    """Return the items as a batch: events in order, neighbouring deltas merged, all numbered."""
    submissions = [item for item in items if isinstance(item, Submission)]
    marks = {item.run: item for item in items if isinstance(item, RunMark)}
    requested = [
        one for item in items if isinstance(item, RequestedTickets) for one in item.tickets
    ]
    hand_outs = [item for item in items if isinstance(item, HandOut)]
    batch = Batch(requested, submitted=len(submissions), marks=marks, hand_outs=hand_outs)
    for submission in _merged(submissions):
        try:
            batch.add(submission)
        except Exception as error:  # one event that cannot be stored must not stop the others
            _log.exception("not stored: %r", submission.event)
            message = f"an event could not be stored: {type(error).__name__}: {error}"
            submission.event, submission.seq = e.GuardTripped("history", message), 0
            batch.add(submission)
    return batch


def _merged(submissions: Iterable[Submission]) -> list[Submission]:
    """Merge consecutive deltas of a ticket into the first of them, which is changed."""
    merged: list[Submission] = []
    last: dict[TicketState, Submission] = {}
    for later in submissions:
        earlier = None if later.seq else last.get(later.state)
        if earlier is not None and earlier.attempt == later.attempt:
            size = earlier.size + later.size
            joined = merge(earlier.event, later.event) if size <= MERGED_BYTES else None
            if joined is not None:
                earlier.event, earlier.size = joined, size
                continue
        last[later.state] = later
        merged.append(later)
    return merged


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """Insert the batch; the caller holds the transaction."""
    for state, spec in batch.requested:
        state.rowid = store_ticket(connection, state.run, state.ticket, spec).rowid
    connection.executemany(
        "INSERT INTO entries (ticket, seq, attempt, at, body) VALUES (?, ?, ?, ?, ?)",
        [(state.rowid, one.seq, one.attempt, one.at, body) for state, one, body in batch.rows],
    )
    for state, segment in batch.segments:
        index(connection, state.rowid, segment, entries_in=connection)
    for state, seq in batch.complete.items():
        entries.seal(connection, state.rowid, seq)
    connection.executemany(
        "UPDATE tickets SET state = ?, attempt = ?, provider = ?, model = ?, cost = ?,"
        " started_at = ?, ended_at = ? WHERE id = ?",
        [
            (
                state.state or "queued",
                state.attempt,
                state.provider,
                state.model,
                state.cost,
                state.started_at,
                state.ended_at,
                state.rowid,
            )
            for state in {state: None for state, *_ in batch.rows}
        ],
    )
    connection.executemany(
        "UPDATE runs SET state = :state, ended_at = iif(:ended_at IS NULL, NULL,"
        " coalesce((SELECT max(ended_at) FROM tickets WHERE run = :run), :ended_at))"
        " WHERE id = :run",
        [mark._asdict() for mark in batch.marks.values()],
    )
    connection.executemany("INSERT OR REPLACE INTO hand_outs VALUES (?, ?, ?, ?)", batch.hand_outs)


def index(
    connection: sqlite3.Connection, rowid: int, segment: Segment, *, entries_in: sqlite3.Connection
) -> None:
    """Store a segment with its text, which is joined from its entries, and index it for search.

    `entries_in` has the entries; it differs from `connection` only in `in_memory`.
    """
    text = joined(segment, _events(entries_in, rowid, segment))
    kind, attempt, first, last, at, _, tool, file = msgspec.structs.astuple(segment)
    inserted = connection.execute(
        "INSERT INTO segments (ticket, attempt, first_seq, last_seq, kind, tool, file, at, text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (rowid, attempt, first, last, kind, tool, file, at, text),
    ).lastrowid
    connection.execute("INSERT INTO segments_fts (rowid, text) VALUES (?, ?)", (inserted, text))


def _events(connection: sqlite3.Connection, rowid: int, segment: Segment) -> Iterator[e.Event]:
    for row in entries.unpacked(connection, rowid, segment.first_seq, segment.last_seq):
        with suppress(HistoryError):  # of another version of lfg, or damaged: left out
            yield entries.entry("", "", row).event


def in_memory(stored: sqlite3.Connection) -> sqlite3.Connection:
    """Return a history in memory with the texts of open turns, for search, to be closed.

    The file's index lacks them until they end. Their tickets and runs are copied, too.
    """
    memory = file.empty()
    live = "id IN (SELECT ticket FROM entries)"
    runs = f"id IN (SELECT run FROM tickets WHERE {live})"
    for table, which in (("tickets", live), ("runs", runs)):
        for row in stored.execute(f"SELECT * FROM {table} WHERE {which}"):
            marks = ",".join("?" * len(row))
            memory.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
    for (ticket,) in memory.execute("SELECT id FROM tickets").fetchall():
        segments = OpenSegments()
        for row in entries.unpacked(stored, ticket):
            with suppress(HistoryError):  # of another version of lfg, or damaged: left out
                segments.apply(entries.entry("", "", row))
        for segment in segments.unfinished:
            index(memory, ticket, segment, entries_in=stored)
    return memory
