"""The guard that every HTTP response passes before anything reads it, on every wire.

It hangs on the HTTP client's own hook, below the SDKs, which read the whole body
of a refusal or of a list of models, decompress whatever comes, and follow
redirects. Here

- a redirect is refused (`base_url` is the final address, and a key belongs to
  no other host);
- a body is decompressed in small pieces, and not beyond the ratio of any real
  response; codings that lfg cannot read are refused by name;
- the body of a refusal is cut at `ERROR_BYTES`, and a document that is read
  whole may not be longer than its reader allows.

See decision 20.
"""

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

import httpx
import httpx2

from lfgtui.errors import ProviderError
from lfgtui.providers import limits
from lfgtui.providers.errors.mapping import redirected

_PLAIN = frozenset({"", "identity", "none", "utf-8", "utf8"})
"""Values of Content-Encoding that mean none; some servers put a charset there."""

_DEFLATED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def guard(
    client: httpx2.AsyncClient | httpx.AsyncClient, *, document_bytes: int | None = None
) -> None:
    """Check all responses of the client; `document_bytes` bounds the answer to a GET."""
    client.follow_redirects = False

    async def check(response: httpx2.Response | httpx.Response) -> None:
        is_document = response.request.method == "GET" and document_bytes is not None
        _check(response, document_bytes if is_document else None)

    client.event_hooks["response"].append(check)


def _check(response: httpx2.Response | httpx.Response, document_bytes: int | None) -> None:
    status, headers = response.status_code, response.headers
    if 300 <= status < 400:
        raise redirected(status, headers.get("location", ""))
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream | httpx.AsyncByteStream)
    codings, is_refusal = _codings(headers), status >= 400
    headers.pop("content-encoding", None)  # from here on the body is plain
    if not codings:
        inflater = None
    elif len(codings) == 1 and codings[0] in _DEFLATED:
        inflater = _Inflater(is_refusal)
    elif is_refusal:
        note = f"the message is compressed ({', '.join(codings)[:40]})"
        response.stream = _Body(_Note(note), None, limits.ERROR_BYTES, is_refusal)
        return
    else:
        raise _compressed(f"the server compressed its response ({', '.join(codings)[:40]})")
    limit = limits.ERROR_BYTES if is_refusal else document_bytes or limits.BODY_BYTES
    response.stream = _Body(stream, inflater, limit, is_refusal)


def _codings(headers: Mapping[str, str]) -> list[str]:
    names = (name.strip().lower() for name in headers.get("content-encoding", "").split(","))
    return [name for name in names if name not in _PLAIN]


def _compressed(problem: str) -> ProviderError:
    hint = "turn compression off in the server or the proxy in front of it"
    return ProviderError("protocol", f"{problem}; {hint}")


class _Body(httpx2.AsyncByteStream, httpx.AsyncByteStream):
    """A body in small pieces, decompressed and bounded, for httpx and httpx2 alike."""

    def __init__(
        self,
        stream: httpx2.AsyncByteStream | httpx.AsyncByteStream,
        inflater: "_Inflater | None",
        limit: int,
        is_refusal: bool,
    ) -> None:
        self._stream = stream
        self._inflater = inflater
        self._limit = limit
        self._is_refusal = is_refusal

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        chunks = aiter(self._stream)
        try:
            async for chunk in chunks:
                for piece in self._pieces(chunk):
                    yield piece[:left] if self._is_refusal else piece
                    left -= len(piece)
                    if left <= 0 and self._is_refusal:
                        return
                    if left < 0:
                        raise limits.too_long("the response", self._limit, limits.KEPT)
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        if self._inflater is not None:
            return self._inflater.feed(chunk)
        size = limits.PIECE_BYTES
        return (chunk[at : at + size] for at in range(0, len(chunk), size))


class _Inflater:
    """A gzip or zlib decompressor, a piece at a time. Errors in a refusal end it quietly."""

    def __init__(self, is_refusal: bool) -> None:
        self._is_refusal = is_refusal
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._room = limits.MEGABYTE

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed pieces of the data.

        Raises `ProviderError` ("protocol") where it is not gzip, or expands too much.
        """
        self._room += limits.GROWTH * len(data)
        try:
            while piece := self._zlib.decompress(data, limits.PIECE_BYTES):
                self._room -= len(piece)
                if self._room < 0 and not self._is_refusal:
                    raise _compressed(f"the response expands more than {limits.GROWTH} times")
                yield piece
                data = self._zlib.unconsumed_tail
        except zlib.error as error:
            if not self._is_refusal:
                raise _compressed(f"cannot decompress the response: {error}") from error


class _Note(httpx2.AsyncByteStream):
    """A body that stands in for that of a refusal which cannot be read."""

    def __init__(self, message: str) -> None:
        self._body = json.dumps({"error": {"message": message}}).encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
