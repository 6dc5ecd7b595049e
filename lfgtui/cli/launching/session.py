"""Builds the engine of a run, and what it works with: recorder, providers, own servers, sandbox."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Event, Thread
from typing import TYPE_CHECKING

import msgspec

from lfgtui.cli import launching
from lfgtui.cli.launching.launch import Plan
from lfgtui.cli.launching.past_runs import reader, report_missing
from lfgtui.cli.launching.redactors import hide_secrets, redactor_for_writing, without_secrets
from lfgtui.engine.engine import Engine
from lfgtui.engine.session import Session
from lfgtui.errors import HistoryError, UsageError
from lfgtui.export.outbox import Outbox
from lfgtui.history.deletion import delete_old
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model.events import Entry
from lfgtui.model.redaction import redacted_entries
from lfgtui.model.tickets import Ticket
from lfgtui.processes.private_folder import sweep
from lfgtui.processes.sandbox.availability import find_sandbox
from lfgtui.processes.sandbox.walls import Walls
from lfgtui.processes.shared_deadline import SharedDeadline
from lfgtui.processes.usage import available_memory
from lfgtui.providers.registry import Providers, Starter
from lfgtui.settings import environment, paths
from lfgtui.settings.config import Config
from lfgtui.settings.providers import LOCAL, PRESETS, SIMULATED
from lfgtui.simulator.local import local_model
from lfgtui.simulator.subprocess_server import SubprocessServer
from lfgtui.text.figures import age_seconds
from lfgtui.text.output import print_error
from lfgtui.text.redactor import Redactor
from lfgtui.workspace.kept import KeptFiles

if TYPE_CHECKING:
    from lfgtui.cli.launching.on_end import Hooks


def build_engine(plan: Plan, closing: ExitStack, unsaved: list[str]) -> Engine:
    """Open the history, begin or resume the run, and build its engine.

    The caller closes it all by `closing`, in reverse order of what is entered here. Afterwards
    `unsaved` has the messages about what could not be saved.
    """
    hide_secrets(plan.config)
    redactor = redactor_for_writing(plan.config)
    hooks = _hooks(plan, closing)
    plan = without_secrets(plan, redactor)
    recorder = Recorder(paths.history_file(), plan.config.history.durability)
    # Entered before the recorder, so it runs after its close, which may still save everything.
    closing.callback(_report_file, recorder, unsaved)
    closing.enter_context(recorder)
    closing.callback(report_missing, recorder.lost)  # printed after the screen has closed
    stored = None
    if plan.resumes is None:
        source = plan.source and plan.source.resolve()  # absolute, so that any folder finds it
        run = recorder.start_run(plan.title, plan.tickets, source)
    else:
        run = plan.resumes
        recorder.resume_run(run, with_workers=plan.config.workers.url is not None)
        stored = stored_entries(run, plan.tickets, redactor)
    _delete_old_runs(plan.config, closing, has_remains=recorder.has_remains)
    servers = OwnServers(plan.config, at_once=min(plan.config.concurrency, len(plan.tickets)))
    walls = build_walls(plan)
    closing.callback(walls.close)
    session = Session(
        run=run,
        recorder=recorder,
        config=plan.config,
        providers=Providers(plan.config, servers.starters, lambda key: redactor.learn([key])),
        redactor=redactor,
        headless=plan.output is not None,
        available_memory=available_memory(),
        kept=_kept_files(plan.config),
        run_limits=plan.run_limits,
        walls=walls,
        environment={**_given_variables(plan.config), **plan.environment},
    )
    remote = None
    if plan.config.workers.url is not None and not plan.is_harmless:
        remote = launching.worker.run_workers(plan.config.workers, session, plan.title)
    engine = Engine(
        session, plan.title, plan.tickets, stored=stored, remote=remote, on_close=servers.aclose
    )
    for ticket in plan.tickets if plan.is_imported else ():
        engine.transcript(ticket.id).rules = []
    if hooks is not None:
        hooks.watch(engine, recorder)
    return engine


def _hooks(plan: Plan, closing: ExitStack) -> "Hooks | None":
    """Return the hooks of the run's end, None if there are none and no messages wait in the outbox.

    They are entered before the recorder, and so closed when all is saved.
    """
    if plan.is_harmless or not (plan.config.on_end or Outbox(paths.outbox()).waiting()):
        return None
    patience = launching.on_end.PATIENCE
    if plan.output is None:
        patience = launching.on_end.PATIENCE_OF_A_SCREEN
    hooks = launching.on_end.Hooks(plan.config, patience=patience)
    closing.callback(hooks.close)
    return hooks


def build_walls(plan: Plan, deadline: SharedDeadline | None = None) -> Walls:
    """Return the sandbox settings and limits of the plan's commands; lfg's own files are hidden.

    Raises `UsageError` if a sandbox is required and none is possible.
    """
    policy, found = plan.config.sandbox, find_sandbox()
    modes = {ticket.sandbox or policy.mode for ticket in plan.tickets}
    if not found.program:
        if "bwrap" in modes:
            fix = found.fix or 'set sandbox = "none" to run commands without one'
            raise UsageError(f'sandbox = "bwrap": {found.reason}; {fix}')
        if plan.is_harmless:
            policy = msgspec.structs.replace(policy, mode="none")
    Thread(target=sweep, name="lfg-sweep", daemon=True).start()
    hidden = (paths.data_dir(), paths.config_file())
    return Walls(policy, found, hidden, available_memory(), deadline)


def stored_entries(
    run: str, tickets: Sequence[Ticket], redactor: Redactor
) -> dict[str, Sequence[Entry]]:
    """Return each ticket's entries so far, without the secrets that the redactor knows now."""
    with reader() as history:
        entries: dict[str, Sequence[Entry]] = {
            ticket.id: list(history.whole_entries(run, ticket.id)) for ticket in tickets
        }
    if redactor.is_idle:
        return entries
    return {name: redacted_entries(redactor, of_ticket) for name, of_ticket in entries.items()}


def _report_file(recorder: Recorder, unsaved: list[str]) -> None:
    """Print remarks about the history file; if the recorder failed, add its error to `unsaved`."""
    if isinstance(recorder.failure, HistoryError):
        unsaved.append(str(recorder.failure))
    for line in [*recorder.file.remarks, *unsaved]:
        print_error(line)


def _given_variables(config: Config) -> dict[str, str]:
    """Return the variables that the config gives to commands although they look secret."""
    values = {name: environment.variable(name) for name in config.command_variables}
    return {name: value for name, value in values.items() if value is not None}


def _kept_files(config: Config) -> KeptFiles | None:
    """Return the store of files for undo; None if the config keeps none."""
    most = config.undo.total_bytes
    return KeptFiles.beside(paths.history_file(), most, config.undo.file_bytes) if most else None


def _delete_old_runs(config: Config, closing: ExitStack, *, has_remains: bool) -> None:
    """Delete old runs in a thread, and the rest of deleted ones; this run's lease protects it."""
    age = config.history.retention
    seconds = None if age is None else age_seconds(age)
    if seconds is not None or has_remains:
        stopped = Event()
        arguments = (paths.history_file(), seconds, stopped)
        deleting = Thread(target=delete_old, args=arguments, name="lfg-retention", daemon=True)
        deleting.start()
        closing.callback(deleting.join)
        closing.callback(stopped.set)


class OwnServers:
    """The simulator and the local model; each starts with the first request to its provider.

    `at_once` is how many requests the local model answers at the same time; the simulator has no
    such limit. `starters` go to `Providers`. Whoever makes one has to `aclose` it.
    """

    def __init__(self, config: Config, *, at_once: int = 1) -> None:
        self._simulator = embedded_simulator()
        self._local = local_model(config.providers.get(LOCAL, PRESETS[LOCAL]), at_once=at_once)
        self.starters: dict[str, Starter] = {
            **dict.fromkeys(SIMULATED, self._simulator.start),
            LOCAL: self._local.start,
        }

    async def aclose(self) -> None:
        """Stop the servers that run."""
        await asyncio.gather(self._simulator.aclose(), self._local.aclose())


def embedded_simulator(*options: str) -> SubprocessServer:
    """Return the simulator as a child process, with `options` of `lfg simulator`."""
    return SubprocessServer("simulator", "lfgtui", ("simulator", "--embedded", *options))
