"""New runs: posted tickets, run by a process of their own as by `lfg run - --detach`."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lfgtui.server.http.runs import body
from lfgtui.settings import environment

_IN_WORDS_OF_HTTP = (
    ("standard input", "the request"),
    ("add --yes", "add trust=yes to the query"),
)
"""Words of the command line, and those that fit a request."""

_RUN = (sys.executable, "-P", "-m", "lfgtui", "run", "-", "--detach")


async def start(request: Request) -> Response:
    """Answer `POST /runs`: tickets as TOML or JSON lines, for the `folder` of the query.

    The run has the variables and the keys that the server was started with. Tickets that need a
    person's trust are refused without `trust=yes`.
    """
    folder = request.query_params.get("folder", "")
    if not (Path(folder).is_absolute() and await asyncio.to_thread(_is_folder, Path(folder))):
        raise HTTPException(400, f"folder={folder}: expected the absolute path of a folder")
    trust = ["--yes"] if request.query_params.get("trust") == "yes" else []
    tickets = await body(request)
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


def _in_words_of_http(error: str) -> str:
    for ours, theirs in _IN_WORDS_OF_HTTP:
        error = error.replace(ours, theirs)
    return error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its name is too long, for one
        return False
