"""From a plan to a running engine, with a screen or without."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from lfgtui import paths
from lfgtui.ages import seconds_of
from lfgtui.config import LOCAL, SIMULATED, Config, api_key, request_headers, routes_of
from lfgtui.errors import UsageError
from lfgtui.tickets import Ticket

if TYPE_CHECKING:
    from lfgtui.cli.deferred import DeferredRun
    from lfgtui.engine.engine import Engine
    from lfgtui.events import Entry, ToolArguments
    from lfgtui.history import Reader
    from lfgtui.redaction import Redactor

Output: TypeAlias = Literal["states", "json", "answer"]


class Plan(msgspec.Struct, frozen=True):
    """What to run. `resumes` names the stored run to go on with, or None for a new one.

    `unfinished` are the ids that will be worked on, None for all. `output` None is the screen;
    `environment` is added to that of commands.
    """

    title: str
    tickets: Sequence[Ticket]
    config: Config
    source: Path | None = None
    resumes: str | None = None
    unfinished: frozenset[str] | None = None
    output: Output | None = None
    environment: dict[str, str] = {}


def launch(plan: Plan) -> int:
    """Check, start, run and close; returns the exit code.

    Raises `UsageError` before anything starts when a provider, a model, a key
    or a theme is missing, `HistoryError` when the run cannot be stored.
    """
    used = _check_providers(plan)
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

        return asyncio.run(run_headless(_engine(plan, closing, redactor), plan.output))


def _without_secrets(plan: Plan, redactor: Redactor) -> Plan:
    """The plan as it may be shown and as models are told it; what goes beside stays real."""
    tickets = [
        msgspec.structs.replace(
            ticket, title=redactor.text(ticket.title), prompt=redactor.text(ticket.prompt)
        )
        for ticket in plan.tickets
    ]
    return msgspec.structs.replace(plan, title=redactor.text(plan.title), tickets=tickets)


def _check_providers(plan: Plan) -> set[str]:
    """The providers that will be used, each with its key and, where a cost is limited, a price."""
    used: set[str] = set()
    for ticket in plan.tickets:
        if plan.unfinished is not None and ticket.id not in plan.unfinished:
            continue
        for name, _ in routes_of(plan.config, ticket):
            _check_provider(plan.config, ticket, name, is_checked=name in used | SIMULATED)
            used.add(name)
    return used


def _check_provider(config: Config, ticket: Ticket, name: str, *, is_checked: bool) -> None:
    provider = config.provider(name)
    if ticket.max_cost is not None and provider.price is None:
        raise UsageError(
            f'ticket "{ticket.id}" has max_cost, but provider "{name}" has no price;'
            f" set price in [providers.{name}] of the config"
        )
    if not is_checked:
        if provider.api_key_command is None:  # a command may ask the person: when needed
            api_key(name, provider)
        request_headers(name, provider)
        if name == LOCAL and provider.base_url is None:
            from lfgtui.local.model import find_model

            find_model(provider.model_file)


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
        journal.begin(plan.title, _stored_as(plan.tickets, redactor), plan.source)
    else:
        journal.resume(plan.resumes)
        stored = _stored(plan.resumes, plan.tickets)
    _tidy(plan.config, closing)
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


def _tidy(config: Config, closing: ExitStack) -> None:
    """Delete what is older than the config keeps; the run's own lease keeps it out of that."""
    age = config.history.retention
    if age is not None and (seconds := seconds_of(age)) is not None:
        from lfgtui.history.retention import Retention

        closing.callback(Retention(paths.history_file(), seconds).stop)


def _stored_as(tickets: Sequence[Ticket], redactor: Redactor | None) -> Sequence[Ticket]:
    if redactor is None:
        return tickets
    from lfgtui.redaction import redacted_ticket

    return [redacted_ticket(redactor, ticket) for ticket in tickets]


def _stored(run: str, tickets: Sequence[Ticket]) -> dict[str, list[Entry]]:
    with _reader() as reader:
        return {ticket.id: list(reader.entries(run, ticket.id)) for ticket in tickets}


def _reader() -> Reader:
    from lfgtui.history import Reader

    return Reader(paths.history_file())


def _run_on_screen(plan: Plan, build: Callable[[], Engine], simulated: bool) -> int:
    gc.disable()  # nothing made before the first frame is garbage; `DeferredRun` ends it
    from lfgtui.cli.deferred import DeferredRun
    from lfgtui.looks.themes import load_themes
    from lfgtui.ui.app import LfgApp

    run = DeferredRun(plan.title, plan.tickets, build, lambda: app.exit(2))
    app = LfgApp(
        run,
        config=plan.config,
        open_reader=_reader,
        simulated=simulated,
        summarise=summarise,
        themes=load_themes(paths.config_file().parent),
    )
    code = app.run()
    if run.run:
        sys.stderr.write(f"{_last_line(run)}\n")
    if run.failure is not None:
        raise run.failure
    return 1 if code is None else code


def _last_line(run: DeferredRun) -> str:
    """What is left on the terminal when the screen is gone: how it ended, and what to type."""
    states = Counter(run.transcript(ticket.id).state or "queued" for ticket in run.tickets)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    hint = "lfg show last" if set(states) == {"done"} else "lfg show last, lfg resume last"
    return f"run {run.run}: {counts} · {hint}"


def summarise(name: str, arguments: ToolArguments) -> str:
    from lfgtui.tools.summary import summary

    return summary(name, arguments)
