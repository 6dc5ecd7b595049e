"""Other machines: hosts whose runs can be watched, and workers that do tickets for a run here."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated

import msgspec

from lfgtui.errors import UsageError

INSTALL_REDIS = "pip install 'lfgtui[redis]'"
"""The command that installs what workers are reached with, an extra."""

_RELAY = "sh -c 'PATH=\"$HOME/.local/bin:$PATH\" exec lfg relay'"
"""For any login shell; ssh does not read the files that add to the PATH."""

_SSH = ("ssh", "-T", "-o", "ServerAliveInterval=15")


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another machine. `command` runs `lfg relay` there, its input and output being ours."""

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


def relay_command(hosts: Mapping[str, Host], name: str, *, may_ask: bool) -> tuple[str, ...]:
    """Return the command for a host of the config, or for any that ssh knows.

    Without `may_ask` ssh fails where it would ask for a password.
    """
    if name in hosts:
        return hosts[name].command
    quiet = () if may_ask else ("-o", "BatchMode=yes")
    return (*_SSH, *quiet, "--", name, _RELAY)


class WorkersPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Redis server that hands tickets out; without `url` they are done here.

    A worker that cannot be heard for `lease` seconds loses its tickets to another. Files of
    tickets with a worktree travel over the git remote of that name or URL.
    """

    url: str | None = None
    lease: Annotated[float, msgspec.Meta(ge=2, le=600)] = 15.0
    remote: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^-]")] = "origin"


def check_redis() -> None:
    """Raise `UsageError` where the package that reaches Redis is missing."""
    if find_spec("redis") is None:
        raise UsageError(f"workers need the package redis: {INSTALL_REDIS}")


def address_of(url: str) -> str:
    """Return the URL of a Redis server without user and password, to be shown."""
    scheme, _, rest = url.partition("://")
    shown = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{shown}" if rest else url or "the URL"
