"""Runs at work, opened from another process: on the screen, or line by line."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec

from lfgtui.cli.launching import past_runs
from lfgtui.cli.launching.headless import StateLines
from lfgtui.cli.launching.next_step import print_outcome
from lfgtui.cli.launching.screen import attached_app, browsing_app, show
from lfgtui.errors import UsageError
from lfgtui.history.reader import RunSummary
from lfgtui.model.choices import is_settled
from lfgtui.model.event_json import entry_json
from lfgtui.model.events import Entry
from lfgtui.server.at_work import Here, RunAtWork, named
from lfgtui.server.host import Host
from lfgtui.server.remote_run import RemoteRun
from lfgtui.settings.config import Config
from lfgtui.settings.machines import relay_command
from lfgtui.text.output import print_error, print_json, print_remark, print_text
from lfgtui.ui.runs_at_work import AttachScreen, ListedRun

Output: TypeAlias = Literal["states", "json"]
Place: TypeAlias = Here | Host

_RUN_ID = re.compile(r"\d{8}-[0-9a-z-]*|last")
"""A run's id, or its beginning; what has another form may be a host."""


def attach(names: Sequence[str], config: Config, output: Output | None) -> int:
    """Show a run at work until it has ended or is left; return the exit code.

    `names` are those of a run, which comes first, and of hosts; without any host the run is here.
    Without a run it is the only one, or the one that is chosen of several. `output` None is the
    screen. Raises `UsageError` where there is no such run.
    """
    return asyncio.run(_attach(names, config, output))


async def _attach(names: Sequence[str], config: Config, output: Output | None) -> int:
    here = Here()
    runs = await here.runs()
    name = names[0] if names and _is_run(names[0], runs) else None
    hosts = names[name is not None :]
    places = [_host(config, host, may_ask=len(hosts) == 1) for host in hosts]
    try:
        if not hosts:
            listed: list[tuple[Place, Sequence[RunAtWork]]] = [(here, runs)]
            troubles: list[str] = []
        else:
            listed, troubles = await _listed(places)
        run = await _chosen(listed, troubles, name, config, output)
        if run is None:
            return 0
        place, found = run
        remote = RemoteRun(place, await place.watch(found))
        if output is not None:
            return await _print(remote, output)
        code = await show(attached_app(remote, config))
        _print_last_line(remote)
        return code
    finally:
        await asyncio.gather(*(place.close() for place in places))


def _is_run(word: str, runs: Sequence[RunAtWork]) -> bool:
    """Return True for what has the form of a run's id, or ends one here."""
    if _RUN_ID.fullmatch(word) or named(runs, word):
        return True
    with past_runs.reader() as reader, suppress(UsageError):
        return bool(reader.find_run(word))
    return False


def _host(config: Config, name: str, *, may_ask: bool) -> Host:
    first = relay_command(config.hosts, name, may_ask=may_ask)
    return Host(name, first, relay_command(config.hosts, name, may_ask=False))


async def _listed(
    places: Sequence[Host],
) -> tuple[list[tuple[Place, Sequence[RunAtWork]]], list[str]]:
    """Return the runs of all hosts, asked side by side, and why some could not be."""
    answers = await asyncio.gather(*(place.runs() for place in places), return_exceptions=True)
    listed: list[tuple[Place, Sequence[RunAtWork]]] = []
    troubles = []
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, UsageError):
            troubles.append(str(answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            listed.append((place, answer))
    if not listed:
        hint = "; nor is there a run of that name here" if len(places) == 1 else ""
        raise UsageError("; ".join(troubles) + hint)
    return listed, troubles


async def _chosen(
    listed: Sequence[tuple[Place, Sequence[RunAtWork]]],
    troubles: Sequence[str],
    name: str | None,
    config: Config,
    output: Output | None,
) -> tuple[Place, str] | None:
    """Return the run that is meant, and where it is; None if the person chose none."""
    found = [
        (place, one)
        for place, runs in listed
        for one in (runs if name is None else named(runs, name))
    ]
    if not found and any(place.host for place, _ in listed):
        which = f"run {name}" if name else "no run"
        where = " or ".join(place.host for place, _ in listed)
        raise UsageError(
            "; ".join([f"{which} is {'not ' * bool(name)}at work on {where}", *troubles])
        )
    if not found:
        raise _nothing(name)
    if output is not None and len(found) == 1:
        troubles = ()
    if len(found) > 1 and output is not None:
        ids = ", ".join(f"{place.host} {one.summary.run}".strip() for place, one in found)
        raise UsageError(f"{len(found)} runs are at work; name one of them: {ids}")
    if len(found) == 1 and not troubles:
        ((place, one),) = found
        return place, one.summary.run
    return await _ask(found, troubles, config)


def _nothing(name: str | None) -> UsageError:
    """Return the error for no run that could be meant."""
    if name is None:
        return UsageError("no run is at work; `lfg run --detach` starts one without a screen")
    with past_runs.open_reader() as reader:
        run = reader.find_run(name)
    return UsageError(f"run {run} is not at work; lfg show {run} prints it, lfg resume {run}")


async def _ask(
    found: Sequence[tuple[Place, RunAtWork]], troubles: Sequence[str], config: Config
) -> tuple[Place, str] | None:
    """Have the person choose on a screen."""
    rows = [ListedRun(_told(one), place.host) for place, one in found]
    chosen: list[ListedRun] = []
    await show(
        browsing_app(config, lambda context: AttachScreen(context, rows, troubles, chosen.append))
    )
    if not chosen:
        return None
    place, one = found[rows.index(chosen[-1])]
    return place, one.summary.run


def _told(run: RunAtWork) -> RunSummary:
    waiting = f"{run.waiting} waiting for you" if run.waiting else ""
    return msgspec.structs.replace(run.summary, note=waiting or run.summary.note)


async def _print(remote: RemoteRun, output: Output) -> int:
    """Print what comes until the run has ended; a reader that is slow holds up nobody else."""
    lines = StateLines()

    def sink(entries: Sequence[Entry]) -> None:
        if output == "json":
            print_json("".join(f"{entry_json(entry)}\n" for entry in entries))
        else:
            print_text("".join(map(lines, entries)))

    remote.subscribe(sink)
    remote.start()
    await remote.wait()
    await remote.shutdown()
    if not remote.has_ended:
        print_error(remote.health.lost)
        return 1
    return int(not all(is_settled(remote, ticket) for ticket in remote.tickets))


def _print_last_line(remote: RemoteRun) -> None:
    """Print how the run stands, and what to type next."""
    if remote.has_ended:
        print_outcome(remote)
    else:
        where = f" {remote.host}" if remote.host else ""
        print_remark(f"run {remote.run} goes on: lfg attach {remote.run}{where}")
