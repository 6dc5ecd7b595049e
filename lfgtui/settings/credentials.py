"""The secrets that a config refers to: API keys, signing secrets, headers with `${VAR}`.

They are read when they are needed, and kept only by the code that sends them. The
environment is read through `environment`, since secrets are no longer in `os.environ`.
"""

import re
import shlex
import subprocess
from base64 import b64decode
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from lfgtui.errors import UsageError
from lfgtui.model.ticket_keys.on_end import OnEnd
from lfgtui.settings import environment
from lfgtui.settings.agents import known_program
from lfgtui.settings.config import Config
from lfgtui.settings.mcp import McpServer
from lfgtui.settings.providers import ProviderConfig

_SIZES = range(24, 65)
"""Possible lengths in bytes of a signing secret (https://www.standardwebhooks.com)."""

_A_SECRET = 'expected e.g. what `echo "whsec_$(openssl rand -base64 32)"` prints'

_VARIABLE = r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}"  # ${NAME}


def api_key(name: str, provider: ProviderConfig, others: Container[str] = ()) -> str | None:
    """Return a provider's key, from the environment or a command; None if it needs none.

    The command gets the environment without `others`, the variables of other
    keys, since every process of the user can read it while the command runs; it
    blocks for up to 30 s. Raises `UsageError` naming the variable, or the
    command that failed.
    """
    if provider.api_key_command is not None:
        return _key_from_command(name, provider.api_key_command, others)
    if provider.api_key_env is None:
        return None
    key = (environment.variable(provider.api_key_env) or "").strip()
    if not key:
        raise UsageError(
            f'provider "{name}" needs a key: set {provider.api_key_env},'
            f" or api_key_command in [providers.{name}] of the config"
        )
    return key


def secret_variables(config: Config) -> frozenset[str]:
    """Return the variables that the config names as holding keys; agents' commands lack them."""
    named = [one.api_key_env for one in config.providers.values() if one.api_key_env]
    named += [hook.secret_env for hook in config.on_end if hook.secret_env]
    tables = [one.headers for one in config.providers.values()]
    tables += [table for one in config.mcp.values() for table in (one.env, one.headers)]
    values = " ".join(value for table in tables for value in table.values())
    return frozenset([*named, *re.findall(_VARIABLE, values)])


def held_keys(config: Config) -> frozenset[str]:
    """Return the keys known without running a command, to be redacted.

    They are in environment variables, URLs, headers, request bodies and `env` tables.
    """
    keys: set[str] = set()
    for provider in config.providers.values():
        keys.add((environment.variable(provider.api_key_env or "") or "").strip())
        keys.update(_keys_within(provider.body), _keys_within(provider.env))
        with suppress(ValueError):  # of `urlsplit`, for an invalid IPv6 address in brackets
            keys.add(unquote(urlsplit(provider.base_url or "").password or ""))
        keys.update(_keys_of(provider.headers))
    for server in config.mcp.values():
        keys.update(_keys_of(server.env), _keys_of(server.headers))
    for hook in config.on_end:
        keys.update((environment.variable(hook.secret_env or "") or "").split())
    return frozenset(keys - {""})


def _keys_of(table: Mapping[str, str]) -> Iterator[str]:
    """Yield the values that have a secret's name, or contain a variable that has one."""
    for name, value in table.items():
        names = (name.replace("-", "_"), *re.findall(_VARIABLE, value))
        if any(map(environment.is_secret_name, names)):
            expanded = re.sub(_VARIABLE, lambda m: environment.variable(m[1]) or "", value)
            yield from expanded.split()[-1:]  # the key alone, in `Bearer KEY`


def _keys_within(value: object) -> Iterator[str]:
    """Yield the texts in a table or request body, at any depth, that have a secret's name."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and environment.is_secret_name(name.replace("-", "_")):
                yield item
            yield from _keys_within(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys_within(item)


def signing_keys(hook: OnEnd) -> list[bytes]:
    """Return the keys that sign a webhook's messages; several while one replaces another.

    Raises `UsageError` if the hook's variable holds no secret as Standard Webhooks defines it.
    """
    if hook.secret_env is None:
        return []
    keys = []
    for secret in (environment.variable(hook.secret_env) or "").split():
        encoded = secret.removeprefix("whsec_")
        try:
            key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except ValueError:
            key = b""
        keys.append(key)
        if len(key) not in _SIZES:
            raise UsageError(f"on_end: {hook.secret_env} holds no signing secret; {_A_SECRET}")
    if not keys:
        raise UsageError(f"on_end: {hook.secret_env} is not set; {_A_SECRET}")
    return keys


def request_headers(name: str, provider: ProviderConfig) -> dict[str, str]:
    """Return the provider's `headers` with `${VAR}` expanded; raise `UsageError` if it is unset."""
    return _expanded(f'provider "{name}": headers use', provider.headers)


def server_variables(name: str, server: McpServer) -> dict[str, str]:
    """Return the `env` of an MCP server, or `headers` of one with a URL, with `${VAR}` expanded."""
    field = "env" if server.command else "headers"
    return _expanded(f'MCP server "{name}": {field} uses', getattr(server, field))


def _expanded(user: str, table: Mapping[str, str]) -> dict[str, str]:
    """Expand the table's values; `user` begins the error for a variable that is not set."""

    def expand(match: re.Match[str]) -> str:
        if (value := environment.variable(match[1])) is None:
            raise UsageError(f"{user} {match[1]}, which is not set")
        return value

    return {name: re.sub(_VARIABLE, expand, value) for name, value in table.items()}


def agent_environment(provider: ProviderConfig, *, is_walled: bool = False) -> dict[str, str]:
    """Return the environment of an installed agent: that of the person's shell, and its `env`.

    Unlike commands of lfg's tools it gets secrets, since one of them may sign it in. In a sandbox
    (`is_walled`), an agent in `AGENTS` gets only the secrets that may be its own.
    """
    variables = environment.variables()
    known = known_program(provider.command) if is_walled else None
    if known is not None:
        secret = environment.secret_names(variables)
        others = {name for name in secret if not name.startswith(known.keys)}
        variables = {name: value for name, value in variables.items() if name not in others}
    return variables | provider.env


def _key_from_command(name: str, command: str, others: Container[str]) -> str:
    """Return what `api_key_command` prints; see `api_key`."""
    if not command.strip():
        raise UsageError(f'provider "{name}": api_key_command is empty')
    given = {key: value for key, value in environment.variables().items() if key not in others}
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=30, check=True, env=given
        )
    except subprocess.CalledProcessError as error:
        why = f"exit code {error.returncode}"
    except subprocess.TimeoutExpired:
        why = "no answer within 30 s"
    except (OSError, ValueError) as error:
        why = str(error)
    else:
        if key := done.stdout.strip():
            return key
        why = "no output"
    raise UsageError(f'provider "{name}": api_key_command failed: {why}')
