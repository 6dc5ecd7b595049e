"""The reader of a history: past runs, their tickets and entries, and search over all of them."""

from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Any, Self, get_args

import msgspec

from lfgtui.errors import HistoryError, NotFoundError, UsageError, did_you_mean, no_run
from lfgtui.history.last_run import WITHIN, find_last_run
from lfgtui.history.search import SearchHit, search
from lfgtui.history.stats import Request, requests_of
from lfgtui.history.storage import entries as stored
from lfgtui.history.storage import file, values
from lfgtui.model import events as e
from lfgtui.model.bounds import Bounded
from lfgtui.model.fold.states import RunState, State
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket

IMPORTED = "(imported)"
"""The `source` of an imported run; other runs have the path of their tickets file there."""


class RunSummary(Bounded, frozen=True):
    """A run as `lfg history --json` lists it. Times in seconds since the epoch, cost in USD.

    `done` is how many of its `tickets` are done. `pinned` and `note` are set by a person; a pinned
    run is not pruned. Scripts read the fields, so none can be renamed.
    """

    run: str
    title: str
    state: RunState
    started_at: float
    ended_at: float | None
    tickets: int
    done: int
    cost: float | None
    pinned: bool = False
    note: str = ""


class StoredTicket(Bounded, frozen=True):
    """A ticket as requested, and its progress. Times in seconds since the epoch, cost in USD.

    `attempt` is the newest attempt's number, 0 before the first; provider and model
    are that attempt's. `fault` says why the request cannot be read; `ticket` then
    has only its `id`, and the fault as its `title`.
    """

    run: str
    ticket: Ticket
    state: State
    attempt: int
    provider: str | None
    model: str | None
    cost: float | None
    started_at: float | None
    ended_at: float | None
    fault: str | None = None


_tickets = msgspec.json.Decoder(Ticket)

_DAMAGED = f"the file is damaged; {file.REPAIR}"

_LAST_WORDS = 400
"""Most characters that `last_words` returns of a ticket."""

# The columns of `RunSummary`.
_RUNS = """
SELECT r.id, r.title, r.state, r.started_at, r.ended_at,
    (SELECT count(*) FROM tickets t WHERE t.run = r.id),
    (SELECT count(*) FROM tickets t WHERE t.run = r.id AND t.state = 'done'),
    (SELECT sum(t.cost) FROM tickets t WHERE t.run = r.id),
    r.pinned, r.note
FROM runs r
"""


class Reader:
    """A read-only view of a history file; an empty one if there is no file yet.

    For one thread at a time; `close` it in the end. Its methods raise
    `HistoryError` if the file cannot be read, `UsageError` if there is no such run
    or ticket. `gaps` has a message for each part that could not be read, of the
    tickets read so far.
    """

    def __init__(self, path: Path) -> None:
        self.gaps: list[str] = []
        self._path = path
        self._connection = file.connect_to_read(path)
        self.close = self._connection.close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def runs(self, limit: int = 50, offset: int = 0, *, folder: str = "") -> list[RunSummary]:
        """Return runs, newest first; those that worked in the `folder` come before all others."""
        within = (f"{folder.rstrip('/')}/",) * 2 if folder else ()
        rows = self._rows(
            f"{_RUNS} WHERE r.id <> '' ORDER BY {f'{WITHIN} DESC,' if folder else ''}"
            " r.started_at DESC, r.id DESC LIMIT ? OFFSET ?",
            (*within, limit, offset),
        )
        return [_summary(row) for row in rows]

    def run(self, run: str) -> RunSummary:
        """Return the run with that id."""
        rows = self._rows(f"{_RUNS} WHERE r.id = ?", (run,))
        if not rows:
            raise no_run(run)
        return _summary(rows[0])

    def workspace(self, run: str) -> str:
        """Return the folder that the run's first ticket works in; "" if it cannot be read."""
        rows = self._rows(
            "SELECT CASE WHEN json_valid(spec) THEN json_extract(spec, '$.workspace') END"
            " FROM tickets WHERE run = ? ORDER BY position LIMIT 1",
            (run,),
        )
        return str(rows[0][0] or "") if rows else ""

    def source(self, run: str) -> Path | None:
        """Return the tickets file that started the run, or `IMPORTED`; None if there is none."""
        rows = self._rows("SELECT source FROM runs WHERE id = ?", (run,))
        return Path(str(rows[0][0])) if rows and rows[0][0] is not None else None

    def runs_of(self, source: Path) -> list[RunSummary]:
        """Return the runs that were started from the tickets file, newest first."""
        newest = f"{_RUNS} WHERE r.source = ? ORDER BY r.started_at DESC, r.id DESC"
        return [_summary(row) for row in self._rows(newest, (str(source),))]

    def is_imported(self, run: str) -> bool:
        """Return True if the run was imported, so nobody here has trusted its tickets."""
        return self.source(run) == Path(IMPORTED)

    def with_workers(self, run: str) -> list[str]:
        """Return the tickets that workers had when the run was last saved."""
        query = "SELECT ticket FROM hand_outs WHERE run = ? AND is_out ORDER BY ticket"
        return [str(ticket) for (ticket,) in self._rows(query, (run,))]

    def find_run(self, text: str) -> str:
        """Return the id of a run, given it, its unique beginning or end, or `last` (`last_run`)."""
        if text == "last":
            with file.opening(self._path):
                return find_last_run(self._connection)
        newest = "SELECT id FROM runs WHERE id <> '' ORDER BY started_at DESC, id DESC"
        ids = [str(run) for (run,) in self._rows(newest, ())]
        if text in ids:
            return text
        for is_match in (str.startswith, str.endswith):
            matching = [run for run in ids if text and is_match(run, text)]
            if len(matching) == 1:
                return matching[0]
            if matching:
                shown = ", ".join(matching[:5]) + (", ..." if len(matching) > 5 else "")
                raise UsageError(f'"{text}" matches {len(matching)} runs: {shown}')
        raise no_run(text)

    def tickets(self, run: str, only: str = "") -> list[StoredTicket]:
        """Return the run's tickets in the order of their file; with `only`, that ticket alone.

        Those that cannot be read are included, with a `fault`.
        """
        rows = self._rows(
            "SELECT name, spec, state, attempt, provider, model, cost, started_at, ended_at"
            " FROM tickets WHERE run = ? ORDER BY position",
            (run,),
        )
        tickets = [_ticket(run, *row) for row in rows]
        chosen = [one for one in tickets if only in ("", one.ticket.id)]
        if only and not chosen:
            known = [one.ticket.id for one in tickets]
            raise NotFoundError(f'run {run} has no ticket "{only}"{did_you_mean(only, known)}')
        return chosen

    def entries(self, run: str, ticket: str) -> Iterator[e.Entry]:
        """Yield the ticket's entries in `seq` order, to be shown to a person.

        Consecutive entries that cannot be read are replaced by one that says why.
        """
        rowid = self._ticket(run, ticket)
        with file.opening(self._path), file.snapshot(self._connection):
            rows = stored.readable(self._connection, rowid)
            packed = stored.last_packed(self._connection, rowid)
        last = e.Entry(run, ticket, 1, 0, 0.0, e.Heartbeat())
        unread, why = 0, _DAMAGED
        for row in rows:
            try:
                entry = stored.entry(run, ticket, row)
            except HistoryError as error:
                unread, why = unread + 1, str(error)
                continue
            if missing := max(unread, entry.seq - last.seq - 1):
                yield self._gap(last, missing, why)
            last, unread, why = entry, 0, _DAMAGED
            yield entry
        if unread or packed > last.seq:
            gap = self._gap(last, unread, why)
            if not isinstance(last.event, e.Ending):  # the fold allows no entry after an ending
                yield gap

    def _gap(self, last: e.Entry, missing: int, why: str) -> e.Entry:
        """Return an entry to replace `missing` entries after `last`, and add its message to `gaps`.

        `missing` 0 is for all that follow, whose number is unknown.
        """
        first = last.seq + 1
        which = f"entry {first}" if missing == 1 else f"{missing or 'all'} entries from {first} on"
        message = f"{which} cannot be read: {why}"
        self.gaps.append(f"{last.run}/{last.ticket}: {message}")
        event = e.GuardTripped("history", message)
        return msgspec.structs.replace(last, seq=first, event=event)

    def whole_entries(self, run: str, ticket: str) -> Iterator[e.Entry]:
        """Yield the entries; raises `HistoryError` if one cannot be read.

        For a resume or an export, which must not leave anything out.
        """
        rowid = self._ticket(run, ticket)
        with file.opening(self._path):
            for row in stored.stored(self._connection, rowid):
                yield stored.entry(run, ticket, row)

    def entries_after(self, run: str, place: int, until: int | None = None) -> Iterator[e.Entry]:
        """Yield the entries of all tickets after that place, up to `until`, in the run's order.

        They are read in parts, so the run may be in progress; its entries up to `until` must be in
        the file, however, and then no more are yielded. An unreadable entry is replaced by one that
        says why.
        """
        rows = self._rows("SELECT name, id FROM tickets WHERE run = ? ORDER BY position", (run,))
        if not rows:
            raise no_run(run)
        each = (self._after(run, str(name), int(key), place, until) for name, key in rows)
        return merge(*each, key=lambda entry: entry.at)

    def last_place(self, run: str) -> int:
        """Return the place of the run's newest stored entry; 0 if none is stored."""
        keys = self._rows("SELECT id FROM tickets WHERE run = ?", (run,))
        with file.opening(self._path):
            times = [stored.last_at(self._connection, int(key)) for (key,) in keys]
        return max((e.place_at(values.moment(at)) for at in times if at is not None), default=0)

    def _after(
        self, run: str, ticket: str, key: int, place: int, until: int | None
    ) -> Iterator[e.Entry]:
        """Yield one ticket's entries for `entries_after`; `key` is its key in `tickets`."""
        with file.opening(self._path):
            seq = stored.first_after(self._connection, key, e.time_at(place)) if place else 1
        while True:
            with file.opening(self._path):
                rows = stored.some(self._connection, key, seq)
            if not rows:
                return
            for row in rows:
                seq = row[0] + 1
                try:
                    entry = stored.entry(run, ticket, row)
                except HistoryError as error:
                    event = e.GuardTripped("history", str(error))
                    at = values.moment(row[2])
                    entry = e.Entry(run, ticket, max(1, values.count(row[1])), row[0], at, event)
                if until is not None and entry.place > until:
                    return
                yield entry

    def transcript(self, run: str, ticket: str) -> Transcript:
        """Return the ticket's transcript, for a person to look at: the fold of `entries`."""
        transcript = Transcript()
        for entry in self.entries(run, ticket):
            transcript.apply(entry)
        return transcript

    def last_words(self, run: str) -> dict[str, str]:
        """Return the end of each ticket's last text or error, by ticket, if it has one."""
        rows = self._rows(
            "SELECT t.name, (SELECT substr(s.text, -?) FROM segments s"
            " WHERE s.ticket = t.id AND s.kind IN ('text', 'error')"
            " ORDER BY s.first_seq DESC LIMIT 1)"
            " FROM tickets t WHERE t.run = ?",
            (_LAST_WORDS, run),
        )
        return {ticket: values.text(text) for ticket, text in rows if text is not None}

    def found_in(self, hit: SearchHit) -> str | None:
        """Return the whole text of a search hit; None if it is still streaming, or deleted."""
        rows = self._rows(
            "SELECT s.text FROM segments s JOIN tickets t ON t.id = s.ticket"
            " WHERE t.run = ? AND t.name = ? AND s.first_seq = ? AND s.kind = ?",
            (hit.run, hit.ticket, hit.seq, hit.kind),
        )
        return str(rows[0][0]) if rows else None

    def requests(self, since: float = 0.0) -> list[Request]:
        """Return the requests sent since then, ticket by ticket."""
        tickets = self._rows(
            "SELECT run, name FROM tickets WHERE run <> '' AND started_at IS NOT NULL"
            " AND coalesce(ended_at, ?1) >= ?1",
            (since,),
        )
        each = (requests_of(self.entries(run, str(name))) for run, name in tickets)
        return [one for requests in each for one in requests if one.sent_at >= since]

    def search(self, query: str, limit: int = 50, **options: bool) -> list[SearchHit]:
        """Return matching text, newest first; `options` are those of `search.search`."""
        with file.opening(self._path):
            return search(self._connection, query, limit, **options).hits

    def _ticket(self, run: str, ticket: str) -> int:
        """Return the ticket's key in the table `tickets`."""
        rows = self._rows("SELECT name, id FROM tickets WHERE run = ?", (run,))
        keys = {str(name): int(key) for name, key in rows}
        if not keys:
            raise no_run(run)
        if ticket not in keys:
            raise NotFoundError(f'run {run} has no ticket "{ticket}"{did_you_mean(ticket, keys)}')
        return keys[ticket]

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[Any]:  # columns have no types
        with file.opening(self._path):
            return self._connection.execute(sql, values).fetchall()


def _summary(row: tuple[Any, ...]) -> RunSummary:
    run, title, state, started_at, ended_at, tickets, done, cost, pinned, note = row
    return RunSummary(
        values.text(run),
        values.text(title),
        values.one_of(state, get_args(RunState), "interrupted"),
        values.moment(started_at),
        values.optional_moment(ended_at),
        tickets,
        done,
        values.amount(cost),
        bool(pinned),
        values.text(note),
    )


def _ticket(run: str, name: object, spec: object, *rest: object) -> StoredTicket:
    """Return a row of the table `tickets`; `spec` is the request as JSON."""
    state, attempt, provider, model, cost, started_at, ended_at = rest
    fault = None
    try:
        ticket = _tickets.decode(values.text(spec))
    except (msgspec.MsgspecError, RecursionError) as error:
        fault = str(stored.unreadable(f"a ticket of run {run}", error))
        ticket = Ticket(id=values.text(name), prompt="", workspace="/", title=f"({fault})")
    return StoredTicket(
        run,
        ticket,
        values.one_of(state, get_args(State), "interrupted"),
        values.count(attempt),
        values.optional_text(provider),
        values.optional_text(model),
        values.amount(cost),
        values.optional_moment(started_at),
        values.optional_moment(ended_at),
        fault,
    )
