"""config.toml: the types here declare what it may contain, and check it.

`config.example.toml` explains every field; a test checks that it names each.
Field names are keys of the file, so they cannot be renamed. Settings are passed
on as a frozen `Config`; nothing reads them as globals. API keys are read at the
last moment, in `credentials`, and are in no value that is stored or printed.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec

from lfgtui.errors import SourceError, UsageError, did_you_mean
from lfgtui.model.ticket_keys.guards import Guard, guard_mistakes
from lfgtui.model.ticket_keys.on_end import OnEnd, on_end_mistakes, with_program
from lfgtui.model.ticket_keys.run_limits import RunLimits
from lfgtui.model.tickets import CacheAnswers, Ticket, age_mistake
from lfgtui.settings import sandbox
from lfgtui.settings.agents import program_path
from lfgtui.settings.keys import key_mistakes
from lfgtui.settings.machines import Host, WorkersPolicy
from lfgtui.settings.mcp import McpServer, server_at, server_misfits
from lfgtui.settings.providers import (
    ProviderConfig,
    Seconds,
    Tokens,
    misfits,
    over_presets,
    with_paths,
)
from lfgtui.settings.sandbox import SandboxPolicy
from lfgtui.settings.themes import read_themes
from lfgtui.text import toml_file
from lfgtui.text.figures import age_seconds, memory_bytes, model_name

NotifyVia: TypeAlias = Literal["off", "bell", "osc9", "osc777", "osc99"]
"""A way to notify a person through the terminal; `osc9` is the escape sequence OSC 9."""

StreamUnit: TypeAlias = Literal["token", "sentence", "section"]
"""The pieces in which answers are printed without a screen."""

OnHangup: TypeAlias = Literal["end", "detach"]
"""The fate of a run whose terminal is closed."""

Speak: TypeAlias = Literal["answers", "endings", "off"]
"""The texts that are read aloud: answers, or how tickets end."""

Delay: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=86400)]
"""Seconds."""


class Route(NamedTuple):
    """The name of a provider and the name of its model; "" lets an installed agent choose."""

    provider: str
    model: str

    def __str__(self) -> str:
        return model_name(self.provider, self.model)


class RetryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Retries of failed requests. Delays in seconds.

    `attempts` is of one request, the first included; `budget` is of all retries of a ticket. A
    provider's limit that ends after more than `max_retry_after` parks the ticket; one that ends
    after more than `max_park` fails it.
    """

    attempts: Annotated[int, msgspec.Meta(ge=1)] = 4
    base_delay: Delay = 1.0
    max_delay: Delay = 30.0
    max_retry_after: Delay = 300.0
    max_park: Annotated[float, msgspec.Meta(ge=0, le=30 * 86400)] = 6 * 3600.0
    budget: Annotated[int, msgspec.Meta(ge=0)] = 20
    on_cut: Literal["regenerate", "continue"] = "regenerate"


class BreakerPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The circuit breaker of a provider or a model that keeps failing. Times in seconds.

    `failures` in a row within `window` stop all requests to it; after `pause`, doubled up to
    `max_pause`, one request tests it.
    """

    failures: Annotated[int, msgspec.Meta(ge=1)] = 5
    window: Seconds = 30.0
    pause: Seconds = 15.0
    max_pause: Seconds = 120.0


class HistoryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings for storing and redacting the history.

    `durability` is what a commit survives: the end of the process, or of power.
    `redact`: secrets are removed from exports only, from all that is written, or
    never; `secrets` are regular expressions for further secrets. `retention` is
    the age (`90d`) at which ended runs are deleted; None keeps them.
    """

    durability: Literal["process", "power"] = "process"
    redact: Literal["export", "write", "never"] = "export"
    secrets: tuple[str, ...] = ()
    retention: str | None = None


class UndoPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of files kept as they were before agents changed them, for `lfg undo`.

    A `max_total` of `0 MB` keeps none.
    """

    max_total: str = "1 GB"
    max_file: str = "20 MB"

    @property
    def total_bytes(self) -> int:
        return memory_bytes(self.max_total, 0)

    @property
    def file_bytes(self) -> int:
        return memory_bytes(self.max_file, 0)


class NotifyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ways to notify a person who looks elsewhere; `command` gets the text as last argument."""

    via: NotifyVia = "bell"
    command: tuple[str, ...] = ()
    webhook: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a person can set. Times are in seconds.

    `max_memory` is what installed agents may use together: a size, or a share of what is available
    when a run starts. `max_output_tokens` is a bound that no ticket exceeds. With `cache_answers`
    a request that is equal to an earlier one gets its answer from the history. `command_variables`
    are passed to agents' commands although they look secret. `config.example.toml` explains all.
    """

    theme: str = "dark"
    model: str | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1)] = 8
    hold_slot: bool = False
    max_memory: str = "80%"
    max_output_tokens: Tokens | None = None
    cache_answers: CacheAnswers = False
    stream_unit: StreamUnit = "token"
    on_hangup: OnHangup = "end"
    command_variables: tuple[str, ...] = ()
    stall_after: Seconds = 10.0
    ttft_budget: Seconds = 1.5
    pane_lines: Annotated[int, msgspec.Meta(ge=100)] = 5000
    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    history: HistoryPolicy = HistoryPolicy()
    undo: UndoPolicy = UndoPolicy()
    sandbox: SandboxPolicy = SandboxPolicy()
    workers: WorkersPolicy = WorkersPolicy()
    notify: NotifyPolicy = NotifyPolicy()
    run: RunLimits = RunLimits()
    speak: Speak = "off"
    speak_command: tuple[str, ...] = ()
    keys: dict[str, str] = {}
    on_end: tuple[OnEnd, ...] = ()
    guards: tuple[Guard, ...] = ()
    providers: dict[str, ProviderConfig] = {}
    mcp: dict[str, McpServer] = {}
    hosts: dict[str, Host] = {}

    def provider(self, name: str) -> ProviderConfig:
        """Return the provider; for an unknown name raise `UsageError` with the nearest name."""
        if name not in self.providers:
            raise UsageError(f'unknown provider "{name}"{did_you_mean(name, self.providers)}')
        return self.providers[name]

    def mcp_server(self, name: str) -> McpServer:
        """Return the MCP server; for an unknown name raise `UsageError` with the nearest name."""
        if name not in self.mcp:
            hint = did_you_mean(name, self.mcp) or "; give it a table [mcp.NAME] in the config"
            raise UsageError(f'unknown MCP server "{name}"{hint}')
        return self.mcp[name]


def ttft_budgets(config: Config) -> dict[str, float]:
    """Return the `ttft_budget` of each provider that has one of its own."""
    each = config.providers.items()
    return {name: one.ttft_budget for name, one in each if one.ttft_budget is not None}


def load_config(path: Path) -> Config:
    """Return the config file merged over the presets; a missing file counts as an empty one.

    Raises `SourceError` for the first mistake in it, or in the file of the theme that it names.
    """
    config, mistakes = read_config(path)
    if mistakes:
        raise mistakes[0]
    return config


def read_config(path: Path) -> tuple[Config, list[SourceError]]:
    """Return the config as `load_config` does, and the mistakes that the types do not find.

    Raises `SourceError` for a mistake that they find.
    """
    text = toml_file.read_text(path) if path.exists() else ""
    document = toml_file.parse(path, text)
    document["providers"] = over_presets(document.get("providers", {}))
    config = toml_file.convert(path, text, document, Config)
    themes, broken = read_themes(path.parent)
    mistakes = [one.error for one in broken if one.name == config.theme]
    if not mistakes and config.theme not in themes:
        message = f'unknown theme "{config.theme}"{did_you_mean(config.theme, themes)}'
        mistakes.append(SourceError(path, toml_file.line_of(text, ("theme",)), message))
    mistakes += (SourceError(path, toml_file.line_of(text, k), why) for k, why in _mistakes(config))
    placed = {name: with_paths(path.parent, one) for name, one in config.providers.items()}
    servers = {name: server_at(path.parent, one) for name, one in config.mcp.items()}
    hooks = tuple(with_program(path.parent, one) for one in config.on_end)
    return msgspec.structs.replace(config, providers=placed, mcp=servers, on_end=hooks), mistakes


def route_of(config: Config, ticket: Ticket) -> Route:
    """Return the provider and the model of a ticket; raise `UsageError` if it has none.

    A ticket has `provider` and `model`, or `model = "provider/model"`; otherwise
    the config's default `model` holds, written in the same way. The name of a
    provider alone is enough if it has a model of its own.
    """
    provider, model = ticket.provider, ticket.model
    if provider is None:
        provider, model = split_name(config, model or config.model)
    if provider is None:
        given = f'model "{model}" but no provider' if model else "no model"
        raise UsageError(
            f'ticket "{ticket.id}" has {given}; write model = "PROVIDER/MODEL",'
            ' e.g. "anthropic/claude-sonnet-4-5", or use --model PROVIDER/MODEL'
        )
    if (route := _route(config, provider, model)) is None:
        raise UsageError(
            f'ticket "{ticket.id}" has provider "{provider}" but no model;'
            ' write model = "MODEL", or use --model MODEL'
        )
    return route


def routes_of(config: Config, ticket: Ticket) -> tuple[Route, ...]:
    """Return the routes to try in order: the ticket's own, then its `fallback`."""
    routes = [route_of(config, ticket)]
    for fallback in ticket.fallback:
        provider, _, model = fallback.partition("/")
        if (route := _route(config, provider, model)) is None:
            problem = f'fallback "{fallback}" names no model; write "PROVIDER/MODEL"'
            raise UsageError(f'ticket "{ticket.id}": {problem}')
        routes.append(route)
    return tuple(dict.fromkeys(routes))


def programs_of(config: Config, ticket: Ticket) -> dict[str, str]:
    """Return the installed agents that the ticket may start: their programs by provider name."""
    commands = {name: config.provider(name).command for name, _ in routes_of(config, ticket)}
    return {name: command[0] for name, command in commands.items() if command}


def installed_agents(config: Config) -> list[str]:
    """Return the names of the providers that are agents installed on this machine."""
    agents = ((name, one) for name, one in config.providers.items() if one.command)
    return [name for name, one in agents if program_path(one.command, one.env)]


def split_name(config: Config, name: str | None) -> tuple[str | None, str | None]:
    """Return the provider and the model in `provider/model`; None for the one that is missing.

    A name without a slash is a provider if the config has it, and a model otherwise.
    """
    if name is not None and "/" not in name:
        return (name, None) if name in config.providers else (None, name)
    provider, _, model = (name or "").partition("/")
    return provider or None, model or None


def _route(config: Config, provider: str, model: str | None) -> Route | None:
    """Return the route to the model, or else the provider's own model; None if it needs one."""
    settings = config.provider(provider)
    model = model or settings.model or ""
    return Route(provider, model) if model or not settings.needs_model else None


def _mistakes(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield mistakes that the types do not find, apart from the theme: the key, and the reason."""
    for action, message in key_mistakes(config.keys):
        yield ("keys", action), message
    for index, pattern in enumerate(config.history.secrets):
        key = ("history", "secrets", index)
        try:
            if re.compile(pattern).search(""):
                yield key, f'secrets: "{pattern}" matches empty text'
        except re.error as error:
            yield key, f'secrets: "{pattern}": {error}'
    try:
        memory_bytes(config.max_memory, 0)
    except ValueError as error:
        yield ("max_memory",), f"max_memory: {error}"
    for name in ("max_total", "max_file"):
        size = getattr(config.undo, name)
        try:
            if size.endswith("%") or memory_bytes(size, 0) < 0:
                raise ValueError(f'invalid size "{size}": expected e.g. "1 GB" or "500 MB"')
        except ValueError as error:
            yield ("undo", name), f"{name}: {error}"
    for field, message in sandbox.misfits(config.sandbox):
        yield ("sandbox", field), message
    if mistake := age_mistake(config.cache_answers):
        yield ("cache_answers",), mistake
    if config.history.retention is not None:
        try:
            age_seconds(config.history.retention)
        except ValueError as error:
            yield ("history", "retention"), f"retention: {error}"
    for number, field, message in guard_mistakes(config.guards, of_config=True):
        yield ("guards", number, field), message
    for number, field, message in on_end_mistakes(config.on_end):
        yield ("on_end", number, field), message
    for name, provider in config.providers.items():
        for field, message in misfits(name, provider):
            yield ("providers", name, field), message
    for name, server in config.mcp.items():
        for field, message in server_misfits(name, server):
            yield ("mcp", name, *filter(None, [field])), message
