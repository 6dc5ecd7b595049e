"""A way to Redis that can be cut, in one direction or both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Way:
    """Carries bytes between a port of its own and a Unix socket; what it drops is lost."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.url = ""
        self.is_open = {"there": True, "back": True}
        self.dropped = {"there": asyncio.Event(), "back": asyncio.Event()}

    def cut(self, *directions: str) -> None:
        self.is_open.update(dict.fromkeys(directions, False))

    def mend(self) -> None:
        self.is_open = {"there": True, "back": True}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self.socket)
        try:
            ways = (self._carry(reader, back, "there"), self._carry(there, writer, "back"))
            done = await asyncio.gather(*ways, return_exceptions=True)
            assert all(one is None or isinstance(one, OSError) for one in done)
        finally:
            back.close()
            writer.close()

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: str
    ) -> None:
        was_cut = False
        while some := await source.read(65536):
            was_cut = was_cut or not self.is_open[way]  # half a conversation is of no use
            if was_cut:
                self.dropped[way].set()
            else:
                target.write(some)
                await target.drain()
        with suppress(OSError):
            target.write_eof()


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[Way]:
    """A way to the server at that URL of a Unix socket."""
    way = Way(url.removeprefix("unix://"))
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield way
    finally:
        server.close()
