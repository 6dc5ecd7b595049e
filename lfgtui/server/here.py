"""This machine as a place where runs are."""

import asyncio

from lfgtui.server.at_work import RunAtWork, runs_at_work
from lfgtui.server.control.address import person
from lfgtui.server.control.watching import Watching, watch


class Here:
    """`remote_run.Source`: the runs in this machine's data folder."""

    host = ""

    async def runs(self) -> list[RunAtWork]:
        return await asyncio.to_thread(runs_at_work)

    async def watch(self, run: str, after: int = 0) -> Watching:
        return await watch(run, after, person())

    async def close(self) -> None:
        """Nothing is open between two calls."""
