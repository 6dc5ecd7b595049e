"""The addresses of runs' sockets, which only their owner may use, and the names of their peers."""

import getpass
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lfgtui.settings import paths
from lfgtui.text.terminal_safe import visible_line

_LONGEST_ADDRESS = 100
"""Most bytes of a socket's path that every system takes (Linux 107, macOS 103)."""

_LONGEST_NAME = 80
"""Most characters of a person's name."""


def sockets_dir() -> Path:
    """Return the folder of the sockets."""
    return paths.data_dir() / "control"


def socket_path(run: str) -> Path:
    """Return the path of the run's socket."""
    return sockets_dir() / f"{run}.sock"


def prepare(path: Path) -> None:
    """Make the folder, and remove a socket that a killed process left."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """Yield the path, or if it is too long for a socket, a shorter one to the same file.

    That one is in Linux's `/proc`, and valid only during the body. Raises `OSError`.
    """
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def is_owner(connection: socket.socket) -> bool:
    """Return True if the process at the other end is the socket owner's, or root's.

    If the system does not say, also True: the modes of the folder and the socket decide.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, user, _ = struct.unpack("3i", peer)
    return user in (os.geteuid(), 0)


def person() -> str:
    """Return the name of whoever uses lfg here, e.g. `ann@laptop`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        name = str(os.geteuid())
    return visible_line(f"{name}@{socket.gethostname()}")[:_LONGEST_NAME]
