"""What goes wrong between two programs: a TCP server before the simulator that breaks replies.

It fetches a reply whole and then plays it as the plan for that request says:
the right bytes up to somewhere, then the fault. A plan is chosen by the
request's model; each is used once, so a retry gets through.
"""

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeAlias

Step: TypeAlias = bytes | asyncio.Event | Literal["reset", "close", "silence"]
"""Bytes to send, something to wait for, or how it ends: RST, FIN, or nothing at all any more."""

Plan: TypeAlias = Callable[[bytes], Iterable[Step]]

HEAD = b"\r\n\r\n"

_HELD_AFTER = 0.3  # seconds in which a client that reads would have read


def whole(reply: bytes) -> Iterable[Step]:
    """The right reply."""
    return [reply]


def upto(marker: bytes, *then: Step, more: int = 0) -> Plan:
    """The reply to the end of the marker (and `more` bytes), then these steps."""
    return lambda reply: [reply[: reply.index(marker) + len(marker) + more], *then]


def instead(body: bytes, *then: Step, status: int = 200, **headers: str) -> Plan:
    """Another reply altogether, ended by closing where nothing else is said."""
    lines = [f"HTTP/1.1 {status} Here", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode() + HEAD
    return lambda _: [head + body, *then]


def after(event: asyncio.Event, plan: Plan) -> Plan:
    """The same, once something has happened."""
    return lambda reply: [event, *plan(reply)]


def split(marker: bytes, until: asyncio.Event) -> Plan:
    """The right reply, held in the middle until something has happened."""

    def play(reply: bytes) -> Iterable[Step]:
        at = reply.index(marker) + len(marker)
        return [reply[:at], until, reply[at:]]

    return play


class Breaker:
    """Put before the server at a root, it gives the root to ask instead: `room(front=breaker)`.

    It stays at its address when it is put before another server. `asked` counts requests by model,
    `bodies` are their JSON, `sent` is the bytes of replies. `left` is set when a client goes before
    its reply is whole, `held` when it has read nothing for a while though there is more.
    """

    def __init__(self, plans: dict[str, list[Plan]]) -> None:
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.sent = 0
        self.left = asyncio.Event()
        self.held = asyncio.Event()
        self._port = self._address = 0
        self._plans = {model: list(some) for model, some in plans.items()}
        self._playing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def __call__(self, root: str) -> AsyncIterator[str]:
        self._port = int(root.rpartition(":")[2])
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._address)
        self._address = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{self._address}"
        finally:
            server.close()
            for task in self._playing:
                task.cancel()
            await asyncio.gather(*self._playing, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        task = asyncio.current_task()
        assert task is not None
        self._playing.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        except asyncio.CancelledError:  # the test is over; nobody asks this task how it went
            pass
        finally:
            self._playing.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(HEAD)
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        body = await reader.readexactly(int(lines[b"content-length"]))
        self.bodies.append(json.loads(body))
        model = str(self.bodies[-1]["model"])
        self.asked[model] += 1
        plans = self._plans.get(model)
        plan = plans.pop(0) if plans else whole
        for step in plan(await self._fetch(head, body)):
            if isinstance(step, bytes):
                self.sent += len(step)
                writer.write(step)
                await self._drain(writer)
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif step == "silence":
                await reader.read()  # nothing comes but the client's end
                self.left.set()
            else:
                if step == "reset":
                    reset(writer)
                return

    async def _drain(self, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        if not (transport.get_write_buffer_size() or transport.is_closing()):
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(writer.drain(), _HELD_AFTER)
        except TimeoutError:
            self.held.set()
            await writer.drain()

    async def _fetch(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        request, _, headers = head.partition(b"\r\n")
        kept = [line for line in headers.split(b"\r\n") if not line.lower().startswith(b"connect")]
        writer.write(b"\r\n".join([request, b"connection: close", *kept]) + body)
        reply = await reader.read()
        writer.close()
        await writer.wait_closed()
        return reply


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST in place of FIN, as a process that crashes or a firewall does."""
    bound: socket.socket = writer.get_extra_info("socket")
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
