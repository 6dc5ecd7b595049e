"""The processes that listen on a port, found in /proc; without /proc, none are found.

Only this user's processes can be seen, and only in this network namespace: a command in a sandbox
without a network has ports of its own.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"  # TCP_LISTEN in include/net/tcp_states.h
_SOCKET = re.compile(r"socket:\[(\d+)\]")
"""The target of a socket's link in /proc/PID/fd: `socket:[INODE]`."""


def listeners(ports: Collection[int]) -> dict[int, int]:
    """Return, by port, the id of a process that listens on it. Blocks for some 10 ms."""
    sockets = dict(_sockets(ports))
    found: dict[int, int] = {}
    if sockets:
        for process in _processes():
            for socket in _sockets_of(process):
                if socket in sockets:
                    found.setdefault(sockets[socket], int(process.name))
    return found


def variable_of(process: int, name: str) -> str | None:
    """Return a variable that the process was started with; None if it has none, or is gone."""
    with suppress(OSError):
        for pair in (_PROC / str(process) / "environ").read_bytes().split(b"\0"):
            given, is_set, value = pair.partition(b"=")
            if is_set and given == name.encode():
                return value.decode("utf-8", "replace")
    return None


def parents_of(process: int) -> Iterator[int]:
    """Yield the process and its ancestors, up to the first process."""
    with suppress(OSError, ValueError):
        while process > 0:
            yield process
            stat = (_PROC / str(process) / "stat").read_bytes()
            process = int(stat.rpartition(b")")[2].split()[1])


def _sockets(ports: Collection[int]) -> Iterator[tuple[str, int]]:
    """Yield the inodes of the sockets that listen on the ports, each with its port."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError, ValueError, IndexError):
            for line in (_PROC / "net" / name).read_text("ascii").splitlines()[1:]:
                words = line.split()
                port = int(words[1].rpartition(":")[2], 16)
                if words[3] == _LISTENING and port in ports:
                    yield words[9], port


def _processes() -> Iterator[Path]:
    with suppress(OSError):
        yield from (process for process in _PROC.iterdir() if process.name.isdecimal())


def _sockets_of(process: Path) -> Iterator[str]:
    """Yield the inodes of the sockets that a process has open."""
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                if found := _SOCKET.fullmatch(str(descriptor.readlink())):
                    yield found[1]
