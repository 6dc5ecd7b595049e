"""From a plan to a running engine, with a screen or without."""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from lfgtui.cli.launching.run_plan import Plan, check_providers, plan_to_resume
from lfgtui.errors import LfgError
from lfgtui.model.tickets import Ticket
from lfgtui.settings import environment, paths
from lfgtui.settings.config import SIMULATED, Config
from lfgtui.settings.credentials import held_keys
from lfgtui.settings.durations import seconds_of
from lfgtui.text.output import print_error, print_remark

if TYPE_CHECKING:
    from lfgtui.cli.launching.deferred import DeferredRun
    from lfgtui.engine.engine import Engine
    from lfgtui.history.reader import Reader
    from lfgtui.model.events import Entry, ToolArguments
    from lfgtui.text.redaction.redactor import Redactor
    from lfgtui.ui.app import LfgApp


def launch(plan: Plan) -> int:
    """Check, start, run and close; returns the exit code.

    Where another run was asked for on the screen, goes on with that one; the
    code is then the worst of theirs.
    Raises `UsageError` before anything starts when a provider, a model, a key
    or a theme is missing, `HistoryError` when the run cannot be stored,
    `UnicodeEncodeError` where a prompt, a model or a path is not UTF-8.
    """
    msgspec.json.encode(plan.tickets)  # what cannot be stored is refused before there is a screen
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
    _warn_of_root(plan, used)
    if plan.config.history.redact == "write" or _says_a_key(plan):
        from lfgtui.cli.launching.redactors import redactor_for_writing

        plan = _without_secrets(plan, redactor_for_writing(plan.config))
    unsaved: list[str] = []
    resumes = None
    with ExitStack() as closing:

        def build() -> Engine:
            return _engine(plan, closing, unsaved)

        if plan.output is None:
            code, resumes = _run_on_screen(plan, build, bool(used & SIMULATED))
        else:
            from lfgtui.cli.launching.headless import run_headless

            code = asyncio.run(run_headless(build(), plan.output))
    return (max(code, 1), None) if unsaved else (code, resumes)


def _warn_of_root(plan: Plan, used: set[str]) -> None:
    """Say so where a command could read keys out of lfg's memory."""
    said = [plan.config.provider(name) for name in used]
    has_keys = any(one.api_key_env or one.api_key_command for one in said)
    has_commands = any("run_command" in ticket.tools for ticket in plan.tickets)
    if has_keys and has_commands and os.geteuid() == 0:
        print_error("running as root, so commands that agents run can read your keys")


def _says_a_key(plan: Plan) -> bool:
    """Return True if a key stands in what is shown before there is an engine."""
    said = (plan.title, *(f"{ticket.title}\n{ticket.prompt}" for ticket in plan.tickets))
    return any(key in text for key in held_keys(plan.config) for text in said)


def _without_secrets(plan: Plan, redactor: Redactor) -> Plan:
    """The plan as it is stored, shown and told to models: a resume tells them the same."""
    from lfgtui.model.redaction import redacted_ticket

    tickets = [redacted_ticket(redactor, ticket) for ticket in plan.tickets]
    return msgspec.structs.replace(plan, title=redactor.whole(plan.title), tickets=tickets)


def _engine(plan: Plan, closing: ExitStack, unsaved: list[str]) -> Engine:
    """Open the history, begin or resume the run, and build what runs it.

    What cannot be saved by the end is put into `unsaved`.
    """
    from lfgtui.cli.launching.redactors import hide_secrets, redactor_for_writing
    from lfgtui.cli.launching.servers import OwnServers
    from lfgtui.cli.missing_runs import tell_lost, tell_of_file
    from lfgtui.engine.engine import Engine
    from lfgtui.engine.journal import Journal
    from lfgtui.providers.registry import Providers

    hide_secrets(plan.config)
    redactor = redactor_for_writing(plan.config)
    plan = _without_secrets(plan, redactor)
    journal = Journal(paths.history_file(), plan.config.history.durability)
    # Told when it is closed: closing may be what saves all.
    closing.callback(tell_of_file, journal, unsaved)
    closing.enter_context(journal)
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
        providers=Providers(plan.config, servers.starters, lambda key: redactor.learn([key])),
        headless=plan.output is not None,
        stored=stored,
        environment={**_given_variables(plan.config), **plan.environment},
        on_close=servers.aclose,
        redactor=redactor,
    )


def _given_variables(config: Config) -> dict[str, str]:
    """The variables that commands get although they look secret."""
    values = {name: environment.variable(name) for name in config.command_variables}
    return {name: value for name, value in values.items() if value is not None}


def _tidy(config: Config, closing: ExitStack, *, has_remains: bool) -> None:
    """Delete what is older than the config keeps; the run's own lease keeps it out of that."""
    age = config.history.retention
    seconds = None if age is None else seconds_of(age)
    if seconds is not None or has_remains:
        from lfgtui.history.maintenance.deletion import Retention

        closing.callback(Retention(paths.history_file(), seconds).stop)


def _stored(run: str, tickets: Sequence[Ticket], redactor: Redactor) -> dict[str, Sequence[Entry]]:
    """What was said so far; what was stored before secrets were taken out goes out without."""
    with _reader() as reader:
        said: dict[str, Sequence[Entry]] = {
            ticket.id: list(reader.whole_entries(run, ticket.id)) for ticket in tickets
        }
    if redactor.is_idle:
        return said
    from lfgtui.model.redaction import redacted_entries

    return {name: redacted_entries(redactor, entries) for name, entries in said.items()}


def _reader() -> Reader:
    from lfgtui.history.reader import Reader

    return Reader(paths.history_file())


def browse(config: Config) -> int:
    """Past runs on the screen; then the one that was asked for, if any. The exit code."""
    app = _app(None, config)
    code = run_app(app)
    if app.resumes is not None:
        return launch(plan_to_resume(app.resumes, config))
    return code


def run_app(app: LfgApp) -> int:
    """Run it until it ends, and say what went wrong in it; returns the exit code."""
    code = app.run()
    if app.bug is not None:
        _tell_bug(app.bug)
    return 1 if code is None else code


def _tell_bug(error: Exception) -> None:
    from lfgtui.ui.guard import bug_line, log_bug

    log_bug(error)
    print_error(f"{bug_line(error)}; LFG_LOG=FILE keeps the traceback")


def _app(run: DeferredRun | None, config: Config, *, simulated: bool = False) -> LfgApp:
    from lfgtui.cli.launching.run_actions import FileKeeper
    from lfgtui.settings.themes import load_themes
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
    from lfgtui.cli.launching.deferred import DeferredRun

    run = DeferredRun(plan.title, plan.tickets, build, lambda: app.exit(2))
    app = _app(run, plan.config, simulated=simulated)
    code = run_app(app)
    if run.run:
        name = "last" if plan.resumes is None else run.run
        print_remark(_last_line(run, name))
    if run.failure is None:
        return code, app.resumes
    if not isinstance(run.failure, LfgError):
        _tell_bug(run.failure)
    elif run.run:  # it ran, and its end is not saved where it belongs
        print_error(str(run.failure))
    else:
        raise run.failure
    return max(code, 1), None


def _last_line(run: DeferredRun, name: str) -> str:
    """What is left on the terminal when the screen is gone: how it ended, and what to type."""
    states = Counter(run.transcript(ticket.id).state or "queued" for ticket in run.tickets)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    resume = "" if set(states) == {"done"} else f", lfg resume {name}"
    return f"run {run.run}: {counts} · lfg show {name}{resume}"


def summarise(name: str, arguments: ToolArguments) -> str:
    from lfgtui.tools.summary import summary

    return summary(name, arguments)
