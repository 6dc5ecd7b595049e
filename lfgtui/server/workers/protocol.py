"""Messages between a run and its workers, as JSON in Redis, and the keys they are under.

A run offers a ticket as a `Job` in the stream of its labels, e.g. `lfg:tickets:gpu`, which has one
consumer group; or, if a worker refused it, in another worker's own stream. The worker that takes it
says so in the run's stream, `lfg:run:RUN:entries`, where its `Record`s follow. The run sends
`Request`s in a stream of the worker's.

Both sides may be of different versions. A class with `tag=True` is known by its name, and keys are
built the same on both sides, so neither can change. `PROTOCOL` changes if an older side would
misunderstand something; a field that is merely new is ignored there, and needs a default.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import Annotated, TypeAlias

import msgspec

from lfgtui import __version__
from lfgtui.engine.commands import TicketCommand
from lfgtui.model import events as e
from lfgtui.model.clock import MOMENT
from lfgtui.model.event_json import decode_event, encode_event
from lfgtui.model.tickets import Ticket

PROTOCOL = 2

GROUP = "workers"
"""The consumer group of all workers, in each stream of tickets."""


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Moment: TypeAlias = Annotated[float, msgspec.Meta(ge=MOMENT[0], le=MOMENT[1])]
"""Seconds since the epoch, by the sender's `model.clock`."""


class Numbered(msgspec.Struct, frozen=True, array_like=True):
    """An entry of one ticket: its number, attempt, time by the sender's clock, and event."""

    seq: Count
    attempt: Count
    at: Moment
    event: msgspec.Raw


class Source(msgspec.Struct, frozen=True):
    """The files of a ticket with a worktree, carried by `ref` on the remote at `url`.

    `inside` is the workspace's folder in them. The worker pushes its changed files to `ref`.
    """

    url: str
    ref: str
    inside: str = ""


class Job(msgspec.Struct, frozen=True):
    """A ticket that is handed out, with its entries so far, after which a worker continues.

    `lease` is in seconds. `answers` are those of the tickets that it needs, by their ids.
    """

    run: str
    ticket: Ticket
    fence: int
    title: str
    lease: Annotated[float, msgspec.Meta(ge=0.1, le=3600)]
    is_headless: bool
    entries: tuple[Numbered, ...] = ()
    answers: dict[str, str] = {}
    source: Source | None = None
    protocol: int = PROTOCOL
    version: str = __version__


class JobHead(msgspec.Struct, frozen=True):
    """The part of a job that any version can read."""

    run: str
    ticket: "_Named"
    fence: int
    protocol: int = 0
    version: str = ""


class _Named(msgspec.Struct, frozen=True):
    """The part of a ticket that any version can read."""

    id: str


class Lease(msgspec.Struct, frozen=True):
    """A worker's hold on a ticket, as long as the worker renews it.

    `seq` is the number of the ticket's last entry on the worker; `is_over`: no more will follow.
    """

    worker: str
    fence: int
    seq: int
    is_over: bool = False


class Presence(msgspec.Struct, frozen=True):
    """A worker that is running, and how many tickets it can do at once (`slots`)."""

    name: str
    labels: tuple[str, ...]
    slots: int
    version: str = __version__


# From a worker, each about one ticket


class Claimed(msgspec.Struct, frozen=True, tag=True):
    """The worker has the ticket from now on."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The worker cannot do the ticket, for this reason."""

    reason: str


class Happened(msgspec.Struct, frozen=True, tag=True):
    """Entries that the worker has committed; `sent`: when it sent them, by its clock."""

    entries: tuple[Numbered, ...]
    sent: Moment


class Released(msgspec.Struct, frozen=True, tag=True):
    """The work has ended; the entry with the number `seq` is the last one.

    `why_kept`: why the ticket's files stay on the worker, and where they are; "" if they do not.
    """

    seq: int
    why_kept: str = ""


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The request was carried out or, with an `error`, refused for that reason."""

    id: int
    error: str = ""


Word: TypeAlias = Claimed | Refused | Happened | Released | Answered
"""A worker's message about a ticket; `RunWorkers` has a case for each."""


class RecordHead(msgspec.Struct, frozen=True):
    """The part of a record that any version can read."""

    worker: str
    ticket: str
    fence: int


class Record(RecordHead, frozen=True):
    """Something about a ticket, from a worker."""

    what: Word


# To a worker


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End the ticket with this ending."""

    ending: msgspec.Raw


class Note(msgspec.Struct, frozen=True, tag=True):
    """Add the event to the ticket."""

    event: msgspec.Raw


class Resend(msgspec.Struct, frozen=True, tag=True):
    """Send the entries after the number `after` again."""

    after: int


Order: TypeAlias = TicketCommand | Stop | Note | Resend
"""A run's order about a ticket; `Held` has a case for each."""


class Request(msgspec.Struct, frozen=True):
    """An order about a ticket. It is sent again until it is answered, but carried out once.

    (A `Resend` is not answered: the entries are.)
    """

    id: int
    run: str
    ticket: str
    fence: int
    what: Order


def event_of(raw: msgspec.Raw) -> e.Event:
    """Return an event that was sent; raises `msgspec.MsgspecError` for another version's."""
    return decode_event(bytes(raw))


job_decoder = msgspec.json.Decoder(Job)
head_decoder = msgspec.json.Decoder(JobHead)
lease_decoder = msgspec.json.Decoder(Lease)
presence_decoder = msgspec.json.Decoder(Presence)
record_head_decoder = msgspec.json.Decoder(RecordHead)
record_decoder = msgspec.json.Decoder(Record)
request_decoder = msgspec.json.Decoder(Request)
encode = msgspec.json.encode


def lease_of(value: bytes | None) -> Lease | None:
    """Return the stored lease; None if there is none, or something else."""
    try:
        return None if value is None else lease_decoder.decode(value)
    except msgspec.MsgspecError:
        return None


def presence_of(value: bytes) -> Presence | None:
    """Return the stored presence; None if it is something else."""
    try:
        return presence_decoder.decode(value)
    except msgspec.MsgspecError:
        return None


def numbered(entries: Sequence[e.Entry]) -> tuple[Numbered, ...]:
    """Return the entries in the form in which they are sent."""
    return tuple(
        Numbered(one.seq, one.attempt, one.at, msgspec.Raw(encode_event(one.event)))
        for one in entries
    )


def record_of(body: bytes) -> Record:
    """Return the record that a worker sent; an unreadable one counts as a refusal.

    Raises `msgspec.MsgspecError` for one that names no ticket.
    """
    try:
        return record_decoder.decode(body)
    except msgspec.MsgspecError as error:
        head = record_head_decoder.decode(body)
        reason = f"it runs a different version of lfg: {error}"
        return Record(head.worker, head.ticket, head.fence, Refused(reason))


def entries_of(
    run: str, ticket: str, sent: Sequence[Numbered], later: float = 0.0
) -> list[e.Entry]:
    """Return the entries that were sent, their times increased by `later` seconds.

    Raises `msgspec.MsgspecError` for an event of another version.
    """
    return [
        e.Entry(run, ticket, one.attempt, one.seq, one.at + later, event_of(one.event))
        for one in sent
    ]


# Keys


def tickets_key(labels: Collection[str]) -> str:
    """Return the stream of tickets that require exactly these labels."""
    return ":".join(["lfg:tickets", *([",".join(sorted(labels))] if labels else [])])


def ticket_keys(labels: Collection[str]) -> Iterator[str]:
    """Yield the streams of all tickets that a worker with these labels can take."""
    for number in range(len(labels), -1, -1):  # first, tickets that few workers can take
        yield from map(tickets_key, combinations(sorted(labels), number))


def own_tickets_key(worker: str) -> str:
    """Return the stream of tickets offered to this worker alone."""
    return f"lfg:worker:{worker}:tickets"


def entries_key(run: str) -> str:
    """Return the stream of workers' records for the run."""
    return f"lfg:run:{run}:entries"


def requests_key(worker: str) -> str:
    """Return the stream of runs' requests to the worker."""
    return f"lfg:worker:{worker}:requests"


def presence_key(worker: str) -> str:
    """Return the key that exists while the worker runs."""
    return f"lfg:worker:{worker}:presence"


def lease_key(run: str, ticket: str) -> str:
    """Return the key of the ticket's lease."""
    return f"lfg:lease:{run}:{ticket}"


def fence_key(run: str, ticket: str) -> str:
    """Return the key of the ticket's highest fence."""
    return f"lfg:fence:{run}:{ticket}"
