"""Environment variables for a program behind a wall: none that names what is not there."""

import re
from collections.abc import Mapping
from pathlib import Path

_OUTSIDE = re.compile(
    r"(?:SSH|DBUS|DOCKER|PODMAN|CONTAINER|KUBE|GPG|GNOME|KDE|VSCODE|KRB5|PULSE|PIPEWIRE|LISTEN"
    r"|JOURNAL|NOTIFY|WAYLAND|XDG_SESSION|XDG_RUNTIME|TMUX|ZELLIJ|SYSTEMD)[A-Z0-9]*(?:_.*)?"
    r"|DISPLAY|XAUTHORITY|STY|LFG_(?:CONFIG|DATA_DIR|LOG)|.*_(?:SOCK|SOCKET|FD|ASKPASS)|LD_PRELOAD",
    re.IGNORECASE,
)
"""Names of the person's session: sockets, agents, displays, and the files of programs outside."""

_UNSIGNED = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "commit.gpgsign",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "tag.gpgsign",
    "GIT_CONFIG_VALUE_1": "false",
}
"""No agent that signs is reachable, and git would refuse to commit without one."""


def walled_variables(inherited: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return what is left of them, and what tells programs of the wall."""
    kept = {name: value for name, value in inherited.items() if not _OUTSIDE.fullmatch(name)}
    unsigned = {} if "GIT_CONFIG_COUNT" in kept else _UNSIGNED
    return {**kept, "HOME": str(home), "TMPDIR": "/tmp", **unsigned}
