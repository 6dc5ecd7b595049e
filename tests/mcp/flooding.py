"""An MCP server with an address that sends far more than anybody can take."""

import asyncio
import gzip
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

TOTAL = 100_000_000
"""Bytes of a flood."""


def _pieces(begin: bytes, piece: bytes = b"x" * 100_000) -> Iterator[bytes]:
    yield begin
    for _ in range(TOTAL // len(piece)):
        yield piece


def _bomb() -> Iterator[bytes]:
    yield gzip.compress(b'{"x":"' + bytes(TOTAL))


FLOODS: Mapping[str, tuple[str, str, Callable[[], Iterator[bytes]]]] = {
    "a body": ("application/json", "", lambda: _pieces(b'{"x":"')),
    "a line of an event": ("text/event-stream", "", lambda: _pieces(b"data: ")),
    "lines of an event": ("text/event-stream", "", lambda: _pieces(b"", b"data: x\n" * 10_000)),
    "lines without data": ("text/event-stream", "", lambda: _pieces(b"", b"event: x\n" * 10_000)),
    "a body that expands": ("application/json", "gzip", _bomb),
    "events that expand": ("text/event-stream", "gzip", _bomb),
}
"""Media type, coding and body of a flood."""


class Flooding:
    """The server: one request for the method is flooded; `sent` counts the bytes of that."""

    def __init__(self, flooded: str, flood: str) -> None:
        self.sent = 0
        self._flooded = flooded
        self._media_type, self._coding, self._flood = FLOODS[flood]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve during the body, at the address that is yielded."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await reader.readexactly(int(lines.get("content-length", "0")))
            asked: dict[str, Any] = json.loads(body) if body else {}
            if asked.get("method") == self._flooded:
                self._flooded = ""
                await self._send_flood(writer)
            elif "id" in asked:
                reply = {"jsonrpc": "2.0", "id": asked["id"], **_reply(asked["method"])}
                data = json.dumps(reply).encode()
                length = f"Content-Length: {len(data)}"
                _begin(writer, "200 OK", "Content-Type: application/json", length)
                writer.write(data)
            else:
                _begin(writer, "202 Accepted" if asked else "405 Not Allowed", "Content-Length: 0")
            await writer.drain()
        writer.close()

    async def _send_flood(self, writer: StreamWriter) -> None:
        what = (f"Content-Type: {self._media_type}", f"Content-Encoding: {self._coding}")
        _begin(writer, "200 OK", *what)
        for piece in self._flood():
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)


def _begin(writer: StreamWriter, status: str, *headers: str) -> None:
    lines = (f"HTTP/1.1 {status}", *headers, "Connection: close", "", "")
    writer.write("\r\n".join(lines).encode())


def _reply(method: str) -> Mapping[str, Any]:
    match method:
        case "initialize":
            version = "2025-06-18"
            info = {"name": "flood", "version": "1"}
            return {"result": {"protocolVersion": version, "capabilities": {}, "serverInfo": info}}
        case "tools/list":
            return {"result": {"tools": [{"name": "pour", "inputSchema": {"type": "object"}}]}}
        case "tools/call":
            return {"result": {"content": [{"type": "text", "text": "a drop"}]}}
        case _:
            return {"error": {"code": -32601, "message": "Method not found"}}
