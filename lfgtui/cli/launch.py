"""From a plan to a running engine, with a screen or without."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from lfgtui import paths
from lfgtui.config import SIMULATED, Config, api_key, model_of, request_headers
from lfgtui.engine.journal import Journal
from lfgtui.events import Entry, ToolArguments
from lfgtui.history import Reader
from lfgtui.tickets import Ticket

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine

Output: TypeAlias = Literal["states", "json", "answer"]


class Plan(msgspec.Struct, frozen=True):
    """What to run. `resumes` names the stored run to go on with, or None for a new one.

    `output` None is the screen; `environment` is added to that of commands.
    """

    title: str
    tickets: Sequence[Ticket]
    config: Config
    source: Path | None = None
    resumes: str | None = None
    output: Output | None = None
    environment: dict[str, str] = msgspec.field(default_factory=dict)


def launch(plan: Plan) -> int:
    """Check, start, run and close; returns the exit code.

    Raises `UsageError` before anything starts when a provider, a model, a key
    or a theme is missing.
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
        if plan.output is None:
            simulated = bool(used & SIMULATED)
            return _run_on_screen(plan, journal, _builder(plan, journal, stored), simulated)
        from lfgtui.cli.headless import run_headless

        return asyncio.run(run_headless(_builder(plan, journal, stored), plan.output))


def _builder(
    plan: Plan, journal: Journal, stored: dict[str, list[Entry]] | None
) -> Callable[[], Engine]:
    """What builds the engine once its modules may be imported."""

    def build() -> Engine:
        from lfgtui.engine.engine import Engine
        from lfgtui.providers.registry import Providers
        from lfgtui.simulator.embedded import EmbeddedSimulator

        simulator = EmbeddedSimulator()
        return Engine(
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

    return build


def _stored(run: str, tickets: Sequence[Ticket]) -> dict[str, list[Entry]]:
    with Reader(paths.history_file()) as reader:
        return {ticket.id: list(reader.entries(run, ticket.id)) for ticket in tickets}


def _run_on_screen(
    plan: Plan, journal: Journal, build: Callable[[], Engine], simulated: bool
) -> int:
    gc.disable()  # nothing made before the first frame is garbage; `DeferredRun` ends it
    from lfgtui.cli.deferred import DeferredRun
    from lfgtui.ui.app import LfgApp
    from lfgtui.ui.themes import load_themes

    app = LfgApp(
        DeferredRun(journal.run, plan.title, plan.tickets, build),
        config=plan.config,
        open_reader=lambda: Reader(paths.history_file()),
        simulated=simulated,
        summarise=_summarise,
        themes=load_themes(paths.config_file().parent),
    )
    code = app.run()
    return 1 if code is None else code


def _summarise(name: str, arguments: ToolArguments) -> str:
    from lfgtui.tools.summary import summary

    return summary(name, arguments)


def _check_screen(config: Config) -> None:
    """Refuse a theme or key that cannot be, before there is a run to leave behind."""
    from lfgtui.ui.bindings import keys_in_force
    from lfgtui.ui.themes import choose, load_themes

    keys_in_force(config.keys)
    choose(load_themes(paths.config_file().parent), config.theme)
