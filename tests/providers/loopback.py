"""A real HTTP server on loopback that answers with what a test hands it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

CUT: Literal["cut"] = "cut"
STALL: Literal["stall"] = "stall"
Step = bytes | Literal["cut", "stall"] | Callable[[], Awaitable[None]]


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, object]
    method: str = "POST"
    raw: bytes = b""


@dataclass
class Answer:
    """What to send: the steps of the body, one chunk each, or a cut, a stall, or what to do."""

    steps: Sequence[Step]
    status: int = 200
    content_type: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    before: Sequence[Step] = ()


class Loopback:
    """The server. `left` is set when a client goes away before its answer is whole.

    `answering` gives each request an answer of its own; without it all get `answer`.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer = Answer([])
        self.answering: Callable[[Asked], Answer] | None = None
        self.left = asyncio.Event()
        self.streaming = asyncio.Event()
        self.connections = 0
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        plain = dict(line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in plain.items()}
        method, path = head[0].split()[:2]
        self.asked.append(Asked(path, headers, json.loads(body or b"{}"), method, body))
        answer = self.answer if self.answering is None else self.answering(self.asked[-1])
        if not await self._play(reader, writer, answer.before, chunked=False):
            return False
        extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        writer.write(
            f"HTTP/1.1 {answer.status} Here\r\ncontent-type: {answer.content_type}\r\n"
            f"transfer-encoding: chunked\r\n{extra}\r\n".encode()
        )
        await writer.drain()
        if not await self._play(reader, writer, answer.steps, chunked=True):
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _play(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        steps: Sequence[Step],
        *,
        chunked: bool,
    ) -> bool:
        for step in steps:
            if step == CUT:
                return False
            if callable(step):
                await step()
                continue
            if isinstance(step, str):
                self.streaming.set()
                await reader.read(1)  # nothing comes but the client's end
                self.left.set()
                return False
            writer.write(b"%x\r\n%s\r\n" % (len(step), step) if chunked else step)
            await writer.drain()
        return True
