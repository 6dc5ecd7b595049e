"""Bodies that grow when they are decompressed, and redirects that would lead keys away."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model.events import TextDelta
from lfgtui.providers import limits
from lfgtui.providers.agent_server.sse import AgentSseProvider
from lfgtui.providers.base import ListsModels, Provider
from tests.providers.loopback import STALL, Answer, Loopback
from tests.providers.sdk_wires import CONNECT, FIRST, KEY, LAST, events_of, failure_of, request

PROVIDERS: dict[str, Callable[..., Provider]] = {**CONNECT, "agent-sse": AgentSseProvider}
AGENT = [b'data: {"type": "token", "content": "Hello"}\n\n', b"data: [DONE]\n\n"]
BOMB = gzip.compress(b"data: " + b"x" * 7_000_000)
"""7 KB that become one record of 7 MB."""


@pytest.fixture(params=PROVIDERS)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def provider(wire: str, server: Loopback) -> AsyncIterator[Provider]:
    """One that takes the server for another machine, where the SDKs follow redirects."""
    url = server.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")
    secret = {"X-Api-Secret": KEY}
    opened = await asyncio.to_thread(
        lambda: PROVIDERS[wire](base_url=url, api_key=KEY, headers=secret)
    )
    yield opened
    await opened.aclose()


def body_of(wire: str) -> bytes:
    return b"".join(AGENT if wire == "agent-sse" else FIRST[wire] + LAST[wire])


def compressed(body: bytes, coding: str = "gzip", **more: object) -> Answer:
    answer = Answer([body], headers={"content-encoding": coding})
    for name, value in more.items():
        setattr(answer, name, value)
    return answer


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("utf-8", bytes)],
)
async def test_a_body_that_is_compressed_unasked_is_still_read(
    provider: Provider, wire: str, server: Loopback, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    server.answer = compressed(compress(body_of(wire)), coding)
    assert TextDelta("Hello") in await events_of(provider)
    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_decompression_bomb_is_refused_after_its_first_megabyte(
    provider: Provider, server: Loopback, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    pieces: list[int] = []
    inflate = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._zlib = inflate(wbits)

        def decompress(self, data: bytes, max_length: int) -> bytes:
            pieces.append(len(piece := self._zlib.decompress(data, max_length)))
            return piece

        @property
        def unconsumed_tail(self) -> bytes:
            return self._zlib.unconsumed_tail

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    server.answer = compressed(BOMB)
    failure = await failure_of(provider, request(stream=stream))
    assert failure.kind == "protocol"
    assert failure.message.startswith("the response expands more than 100 times; turn compression")
    assert max(pieces) == limits.PIECE_BYTES
    assert sum(pieces) < limits.MEGABYTE + limits.GROWTH * len(BOMB) + limits.PIECE_BYTES


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x-rot13"])
async def test_another_coding_is_named(provider: Provider, server: Loopback, coding: str) -> None:
    server.answer = compressed(gzip.compress(BOMB), coding)
    failure = await failure_of(provider)
    assert failure.kind == "protocol"
    assert f"the server compressed its response ({coding}); turn" in failure.message


async def test_gzip_that_is_none_is_refused(provider: Provider, server: Loopback) -> None:
    server.answer = compressed(b"data: x\n\n")
    failure = await failure_of(provider)
    assert failure.kind == "protocol"
    assert failure.message.startswith("cannot decompress the response: ")


async def test_a_compressed_refusal_keeps_its_status(provider: Provider, server: Loopback) -> None:
    refusal = json.dumps({"error": {"message": "No credit left."}}).encode()
    server.answer = compressed(gzip.compress(refusal), status=401, content_type="application/json")
    failure = await failure_of(provider)
    assert (failure.kind, failure.message) == ("auth", "No credit left (HTTP 401)")
    server.answer = compressed(refusal, "br", status=429)
    server.answer.headers["retry-after"] = "7"
    failure = await failure_of(provider)
    assert (failure.kind, failure.retry_after) == ("rate_limit", 7.0)
    assert "compressed (br)" in failure.message
    server.answer = compressed(gzip.compress(b"<html>" * 500_000), status=503)
    assert (await failure_of(provider)).kind == "overloaded"
    server.answer = compressed(b"no gzip", status=400)
    assert (await failure_of(provider)).kind == "invalid_request"


async def test_a_body_without_end_is_given_up_after_what_came(
    provider: Provider, wire: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_BYTES", 2_000)
    first = AGENT[:1] if wire == "agent-sse" else FIRST[wire]
    server.answer = Answer([*first, b"\n" * 5_000])
    failure = await failure_of(provider, after=[TextDelta("Hello")])
    assert failure.message.startswith("the response exceeds the limit of 2000 bytes")


async def test_an_unreadable_refusal_is_left_at_once(provider: Provider, server: Loopback) -> None:
    server.answer = compressed(b"x", "br", status=429, steps=[b"x", STALL])
    assert (await failure_of(provider)).kind == "rate_limit"
    await server.left.wait()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_nothing_follows_it(
    provider: Provider, server: Loopback, status: int
) -> None:
    other = Loopback()
    await other.start()
    target = other.url.replace("//", "//user:pass@") + "/v1/steal?with=query#here"
    server.answer = Answer([b""], status, headers={"location": target})
    failure = await failure_of(provider)
    await other.stop()
    assert other.connections == 0
    assert len(server.asked) == 1
    assert failure.kind == "invalid_request"
    assert failure.message == (
        f"the server redirects to {other.url}/v1/steal (HTTP {status});"
        " set base_url to the final address"
    )


@pytest.mark.parametrize("location", ["http://[", "\x1b]52;c;x\x07", "/" + "x" * 9000, "//", ""])
async def test_a_redirect_is_one_line(provider: Provider, server: Loopback, location: str) -> None:
    server.answer = Answer([b""], 302, headers={"location": location})
    failure = await failure_of(provider)
    assert failure.kind in ("invalid_request", "cut")  # h11 refuses control characters
    assert failure.message.isprintable()
    assert len(failure.message) <= 400


@pytest.mark.parametrize("wire", CONNECT)
async def test_a_list_of_models_is_bounded_and_follows_no_redirect(
    provider: Provider, wire: str, server: Loopback
) -> None:
    assert isinstance(provider, ListsModels)
    server.answer = Answer([b'{"data": [{"id": "a"}]}'])
    assert await provider.models() == ["a"]
    assert server.asked[0].path == ("/v1/models" if wire == "anthropic" else "/models")
    server.answer = Answer([b"no"], 404, "text/plain")
    with pytest.raises(ProviderError, match="404"):
        await provider.models()
    server.answer = Answer([b""], 307, headers={"location": "http://127.0.0.1:9/models"})
    with pytest.raises(ProviderError, match=r"redirects to http://127\.0\.0\.1:9/models"):
        await provider.models()
    server.answer = Answer([b'{"data": [', b'{"id": "x"},' * 2_000_000])
    with pytest.raises(ProviderError, match="exceeds the limit of 16 MB"):
        await provider.models()
