"""The misbehaving server: `python -m tests.hostile.server` prints its port, then what happens.

A request to `/CASE/WIRE/...` gets what that case plays on that wire, over
HTTP or, where the client asks for one, a WebSocket. What it notes goes to
stdout, a JSON object a line, with the monotonic clock's time. It ends when its
stdin does.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.faults.breaker import HEAD, reset
from tests.hostile.cases import Note, Pause, Step
from tests.hostile.catalogue import CASES
from tests.hostile.wires import WIRES, Wire

_WIRES: dict[str, type[Wire]] = {str(name): wire for name, wire in WIRES.items()}


class Server:
    """Plays cases; `_requests` counts the requests of each."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(HEAD)).decode("latin-1")
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        await reader.readexactly(int(headers.get("content-length", "0")))
        name, wire = request.split()[1].lstrip("/").split("/")[:2]
        self._requests[name, wire] += 1
        _report(case=name, wire=wire, event="request")
        gone = asyncio.create_task(_until_gone(reader))
        port: int = writer.get_extra_info("sockname")[1]
        key = headers.get("sec-websocket-key", "")
        speaking = _WIRES[wire](self._requests[name, wire], port, key)
        try:
            await self._play(name, CASES[name].play(speaking), writer, gone)
        finally:
            gone.cancel()

    async def _play(
        self,
        name: str,
        steps: Iterable[Step],
        writer: asyncio.StreamWriter,
        gone: "asyncio.Task[None]",
    ) -> None:
        for step in steps:
            match step:
                case bytes():
                    writer.write(step)
                    await writer.drain()
                    await asyncio.sleep(0)
                case Pause(seconds):
                    await asyncio.wait({gone}, timeout=seconds)
                case Note(word):
                    _report(case=name, event="word", word=word)
                case "half-close":
                    writer.write_eof()
                case "silence":
                    await asyncio.wait({gone})
                case "reset":
                    reset(writer)
                    return
                case "close":
                    return


async def _until_gone(reader: asyncio.StreamReader) -> None:
    """Read and forget what the client still says, until it goes."""
    try:
        while await reader.read(1 << 16):
            pass
    except ConnectionError:
        return


def _report(**fields: object) -> None:
    sys.stdout.write(json.dumps({"at": time.monotonic(), **fields}) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Serve until stdin ends."""
    play = Server()
    server = await asyncio.start_server(play.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.start_server(play.serve, "127.0.0.2", port)  # another host, for redirects
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
