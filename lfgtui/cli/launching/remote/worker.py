"""`lfg worker`: builds the engine of each ticket that this machine gets from a run elsewhere.

Also what a run needs of its workers at start: the check that Redis is there, and `RunWorkers`. The
protocol is in `lfgtui/server/workers`; see docs/workers.md.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec

from lfgtui.cli.launching.launch import Plan, check_providers
from lfgtui.cli.launching.redactors import hide_secrets, redactor_for_writing
from lfgtui.cli.launching.session import OwnServers, build_walls
from lfgtui.doctor.findings import Finding
from lfgtui.engine import signals
from lfgtui.engine.engine import Engine
from lfgtui.engine.session import Session
from lfgtui.errors import UsageError
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.tickets import TICKET_ID, Ticket
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.processes.usage import available_memory
from lfgtui.providers.registry import Providers
from lfgtui.server.workers.checkout import Repositories, checked_out
from lfgtui.server.workers.connection import Connection, workers_at
from lfgtui.server.workers.protocol import Job, entries_of
from lfgtui.server.workers.run_workers import RunWorkers
from lfgtui.server.workers.worker import Worker
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.machines import WorkersPolicy, address_of
from lfgtui.text.output import print_remark
from lfgtui.text.terminal_safe import visible_line


async def run_worker(
    url: str, name: str, config: Config, slots: int, labels: tuple[str, ...]
) -> int:
    """Work until a signal; return the exit code. Raises `UsageError` if there is no Redis.

    `slots` is how many tickets it works on at once; each has an engine of its own.
    """
    hide_secrets(config)
    config = msgspec.structs.replace(config, concurrency=1, on_end=())
    connection = Connection(url)
    await connection.check()
    jobs = Jobs(config, name, slots)
    worker = Worker(connection, name, jobs.open, slots=slots, labels=labels, say=_say)
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if not stopped.done():
            stopped.set_result(number)

    some = f"{slots} slot{'s' * (slots != 1)}, labels: {', '.join(labels) or 'none'}"
    _say(f"worker {name} takes tickets from {connection.address} ({some})")
    with signals.delivered(loop, stop):
        try:
            await worker.run(stopped)
        finally:
            await jobs.servers.aclose()
    return 128 + stopped.result()


def check_reachable(url: str) -> None:
    """Raise `UsageError` if there is no Redis at the URL."""
    asyncio.run(workers_at(url))


def examine_workers(url: str) -> Finding:
    """Return whether Redis answers at the URL, and which workers are there."""
    try:
        there = asyncio.run(workers_at(url))
    except UsageError as error:
        return Finding("workers", "fix", str(error))
    address = address_of(url)
    if not there:
        fix = "run lfg worker on each machine that should work"
        return Finding("workers", "note", f"{address} answers; no worker is running", fix)
    workers = (f"{one.name} ({', '.join(one.labels) or 'no labels'})" for one in there)
    return Finding("workers", "ok", f"{address} answers; running: {', '.join(workers)}")


def run_workers(policy: WorkersPolicy, session: Session, title: str) -> RunWorkers:
    """Return the workers of a run, for its engine."""
    assert policy.url is not None
    connection = Connection(policy.url)
    out = session.recorder.hand_outs(session.run)
    return RunWorkers(session, title, connection, policy.lease, out, policy.remote)


def _say(line: str) -> None:
    print_remark(f"{time.strftime('%H:%M:%S')}  {visible_line(line)}")


class Jobs:
    """Opens an engine for each job of the worker `name`.

    All share `servers`, the simulator and the local model, which `run_worker` closes.
    """

    def __init__(self, config: Config, name: str, slots: int) -> None:
        self._config = config
        self._name = name
        self.servers = OwnServers(config, at_once=slots)
        self._repositories = Repositories(paths.data_dir() / "worker" / "repositories")

    @asynccontextmanager
    async def open(self, job: Job, deadline: SharedDeadline) -> AsyncIterator[Engine]:
        """Open the engine of a job; its programs are killed at the deadline, which may be moved.

        Raises `LfgError` if the job cannot be done here.
        """
        source, ticket = job.source, await asyncio.to_thread(ticket_of, job)
        workspace = Path(ticket.workspace)
        if source is not None:
            workspace = await self._repositories.workspace(source)
            ticket = msgspec.structs.replace(ticket, workspace=str(workspace))
        closing = ExitStack()
        try:
            if source is None:
                closing.callback(_remove_if_empty, workspace)
            engine = await asyncio.to_thread(self._open, job, ticket, deadline, closing)
            if source is None:
                yield engine
                return
            made = (paths.worktrees_dir(), engine.run, ticket.id, workspace)
            async with checked_out(self._repositories, source, *made) as checkout:
                engine.subscribe(checkout.take)
                yield engine
        finally:
            await asyncio.to_thread(closing.close)

    def _open(
        self, job: Job, ticket: Ticket, deadline: SharedDeadline, closing: ExitStack
    ) -> Engine:
        """Begin a run in this machine's history with the job's entries, and build its engine."""
        plan = Plan(f"{job.title} ({job.run})", [ticket], self._config)
        check_providers(plan)
        redactor = redactor_for_writing(self._config)
        recorder = Recorder(paths.history_file(), self._config.history.durability)
        closing.callback(recorder.close)
        run = recorder.start_run(plan.title, plan.tickets, None)
        stored = entries_of(run, ticket.id, job.entries)
        recorder.submit_numbered(stored)
        recorder.flush(saved=True).result()
        walls = build_walls(plan, deadline)
        closing.callback(walls.close)
        session = Session(
            run=run,
            recorder=recorder,
            config=self._config,
            providers=Providers(
                self._config, self.servers.starters, lambda key: redactor.learn([key])
            ),
            redactor=redactor,
            headless=job.is_headless,
            available_memory=available_memory(),
            walls=walls,
            worker=self._name,
        )
        return Engine(
            session,
            plan.title,
            plan.tickets,
            stored={ticket.id: stored},
            answers={ticket.id: job.answers},
        )


def _remove_if_empty(folder: Path) -> None:
    """Remove a ticket's folder, and that of its run, if they are empty."""
    with suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def ticket_of(job: Job) -> Ticket:
    """Return the ticket as this machine runs it, in a folder made for it unless it gets a checkout.

    Its needs are dropped, as the job brings their answers, and so are its sandbox settings: this
    machine's config decides those. Raises `UsageError` for ids that are no safe folder names.
    """
    if not (TICKET_ID.fullmatch(job.run) and TICKET_ID.fullmatch(job.ticket.id)):
        raise UsageError("the ids of its run and itself are none that lfg gives")
    if {job.run, job.ticket.id} & {".", ".."}:
        raise UsageError("its id is no name of a folder")
    folder = paths.data_dir() / "worker" / job.run / job.ticket.id
    if job.source is None:
        folder.mkdir(parents=True, exist_ok=True)
    return msgspec.structs.replace(
        job.ticket,
        workspace=str(Path(folder).resolve()),
        needs=(),
        copy_of="",
        choose=None,
        sandbox=None,
        readable=(),
        writable=(),
    )
