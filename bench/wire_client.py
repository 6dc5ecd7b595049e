"""A measured process that is not lfg: an SDK's bare iterator, or sockets and nothing decoded.

    python -m bench.wire_client SIDE LOAD PORT

Prints an `Outcome` in JSON. The SDK's side opens every stream in a task of its own, reads
the text out of each event and does nothing else.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from zlib import crc32

import msgspec

from bench.wire_job import Load, WireName
from bench.wire_records import records
from bench.wire_server import prompt

_END = b"0\r\n\r\n"


class Outcome(msgspec.Struct):
    """When the last stream had ended (on the monotonic clock), and what each had said."""

    ended: float
    said: list[int]
    """The check sums of the texts; of `raw` the number of bytes."""


async def _chat(base: str, streams: int) -> list[AsyncIterator[str]]:
    import openai  # the other wire's process does not pay for it

    client = openai.AsyncOpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0)

    async def texts(stream: int) -> AsyncIterator[str]:
        response = await client.chat.completions.create(
            model="bench", messages=[{"role": "user", "content": prompt(stream)}], stream=True
        )
        async for chunk in response:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    return [texts(stream) for stream in range(streams)]


async def _responses(base: str, streams: int) -> list[AsyncIterator[str]]:
    import openai  # the other wire's process does not pay for it

    client = openai.AsyncOpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0)

    async def texts(stream: int) -> AsyncIterator[str]:
        response = await client.responses.create(model="bench", input=prompt(stream), stream=True)
        async for event in response:
            if event.type == "response.output_text.delta":
                yield event.delta

    return [texts(stream) for stream in range(streams)]


async def _messages(base: str, streams: int) -> list[AsyncIterator[str]]:
    import anthropic  # the other wires' processes do not pay for it

    client = anthropic.AsyncAnthropic(base_url=base, api_key="none", max_retries=0)

    async def texts(stream: int) -> AsyncIterator[str]:
        response = await client.messages.create(
            model="bench",
            max_tokens=8192,
            messages=[{"role": "user", "content": prompt(stream)}],
            stream=True,
        )
        async for event in response:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text

    return [texts(stream) for stream in range(streams)]


async def sdk(load: Load, port: int) -> list[int]:
    """Read all streams through the wire's SDK."""
    openings = {"openai-chat": _chat, "openai-responses": _responses, "anthropic": _messages}
    opened = await openings[load.wire](f"http://127.0.0.1:{port}", load.streams)

    async def read(texts: AsyncIterator[str]) -> int:
        return crc32("".join([text async for text in texts]).encode())

    return await asyncio.gather(*map(read, opened))


class _Counting(asyncio.Protocol):
    """Asks for one stream, counts bytes and looks for records' ends."""

    def __init__(self, wire: WireName, stream: int, ended: asyncio.Future[int]) -> None:
        body = msgspec.json.encode(prompt(stream))
        head = f"POST {records(wire).path} HTTP/1.1\r\nhost: localhost\r\n"
        self._request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
        self._ended = ended
        self._bytes = self._records = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        self._records += data.count(b"\n\n")
        if data.endswith(_END):
            self._ended.set_result(self._bytes)


async def raw(load: Load, port: int) -> list[int]:
    """Read all streams from their sockets."""
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[int]] = []
    for stream in range(load.streams):
        ends.append(loop.create_future())
        protocol = partial(_Counting, load.wire, stream, ends[-1])
        await loop.create_connection(protocol, "127.0.0.1", port)
    return await asyncio.gather(*ends)


async def main() -> None:
    """Do what the command line says."""
    side, load, port = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Load), int(sys.argv[3])
    said = await {"sdk": sdk, "raw": raw}[side](load, port)
    outcome = Outcome(time.monotonic(), said)
    print(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    asyncio.run(main())
