"""A `Plan` says what is run, and `launch` runs it: check, start, run, close.

Commands make a plan from options and a tickets file (`file_tickets`) or a prompt
(`prompt_tickets`); what a person can get wrong is refused here, before a screen opens.
"""

import asyncio
import os
import shlex
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from lfgtui.cli import launching
from lfgtui.errors import SourceError, UsageError
from lfgtui.model.needs import select
from lfgtui.model.ticket_keys.on_end import OnEnd
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.model.tickets import Ticket, side_by_side
from lfgtui.model.tickets_file import TicketsFile, read_tickets, single_ticket
from lfgtui.settings import environment, paths
from lfgtui.settings.agents import IGNORED, find_program, program_path
from lfgtui.settings.config import Config, installed_agents, route_of, routes_of, split_name
from lfgtui.settings.credentials import (
    api_key,
    held_keys,
    request_headers,
    server_variables,
    signing_keys,
)
from lfgtui.settings.machines import check_redis
from lfgtui.settings.mcp import INSTALL
from lfgtui.settings.providers import LOCAL, PRESETS, SIMULATED
from lfgtui.simulator.local import find_model
from lfgtui.text import toml_file
from lfgtui.text.output import print_error, print_remark

if TYPE_CHECKING:
    from lfgtui.engine.engine import Engine

Output: TypeAlias = Literal["states", "json", "answer", "raw"]
"""The output of a run without a screen: a line per state change, all events, or one answer, made
safe for a terminal or as it came."""


class Plan(msgspec.Struct, frozen=True):
    """Tickets to run, and how.

    `source` is the tickets file, None for a prompt. `resumes` is the id of the stored run that is
    continued, None for a new run; if that `is_imported`, its rules of approval do not hold, as
    somebody else gave them. `unfinished` are the ids of the tickets to work on, None for all.
    `output` None is the screen, unless the run `is_detached`: then viewers answer its requests.
    `environment` is added to that of commands, which need no sandbox if the plan `is_harmless`.
    `run_limits` override those of the run that is resumed. `on_end` are hooks of the tickets file,
    in addition to the config's.
    """

    title: str
    tickets: Sequence[Ticket]
    config: Config
    source: Path | None = None
    resumes: str | None = None
    is_imported: bool = False
    unfinished: frozenset[str] | None = None
    output: Output | None = None
    is_harmless: bool = False
    environment: dict[str, str] = {}
    is_detached: bool = False
    run_limits: RunLimits = RunLimits()
    on_end: tuple[OnEnd, ...] = ()


def launch(plan: Plan) -> int:
    """Run the plan, then any run that is resumed on its screen; return the higher exit code."""
    code, resumes = run_plan(plan)
    return max(code, resume(resumes, plan.config))


def run_plan(plan: Plan) -> tuple[int, str | None]:
    """Run the plan; return the exit code, and the stored run to resume next.

    Raises `UsageError` before anything starts if a provider, a model or a key is missing,
    `HistoryError` if the run cannot be stored, `UnicodeEncodeError` if a prompt, a model or a path
    is not UTF-8.
    """
    hooks = (*plan.config.on_end, *plan.on_end)
    plan = msgspec.structs.replace(
        plan, config=msgspec.structs.replace(plan.config, on_end=hooks), on_end=()
    )
    msgspec.json.encode(plan.tickets)  # raises, before a screen opens, for what cannot be stored
    used = check_providers(plan)
    _check_workers(plan)
    _check_hooks(hooks)
    _warn_of_root(plan, used)
    _remark_on_ignored(plan)
    if plan.config.history.redact == "write" or _contains_key(plan):
        plan = launching.redactors.without_secrets(plan)
    unsaved: list[str] = []
    resumes = None
    with ExitStack() as closing:

        def build() -> "Engine":
            return launching.session.build_engine(plan, closing, unsaved)

        if plan.is_detached:
            code = launching.detached.run(build)
        elif plan.output is None:
            code, resumes = launching.screen.run(plan, build, is_simulated=bool(used & SIMULATED))
        else:
            run_headless, unit = launching.headless.run_headless, plan.config.stream_unit
            code = asyncio.run(run_headless(build(), plan.output, unit))
    if unsaved:
        return max(code, 1), None
    return code, resumes


def resume(run: str | None, config: Config) -> int:
    """Run what a stored run did not finish, if there is one; return the exit code."""
    return 0 if run is None else launch(launching.past_runs.plan_to_resume(run, config))


def check_providers(plan: Plan) -> set[str]:
    """Return the names of the providers that the plan's unfinished tickets use.

    Raises `UsageError` if a key, a price, or the program of an agent or MCP server is missing.
    What only workers need is theirs to check.
    """
    used, here = set[str](), set[str]()
    for ticket in plan.tickets:
        if plan.unfinished is not None and ticket.id not in plan.unfinished:
            continue
        for name, _ in routes_of(plan.config, ticket):
            provider = plan.config.provider(name)
            if ticket.max_cost is not None and provider.price is None and provider.wire != "acp":
                raise UsageError(
                    f'ticket "{ticket.id}" has max_cost, but provider "{name}" has no price;'
                    f" set price in [providers.{name}] of the config"
                )
            used.add(name)
            if _is_here(plan.config, ticket):
                here.add(name)
        if _is_here(plan.config, ticket):
            _check_servers(plan.config, ticket)
    for name in sorted(here - SIMULATED):
        provider = plan.config.provider(name)
        if provider.api_key_command is None:  # a command may ask the person: not before needed
            api_key(name, provider)
        request_headers(name, provider)
        if name == LOCAL and provider.base_url is None:
            find_model(provider.model_file)
        if provider.wire == "acp":
            find_program(name, provider.command, provider.env)
    return used


def _is_here(config: Config, ticket: Ticket) -> bool:
    """Return True for a ticket that this process runs; workers use their own keys and programs."""
    return config.workers.url is None or ticket.watch


def _check_workers(plan: Plan) -> None:
    """Raise `UsageError` if there are workers and Redis is unreachable, or tickets lack them."""
    if (url := plan.config.workers.url) is not None:
        check_redis()
        launching.worker.check_reachable(url)
    elif one := next((one for one in plan.tickets if one.requires), None):
        labels = ", ".join(one.requires)
        fix = "--workers URL, or url under [workers] of the config"
        raise UsageError(f'ticket "{one.id}" requires workers ({labels}); name them: {fix}')


def _check_hooks(hooks: Sequence[OnEnd]) -> None:
    """Raise `UsageError` for a hook that could not run: at the run's end it would be too late."""
    for hook in hooks:
        signing_keys(hook)
        if hook.command and shutil.which(hook.command[0]) is None:
            raise UsageError(f"on_end: no program {hook.command[0]}")


def _check_servers(config: Config, ticket: Ticket) -> None:
    """Raise `UsageError` if an MCP server, its program, a variable or the package is missing."""
    is_agent = config.provider(route_of(config, ticket).provider).is_agent
    if ticket.mcp and not is_agent and find_spec("mcp") is None:
        raise UsageError(f'ticket "{ticket.id}" uses MCP servers, which need {INSTALL}')
    for name in ticket.mcp:
        server = config.mcp_server(name)
        variables = server_variables(name, server)
        if server.command and program_path(server.command, variables) is None:
            program = shlex.quote(server.command[0])
            fix = "install it, or check `command` and the PATH"
            raise UsageError(f'MCP server "{name}": {program} is not installed; {fix}')


def file_tickets(
    path: Path,
    config: Config,
    provider: str | None,
    model: str | None,
    *,
    only: tuple[str, ...] = (),
    known: Sequence[str] = (),
    piped: str | None = None,
) -> TicketsFile:
    """Return a file's tickets, reduced to `only` and with the command line's provider and model.

    `known` as in `read_tickets`. `piped` is the text of stdin if the path is `STDIN`.
    """
    text = toml_file.read_text(path) if piped is None else piped
    tickets = read_tickets(path, text, known)
    if provider is None and model is None:
        check_models(path, text, tickets, config)
    if only:
        tickets = select(tickets, only)
    return with_model(tickets, config, provider, model)


def prompt_tickets(
    prompt: str,
    config: Config,
    provider: str | None,
    models: Sequence[str | None] = (None,),
) -> TicketsFile:
    """Return the ticket of a prompt, or a copy for each of several models; None is the default.

    Raises `UsageError` if there is no provider or no model for it.
    """
    single = single_ticket(prompt, Path.cwd())
    copies: list[Ticket] = []
    for model in models:
        _check_prompt(config, provider, model)
        copies += with_model(single, config, provider, model).tickets
    return msgspec.structs.replace(single, tickets=side_by_side(copies))


def _check_prompt(config: Config, provider: str | None, model: str | None) -> None:
    """Raise `UsageError`, with a command to type, if a prompt has no provider or no model."""
    if provider is not None:
        settings = config.provider(provider)
        if model or config.model or settings.model or not settings.needs_model:
            return
        missing = f'provider "{provider}" needs a model'
        options = f"--provider {provider} --model MODEL"
        setting = f'model = "MODEL" under [providers.{provider}]'
    else:
        named = (model or "", config.model or "")
        if any("/" in name or name in config.providers for name in named):
            return
        setting = 'model = "NAME/MODEL"'
        missing, options = "a prompt needs a model", "--provider NAME --model MODEL"
        if alone := model or config.model:
            missing = f'model "{alone}" needs a provider'
            options = f"--provider NAME --model {alone}"
    how = f"`lfg run {options} -p …`, or set {setting} in {paths.config_file()}"
    known = (
        "no provider is configured yet (`lfg doctor` lists the variables of keys);"
        " `lfg run --provider simulator --model generic -p …` tries it without a key"
    )
    if names := _configured(config):
        known = f"providers configured: {', '.join(names)}"
    if provider is None and (agents := installed_agents(config)):
        known += f"; `lfg run --provider {agents[0]} -p …` needs no model"
    raise UsageError(f"{missing}: {how}; {known}")


def _configured(config: Config) -> list[str]:
    """Return the usable providers: set in the config, with a key in the environment, installed."""
    agents = installed_agents(config)
    return [
        name
        for name, provider in config.providers.items()
        if provider != PRESETS.get(name)
        or (environment.variable(provider.api_key_env or "") or "").strip()
        or name in agents
    ]


def with_model(
    file: TicketsFile, config: Config, provider: str | None, model: str | None
) -> TicketsFile:
    """Return the tickets with the command line's provider and model instead of their own."""
    if provider is None and model is None:
        return file

    def change(ticket: Ticket) -> Ticket:
        new_provider, new_model = provider, model
        if provider is None and "/" not in (model or ""):
            if ticket.provider or ticket.model or config.model:
                new_provider = route_of(config, ticket).provider
            else:  # `model` can then only name a provider that has a model of its own
                routed = msgspec.structs.replace(ticket, model=model)
                new_provider, new_model = route_of(config, routed).provider, None
        if model is None:
            new_model = _kept_model(ticket, config, provider or "")
        return msgspec.structs.replace(ticket, provider=new_provider, model=new_model)

    tickets = tuple(change(ticket) for ticket in file.tickets)
    return msgspec.structs.replace(file, tickets=tickets)


def _kept_model(ticket: Ticket, config: Config, provider: str) -> str | None:
    """Return the model that the ticket keeps with another provider.

    It is None for a provider that needs none, as installed agents: they have other models.
    """
    own, kept = ticket.provider, ticket.model
    if own is None:
        own, kept = split_name(config, ticket.model or config.model)
    return kept if own == provider or config.provider(provider).needs_model else None


def check_models(path: Path, text: str, file: TicketsFile, config: Config) -> None:
    """Check that every ticket's providers and servers are known, and that it has a model.

    Raises `SourceError` with the line of the mistake in `text`, the content of the tickets file.
    """
    tables = list(dict.fromkeys(ticket.file_id for ticket in file.tickets))
    for ticket in file.tickets:
        index = tables.index(ticket.file_id)
        keys: tuple[str, ...] = ("providers", "provider", "model")
        try:
            route_of(config, ticket)
            keys = ("fallback",)
            routes_of(config, ticket)
            keys = ("mcp",)
            for name in ticket.mcp:
                config.mcp_server(name)
        except UsageError as error:
            raise SourceError(path, _line(text, index, keys), str(error)) from None


def _line(text: str, index: int, keys: tuple[str, ...]) -> int | None:
    """Return the line of the first key found in the ticket or the defaults; else the ticket's."""
    for table in (("ticket", index), ("defaults",)):
        for key in keys:
            line = toml_file.line_of(text, (*table, key))
            if line is not None and line != toml_file.line_of(text, table):
                return line
    return toml_file.line_of(text, ("ticket", index))


def _warn_of_root(plan: Plan, used: set[str]) -> None:
    """Warn if lfg is root and commands have no sandbox: they could read keys in lfg's memory."""
    providers = [plan.config.provider(name) for name in used]
    has_keys = any(one.api_key_env or one.api_key_command for one in providers)
    mode = plan.config.sandbox.mode
    modes = {one.sandbox or mode for one in plan.tickets if "run_command" in one.tools}
    if not (has_keys and modes and os.geteuid() == 0):
        return
    if "none" in modes or not launching.redactors.has_wall():
        message = "running as root without a sandbox, so commands of agents can read your keys"
        print_error(message)


def _remark_on_ignored(plan: Plan) -> None:
    """Print which keys of tickets their installed agents ignore (`IGNORED`)."""
    usual = Ticket(id="", prompt="", workspace="")
    providers = [plan.config.provider(route_of(plan.config, one).provider) for one in plan.tickets]
    of_agents = [t for t, one in zip(plan.tickets, providers, strict=True) if one.command]
    ignored = [k for k in IGNORED if any(getattr(t, k) != getattr(usual, k) for t in of_agents)]
    if ignored:
        print_remark(f"installed agents ignore {', '.join(ignored)}: they have their own")


def _contains_key(plan: Plan) -> bool:
    """Return True if a title or prompt contains a key: the screen shows them before the engine,
    which redacts, is built."""
    shown = (plan.title, *(f"{ticket.title}\n{ticket.prompt}" for ticket in plan.tickets))
    return any(key in text for key in held_keys(plan.config) for text in shown)
