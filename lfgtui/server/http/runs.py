"""The endpoints for runs: lists, search, export, new runs, and commands to a run at work.

The names of all JSON fields are public (docs/server.md).
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from lfgtui.errors import UsageError
from lfgtui.export.documents import Form, pieces_of
from lfgtui.history.reader import Reader, RunSummary, StoredTicket
from lfgtui.server.at_work import waiting_for_person
from lfgtui.server.control.client import (
    BrokenError,
    RunOverError,
    UnansweredError,
    is_at_work,
    reply_of,
)
from lfgtui.server.control.messages import LONGEST, command_decoder
from lfgtui.server.http.found import read, run_named, whole_number
from lfgtui.settings import environment, paths
from lfgtui.settings.config import Config
from lfgtui.text.redactor import Redactor

MOST = 1000
"""Most runs, or hits of a search, in one answer."""

_MEDIA_TYPES: dict[Form, str] = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
}

_IN_WORDS_OF_HTTP = (
    ("standard input", "the request"),
    ("add --yes", "add trust=yes to the query"),
)
"""Words of the command's messages, and those that fit a request."""

_RUN = (sys.executable, "-P", "-m", "lfgtui", "run", "-", "--detach")


class Ticket(msgspec.Struct, frozen=True):
    """A ticket as `GET /runs/{run}` lists it. `cost` is in USD; times are seconds since the epoch.

    `attempt`, `provider` and `model` are those of its latest attempt.
    """

    id: str
    title: str
    state: str
    attempt: int
    provider: str | None
    model: str | None
    cost: float | None
    started_at: float | None
    ended_at: float | None


async def runs(request: Request) -> Response:
    """Answer `GET /runs`: the newest first, each with `at_work`."""
    limit = whole_number(request, "limit", 50, MOST)
    found = await read(lambda reader: [_listed(reader, run) for run in reader.runs(limit)])
    return _json(found)


async def start(request: Request) -> Response:
    """Answer `POST /runs`: tickets as TOML or JSON lines, for the `folder` of the query.

    A process of its own runs them, as by `lfg run - --detach`, with the variables and the keys that
    the server was started with. Tickets that need a person's trust are refused without `trust=yes`.
    """
    folder = request.query_params.get("folder", "")
    if not (Path(folder).is_absolute() and await asyncio.to_thread(_is_folder, Path(folder))):
        raise HTTPException(400, f"folder={folder}: expected the absolute path of a folder")
    trust = ["--yes"] if request.query_params.get("trust") == "yes" else []
    tickets = await _body(request)
    process = await asyncio.create_subprocess_exec(
        *_RUN,
        *trust,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env=environment.variables(),
        start_new_session=True,
    )
    printed, complaint = await process.communicate(tickets)
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines() or ["lfg run failed"]
        raise HTTPException(400, _in_words_of_http(lines[-1].removeprefix("lfg: ")))
    run = printed.decode().strip()
    return JSONResponse({"run": run}, 201, {"Location": f"/runs/{run}"})


async def run(request: Request) -> Response:
    """Answer `GET /runs/{run}`: the run, its folder and its tickets."""
    name = await run_named(request.path_params["run"])

    def look(reader: Reader) -> dict[str, object]:
        tickets = [_ticket(one) for one in reader.tickets(name)]
        listed = _listed(reader, reader.run(name))
        return listed | {"folder": reader.workspace(name), "tickets": tickets}

    return _json(await read(look))


async def search(request: Request) -> Response:
    """Answer `GET /search?q=`."""
    query = request.query_params.get("q", "")
    if not query.strip():
        raise HTTPException(400, "q is empty: expected a search query")
    limit = whole_number(request, "limit", 50, MOST)
    options = {name: name in request.query_params for name in ("ranked", "code")}
    try:
        hits = await read(lambda reader: reader.search(query, limit, **options))
    except UsageError as error:
        raise HTTPException(400, str(error)) from None
    return _json([hit._asdict() for hit in hits])


def exporting(config: Config, redactor: Callable[[], Redactor | None]) -> Callable[..., object]:
    """Return the endpoint that answers `GET /runs/{run}/export`."""

    async def export(request: Request) -> Response:
        """Send the document piece by piece, as it is made."""
        name = await run_named(request.path_params["run"])
        form = request.query_params.get("format", "md")
        if form not in _MEDIA_TYPES:
            raise HTTPException(400, f'unknown format "{form}" (known: md, html, json, jsonl)')
        only = request.query_params.get("ticket", "")
        if only and form == "jsonl":
            raise HTTPException(400, "jsonl exports whole runs only; remove ticket")

        def pieces() -> Iterator[str]:
            with closing(Reader(paths.history_file())) as reader:
                yield from pieces_of(
                    reader, name, form, only=only, redactor=redactor(), theme=config.theme
                )

        if only:
            await read(lambda reader: reader.tickets(name, only))
        return StreamingResponse(pieces(), media_type=_MEDIA_TYPES[form])

    return export


async def command(request: Request) -> Response:
    """Answer `POST /runs/{run}/commands`: one command, answered once it is stored."""
    name = await run_named(request.path_params["run"])
    try:
        sent = command_decoder.decode(await _body(request))
    except msgspec.MsgspecError as error:
        raise HTTPException(400, f"not a command: {error}") from None
    try:
        reply = await reply_of(name, sent)
    except RunOverError as error:
        raise HTTPException(410, str(error)) from None
    except UnansweredError as error:  # sent again, it might be carried out twice
        raise HTTPException(503, str(error)) from None
    except BrokenError as error:
        raise HTTPException(503, str(error), {"Retry-After": "1"}) from None
    except UsageError as error:
        raise HTTPException(409, str(error)) from None
    return _json({"tickets": reply.tickets, "unsaved": reply.unsaved})


async def _body(request: Request) -> bytes:
    """Return the body of the request; raises 413 if it is too long."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LONGEST:
            raise HTTPException(413, f"request body larger than {LONGEST >> 20} MB")
    return b"".join(parts)


def _listed(reader: Reader, run: RunSummary) -> dict[str, object]:
    """Return the run's summary, whether it is at work, and how many tickets wait for a person."""
    at_work = run.state == "running" and is_at_work(run.run)
    waiting = waiting_for_person(reader, run.run) if at_work else 0
    return {**msgspec.structs.asdict(run), "at_work": at_work, "waiting": waiting}


def _ticket(one: StoredTicket) -> Ticket:
    return Ticket(
        one.ticket.id,
        one.ticket.title or "",
        one.state,
        one.attempt,
        one.provider,
        one.model,
        one.cost,
        one.started_at,
        one.ended_at,
    )


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _in_words_of_http(error: str) -> str:
    for ours, theirs in _IN_WORDS_OF_HTTP:
        error = error.replace(ours, theirs)
    return error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # e.g. its name is too long
        return False
