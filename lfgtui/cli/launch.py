"""From a plan to a running engine, with a screen or without."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lfgtui import paths
from lfgtui.cli.headless import Output, run_headless
from lfgtui.config import SIMULATED, Config, api_key, model_of, request_headers
from lfgtui.engine.engine import Engine
from lfgtui.engine.journal import Journal
from lfgtui.events import Entry
from lfgtui.history import Reader
from lfgtui.providers.registry import Providers
from lfgtui.simulator.embedded import EmbeddedSimulator
from lfgtui.tickets import Ticket
from lfgtui.tools import summary


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `resumes` names the stored run to go on with, or None for a new one."""

    title: str
    tickets: Sequence[Ticket]
    config: Config
    source: Path | None = None
    resumes: str | None = None
    output: Output | None = None
    environment: dict[str, str] = field(default_factory=dict)


def launch(plan: Plan) -> int:
    """Check, start, run and close; returns the exit code.

    `output` None is the screen. Raises `UsageError` before anything starts
    when a provider, a model or a key is missing.
    """
    used = {model_of(plan.config, ticket)[0] for ticket in plan.tickets}
    for name in used - SIMULATED:
        provider = plan.config.provider(name)
        if provider.api_key_command is None:  # a command may ask the person: only when needed
            api_key(name, provider)
        request_headers(name, provider)
    if plan.output is None:
        _check_screen(plan.config)
    with Journal(paths.history_file()) as journal:
        stored = None
        if plan.resumes is None:
            journal.begin(plan.title, plan.tickets, plan.source)
        else:
            journal.resume(plan.resumes)
            stored = _stored(plan.resumes, plan.tickets)
        simulator = EmbeddedSimulator()
        engine = Engine(
            journal,
            plan.title,
            plan.tickets,
            config=plan.config,
            providers=Providers(plan.config, simulator.start),
            headless=plan.output is not None,
            stored=stored,
            environment=plan.environment,
            on_close=simulator.aclose,
        )
        if plan.output is not None:
            return asyncio.run(run_headless(engine, plan.output))
        return _run_on_screen(engine, plan, simulated=bool(used & SIMULATED))


def _stored(run: str, tickets: Sequence[Ticket]) -> dict[str, list[Entry]]:
    with Reader(paths.history_file()) as reader:
        return {ticket.id: list(reader.entries(run, ticket.id)) for ticket in tickets}


def _run_on_screen(engine: Engine, plan: Plan, *, simulated: bool) -> int:
    from lfgtui.ui.app import LfgApp
    from lfgtui.ui.themes import load_themes

    app = LfgApp(
        engine,
        config=plan.config,
        open_reader=lambda: Reader(paths.history_file()),
        simulated=simulated,
        summarise=summary,
        themes=load_themes(paths.config_file().parent),
    )
    code = app.run()
    return 1 if code is None else code


def _check_screen(config: Config) -> None:
    """Refuse a theme or key that cannot be, before there is a run to leave behind."""
    from lfgtui.ui.bindings import keys_in_force
    from lfgtui.ui.themes import choose, load_themes

    keys_in_force(config.keys)
    choose(load_themes(paths.config_file().parent), config.theme)
