"""From a plan to a running engine, with a screen or without."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from lfgtui import paths
from lfgtui.ages import seconds_of
from lfgtui.cli.plan import Plan, check_providers, plan_to_resume
from lfgtui.config import SIMULATED, Config
from lfgtui.tickets import Ticket

if TYPE_CHECKING:
    from lfgtui.cli.deferred import DeferredRun
    from lfgtui.engine.engine import Engine
    from lfgtui.events import Entry, ToolArguments
    from lfgtui.history import Reader
    from lfgtui.redaction import Redactor
    from lfgtui.ui.app import LfgApp


def launch(plan: Plan) -> int:
    """Check, start, run and close; returns the exit code.

    Where another run was asked for on the screen, goes on with that one; the
    code is then the worst of theirs.
    Raises `UsageError` before anything starts when a provider, a model, a key
    or a theme is missing, `HistoryError` when the run cannot be stored.
    """
    worst = 0
    while True:
        code, resumes = _launch(plan)
        worst = max(worst, code)
        if resumes is None:
            return worst
        plan = plan_to_resume(resumes, plan.config)


def _launch(plan: Plan) -> tuple[int, str | None]:
    """The exit code, and the stored run to go on with."""
    used = check_providers(plan)
    redactor = None
    if plan.config.history.redact == "write":
        from lfgtui.cli.redacting import redactor_of

        redactor = redactor_of(plan.config)
        plan = _without_secrets(plan, redactor)
    with ExitStack() as closing:
        if plan.output is None:
            simulated = bool(used & SIMULATED)
            return _run_on_screen(plan, lambda: _engine(plan, closing, redactor), simulated)
        from lfgtui.cli.headless import run_headless

        return asyncio.run(run_headless(_engine(plan, closing, redactor), plan.output)), None


def _without_secrets(plan: Plan, redactor: Redactor) -> Plan:
    """The plan as it is stored, shown and told to models: a resume tells them the same."""
    from lfgtui.redaction import redacted_ticket

    tickets = [redacted_ticket(redactor, ticket) for ticket in plan.tickets]
    return msgspec.structs.replace(plan, title=redactor.whole(plan.title), tickets=tickets)


def _engine(plan: Plan, closing: ExitStack, redactor: Redactor | None) -> Engine:
    """Open the history, begin or resume the run, and build what runs it."""
    from lfgtui.cli.lost import tell_lost
    from lfgtui.cli.servers import OwnServers
    from lfgtui.engine.engine import Engine
    from lfgtui.engine.journal import Journal
    from lfgtui.providers.registry import Providers

    journal = closing.enter_context(Journal(paths.history_file(), plan.config.history.durability))
    closing.callback(tell_lost, journal.lost)  # when there is no screen in the way
    stored = None
    if plan.resumes is None:
        journal.begin(plan.title, plan.tickets, plan.source)
    else:
        journal.resume(plan.resumes)
        stored = _stored(plan.resumes, plan.tickets, redactor)
    _tidy(plan.config, closing, has_remains=journal.has_remains)
    servers = OwnServers(plan.config, at_once=min(plan.config.concurrency, len(plan.tickets)))
    return Engine(
        journal,
        plan.title,
        plan.tickets,
        config=plan.config,
        providers=Providers(plan.config, servers.starters),
        headless=plan.output is not None,
        stored=stored,
        environment=plan.environment,
        on_close=servers.aclose,
        redactor=redactor,
    )


def _tidy(config: Config, closing: ExitStack, *, has_remains: bool) -> None:
    """Delete what is older than the config keeps; the run's own lease keeps it out of that."""
    age = config.history.retention
    seconds = None if age is None else seconds_of(age)
    if seconds is not None or has_remains:
        from lfgtui.history.retention import Retention

        closing.callback(Retention(paths.history_file(), seconds).stop)


def _stored(
    run: str, tickets: Sequence[Ticket], redactor: Redactor | None
) -> dict[str, Sequence[Entry]]:
    """What was said so far; what was stored before secrets were taken out goes out without."""
    with _reader() as reader:
        said: dict[str, Sequence[Entry]] = {
            ticket.id: list(reader.entries(run, ticket.id)) for ticket in tickets
        }
    if redactor is None:
        return said
    from lfgtui.redaction import redacted_entries

    return {name: redacted_entries(redactor, entries) for name, entries in said.items()}


def _reader() -> Reader:
    from lfgtui.history import Reader

    return Reader(paths.history_file())


def browse(config: Config) -> int:
    """Past runs on the screen; then the one that was asked for, if any. The exit code."""
    app = _app(None, config)
    code = app.run()
    if app.resumes is not None:
        return launch(plan_to_resume(app.resumes, config))
    return 1 if code is None else code


def _app(run: DeferredRun | None, config: Config, *, simulated: bool = False) -> LfgApp:
    from lfgtui.cli.keeping import FileKeeper
    from lfgtui.looks.themes import load_themes
    from lfgtui.ui.app import LfgApp

    return LfgApp(
        run,
        config=config,
        open_reader=_reader,
        simulated=simulated,
        summarise=summarise,
        themes=load_themes(paths.config_file().parent),
        keeper=FileKeeper(config),
    )


def _run_on_screen(
    plan: Plan, build: Callable[[], Engine], simulated: bool
) -> tuple[int, str | None]:
    gc.disable()  # nothing made before the first frame is garbage; `DeferredRun` ends it
    from lfgtui.cli.deferred import DeferredRun

    run = DeferredRun(plan.title, plan.tickets, build, lambda: app.exit(2))
    app = _app(run, plan.config, simulated=simulated)
    code = app.run()
    if run.run:
        name = "last" if plan.resumes is None else run.run
        sys.stderr.write(f"{_last_line(run, name)}\n")
    if run.failure is not None:
        raise run.failure
    return 1 if code is None else code, app.resumes


def _last_line(run: DeferredRun, name: str) -> str:
    """What is left on the terminal when the screen is gone: how it ended, and what to type."""
    states = Counter(run.transcript(ticket.id).state or "queued" for ticket in run.tickets)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    resume = "" if set(states) == {"done"} else f", lfg resume {name}"
    return f"run {run.run}: {counts} · lfg show {name}{resume}"


def summarise(name: str, arguments: ToolArguments) -> str:
    from lfgtui.tools.summary import summary

    return summary(name, arguments)
