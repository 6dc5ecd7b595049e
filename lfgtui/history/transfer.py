"""Exports a run as JSON lines, and imports one, to take it to another machine.

The first line is the run (`RunLine`), then comes a line for each ticket, then each
entry as `--json` prints it, then `EndLine`. An imported run has the same id,
numbers and times. Files of older versions must stay readable: a change of the
format needs another `VERSION`.
"""

import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, TypeAlias

import msgspec

from lfgtui.errors import HistoryError, UsageError
from lfgtui.history import orphaned_runs
from lfgtui.history.reader import IMPORTED, Reader
from lfgtui.history.storage import batch as batches
from lfgtui.history.storage import file
from lfgtui.history.storage.batch import Batch
from lfgtui.history.storage.runs import RunRow, TicketState, insert_run, store_ticket
from lfgtui.model import events as e
from lfgtui.model.event_json import decode_event, encode_event, entry_json
from lfgtui.model.fold.states import RunState
from lfgtui.model.needs import needs_of
from lfgtui.model.redaction import redacted_entries, ticket_for_others
from lfgtui.model.tickets import TICKET_ID, Ticket
from lfgtui.model.tickets_file import find_cycle
from lfgtui.text.redactor import Redactor
from lfgtui.text.terminal_safe import visible_line

VERSION = 1
LONGEST_LINE = 64 * 1024 * 1024
"""Most bytes of a line; entries of lfg are far smaller."""

_A_BATCH = 1000  # entries
_BATCH_BYTES = _KEPT_IN_MEMORY = 8 * 1024 * 1024
_LONGEST_REASON = 300  # characters, as a reason may quote the file
_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9]{4}")  # strict, as it becomes a file's name

Moment: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""Seconds since the epoch; the year has four digits."""


class RunLine(msgspec.Struct, frozen=True, tag_field="type", tag="lfg_run"):
    """The first line. Times in seconds since the epoch."""

    run: str
    title: str
    state: RunState
    started_at: Moment
    ended_at: Moment | None = None
    note: str = ""
    version: int = VERSION


class TicketLine(msgspec.Struct, frozen=True, tag_field="type", tag="lfg_ticket"):
    """One ticket, as requested."""

    run: str
    ticket: Ticket


class EndLine(msgspec.Struct, frozen=True, tag_field="type", tag="lfg_end"):
    """The last line, with the number of entries before it. A file without it is incomplete."""

    entries: int


class _Identity(msgspec.Struct, frozen=True):
    """The fields of an entry's line beside its event."""

    ticket: str
    attempt: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    seq: int
    at: Moment


_run = msgspec.json.Decoder(RunLine)
_ticket = msgspec.json.Decoder(TicketLine)
_end = msgspec.json.Decoder(EndLine)
_identity = msgspec.json.Decoder(_Identity)


def lines_of(reader: Reader, run: str, redactor: Redactor | None = None) -> Iterator[bytes]:
    """Yield the run's lines without line ends; with a `redactor`, without secrets.

    Raises `HistoryError` if a ticket or an entry cannot be read.
    """
    summary = reader.run(run)
    title, note = summary.title, summary.note
    if redactor is not None:
        title, note = redactor.whole(title), redactor.text(note)
    yield msgspec.json.encode(
        RunLine(run, title, summary.state, summary.started_at, summary.ended_at, note)
    )
    tickets = reader.tickets(run)
    if fault := next((one.fault for one in tickets if one.fault), None):
        raise HistoryError(fault)
    for stored in tickets:
        ticket = ticket_for_others(redactor, stored.ticket) if redactor else stored.ticket
        yield msgspec.json.encode(TicketLine(run, ticket))
    count = 0
    for stored in tickets:
        entries = reader.whole_entries(run, stored.ticket.id)
        for entry in redacted_entries(redactor, entries) if redactor else entries:
            count += 1
            yield entry_json(entry).encode()
    yield msgspec.json.encode(EndLine(count))


def import_run(path: Path, lines: Iterable[bytes], source: str) -> str:
    """Store the run in the lines, all of it or nothing; return its id.

    Tickets that were trusted to run tools without asking are not trusted here:
    they ask. All lines are read, into a temporary file, before the history is
    locked.

    Raises `UsageError` with `source` and line if the lines are no exported run, or
    if the run is unfinished or is in the history already.
    """
    with tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY) as buffer:
        try:
            for line in lines:
                buffer.write(line.rstrip(b"\n") + b"\n")
            buffer.seek(0)
        except OSError as error:
            where = tempfile.gettempdir()
            raise HistoryError(
                f"{source}: cannot be buffered in {where}: {error.strerror}"
            ) from None
        with orphaned_runs.connected(path) as (db, _), file.transaction(db):
            return _Import(db, source).take(buffer)


def lines_in(file: BinaryIO, source: str) -> Iterator[bytes]:
    """Yield the file's lines; raises `UsageError` for one longer than `LONGEST_LINE`."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            megabytes = LONGEST_LINE // 1024**2
            raise UsageError(f"{source}:{number}: the line has more than {megabytes} MB")
        yield line


class _Import:
    """Reads and stores one run, within the caller's transaction; `take` is called once."""

    def __init__(self, db: sqlite3.Connection, source: str) -> None:
        self._db = db
        self._source = source
        self._line = 0
        self._run = ""
        self._states: dict[str, TicketState] = {}
        self._needs: dict[str, tuple[str, ...]] = {}
        self._batch = Batch()
        self._entries = 0
        self._is_whole = False

    def take(self, lines: Iterable[bytes]) -> str:
        """Store the run in the lines, and return its id; raises `UsageError`."""
        for self._line, line in enumerate(lines, 1):
            try:
                if line.strip():
                    self._take(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise self._refused(f"not a line of an exported run: {error}") from None
        if not self._run:
            raise UsageError(
                f"{self._source}: the file is empty; `lfg export --format jsonl` writes one"
            )
        if not self._is_whole:
            raise self._refused("the file is incomplete; export the run again")
        for name, needs in self._needs.items():
            if unknown := [need for need in needs if need not in self._needs]:
                raise self._refused(f'"{name}" needs "{unknown[0]}", which is not a ticket')
        if circle := find_cycle(self._needs):
            raise self._refused(f"circular needs: {' -> '.join(circle)}")
        self._write()
        return self._run

    def _take(self, line: bytes) -> None:
        """Read one line, by its type, which is its first field as `lines_of` writes it."""
        if self._is_whole:
            raise self._refused("unexpected line after the end of the run")
        if not self._run:
            self._begin(_run.decode(line))
        elif line.startswith(b'{"type":"lfg_ticket"'):
            self._add_ticket(_ticket.decode(line).ticket)
        elif line.startswith(b'{"type":"lfg_end"'):
            self._is_whole = _end.decode(line).entries == self._entries
        else:
            self._add_entry(_identity.decode(line), decode_event(line), len(line))

    def _begin(self, run: RunLine) -> None:
        if run.version != VERSION:
            raise self._refused(f"version {run.version}; this lfg reads {VERSION}; update lfg")
        if not _RUN_ID.fullmatch(run.run):
            raise self._refused("invalid run id")
        if run.state == "running":
            raise self._refused(f"run {run.run} was still in progress; export it when it has ended")
        if self._db.execute("SELECT 1 FROM runs WHERE id = ?", (run.run,)).fetchone() is not None:
            raise self._refused(f"run {run.run} already exists here")
        times = run.started_at, run.ended_at
        insert_run(self._db, RunRow(run.run, run.title, run.state, IMPORTED, *times, note=run.note))
        self._run = run.run

    def _add_ticket(self, ticket: Ticket) -> None:
        if not TICKET_ID.fullmatch(ticket.id) or ticket.id in self._states:
            raise self._refused("invalid or duplicate ticket id")
        if ticket.approves_by_itself():
            ticket = msgspec.structs.replace(ticket, approve="ask")
        for name, needs in needs_of([ticket]).items():
            self._needs[name] = (*self._needs.get(name, ()), *needs)
        spec = msgspec.json.encode(ticket).decode()
        self._states[ticket.id] = store_ticket(self._db, self._run, ticket.id, spec)

    def _add_entry(self, identity: _Identity, event: e.Event, size: int) -> None:
        """Add an entry with its own number and time to the batch; write that if it is full."""
        state = self._states.get(identity.ticket)
        if state is None:
            raise self._refused(f'unknown ticket "{identity.ticket}"')
        if identity.seq != state.last_seq + 1:
            raise self._refused(f"entry {identity.seq} after {state.last_seq}: a line is missing")
        self._entries += 1
        entry = e.Entry(self._run, state.ticket, identity.attempt, identity.seq, identity.at, event)
        self._batch.take(state, entry, encode_event(event).decode(), state.apply(entry))
        self._batch.size += size
        if len(self._batch.rows) >= _A_BATCH or self._batch.size >= _BATCH_BYTES:
            self._write()

    def _write(self) -> None:
        try:
            batches.write(self._db, self._batch)
        except sqlite3.IntegrityError as error:
            raise HistoryError(f"{self._source}: {error}") from None
        self._batch = Batch()

    def _refused(self, why: str) -> UsageError:
        reason = why if len(why) <= _LONGEST_REASON else f"{why[:_LONGEST_REASON]}…"
        return UsageError(f"{self._source}:{self._line}: {visible_line(reason)}")
