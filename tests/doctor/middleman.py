"""A proxy that does to a stream what proxies do to streams."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx2

How = Literal["passes", "collects", "compresses", "slices", "cuts"]

SLICE_SECONDS = 0.15
IDLE_SECONDS = 1.0


class Middleman:
    """Stands before `upstream`; `signature` is the headers it adds."""

    def __init__(self, upstream: str, how: How, signature: dict[str, str]) -> None:
        self._upstream = upstream
        self._how = how
        self._signature = signature
        self._client = httpx2.AsyncClient(trust_env=False, timeout=None)

    async def close(self) -> None:
        await self._client.aclose()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            asked = [line.split(": ", 1) for line in head[1:] if line]
            passed = {name.lower(): value for name, value in asked}
            body = await reader.readexactly(int(passed["content-length"]))
            url = self._upstream + head[0].split()[1]
            async with self._client.stream("POST", url, content=body, headers=passed) as answer:
                await self._pass_on(answer, writer)
        finally:
            writer.close()

    async def _pass_on(self, answer: httpx2.Response, writer: asyncio.StreamWriter) -> None:
        kept = {name: answer.headers[name] for name in ("content-type", "date")}
        headers = {**kept, "connection": "close", **self._signature}
        match self._how:
            case "collects":
                body = await answer.aread()
                _begin(writer, answer.status_code, {**headers, "content-length": str(len(body))})
                writer.write(body)
            case "compresses":
                _begin(writer, answer.status_code, {**headers, "content-encoding": "gzip"})
                writer.write(gzip.compress(await answer.aread()))
            case "passes" | "slices" | "cuts":
                _begin(writer, answer.status_code, headers)
                await self._trickle(answer, writer)
        await writer.drain()

    async def _trickle(self, answer: httpx2.Response, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        held, emptied = b"", loop.time()
        pieces = aiter(answer.aiter_raw())
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS if self._how == "cuts" else None):
                    piece = await anext(pieces, None)
            except TimeoutError:
                return
            held += piece or b""
            if piece is None or self._how != "slices" or loop.time() - emptied > SLICE_SECONDS:
                writer.write(held)
                await writer.drain()
                held, emptied = b"", loop.time()
            if piece is None:
                return


def _begin(writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {status} Here\r\n{lines}\r\n".encode())


@asynccontextmanager
async def between(upstream: str, how: How, **signature: str) -> AsyncIterator[str]:
    """A middleman on loopback; gives its root URL."""
    middleman = Middleman(upstream, how, signature)
    server = await asyncio.start_server(middleman.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        await server.wait_closed()
        await middleman.close()
