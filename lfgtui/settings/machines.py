"""Other machines: `[hosts]`, whose runs can be watched, and `[workers]`, which run tickets."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated

import msgspec

from lfgtui.errors import UsageError

INSTALL_REDIS = "pip install 'lfgtui[redis]'"
"""The command that installs the client of Redis, an extra."""

_RELAY = "sh -c 'PATH=\"$HOME/.local/bin:$PATH\" exec lfg relay'"
"""Works with any login shell. A command over ssh does not get the PATH of an interactive shell, so
the folder of a `pip install --user` is added."""

_SSH = ("ssh", "-T", "-o", "ServerAliveInterval=15")  # no terminal; notice a dead connection


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another machine. `command` runs `lfg relay` there, on its stdin and stdout."""

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


def relay_command(hosts: Mapping[str, Host], name: str, *, may_ask: bool) -> tuple[str, ...]:
    """Return the command that runs `lfg relay` on a host of the config, or one that ssh knows.

    Unless it `may_ask` for a password, ssh fails instead.
    """
    if name in hosts:
        return hosts[name].command
    quiet = () if may_ask else ("-o", "BatchMode=yes")
    return (*_SSH, *quiet, "--", name, _RELAY)


class WorkersPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Redis server through which workers get tickets; without `url` they run here.

    A worker that is silent for `lease` seconds loses its tickets to another. `remote` is the git
    remote, by name or URL, over which the files of tickets with a worktree are sent.
    """

    url: str | None = None
    lease: Annotated[float, msgspec.Meta(ge=2, le=600)] = 15.0
    remote: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^-]")] = "origin"


def check_redis() -> None:
    """Raise `UsageError` if the client of Redis is not installed."""
    if find_spec("redis") is None:
        raise UsageError(f"workers need the package redis: {INSTALL_REDIS}")


def address_of(url: str) -> str:
    """Return the URL of a Redis server without user, password and options, to be shown."""
    scheme, _, rest = url.partition("://")
    shown = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{shown}" if rest else url or "the URL"
