"""Other machines whose runs can be watched, and the program that leads to each."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

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
