"""config.toml: one declaration that is read, checked, documented and shown.

`config.example.toml` names every field here, which a test checks. Settings
travel as a frozen `Config` value; nothing reads them as globals. Keys (the
secret kind) are resolved at the last moment, in `credentials`, and live in no
value that is stored or printed.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias, get_args
from urllib.parse import urlsplit

import msgspec

from lfgtui.errors import SourceError, UsageError, did_you_mean
from lfgtui.model.tickets import Ticket
from lfgtui.settings.keys import key_mistakes
from lfgtui.settings.themes import read_themes
from lfgtui.text import toml_file

WireName: TypeAlias = Literal[
    "anthropic", "openai-responses", "openai-chat", "agent-sse", "agent-websocket"
]

AGENT_WIRES: frozenset[WireName] = frozenset({"agent-sse", "agent-websocket"})
"""Wires whose other side is an agent and not a model: `base_url` is its own address."""

Dialect: TypeAlias = Literal["think", "tools", "deepseek", "kimi", "harmony", "react"]
"""A way in which models write tool calls and reasoning into their text. `think`: reasoning in
tags, as `<think>`. `tools`: calls in tags, as `<tool_call>`, `<invoke>`, `<function=...>`.
`deepseek`, `kimi`, `harmony`: those models' special tokens. `react`: lines that begin with
`Action:`, `Action Input:` and the like."""

NotifyVia: TypeAlias = Literal["off", "bell", "osc9", "osc777", "osc99"]
"""A way to reach a person through the terminal; the numbers are those of its escape sequences."""

StreamUnit: TypeAlias = Literal["token", "sentence", "section"]
"""The pieces in which answers are printed without a screen."""

Speak: TypeAlias = Literal["answers", "endings", "off"]
"""The texts that are read aloud: answers, or how tickets end."""

ALL_DIALECTS: frozenset[Dialect] = frozenset(get_args(Dialect))

Delay: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=86400)]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=86400)]
Dollars: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]

_AGE = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens; `cached` is what a cached input token costs."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int) -> float:
        """Return the cost of a response. `input_tokens` includes the cached ones."""
        cached_price = self.input if self.cached is None else self.cached
        fresh = max(0, input_tokens - cached_tokens)
        total = fresh * self.input + cached_tokens * cached_price + output_tokens * self.output
        return total / 1_000_000


class ProviderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to reach models; fields not set are taken from the preset of that name.

    `connect_timeout` is in seconds; what comes after connecting is the tickets' to limit.
    `body` is what an agent server is sent, for the agent wires only.
    `leakage`: which dialects of leaked markup are taken out of the visible
    text; all, none, or those named. None leaves it to the wire.
    `model_file` is a GGUF file for the provider "local", which runs it.
    """

    wire: WireName
    base_url: str | None = None
    api_key_env: str | None = None
    api_key_command: str | None = None
    headers: dict[str, str] = {}
    connect_timeout: Seconds = 10.0
    body: dict[str, object] = {}
    price: Price | None = None
    model: str | None = None
    model_file: str | None = None
    leakage: bool | tuple[Dialect, ...] | None = None

    @property
    def leak_dialects(self) -> frozenset[Dialect]:
        """Dialects in effect; wires with channels of their own for such things need none."""
        leakage = self.leakage
        if leakage is None:
            leakage = self.wire == "openai-chat" or self.wire in AGENT_WIRES
        if isinstance(leakage, bool):
            return ALL_DIALECTS if leakage else frozenset()
        return frozenset(leakage)


class Route(NamedTuple):
    """A provider's name and a model there."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class RetryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Retries of failed requests. Delays in seconds.

    A limit that ends after more than `max_retry_after` parks the ticket, up to `max_park`.
    """

    attempts: Annotated[int, msgspec.Meta(ge=1)] = 4
    base_delay: Delay = 1.0
    max_delay: Delay = 30.0
    max_retry_after: Delay = 300.0
    max_park: Annotated[float, msgspec.Meta(ge=0, le=30 * 86400)] = 6 * 3600.0
    budget: Annotated[int, msgspec.Meta(ge=0)] = 20
    on_cut: Literal["regenerate", "continue"] = "regenerate"


class BreakerPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The circuit breaker of what keeps failing, a provider or a model. Times in seconds."""

    failures: Annotated[int, msgspec.Meta(ge=1)] = 5
    window: Seconds = 30.0
    pause: Seconds = 15.0
    max_pause: Seconds = 120.0


class HistoryPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Storage of the history, and what leaves it.

    `durability` is what a commit survives. `redact`: secrets are taken out of
    exports only, of all that is written, or never; `secrets` are regular
    expressions for more of them. `retention` is the age (`90d`) past which
    ended runs are deleted; None keeps them.
    """

    durability: Literal["process", "power"] = "process"
    redact: Literal["export", "write", "never"] = "export"
    secrets: tuple[str, ...] = ()
    retention: str | None = None


class NotifyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ways to tell a person who looks elsewhere; `command` gets the text as its last argument."""

    via: NotifyVia = "bell"
    command: tuple[str, ...] = ()
    webhook: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a person can set. Times are in seconds.

    `command_variables` are given to agents' commands although they look secret.
    """

    theme: str = "dark"
    model: str | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1)] = 8
    hold_slot: bool = False
    stream_unit: StreamUnit = "token"
    command_variables: tuple[str, ...] = ()
    stall_after: Seconds = 10.0
    ttft_budget: Seconds = 1.5
    pane_lines: Annotated[int, msgspec.Meta(ge=100)] = 5000
    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    history: HistoryPolicy = HistoryPolicy()
    notify: NotifyPolicy = NotifyPolicy()
    speak: Speak = "off"
    speak_command: tuple[str, ...] = ()
    keys: dict[str, str] = {}
    providers: dict[str, ProviderConfig] = {}

    def provider(self, name: str) -> ProviderConfig:
        """Return the provider of that name; raise `UsageError` with the nearest one."""
        if name not in self.providers:
            raise UsageError(f'unknown provider "{name}"{did_you_mean(name, self.providers)}')
        return self.providers[name]


def _chat(base_url: str, api_key_env: str | None) -> ProviderConfig:
    return ProviderConfig(wire="openai-chat", base_url=base_url, api_key_env=api_key_env)


PRESETS: dict[str, ProviderConfig] = {
    "anthropic": ProviderConfig(wire="anthropic", api_key_env="ANTHROPIC_API_KEY"),
    "openai": ProviderConfig(wire="openai-responses", api_key_env="OPENAI_API_KEY"),
    "xai": _chat("https://api.x.ai/v1", "XAI_API_KEY"),
    "gemini": _chat("https://generativelanguage.googleapis.com/v1beta/openai/", "GEMINI_API_KEY"),
    "openrouter": _chat("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "groq": _chat("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "deepseek": _chat("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "mistral": _chat("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "ollama": _chat("http://127.0.0.1:11434/v1", None),
    "local": ProviderConfig(wire="openai-chat", model="smollm2"),
    "simulator": ProviderConfig(wire="openai-chat"),
    "simulator-anthropic": ProviderConfig(wire="anthropic"),
    "simulator-responses": ProviderConfig(wire="openai-responses"),
}

SIMULATED = frozenset({"simulator", "simulator-anthropic", "simulator-responses"})
"""Presets that the built-in simulator serves."""

LOCAL = "local"
"""The preset that llama.cpp serves, with a model of this machine."""

EMBEDDED = SIMULATED | {LOCAL}
"""Presets without a base URL of their own: a server that lfg starts gives them one."""


def age_seconds(age: str) -> int:
    """Return the seconds of an age such as `30d`; raise `ValueError` if it is invalid."""
    match = _AGE.fullmatch(age)
    if match is None:
        raise ValueError(f'invalid duration "{age}": expected e.g. 30d, 12w or 48h')
    return int(match[1]) * _SECONDS[match[2]]


def load_config(path: Path) -> Config:
    """Return the file merged over the presets; a missing file is an empty one.

    Raises `SourceError` with line and nearest name, also for the file of the theme in force.
    """
    config, mistakes = read_config(path)
    if mistakes:
        raise mistakes[0]
    return config


def read_config(path: Path) -> tuple[Config, list[SourceError]]:
    """Return the config as `load_config` does, and all that the types allow and lfg cannot use."""
    text = toml_file.read_text(path) if path.exists() else ""
    document = toml_file.parse(path, text)
    document["providers"] = _over_presets(document.get("providers", {}))
    config = toml_file.convert(path, text, document, Config)
    themes, broken = read_themes(path.parent)
    mistakes = [one.error for one in broken if one.name == config.theme]
    if not mistakes and config.theme not in themes:
        message = f'unknown theme "{config.theme}"{did_you_mean(config.theme, themes)}'
        mistakes.append(SourceError(path, toml_file.line_of(text, ("theme",)), message))
    mistakes += (SourceError(path, toml_file.line_of(text, k), why) for k, why in _mistakes(config))
    local = _with_model_file(path.parent, config.providers[LOCAL])
    return msgspec.structs.replace(config, providers={**config.providers, LOCAL: local}), mistakes


def route_of(config: Config, ticket: Ticket) -> Route:
    """Return the provider and the model of a ticket.

    `provider` and `model` as given; or `model = "provider/model"`; or the
    config's default `model`, written the same way.
    """
    provider, model = ticket.provider, ticket.model
    if provider is None and model is None:
        model = config.model
    if provider is None and model is not None and "/" in model:
        provider, model = model.split("/", 1)
    if provider is None:
        given = f'model "{model}" but no provider' if model else "no model"
        raise UsageError(
            f'ticket "{ticket.id}" has {given}; write model = "PROVIDER/MODEL",'
            ' e.g. "anthropic/claude-sonnet-4-5", or use --model PROVIDER/MODEL'
        )
    default = config.provider(provider).model
    if not (model := model or default):
        raise UsageError(
            f'ticket "{ticket.id}" has provider "{provider}" but no model;'
            ' write model = "MODEL", or use --model MODEL'
        )
    return Route(provider, model)


def routes_of(config: Config, ticket: Ticket) -> tuple[Route, ...]:
    """Return the routes to try in order: the ticket's own, then its `fallback`."""
    routes = [route_of(config, ticket)]
    for fallback in ticket.fallback:
        provider, _, model = fallback.partition("/")
        default = config.provider(provider).model
        if not (model := model or default or ""):
            problem = f'fallback "{fallback}" names no model; write "PROVIDER/MODEL"'
            raise UsageError(f'ticket "{ticket.id}": {problem}')
        routes.append(Route(provider, model))
    return tuple(dict.fromkeys(routes))


def _over_presets(given: object) -> object:
    """Return the tables of providers, each over the preset of its name."""
    if not isinstance(given, dict):
        return given
    tables = {name: msgspec.to_builtins(preset) for name, preset in PRESETS.items()}
    for name, table in given.items():
        own = tables.get(name, {})
        if isinstance(table, dict):
            if name == LOCAL and table.keys() & {"base_url", "model_file"}:
                del own["model"]  # which is the bundled one's
            table = own | table
        tables[name] = table
    return tables


def _mistakes(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what lfg cannot use, themes aside: the key in the file, and the reason."""
    for action, message in key_mistakes(config.keys):
        yield ("keys", action), message
    for index, pattern in enumerate(config.history.secrets):
        key = ("history", "secrets", index)
        try:
            if re.compile(pattern).search(""):
                yield key, f'secrets: "{pattern}" matches empty text'
        except re.error as error:
            yield key, f'secrets: "{pattern}": {error}'
    if config.history.retention is not None:
        try:
            age_seconds(config.history.retention)
        except ValueError as error:
            yield ("history", "retention"), f"retention: {error}"
    for name, provider in config.providers.items():
        for field, message in _misfits(name, provider):
            yield ("providers", name, field), message


def _misfits(name: str, provider: ProviderConfig) -> Iterator[tuple[str, str]]:
    """Yield the fields that do not fit the wire or the provider, and the reason."""
    is_agent = provider.wire in AGENT_WIRES
    schemes = ["http://", "https://"]
    if provider.wire == "agent-websocket":
        schemes += ["ws://", "wss://"]
    if provider.base_url is not None:
        if not provider.base_url.startswith(tuple(schemes)):
            choices = " or ".join([", ".join(schemes[:-1]), schemes[-1]])
            yield "base_url", f'base_url "{provider.base_url}" must begin with {choices}'
        elif not _has_address(provider.base_url):
            yield "base_url", f'base_url "{provider.base_url}" has no valid host or port'
    elif is_agent or name not in PRESETS:  # an SDK would ask its own server, a stranger
        yield "base_url", f'provider "{name}": missing key "base_url"'
    if provider.body and not is_agent:
        yield "body", f'"body" requires the wire {" or ".join(sorted(AGENT_WIRES))}'
    if provider.model_file is not None and (name != LOCAL or provider.base_url is not None):
        yield "model_file", f'"model_file" requires [providers.{LOCAL}] without a base_url'


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _with_model_file(folder: Path, local: ProviderConfig) -> ProviderConfig:
    """Return it with an absolute path; the file names the model unless the config does."""
    if local.model_file is None:
        return local
    file = folder.absolute() / Path(local.model_file).expanduser()
    return msgspec.structs.replace(local, model=local.model or file.stem, model_file=str(file))
