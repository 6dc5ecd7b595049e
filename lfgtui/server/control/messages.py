"""Messages between a run and its clients: JSON, one object a line.

A client sends a `Request` and gets a `Reply`. After `Watch` the connection stays open: a `Hello`
comes, then a `Frame` whenever something is new, and the client may send `FromViewer` lines.

Both sides may be of different versions. An older lfg ignores what a newer one adds, so a new field
needs a default; `PROTOCOL` changes only if ignoring it would be wrong. A class with `tag=True`,
commands included, is known by its name, which therefore cannot change.
"""

from typing import TypeAlias, TypeVar

import msgspec

from lfgtui import __version__
from lfgtui.engine.commands import Approve, Command
from lfgtui.errors import UsageError
from lfgtui.model.events import ApprovalOption
from lfgtui.model.fold.metrics import Health
from lfgtui.model.tickets import Ticket

PROTOCOL = 2

LONGEST = 64 << 20
"""Most bytes of a line: hundreds of tickets with long prompts."""


class ListApprovals(msgspec.Struct, frozen=True, tag=True):
    """Ask which calls of the ticket wait for approval."""

    ticket: str


class ListTickets(msgspec.Struct, frozen=True, tag=True):
    """Ask for the ids of the run's tickets, and of those that run as copies."""


class Watch(msgspec.Struct, frozen=True, tag=True):
    """Ask for what happens in the run, on a connection that stays open.

    A run ignores `run` and `after`, and sends what is new from now on. A relay first sends what the
    history has of the `run` after the place `after`. `viewer` is the name of the person, e.g.
    `ann@laptop`, which is `by` in the events that their commands cause.
    """

    run: str = ""
    after: int = 0
    viewer: str = ""
    protocol: int = PROTOCOL


Request: TypeAlias = Command | ListApprovals | ListTickets | Watch
"""The first line of a client."""


class WaitingCall(msgspec.Struct, frozen=True):
    """A call that waits for approval: its line, and in `shown` its diffs or arguments.

    `options` are the answers that its agent offers.
    """

    call_id: str
    summary: str
    shown: str
    options: tuple[ApprovalOption, ...] = ()


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request: an error in one line, or what was asked for.

    `unsaved` says why its effect is not in the history yet. After a command `tickets` are the ids
    of those that it added.
    """

    error: str = ""
    unsaved: str = ""
    approvals: tuple[WaitingCall, ...] = ()
    tickets: tuple[str, ...] = ()


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of the run beyond its entries. `unfinished`: tickets that have not ended."""

    health: Health = Health()
    unfinished: tuple[str, ...] = ()


class Hello(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line to a viewer: which run this is, and who runs it.

    `now` is the run's clock in seconds since the epoch, `pid` its process, 0 if none is at work.
    `is_simulated`: some of its models are. All entries up to the place `stored_to` are in the
    history at `file`, and not sent. A line without `protocol` is the reply of an lfg too old for
    viewers; `error` may say why.
    """

    protocol: int = 0
    version: str = ""
    run: str = ""
    title: str = ""
    pid: int = 0
    now: float = 0.0
    stored_to: int = 0
    file: str = ""
    tickets: tuple[msgspec.Raw, ...] = ()
    status: Status = Status()
    is_simulated: bool = False
    error: str = ""


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """News of a run, of one or more kinds; the fields of the others have their defaults.

    `entries` are as `--json` prints them, up to `place`. `stored_to`: entries up to that place
    were left out and are in the history at `file`. `tickets`: all of them, if one is new or has
    new settings. `answer`: the number of the command that was carried out, or refused because of
    the `error`. `has_ended`: the run's process ends, and nothing more comes.
    """

    entries: tuple[msgspec.Raw, ...] = ()
    place: int = 0
    stored_to: int = 0
    file: str = ""
    tickets: tuple[msgspec.Raw, ...] = ()
    status: Status | None = None
    answer: int = 0
    error: str = ""
    has_ended: bool = False


class FromViewer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line from a viewer: a command with a number for its answer, or the tickets in its view."""

    id: int = 0
    command: Command | None = None
    in_view: tuple[str, ...] | None = None


class _From(msgspec.Struct, frozen=True):
    """The part of a request's line that says who sent it."""

    by: str = ""


class _Named(msgspec.Struct, frozen=True):
    """The part of a ticket that any version can read."""

    id: str


class _Numbered(msgspec.Struct, frozen=True):
    """The part of a viewer's line that any version can read."""

    id: int = 0


command_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
reply_decoder = msgspec.json.Decoder(Reply)
_hello = msgspec.json.Decoder(Hello)
_frame = msgspec.json.Decoder(Frame)
viewer_decoder = msgspec.json.Decoder(FromViewer)
_from = msgspec.json.Decoder(_From)
_number = msgspec.json.Decoder(_Numbered)
_ticket = msgspec.json.Decoder(Ticket)
_named = msgspec.json.Decoder(_Named)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_T = TypeVar("_T")


def without_rule(command: Command) -> Command:
    """Return the command without a rule of approval.

    Only lfg's own screen shows what a rule covers, so only there can a person grant one.
    """
    if isinstance(command, Approve):
        return msgspec.structs.replace(command, rule=None)
    return command


def line(message: msgspec.Struct) -> bytes:
    """Return the message as a line."""
    return msgspec.json.encode(message) + b"\n"


def request_line(request: Request, by: str) -> bytes:
    """Return a request of the person `by` as a line."""
    return msgspec.json.encode({**msgspec.to_builtins(request), "by": by}) + b"\n"


def sender_of(request: bytes) -> str:
    """Return who sent the request; "" if it does not say."""
    return _from.decode(request).by


def number_of(sent: bytes | str) -> int:
    """Return the number of a command that cannot be read; 0 if the number cannot be, either."""
    try:
        return _number.decode(sent).id
    except msgspec.MsgspecError:
        return 0


def read_hello(sent: bytes) -> Hello:
    """Read the first line to a viewer; raises `msgspec.MsgspecError`."""
    return _read(_hello, sent)


def read_frame(sent: bytes) -> Frame:
    """Read a later line to a viewer; raises `msgspec.MsgspecError`."""
    return _read(_frame, sent)


def _read(decoder: msgspec.json.Decoder[_T], sent: bytes) -> _T:
    """Read a line; leave its `status` out if only a newer lfg understands that."""
    try:
        return decoder.decode(sent)
    except msgspec.ValidationError:
        fields = _fields.decode(sent)
        if fields.pop("status", None) is None:
            raise
        return decoder.decode(msgspec.json.encode(fields))


def read_ticket(raw: msgspec.Raw) -> Ticket:
    """Return the ticket, or a stand-in to show for one that only a newer lfg understands.

    Raises `msgspec.MsgspecError` if it has no id.
    """
    try:
        return _ticket.decode(raw)
    except msgspec.MsgspecError as error:
        name = _named.decode(raw).id
        title = f"({name}: requested by another version of lfg: {error})"
        return Ticket(id=name, prompt="", workspace="/", title=title)


def check(hello: Hello, where: str) -> None:
    """Raise `UsageError` with the hello's error, or naming the older side if they cannot talk."""
    if hello.protocol == PROTOCOL:
        if hello.error:
            raise UsageError(hello.error)
        return
    theirs = f"lfg {hello.version}" if hello.version else "an lfg"
    if hello.protocol < PROTOCOL:
        order, advice = "older", "update it there, and resume the run with it"
    else:
        order, advice = "newer", "update this one"
    raise UsageError(f"{where} has {theirs}, {order} than this one ({__version__}): {advice}")
