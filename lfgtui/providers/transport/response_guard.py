"""The guard that every HTTP response passes before anything reads it, on every wire.

`guard` puts it into a hook of the HTTP client, below the SDKs, which read the whole
body of a refusal or of a list of models, decompress whatever comes, and follow
redirects. Here

- a redirect is refused (`base_url` is the final address, and no other host may
  get the key);
- a body is decompressed in small pieces, and not beyond the ratio of any real
  response; codings that lfg cannot read are refused by name;
- no body is longer than `BODY_BYTES`, the body of a refusal is cut at
  `ERROR_BYTES`, and a document that is read whole may not be longer than its
  reader allows.

See decision 20.
"""

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import TypeAlias

import httpx
import httpx2

from lfgtui.errors import ProviderError
from lfgtui.providers import limits
from lfgtui.providers.errors.mapping import redirected

Client: TypeAlias = httpx2.AsyncClient | httpx.AsyncClient
Response: TypeAlias = httpx2.Response | httpx.Response

_PLAIN = frozenset({"", "identity", "none", "utf-8", "utf8"})
"""Values of Content-Encoding for a body that is not compressed; some servers send a charset."""

_DEFLATED = (["gzip"], ["x-gzip"], ["deflate"])  # what is decompressed here
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib's code for either header


def guard(client: Client, *, document_bytes: int = limits.BODY_BYTES) -> None:
    """Check all responses of a new client; `document_bytes` is the limit of an answer to a GET."""
    client.follow_redirects = False

    async def check(response: Response) -> None:
        _check(response, document_bytes if response.request.method == "GET" else limits.BODY_BYTES)

    client.event_hooks["response"].append(check)


class FilteredBody(httpx2.AsyncByteStream, httpx.AsyncByteStream):
    """The body of a response as `through` lets it pass, for httpx and httpx2 alike."""

    def __init__(
        self,
        response: Response,
        through: Callable[[AsyncGenerator[bytes, None]], AsyncGenerator[bytes, None]],
    ) -> None:
        self._stream = body_of(response)
        self._filtered = through(chunks_of(self._stream))

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._filtered

    async def aclose(self) -> None:
        try:
            await self._filtered.aclose()
        finally:
            await self._stream.aclose()


def body_of(response: Response) -> httpx2.AsyncByteStream | httpx.AsyncByteStream:
    """Return the body of a streamed response; on a guarded client it is decompressed."""
    assert isinstance(response.stream, httpx2.AsyncByteStream | httpx.AsyncByteStream)
    return response.stream


def chunks_of(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Return the chunks of a body as the generator that they are; the reader has to close it."""
    chunks = aiter(stream)
    assert isinstance(chunks, AsyncGenerator)
    return chunks


def _check(response: Response, limit: int) -> None:
    """Refuse a response, or replace its body by one within `limit` bytes."""
    status, headers = response.status_code, response.headers
    if 300 <= status < 400:
        raise redirected(status, headers.get("location", ""))
    codings, is_refusal = _codings(headers), status >= 400
    headers.pop("content-encoding", None)  # from here on the body is plain
    if codings and codings not in _DEFLATED:
        names = ", ".join(codings)[:40]
        if not is_refusal:
            raise _compressed(f"the server compressed its response ({names})")
        response.stream = FilteredBody(response, lambda _: _note(names))
        return
    split = _inflater() if codings else _slices
    limit = limits.ERROR_BYTES if is_refusal else limit
    response.stream = FilteredBody(
        response, lambda chunks: _bounded(chunks, split, limit, is_refusal=is_refusal)
    )


def _codings(headers: Mapping[str, str]) -> list[str]:
    """Return the names of the body's compressions, as in `gzip, br`."""
    names = (name.strip().lower() for name in headers.get("content-encoding", "").split(","))
    return [name for name in names if name not in _PLAIN]


def _compressed(problem: str) -> ProviderError:
    hint = "turn compression off in the server or the proxy in front of it"
    return ProviderError("protocol", f"{problem}; {hint}")


async def _note(codings: str) -> AsyncGenerator[bytes, None]:
    """Stand in for the body of a refusal that cannot be read."""
    yield json.dumps({"error": {"message": f"the message is compressed ({codings})"}}).encode()


async def _bounded(
    chunks: AsyncGenerator[bytes, None],
    split: Callable[[bytes], Iterator[bytes]],
    limit: int,
    *,
    is_refusal: bool,
) -> AsyncGenerator[bytes, None]:
    """Yield a body in pieces; past `limit` bytes, or if it expands too much, raise `ProviderError`.

    The body of a refusal is cut there instead: its message comes first.
    """
    left, room = limit, limits.MEGABYTE  # bytes until it is too long, and until it is a bomb
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                room += limits.GROWTH * len(chunk)
                for piece in split(chunk):
                    room -= len(piece)
                    if room < 0:
                        problem = f"the response expands more than {limits.GROWTH} times"
                        raise _compressed(problem)
                    yield piece[:left]
                    left -= len(piece)
                    if left < 0:
                        raise limits.too_long("the response", limit, limits.KEPT)
    except ProviderError:
        if not is_refusal:
            raise


def _slices(data: bytes) -> Iterator[bytes]:
    """Yield pieces of `PIECE_BYTES` at most."""
    return (data[at : at + limits.PIECE_BYTES] for at in range(0, len(data), limits.PIECE_BYTES))


def _inflater() -> Callable[[bytes], Iterator[bytes]]:
    """Return a gzip or zlib decompressor that yields pieces of `PIECE_BYTES` at most."""
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    def inflate(data: bytes) -> Iterator[bytes]:
        try:
            while piece := inflater.decompress(data, limits.PIECE_BYTES):
                yield piece
                data = inflater.unconsumed_tail
        except zlib.error as error:
            raise _compressed(f"cannot decompress the response: {error}") from error

    return inflate
