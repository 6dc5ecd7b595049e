"""Runs on the screen: live runs, whose engine is built after the first frame, and stored ones."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from lfgtui.cli import launching
from lfgtui.cli.launching.detaching.foreground import Foreground, split
from lfgtui.cli.launching.launch import Plan
from lfgtui.engine import signals
from lfgtui.engine.commands import Command
from lfgtui.errors import LfgError
from lfgtui.model.clock import now
from lfgtui.model.events import Sink
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.settings.themes import load_themes
from lfgtui.text.output import print_error, print_remark
from lfgtui.ui.app import FirstScreen, LfgApp
from lfgtui.ui.guard import bug_line, log_bug
from lfgtui.ui.run_view import AttachedRun

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine
    from lfgtui.server.remote_run import RemoteRun


_COLLECTIONS = (20_000, 20, 100)
"""Thresholds of `gc.set_threshold`: new objects before a collection of the youngest generation,
and how many of its collections come before one of the next generation."""


class DeferredRun:
    """Implements `ui.run_view.LiveRun` for a run whose engine is built once it is started.

    Until then it shows `tickets` without entries, and ignores commands. `build`
    runs in a thread. If it raises, `failure` is the error and `give_up` is
    called, as there is nothing to show. If the run's end cannot be saved,
    `failure` is that error.
    """

    def __init__(
        self,
        title: str,
        tickets: Sequence[Ticket],
        build: "Callable[[], Engine]",
        give_up: Callable[[], None],
    ) -> None:
        self.title = title
        self._tickets = tuple(tickets)
        self.failure: Exception | None = None
        self._build = build
        self._give_up = give_up
        self._engine: Engine | None = None
        self._sinks: list[Sink] = []
        self.subscribe = self._sinks.append
        self._starting: asyncio.Task[None] | None = None
        self._reachable = AsyncExitStack()
        self._nothing = Transcript(), Meter()

    @property
    def run(self) -> str:
        return self._engine.run if self._engine else ""

    @property
    def tickets(self) -> Sequence[Ticket]:
        return self._engine.tickets if self._engine else self._tickets

    @property
    def health(self) -> Health:
        return self._engine.health if self._engine else Health()

    @property
    def unfinished(self) -> Sequence[str]:
        return self._engine.unfinished if self._engine else [one.id for one in self.tickets]

    def transcript(self, ticket: str) -> Transcript:
        return self._engine.transcript(ticket) if self._engine else self._nothing[0]

    def meter(self, ticket: str) -> Meter:
        return self._engine.meter(ticket) if self._engine else self._nothing[1]

    def watch(self, tickets: Collection[str]) -> None:
        if self._engine is not None:
            self._engine.watch(tickets)

    def painted(self, tickets: Collection[str]) -> None:
        if self._engine is not None:
            self._engine.painted(tickets)

    def send(self, command: Command) -> None:
        if self._engine is not None:
            self._engine.send(command)

    def start(self) -> None:
        """Build the engine and start it. Call once, from the running loop."""
        collect_rarely()
        self._starting = asyncio.create_task(self._start())

    async def shutdown(self) -> None:
        """End the run, once it has started; an error while saving is kept in `failure`."""
        if self._starting is not None:
            await self._starting
        if self._engine is not None:
            try:
                async with self._reachable:  # closes the socket last, so viewers see the end
                    await self._engine.shutdown()
            except LfgError as error:  # printed after the screen has closed
                self.failure = error

    async def go_on_alone(self) -> None:
        """After the person has detached: work until the last ticket has ended or a signal comes."""
        self.watch(())
        if self._starting is not None:
            await self._starting
        if self._engine is not None:
            await launching.detached.work_alone(self._engine)
        await self.shutdown()

    async def _start(self) -> None:
        """Build the engine in a thread, subscribe the screen's sinks, start it, open its socket."""
        try:
            self._engine = await asyncio.to_thread(self._build)
        except Exception as error:
            self.failure = error
            self._give_up()
            return
        for sink in self._sinks:
            self._engine.subscribe(sink)
        self._engine.start()
        reachable = launching.reachable.reachable
        await self._reachable.enter_async_context(reachable(self._engine))


def run(plan: Plan, build: "Callable[[], Engine]", *, is_simulated: bool) -> tuple[int, str | None]:
    """Run the plan on the screen; return the exit code, and the stored run to resume next."""
    gc.disable()  # until `DeferredRun.start`: nothing made before the first frame is garbage
    is_alone = signals.are_ours() and threading.active_count() == 1
    foreground = split() if is_alone else None
    live = DeferredRun(plan.title, plan.tickets, build, lambda: app.exit(2))
    app = _app(live, plan.config, is_simulated=is_simulated, can_detach=foreground is not None)
    code = _run_app(app, partial(_detach, live, foreground) if foreground else None)
    if live.run:
        launching.next_step.print_outcome(live)
        launching.next_step.print_worktrees(live)
    match live.failure:
        case None:
            return code, app.resumes
        case LfgError() if not live.run:
            raise live.failure
        case LfgError():  # the run took place, but not all of it is saved
            print_error(str(live.failure))
        case _:
            _report_bug(live.failure)
    return max(code, 1), None


def browse(config: Config, first_screen: FirstScreen | None = None) -> tuple[int, str | None]:
    """Show past runs, or `first_screen`; return the exit code, and the stored run to resume."""
    with suppress(LfgError), launching.past_runs.open_reader():
        pass  # only to mark orphaned runs as interrupted; the screen reports an error
    app = browsing_app(config, first_screen)
    return _run_app(app), app.resumes


def browsing_app(config: Config, first_screen: FirstScreen | None) -> LfgApp:
    """Return the app without a live run: for past runs, or with a `first_screen`."""
    collect_rarely()
    return _app(None, config, first_screen=first_screen)


def attached_app(run: "RemoteRun", config: Config) -> LfgApp:
    """Return the app for a run in another process."""
    collect_rarely()
    return _app(run, config, is_simulated=run.is_simulated, clock=run.clock)


def collect_rarely() -> None:
    """Freeze the objects made so far, and collect the rest rarely from now on.

    A full collection looks at every object: with dozens of long panes it stops the screen for a
    few hundred milliseconds, by default every few seconds. Streaming makes hardly any cycles.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    gc.enable()


async def _detach(live: DeferredRun, foreground: Foreground) -> None:
    """Give the terminal back to the shell and continue without one."""
    print_remark(f"run {live.run} goes on: lfg attach {live.run}")
    foreground.let_go()
    await live.go_on_alone()


def _run_app(app: LfgApp, detach: Callable[[], Awaitable[None]] | None = None) -> int:
    """Run the app in an event loop of its own; return the exit code.

    If the person detached from the run, `detach` continues it in the same loop; None if there is
    no process to continue in.
    """

    async def run() -> int:
        code = await show(app)
        if app.leaving.is_detached and detach is not None:
            await detach()
        return code

    return asyncio.run(run())


async def show(app: LfgApp) -> int:
    """Run the app until it ends, and print a bug in it; return the exit code."""
    code = await app.run_async()
    if app.bug is not None:
        _report_bug(app.bug)
    return 1 if code is None else code


def _app(
    run: "DeferredRun | RemoteRun | None",
    config: Config,
    *,
    is_simulated: bool = False,
    can_detach: bool = False,
    first_screen: FirstScreen | None = None,
    clock: Callable[[], float] = now,
) -> LfgApp:
    """Return the app; on the run of another machine, without the history of this one."""
    is_elsewhere = isinstance(run, AttachedRun) and run.host
    return LfgApp(
        run,
        can_detach=can_detach,
        config=config,
        # Not `past_runs.reader` itself, which would import the module now.
        open_reader=None if is_elsewhere else lambda: launching.past_runs.reader(),  # noqa: PLW0108
        simulated=is_simulated,
        themes=load_themes(paths.config_file().parent),
        history_actions=lambda: launching.past_runs.FileHistoryActions(config),
        first_screen=first_screen,
        clock=clock,
    )


def _report_bug(error: Exception) -> None:
    log_bug(error)
    print_error(f"{bug_line(error)}; set LFG_LOG=FILE to log the traceback")
