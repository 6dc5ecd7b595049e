"""The socket of `lfg serve`, on a Unix path or a TCP port, and serving on it until a signal."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from lfgtui.engine import signals
from lfgtui.errors import UsageError
from lfgtui.history.storage import leases
from lfgtui.server.control import address
from lfgtui.server.http.connections import (
    STALLED,
    HttpConnection,
    OwnersConnection,
    WebSocketConnection,
)

_GRACE = 1
"""Seconds after the signal that answers have to end by themselves, which streams of events never
do."""

_LONGEST = 64 << 20
"""Most bytes of a WebSocket's message, as of a line on a run's socket (`control.messages`)."""


class Address(NamedTuple):
    """A host and a port to listen on."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"


def read_address(text: str) -> Address:
    """Read HOST:PORT, or PORT alone for one on loopback; raises `UsageError`."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(f"--listen {text}: expected HOST:PORT, e.g. 127.0.0.1:8334")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def socket_path() -> Path:
    """Return the path of the Unix socket, for its owner alone."""
    return address.sockets_dir() / "serve.sock"


@contextmanager
def own_socket() -> Iterator[socket.socket]:
    """Listen on the Unix socket; raises `UsageError` if another process does."""
    path = socket_path()
    # A lock, not an attempt to connect: two that start at once would both find nobody there.
    with (
        leases.held(path.parent, path.stem) as is_free,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        if not is_free:
            raise UsageError(f"another lfg serve listens on {path}")
        path.unlink(missing_ok=True)
        with address.short_address(path) as short:
            listener.bind(short)
            listener.listen()
        path.chmod(0o600)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def port_socket(listen: Address) -> Iterator[tuple[socket.socket, Address]]:
    """Listen on the address; port 0 means any free port. Raises `UsageError`."""
    try:
        family = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((listen.host, listen.port), family=family)
    except (OSError, UnicodeError) as error:
        why = str(error.strerror) if isinstance(error, OSError) else "not a valid host name"
        why = why.partition(" (while attempting")[0]  # Python appends the address once more
        raise UsageError(f"cannot listen on {listen.host}:{listen.port}: {why}") from None
    with listener:
        yield listener, Address(listen.host, listener.getsockname()[1])


def serve(app: ASGIApp, listener: socket.socket, on_ready: Callable[[], object]) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; call `on_ready` once requests are taken."""
    is_own = listener.family == socket.AF_UNIX
    asyncio.run(_serve(Server(app, on_ready, is_own=is_own), listener))


async def _serve(server: "Server", listener: socket.socket) -> None:
    def stop(_number: signal.Signals) -> None:
        notify_service_manager("STOPPING=1")
        server.should_exit = True

    with signals.delivered(asyncio.get_running_loop(), stop):
        await server.serve([listener])


class Server(uvicorn.Server):
    """A server that leaves signals to `_serve`; `is_own`: it listens on the owner's Unix socket."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], object], *, is_own: bool) -> None:
        super().__init__(_configured(app, OwnersConnection if is_own else HttpConnection))
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()
        notify_service_manager("READY=1")


def _configured(app: ASGIApp, http: type[HttpConnection]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        ws=WebSocketConnection,
        ws_max_size=_LONGEST,
        ws_ping_timeout=STALLED,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )


def notify_service_manager(state: str) -> None:
    """Tell systemd, if it started this process; see sd_notify(3)."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path[:1] in ("/", "@"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client, suppress(OSError):
            client.sendto(state.encode(), path.replace("@", "\0", 1))
