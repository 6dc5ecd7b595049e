"""Helpers of the endpoints: the run that a request names, and the history read in a thread.

They raise Starlette's `HTTPException`, named below by its status.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from lfgtui.errors import UsageError
from lfgtui.history.reader import Reader
from lfgtui.settings import paths

_T = TypeVar("_T")


async def read(work: Callable[[Reader], _T]) -> _T:
    """Return the result of the work, which gets a reader of the history, in a thread."""

    def reading() -> _T:
        with Reader(paths.history_file()) as reader:
            return work(reader)

    return await asyncio.to_thread(reading)


async def run_named(name: str) -> str:
    """Return the id of the run that `name` means; raises 404.

    `last` is the newest run of all. (On the command line it is the newest of the folder.)
    """

    def find(reader: Reader) -> str:
        if name == "last":
            return next((run.run for run in reader.runs(1)), "")
        return reader.find_run(name)

    try:
        found = await read(find)
    except UsageError as error:
        raise HTTPException(404, str(error)) from None
    if not found:
        raise HTTPException(404, "no runs yet")
    return found


def whole_number(request: HTTPConnection, name: str, default: int, most: int) -> int:
    """Return a parameter of the query, from 0 to `most`; raises 400."""
    given = request.query_params.get(name, str(default))
    if not (given.isascii() and given.isdigit() and len(given) <= 20 and int(given) <= most):
        raise HTTPException(400, f"{name}={given}: expected a whole number from 0 to {most}")
    return int(given)
