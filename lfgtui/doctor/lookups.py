"""An event loop that times its name look-ups.

The HTTP client resolves names while it connects and says nothing of it. All
of it goes through the loop, so here is the one place to take the time
without a second look-up, which would be answered from a cache and tell
nothing.
"""

import asyncio
from time import monotonic
from typing import Any


class LookupTimingLoop(asyncio.SelectorEventLoop):
    """The usual loop; `lookups` holds the seconds of each look-up so far."""

    def __init__(self) -> None:
        super().__init__()
        self.lookups: list[float] = []

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002  # the standard library's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:  # as the standard library describes it, which changes
        began = monotonic()
        try:
            return await super().getaddrinfo(
                host, port, family=family, type=type, proto=proto, flags=flags
            )
        finally:
            self.lookups.append(monotonic() - began)
