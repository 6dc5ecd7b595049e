"""The socket through which other processes of this person reach a run that is at work.

It lies in the data folder, for its owner alone, as long as the run is at work. A client sends one
request as a line of JSON and gets one reply.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import msgspec

from lfgtui.cli.launching.launch import Plan, check_providers
from lfgtui.engine.commands import Add, Approve, Choose, Command, Deny
from lfgtui.engine.engine import Engine
from lfgtui.errors import HistoryError, LfgError, UsageError, did_you_mean
from lfgtui.model.choices import choice_refusal
from lfgtui.model.events import ApprovalOption
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.needs import check_added, needs_of
from lfgtui.model.unified_diff import beside
from lfgtui.settings import paths

_LONGEST = 64 << 20
"""Bytes of a request or a reply: hundreds of tickets with long prompts."""

_SECONDS = 10.0
"""Seconds that a run may take to reply."""

_LONGEST_ADDRESS = 100
"""Bytes of a socket's path that every system takes."""


class RunOverError(UsageError):
    """The run is not in progress: nobody takes requests for it."""


class ListApprovals(msgspec.Struct, frozen=True, tag=True):
    """Ask which calls of the ticket wait for approval."""

    ticket: str


class ListTickets(msgspec.Struct, frozen=True, tag=True):
    """Ask for the ids of the run's tickets, and of those that it runs as copies."""


Request: TypeAlias = Command | ListApprovals | ListTickets


class WaitingCall(msgspec.Struct, frozen=True):
    """A call that waits for approval, as the person would see it in its card.

    `options` are the answers that its agent offers.
    """

    call_id: str
    summary: str
    shown: str
    options: tuple[ApprovalOption, ...] = ()


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request: an error in one line, or nothing else than what was asked for.

    `unsaved` says why what was done is not in the history yet.
    """

    error: str = ""
    unsaved: str = ""
    approvals: tuple[WaitingCall, ...] = ()
    tickets: tuple[str, ...] = ()


@asynccontextmanager
async def listening(engine: Engine) -> AsyncIterator[None]:
    """Take requests for the run while the body runs; without a socket where there can be none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):  # a client that went
            reply = _answered(engine, await reader.readline())
            with suppress(HistoryError):  # it has been closed: what else there is to say was said
                await engine.settle()  # so that what was asked for outlives this process
            reply = msgspec.structs.replace(reply, unsaved=engine.health.behind or "")
            writer.write(msgspec.json.encode(reply) + b"\n")
            await writer.drain()
        writer.close()

    path = _path(engine.run)
    server = None
    try:
        await asyncio.to_thread(_prepare, path)
        with _address(path) as address:
            server = await asyncio.start_unix_server(serve, address, limit=_LONGEST)
            await asyncio.to_thread(path.chmod, 0o600)
    except OSError:  # a file system without sockets: the run goes on without
        pass
    try:
        yield
    finally:
        if server is not None:
            server.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)


def ask(run: str, request: Request) -> Reply:
    """Send the request to the run; raises `UsageError` with its error, `RunOverError`."""
    try:
        with _address(_path(run)) as address, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(address)
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as answer:
                reply = msgspec.json.decode(answer.readline(_LONGEST), type=Reply)
    except TimeoutError:
        raise UsageError(f"run {run} did not reply within {_SECONDS:.0f} s") from None
    except (OSError, msgspec.MsgspecError):
        message = f"run {run} is not in progress; to continue: lfg resume {run}"
        raise RunOverError(message) from None
    if reply.error:
        raise UsageError(reply.error)
    return reply


def _answered(engine: Engine, line: bytes) -> Reply:
    try:
        request = msgspec.json.decode(line, type=Request)
    except msgspec.MsgspecError as error:
        return Reply(f"not a request: {error}")
    ticket = getattr(request, "ticket", None)
    ids = [one.id for one in engine.tickets]
    if ticket is not None and ticket not in ids:
        return Reply(f'run {engine.run} has no ticket "{ticket}"{did_you_mean(ticket, ids)}')
    match request:
        case ListTickets():
            return Reply(tickets=tuple(needs_of(engine.tickets)))
        case ListApprovals(name):
            return Reply(approvals=tuple(_waiting(engine, name)))
        case Approve(name, call_id, option=option) | Deny(name, call_id, option=option):
            call = next((c for c in _waiting(engine, name) if c.call_id == call_id), None)
            if call is None:
                return Reply(f"{name} is no longer waiting for approval of that call")
            if option and option not in (one.option_id for one in call.options):
                return Reply(f"{name} does not offer that answer to the call")
            if isinstance(request, Approve):  # rules are given on the screen alone
                request = Approve(name, call_id, option=option)
        case Choose(name) if refusal := choice_refusal(engine, name):
            return Reply(refusal)
    if engine.is_closing:
        return Reply(f"run {engine.run} is ending; to continue: lfg resume {engine.run}")
    try:
        if isinstance(request, Add):
            check_added(request.tickets, needs_of(engine.tickets))
            check_providers(Plan(engine.title, request.tickets, engine.config))
        engine.send(request)
    except LfgError as error:
        return Reply(str(error))
    return Reply(tickets=tuple(one.id for one in engine.tickets[len(ids) :]))


def _waiting(engine: Engine, ticket: str) -> Iterator[WaitingCall]:
    for call in engine.transcript(ticket).waiting_approvals:
        yield WaitingCall(call.call_id, call.approval or call.name, _shown(call), call.options)


def _shown(call: ToolItem) -> str:
    """Return the arguments, without what the changes show, and the changes."""
    parts, given = [diff for _, diff in call.diffs], call.given
    if call.is_agents and not isinstance(given, str):
        given = beside(parts, given)
        parts = [f"{path}:\n{diff}" for path, diff in call.diffs]
    if isinstance(given, str):
        parts.insert(0, given)
    elif given and (call.is_agents or not parts):
        parts.insert(0, msgspec.json.format(msgspec.json.encode(given)).decode())
    return "\n".join(parts)


def _path(run: str) -> Path:
    return paths.data_dir() / "control" / f"{run}.sock"


def _prepare(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # of a process that was killed


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Yield the path, or a shorter one where it is too long for a socket; raises `OSError`."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
