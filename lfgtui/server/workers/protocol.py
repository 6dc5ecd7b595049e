"""Messages between a run and its workers, as JSON in Redis, and the keys they are under.

A run hands a ticket out as a `Job` in the stream of its labels, `lfg:tickets:gpu`, which has one
consumer group; one that a worker refused, in the stream of a worker that has not. Whoever takes it
says so in the run's stream, `lfg:run:RUN:entries`, where all that comes of it follows: `Record`s.
Back go `Request`s, in the worker's own stream. `PROTOCOL` changes where an older side would
misunderstand; what a newer side only adds is passed over.
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

PROTOCOL = 1

GROUP = "workers"
"""The consumer group of all workers, in each stream of tickets."""


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Moment: TypeAlias = Annotated[float, msgspec.Meta(ge=MOMENT[0], le=MOMENT[1])]


class Numbered(msgspec.Struct, frozen=True, array_like=True):
    """An entry of one ticket: its number, attempt, time by the sender's clock, and event."""

    seq: Count
    attempt: Count
    at: Moment
    event: msgspec.Raw


class Source(msgspec.Struct, frozen=True):
    """The files of a ticket with a worktree: what `ref` carries on the remote at `url`.

    `inside` is the workspace's place in them. The worker pushes what becomes of them to `ref`.
    """

    url: str
    ref: str
    inside: str = ""


class Job(msgspec.Struct, frozen=True):
    """A ticket that is handed out, with its entries so far, which a worker goes on from.

    `lease` is in seconds. `answers` are those of the tickets that it needs.
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
    """As much of a job as any version can read."""

    run: str
    ticket: "_Named"
    fence: int
    protocol: int = 0
    version: str = ""


class _Named(msgspec.Struct, frozen=True):
    id: str


class Lease(msgspec.Struct, frozen=True):
    """The hold of a worker on a ticket, for as long as it renews it. `seq` is its last entry."""

    worker: str
    fence: int
    seq: int
    is_over: bool = False


class Presence(msgspec.Struct, frozen=True):
    """A worker that is there."""

    name: str
    labels: tuple[str, ...]
    slots: int
    version: str = __version__


# From a worker, each about one ticket


class Claimed(msgspec.Struct, frozen=True, tag=True):
    """The worker has it from now on."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The worker cannot do it, for this reason."""

    reason: str


class Happened(msgspec.Struct, frozen=True, tag=True):
    """Entries that the worker has committed; `sent` by the clock that gave them their times."""

    entries: tuple[Numbered, ...]
    sent: Moment


class Released(msgspec.Struct, frozen=True, tag=True):
    """Nothing comes any more after the entry with this number.

    `why_kept`: why its files stay on the worker, and where they are there.
    """

    seq: int
    why_kept: str = ""


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The request was carried out, or not, for this reason."""

    id: int
    error: str = ""


Word: TypeAlias = Claimed | Refused | Happened | Released | Answered


class RecordHead(msgspec.Struct, frozen=True):
    """As much of a record as any version can read."""

    worker: str
    ticket: str
    fence: int


class Record(RecordHead, frozen=True):
    """Something about a ticket, from a worker."""

    what: Word


# To a worker


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End the ticket this way."""

    ending: msgspec.Raw


class Note(msgspec.Struct, frozen=True, tag=True):
    """Add the event to the ticket's."""

    event: msgspec.Raw


class Resend(msgspec.Struct, frozen=True, tag=True):
    """Send the entries after that number again."""

    after: int


Order: TypeAlias = TicketCommand | Stop | Note | Resend


class Request(msgspec.Struct, frozen=True):
    """Something to be done to a ticket. It is sent until it is answered, and done once."""

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
    """Return the lease that is stored; None where there is none, or something else."""
    try:
        return None if value is None else lease_decoder.decode(value)
    except msgspec.MsgspecError:
        return None


def presence_of(value: bytes) -> Presence | None:
    """Return the worker that says it is there; None where it is something else."""
    try:
        return presence_decoder.decode(value)
    except msgspec.MsgspecError:
        return None


def numbered(entries: Sequence[e.Entry]) -> tuple[Numbered, ...]:
    """Return the entries as they are sent."""
    return tuple(
        Numbered(one.seq, one.attempt, one.at, msgspec.Raw(encode_event(one.event)))
        for one in entries
    )


def record_of(body: bytes) -> Record:
    """Return the record that a worker sent; one that makes no sense here refuses the ticket.

    Raises `msgspec.MsgspecError` for one that is about no ticket.
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
    """Return the entries that were sent, with times so many seconds later.

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
    for number in range(len(labels), -1, -1):  # those that few can take come first
        yield from map(tickets_key, combinations(sorted(labels), number))


def own_tickets_key(worker: str) -> str:
    """Return the stream of tickets that are offered to this worker alone."""
    return f"lfg:worker:{worker}:tickets"


def entries_key(run: str) -> str:
    """Return the stream of what workers say to the run."""
    return f"lfg:run:{run}:entries"


def requests_key(worker: str) -> str:
    """Return the stream of what runs say to the worker."""
    return f"lfg:worker:{worker}:requests"


def presence_key(worker: str) -> str:
    """Return the key that is there as long as the worker is."""
    return f"lfg:worker:{worker}:presence"


def lease_key(run: str, ticket: str) -> str:
    """Return the key of the ticket's lease."""
    return f"lfg:lease:{run}:{ticket}"


def fence_key(run: str, ticket: str) -> str:
    """Return the key of the ticket's highest fence."""
    return f"lfg:fence:{run}:{ticket}"
