"""`lfg attach`: finds a run in progress, here or on other machines, and shows or prints it."""

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
from lfgtui.errors import HistoryError, UsageError
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
from lfgtui.ui.runs_at_work import AttachScreen, ListedRun, RunsListed

Output: TypeAlias = Literal["states", "json"]
Machine: TypeAlias = Here | Host

_PATIENCE, _ALONE = 3.0, 10.0
"""Seconds to wait for several machines, or for one, which may ask for a password, before a remark
says so."""

_RUN_ID = re.compile(r"\d{8}-[0-9a-z-]*|last")
"""A run's id or its beginning, as 20250131-14; another word may be a host."""


def attach(names: Sequence[str], config: Config, output: Output | None) -> int:
    """Show a run in progress until it has ended or is left; return the exit code.

    `names` are the run, which may be left out, and the hosts to look on; without a host, it is this
    machine. Without a run it is the only one, or the one that the person chooses. `output` None is
    the screen. Raises `UsageError` if there is no such run.
    """
    return asyncio.run(_attach(names, config, output))


async def _attach(names: Sequence[str], config: Config, output: Output | None) -> int:
    here = Here()
    runs: Sequence[RunAtWork] = ()
    with suppress(HistoryError):  # hosts need no history here; without one, `here` is asked again
        runs = await here.runs()
    name = names[0] if names and _is_run(names[0], runs) else None
    hosts = names[name is not None :]
    there = [_host(config, host, may_ask=len(hosts) == 1) for host in hosts]
    machines: list[Machine] = [*there] or [here]
    lists = RunLists(machines, name)
    try:
        await lists.look_first(needs_all=output is not None)
        run = await _chosen(lists, config, output)
        if run is None:
            return 0
        machine, found = run
        remote = RemoteRun(machine, await machine.watch(found))
        if output is not None:
            return await _print(remote, output)
        code = await show(attached_app(remote, config))
        _print_last_line(remote)
        return code
    finally:
        await lists.close()


def _is_run(word: str, runs: Sequence[RunAtWork]) -> bool:
    """Return True for what has the form of a run's id, or is the end of one on this machine."""
    if _RUN_ID.fullmatch(word) or named(runs, word):
        return True
    with suppress(UsageError, HistoryError), past_runs.reader() as reader:
        return bool(reader.find_run(word))
    return False


def _host(config: Config, name: str, *, may_ask: bool) -> Host:
    """Return the host; `may_ask`: its first connection may ask for a password."""
    first = relay_command(config.hosts, name, may_ask=may_ask)
    return Host(name, first, relay_command(config.hosts, name, may_ask=False))


class RunLists:
    """The runs in progress on some machines, which are asked concurrently.

    With a `name`, only runs whose id it may stand for count. A machine has one connection: a
    request that is not answered in time stays in `_asking`, and no second one is sent meanwhile.
    """

    def __init__(self, machines: Sequence[Machine], name: str | None) -> None:
        self.machines = machines
        self.name = name
        self._asking: dict[Machine, asyncio.Task[list[RunAtWork]]] = {}
        self._answers: dict[Machine, Sequence[RunAtWork] | UsageError] = {}

    async def look_first(self, *, needs_all: bool) -> None:
        """Ask all machines; wait for slow ones only if none has answered, or it `needs_all`.

        Raises `UsageError` if none answers with its runs.
        """
        await self.look(_PATIENCE if len(self.machines) > 1 else _ALONE)
        if self._asking and (needs_all or not self._listed):
            print_remark(f"waiting for {', '.join(machine.host for machine in self._asking)}")
            await self.look(None)
        if not self._listed:
            hint = "; nor is there a run of that name here" if len(self.machines) == 1 else ""
            raise UsageError("; ".join(self.troubles) + hint)

    async def look(self, seconds: float | None) -> None:
        """Ask each machine again, unless it still owes an answer; wait at most `seconds`."""
        for machine in self.machines:
            if machine not in self._asking:
                self._asking[machine] = asyncio.create_task(machine.runs())
        await asyncio.wait(self._asking.values(), timeout=seconds)
        for machine, asking in [*self._asking.items()]:
            if asking.done():
                del self._asking[machine]
                try:
                    self._answers[machine] = asking.result()
                except UsageError as error:
                    self._answers[machine] = error

    @property
    def hosts(self) -> list[str]:
        """The hosts that have answered with their runs."""
        return [machine.host for machine in self._listed if machine.host]

    @property
    def found(self) -> list[tuple[Machine, RunAtWork]]:
        """The runs that are known so far, each with its machine."""
        name = self.name
        return [
            (machine, one)
            for machine, runs in self._listed.items()
            for one in (runs if name is None else named(runs, name))
        ]

    @property
    def troubles(self) -> list[str]:
        """A message for each machine that could not be asked or has not answered."""
        said = [(machine, self._answers.get(machine)) for machine in self.machines]
        return [
            f"{machine.host}: no answer so far" if answer is None else str(answer)
            for machine, answer in said
            if answer is None or isinstance(answer, UsageError)
        ]

    async def settle(self, machine: Machine) -> None:
        """Wait for the answer that the machine owes, if any; then `machine.watch` may be called."""
        if asking := self._asking.get(machine):
            await asyncio.wait([asking])

    async def close(self) -> None:
        """Cancel pending requests and close all machines."""
        for asking in self._asking.values():
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await asyncio.gather(*(machine.close() for machine in self.machines))

    @property
    def _listed(self) -> dict[Machine, Sequence[RunAtWork]]:
        answers = ((machine, self._answers.get(machine)) for machine in self.machines)
        return {p: runs for p, runs in answers if not isinstance(runs, UsageError | None)}


async def _chosen(
    lists: RunLists, config: Config, output: Output | None
) -> tuple[Machine, str] | None:
    """Return the run to attach to, and its machine; None if the person chose none.

    If there are several, the person chooses on the screen; without one, `UsageError` is raised.
    """
    found, troubles, name = lists.found, lists.troubles, lists.name
    if not found and lists.hosts:
        which = f"run {name}" if name else "no run"
        where = " or ".join(lists.hosts)
        raise UsageError(
            "; ".join([f"{which} is {'not ' * bool(name)}in progress on {where}", *troubles])
        )
    if not found:
        raise _nothing(name)
    if output is not None:
        for trouble in troubles:
            print_remark(trouble)
        if len(found) > 1:
            ids = ", ".join(f"{machine.host} {one.summary.run}".strip() for machine, one in found)
            raise UsageError(f"{len(found)} runs are in progress; name one of them: {ids}")
    elif len(found) > 1 or troubles:
        return await _ask(lists, config)
    ((machine, one),) = found
    return machine, one.summary.run


def _nothing(name: str | None) -> UsageError:
    """Return the error that no run of that name is in progress on this machine."""
    if name is None:
        return UsageError("no run is in progress; `lfg run --detach` starts one without a screen")
    with past_runs.open_reader() as reader:
        run = reader.find_run(name)
        is_done = reader.run(run).state == "done"
    resume = "" if is_done else f"; lfg resume {run} continues it"
    return UsageError(f"run {run} has ended; lfg show {run} prints it{resume}")


async def _ask(lists: RunLists, config: Config) -> tuple[Machine, str] | None:
    """Have the person choose one of the runs on a screen, which is updated while it is open."""

    def listed() -> RunsListed:
        rows = [ListedRun(_with_waiting_note(one), machine.host) for machine, one in lists.found]
        return RunsListed(rows, lists.troubles)

    async def look() -> RunsListed:
        await lists.look(_PATIENCE)
        return listed()

    chosen: list[ListedRun] = []
    await show(
        browsing_app(config, lambda context: AttachScreen(context, listed(), look, chosen.append))
    )
    if not chosen:
        return None
    summary, host = chosen[-1]
    machine = next(machine for machine in lists.machines if machine.host == host)
    await lists.settle(machine)
    return machine, summary.run


def _with_waiting_note(run: RunAtWork) -> RunSummary:
    """Return the run's row, whose note says how many requests wait for an answer."""
    waiting = f"{run.waiting} waiting for you" if run.waiting else ""
    return msgspec.structs.replace(run.summary, note=waiting or run.summary.note)


async def _print(remote: RemoteRun, output: Output) -> int:
    """Print entries until the run has ended; return the exit code.

    Printing may block this process: it does not delay the run or its other viewers.
    """
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
    """Print how the run ended, or that it continues, and the command to go on with."""
    if remote.has_ended:
        print_outcome(remote, remote.host)
    else:
        where = f" {remote.host}" if remote.host else ""
        print_remark(f"run {remote.run} goes on: lfg attach {remote.run}{where}")
