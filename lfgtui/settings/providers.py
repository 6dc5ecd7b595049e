"""`[providers]` of the config, and the presets: providers that need no entry there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

import msgspec

from lfgtui.settings.agents import AGENTS

WireName: TypeAlias = Literal[
    "anthropic", "openai-responses", "openai-chat", "agent-sse", "agent-websocket", "acp"
]
"""The protocol of a provider; `providers/registry.py` has the code of each. `acp` is the Agent
Client Protocol, spoken with a program that lfg starts: a coding agent with tools, models and a
sign-in of its own."""

AGENT_SERVERS: frozenset[WireName] = frozenset({"agent-sse", "agent-websocket"})
"""Wires to an agent's server instead of a model: `base_url` is the agent's own address."""

Dialect: TypeAlias = Literal["think", "tools", "deepseek", "kimi", "harmony", "react"]
"""A way in which models write tool calls and reasoning into their text. `think`: reasoning in
tags, as `<think>`. `tools`: calls in tags, as `<tool_call>`, `<invoke>`, `<function=...>`.
`deepseek`, `kimi`, `harmony`: those models' special tokens. `react`: lines that begin with
`Action:`, `Action Input:` and the like."""

ALL_DIALECTS: frozenset[Dialect] = frozenset(get_args(Dialect))

# Values in config files with their limits.
Seconds: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=86400)]
Dollars: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Tokens: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens.

    `cached` is for input tokens that are read from the provider's cache, `cache_write` for those
    that are written to it; None is the price of other input.
    """

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    cache_write: Dollars | None = None

    def cost(
        self, input_tokens: int, output_tokens: int, cached_tokens: int, written_tokens: int = 0
    ) -> float:
        """Return the cost of a response in USD. `input_tokens` includes cached and written ones."""
        cached_price = self.input if self.cached is None else self.cached
        write_price = self.input if self.cache_write is None else self.cache_write
        fresh = max(0, input_tokens - cached_tokens - written_tokens)
        total = fresh * self.input + output_tokens * self.output
        total += cached_tokens * cached_price + written_tokens * write_price
        return total / 1_000_000


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts about a model, or about all models of a provider; None leaves one to lfg's table.

    `max_output_tokens` is a bound that no ticket exceeds.
    """

    price: Price | None = None
    context_window: Tokens | None = None
    max_output_tokens: Tokens | None = None


class ProviderConfig(ModelConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to reach models or an agent; fields not set are taken from the preset of that name.

    `connect_timeout` is in seconds; tickets have their own limits for what follows.
    `ttft_budget` replaces the config's.
    `body` has fields to add to requests to an agent server (`AGENT_SERVERS` only).
    `leakage`: the dialects of leaked markup that are taken out of the visible
    text: all, none, or those named. None leaves it to the wire.
    `concurrency`: most of its tickets at once, within the run's slots; None: no limit.
    `models` has facts about single models, by name.
    `model_file` is a GGUF file for the provider "local", which runs it.
    Only the wire "acp" has `command`, which starts the agent; `env`, added to its environment;
    `writable`, the folders of its settings, which its sandbox lets it change; `mode` and
    `options`, set at the beginning of each conversation, by the ids that the agent gives them.
    """

    wire: WireName
    base_url: str | None = None
    api_key_env: str | None = None
    api_key_command: str | None = None
    headers: dict[str, str] = {}
    connect_timeout: Seconds = 10.0
    ttft_budget: Seconds | None = None
    body: dict[str, object] = {}
    models: dict[str, ModelConfig] = {}
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None
    model: str | None = None
    model_file: str | None = None
    leakage: bool | tuple[Dialect, ...] | None = None
    command: tuple[str, ...] = ()
    env: dict[str, str] = {}
    writable: tuple[str, ...] = ()
    mode: str | None = None
    options: dict[str, str | bool] = {}

    @property
    def needs_model(self) -> bool:
        """True if requests must name a model; an installed agent has one of its own."""
        return self.wire != "acp"

    @property
    def is_agent(self) -> bool:
        """True if it has tools of its own, and gets none of lfg's."""
        return self.wire == "acp" or self.wire in AGENT_SERVERS

    @property
    def leak_dialects(self) -> frozenset[Dialect]:
        """Dialects in effect. By default none on wires that separate calls and reasoning well."""
        leakage = self.leakage
        if leakage is None:
            leakage = self.wire == "openai-chat" or self.wire in AGENT_SERVERS
        if isinstance(leakage, bool):
            return ALL_DIALECTS if leakage else frozenset()
        return frozenset(leakage)


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
    **{name: ProviderConfig(wire="acp", command=one.command) for name, one in AGENTS.items()},
}

SIMULATED = frozenset({"simulator", "simulator-anthropic", "simulator-responses"})
"""Presets that the built-in simulator serves."""

LOCAL = "local"
"""The preset that runs a model on this machine, by llama.cpp."""

EMBEDDED = SIMULATED | {LOCAL}
"""Presets without a base URL: it is that of a server that lfg starts."""

# Fields of `ProviderConfig` that fit only a URL, only a model, and only the wire acp.
_ADDRESS_FIELDS = ("base_url", "api_key_env", "api_key_command", "headers")
_MODEL_FIELDS = ("context_window", "max_output_tokens", "models")
_PROGRAM_FIELDS = ("command", "env", "writable", "mode", "options")


def over_presets(given: object) -> object:
    """Return the tables of `[providers]`, each merged over the preset of its name.

    The preset is left out if only one of the two has the wire acp: then they only share a name.
    """
    if not isinstance(given, dict):
        return given
    tables = {name: msgspec.to_builtins(preset) for name, preset in PRESETS.items()}
    for name, table in given.items():
        own = tables.get(name, {})
        if isinstance(table, dict):
            if "wire" in table and (table["wire"] == "acp") != (own.get("wire") == "acp"):
                own = {}
            if name == LOCAL and table.keys() & {"base_url", "model_file"}:
                own.pop("model", None)  # the name of the bundled model
            table = own | table
        tables[name] = table
    return tables


def misfits(name: str, provider: ProviderConfig) -> Iterator[tuple[str, str]]:
    """Yield mistakes that the types do not find: the field, and the reason."""
    if provider.wire == "acp":
        yield from _misfits_of_program(name, provider)
    else:
        yield from _misfits_of_address(name, provider)
        for field in _PROGRAM_FIELDS:
            if getattr(provider, field):
                yield field, f'"{field}" requires the wire acp'
    if provider.body and provider.wire not in AGENT_SERVERS:
        yield "body", f'"body" requires the wire {" or ".join(sorted(AGENT_SERVERS))}'
    if provider.model_file is not None and (name != LOCAL or provider.base_url is not None):
        yield "model_file", f'"model_file" requires [providers.{LOCAL}] without a base_url'


def _misfits_of_program(name: str, provider: ProviderConfig) -> Iterator[tuple[str, str]]:
    if not provider.command:
        yield "command", f'provider "{name}": missing key "command"'
    elif not provider.command[0]:
        yield "command", f'provider "{name}": command: the program name is empty'
    for field in _ADDRESS_FIELDS:
        if getattr(provider, field):
            yield field, f'"{field}" does not fit the wire acp, which starts a program'
    for field in _MODEL_FIELDS:
        if getattr(provider, field):
            yield (
                field,
                f'"{field}" does not fit the wire acp, whose agents make their own requests',
            )


def _misfits_of_address(name: str, provider: ProviderConfig) -> Iterator[tuple[str, str]]:
    schemes = ["http://", "https://"]
    if provider.wire == "agent-websocket":
        schemes += ["ws://", "wss://"]
    if provider.base_url is not None:
        if not provider.base_url.startswith(tuple(schemes)):
            choices = " or ".join([", ".join(schemes[:-1]), schemes[-1]])
            yield "base_url", f'base_url "{provider.base_url}" must begin with {choices}'
        elif not _has_address(provider.base_url):
            yield "base_url", f'base_url "{provider.base_url}" has no valid host or port'
    elif provider.wire in AGENT_SERVERS or name not in PRESETS.keys() - AGENTS.keys():
        # The SDK would send requests, with the key, to its default server.
        yield "base_url", f'provider "{name}": missing key "base_url"'


def _has_address(url: str) -> bool:
    """Return True if the URL has a host, and no invalid port."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def with_paths(folder: Path, provider: ProviderConfig) -> ProviderConfig:
    """Return the provider with absolute paths; `folder`, that of the config, is where they start.

    `~` is the home folder. A program without a slash is no path: it is searched for in PATH when
    it is started. A `model_file` also names the model, unless the config does.
    """
    if provider.model_file is not None:
        file = folder.absolute() / Path(provider.model_file).expanduser()
        model = provider.model or file.stem
        provider = msgspec.structs.replace(provider, model=model, model_file=str(file))
    if provider.writable:
        places = (str(folder.absolute() / Path(name).expanduser()) for name in provider.writable)
        provider = msgspec.structs.replace(provider, writable=tuple(places))
    if provider.command and "/" in provider.command[0]:
        program = str(folder.absolute() / Path(provider.command[0]).expanduser())
        provider = msgspec.structs.replace(provider, command=(program, *provider.command[1:]))
    return provider
