"""The measured sides' server: a process that streams by the clock, whatever a client does.

    python -m bench.wire_server LOAD

`LOAD` is a `Load` in JSON. Prints its port, serves until its stdin ends, and prints its
`Log` in MessagePack. A stream's token k is written k/rate after the first, each in a
write of its own; what a client does not read waits in memory. Requests that come
together do not beat together: each stream's first token has a place of its own within
the time from one token to the next.
"""

import asyncio
import os
import re
import resource
import sys
import time
from heapq import heappop, heappush

import msgspec

from bench import wire_text
from bench.wire_job import Load, Log
from bench.wire_records import chat_call, records

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb"stream number (\d+)")
QUESTION = "ask a question"
"""What a request says to get a call of a tool that asks first."""
_GOLDEN = 0.618034


def prompt(stream: int) -> str:
    """What a request says to get that stream."""
    return f"stream number {stream}"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Script:
    """All that will be written, made before the first request."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self._wire = wire = records(load.wire)
        self.opening = _HEAD + _chunk(wire.opening)
        made: dict[tuple[int, str], bytes] = {}
        self.tokens: list[list[bytes]] = []
        for stream in range(load.streams):
            self.tokens.append([])
            for number, text in enumerate(wire_text.tokens(stream, load.length)):
                # Streams of one document share all but their marks.
                record = made.get((number, text))
                if record is None:
                    record = made[number, text] = _chunk(wire.token(number, text))
                self.tokens[-1].append(record)

    def closing(self, stream: int) -> bytes:
        """The end of the stream and of its response."""
        said = wire_text.tokens(stream, self.load.length)
        return _chunk(self._wire.closing(said)) + b"0\r\n\r\n"


class Pace:
    """Writes each stream's tokens when they are due."""

    def __init__(self, script: Script) -> None:
        streams = script.load.streams
        self.log = Log(
            [0.0] * streams, [0.0] * streams, [[] for _ in range(streams)], [0] * streams
        )
        self._script = script
        self._period = 1 / script.load.rate
        self._next: list[tuple[float, int, asyncio.Transport]] = []
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, stream: int, transport: asyncio.Transport) -> None:
        """Answer a request."""
        now = time.monotonic()
        self.log.asked[stream] = now
        self.log.due[stream] = due = now + self._period * (1 + stream * _GOLDEN % 1)
        self._write(stream, transport, self._script.opening)
        heappush(self._next, (due, stream, transport))
        self._tick()

    def _write(self, stream: int, transport: asyncio.Transport, data: bytes) -> None:
        self.log.sent[stream] += len(data)
        transport.write(data)

    def _tick(self) -> None:
        upcoming, clock = self._next, time.monotonic
        while upcoming and upcoming[0][0] <= clock():
            _, stream, transport = heappop(upcoming)
            if transport.is_closing():
                continue
            times, tokens = self.log.written[stream], self._script.tokens[stream]
            self._write(stream, transport, tokens[len(times)])
            times.append(clock())
            if len(times) < len(tokens):
                again = self.log.due[stream] + len(times) * self._period
                heappush(upcoming, (again, stream, transport))
            else:
                self._write(stream, transport, self._script.closing(stream))
        if self._timer is not None:
            self._timer.cancel()
        if upcoming:
            self._timer = asyncio.get_running_loop().call_at(upcoming[0][0], self._tick)


class Connection(asyncio.Protocol):
    """One client's, that asks for one stream after the other."""

    transport: asyncio.Transport

    def __init__(self, path: str, pace: Pace) -> None:
        self._asked = f"POST {path} ".encode()
        self._pace = pace
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, ended, body = self._request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not ended or (length and len(body) < int(length[1])):
            return
        self._request = b""
        stream = _STREAM.search(body)
        if head.startswith(self._asked) and stream:
            self._pace.begin(int(stream[1]), self.transport)
        elif QUESTION.encode() in body:
            self.transport.write(_HEAD + _chunk(chat_call()) + b"0\r\n\r\n")
        else:
            self.transport.write(_NOT_FOUND)


async def serve(load: Load) -> Log:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    pace, path = Pace(Script(load)), records(load.wire).path
    server = await loop.create_server(lambda: Connection(path, pace), "127.0.0.1", backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), over.set)
    await over.wait()
    used = resource.getrusage(resource.RUSAGE_SELF)
    pace.log.cpu = used.ru_utime + used.ru_stime
    return pace.log


if __name__ == "__main__":
    log = asyncio.run(serve(msgspec.json.decode(sys.argv[1], type=Load)))
    sys.stdout.buffer.write(msgspec.msgpack.encode(log))
    sys.stdout.flush()
    os._exit(0)  # not for connections that nobody closed
