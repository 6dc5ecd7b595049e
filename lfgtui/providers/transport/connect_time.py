"""The time that a request spends on opening its connection; none on an open one.

`time_connections` is called once for a client, `connect_seconds` for each of its responses.
"""

from time import monotonic

import httpx
import httpx2

from lfgtui.providers.transport.response_guard import Client, Response


class ConnectTimer:
    """Times name look-up, TCP and TLS of one request, as its `trace` extension.

    httpcore calls it at each step, some ten times in a request, and never for a piece of the body.
    The doctor's `Probe`, which is to watch the client later than this, sets a `trace` of its own.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._began = 0.0

    async def __call__(self, name: str, info: dict[str, object]) -> None:
        match name.split(".")[-2:]:
            case ["connect_tcp", "started"]:
                self._began = monotonic()
            case ["connect_tcp" | "start_tls", "complete"]:
                self.seconds = monotonic() - self._began
            case _:
                pass


def time_connections(client: Client) -> None:
    """Time the connections that the client opens from now on."""

    async def attach(request: httpx2.Request | httpx.Request) -> None:
        request.extensions["trace"] = ConnectTimer()

    client.event_hooks["request"].append(attach)


def connect_seconds(response: Response) -> float | None:
    """Return the seconds that the response's connection took to open.

    None if it was open, and for a client that a `Probe` watches.
    """
    timer = response.request.extensions.get("trace")
    return timer.seconds if isinstance(timer, ConnectTimer) else None
