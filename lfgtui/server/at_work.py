"""The runs that are at work on this machine, for `lfg attach`, `lfg serve` and the screen."""

import asyncio
from collections.abc import Sequence

import msgspec

from lfgtui.history.reader import Reader, RunSummary
from lfgtui.server.control.address import person, socket_path
from lfgtui.server.control.client import is_at_work
from lfgtui.server.control.watching import Watching, watch
from lfgtui.settings import paths

_NEWEST = 1000
"""The number of newest runs among which those at work are looked for."""

_NEEDS_PERSON = ("needs_approval", "paused")
"""States of a ticket that waits for a person; see `model.fold.states`."""


class RunAtWork(msgspec.Struct, frozen=True):
    """A run that can be attached to. `waiting`: number of tickets that wait for a person.

    `relay` sends it as JSON to other versions of lfg: its fields keep their names.
    """

    summary: RunSummary
    waiting: int = 0


def runs_at_work() -> list[RunAtWork]:
    """Return the runs that can be attached to, newest first. It blocks: call it in a thread."""
    with Reader(paths.history_file()) as reader:
        return [
            RunAtWork(run, waiting_for_person(reader, run.run))
            for run in reader.runs(_NEWEST)
            if run.state == "running" and socket_path(run.run).exists() and is_at_work(run.run)
        ]


def waiting_for_person(reader: Reader, run: str) -> int:
    """Return how many of the run's tickets wait for a person."""
    return sum(one.state in _NEEDS_PERSON for one in reader.tickets(run))


class Here:
    """This machine as a `remote_run.Source`, with the runs that are at work on it."""

    host = ""

    async def runs(self) -> list[RunAtWork]:
        return await asyncio.to_thread(runs_at_work)

    async def watch(self, run: str, after: int = 0) -> Watching:
        return await watch(run, after, person())

    async def close(self) -> None:
        """Do nothing: nothing stays open between two calls."""


def named(runs: Sequence[RunAtWork], name: str) -> list[RunAtWork]:
    """Return the runs that `name` may mean: an id, its beginning or its end, or `last`.

    `runs` are newest first, as from `runs_at_work`.
    """
    if name == "last":
        return list(runs[:1])
    ids = [(one, one.summary.run) for one in runs]
    exact = [one for one, run in ids if run == name]
    return exact or [one for one, run in ids if run.startswith(name) or run.endswith(name)]
