"""A provider around an SDK's client.

The SDK signs and sends a request whose body is ours, so everything it would add by
itself is off: retries, timeouts, compression, and settings from its own environment
variables, which are meant for one host and must not reach another. The response is read
here, by our reader into our decoder.
"""

import asyncio
import hmac
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from functools import partial
from typing import NotRequired, Protocol, TypedDict, TypeVar

import httpx2
import msgspec

from lfgtui.model.events import WireEvent
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.base import CONNECT_TIMEOUT, Request, local_host, sdk_headers
from lfgtui.providers.errors.mapping import as_provider_error
from lfgtui.providers.transport.body import read_body
from lfgtui.providers.transport.connect_time import connect_seconds, time_connections
from lfgtui.providers.transport.loop_backend import (
    close_ahead,
    open_ahead,
    pace_by,
    read_by_loop,
)
from lfgtui.providers.transport.probe import Probe
from lfgtui.providers.transport.reading import Reading, decode, logged
from lfgtui.providers.transport.response_guard import guard
from lfgtui.providers.wire.decoder import Decoder

_PLACEHOLDER_KEY = "no-key-needed"
"""The key for a server without keys: an SDK given nothing would look for one itself."""


_log = logging.getLogger(__name__)
_sorted = msgspec.json.Encoder(order="sorted")


class SdkResponse(Protocol):
    """The part that both SDKs' streaming responses have in common."""

    @property
    def http_response(self) -> httpx2.Response: ...


class SdkClient(Protocol):
    """The part that both SDKs' clients have in common."""

    _client: httpx2.AsyncClient
    _custom_headers: Mapping[str, str]

    @property
    def base_url(self) -> httpx2.URL: ...
    async def get(self, path: str, *, cast_to: type[httpx2.Response]) -> httpx2.Response: ...
    async def close(self) -> None: ...


Client = TypeVar("Client", bound=SdkClient)


class SdkProvider:
    """A server that an SDK talks to. See `base.Provider`.

    `send` is the SDK's method that opens a response, `required` the arguments that it
    cannot do without: their values do not count, since `body` replaces them. The SDK's
    own fields would copy the conversation, and print warnings onto the screen.
    """

    def __init__(
        self,
        client: SdkClient,
        send: Callable[..., AbstractAsyncContextManager[SdkResponse]],
        body: Callable[[Request], dict[str, object]],
        decoder: Callable[[int], Decoder],
        *,
        key: str | None,
        models_path: str = "/models",
        required: Mapping[str, object],
    ) -> None:
        self._sdk = client
        self._send = send
        self._body = body
        self._decoder = decoder
        self._key = key
        self._models_path = models_path
        self._required = required
        self._probe: Probe | None = None
        self._opening: asyncio.Task[None] | None = None

    async def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """Yield the events of one response. See `base.Provider.stream`."""
        decoder = self._decoder(request.turn)
        if self._probe is not None:
            self._probe.unknown = decoder.unknown
        try:
            async with AsyncExitStack() as stack:
                host = self._sdk.base_url.host
                answered = stack.enter_context(logged(host, request, decoder.unknown))
                reading, body = Reading(decoder, request), self._body(request)
                sending = self._send(stream=request.stream, extra_body=body, **self._required)
                response = (
                    await reading.timeout.wait(stack.enter_async_context(sending))
                ).http_response
                answered(connect_seconds(response))
                pace_by(response, request.is_seen)
                parts = read_body(response, apart=request.apart)
                take = partial(decode, decoder=decoder)
                async with aclosing(parts), aclosing(reading.events(parts, take)) as events:
                    async for event in events:
                        yield event
                for event in reading.finish():
                    yield event
        except Exception as error:
            raise as_provider_error(error, key=self._key) from error

    def fingerprint(self, request: Request) -> str:
        """Return a digest that only equal requests share. See `base.HasFingerprints`."""
        server = (type(self._sdk).__name__, str(self._sdk.base_url), self._sdk._custom_headers)
        content = _sorted.encode((*server, self._body(request)))
        return hmac.new((self._key or "").encode(), content, "sha256").hexdigest()

    def prepare(self, request: Request) -> None:
        """Open a connection, unless one is free. See `base.Prepares`."""
        if self._opening is None or self._opening.done():
            client = self._sdk._client
            connect = client.timeout.connect or CONNECT_TIMEOUT
            self._opening = asyncio.create_task(open_ahead(client, self._sdk.base_url, connect))
            self._opening.add_done_callback(_note_failure)

    def watch(self, probe: Probe) -> None:
        """Have the probe note the requests from now on. See `probe.Watchable`."""
        self._probe = probe
        probe.watch(self._sdk._client)  # private, but the only way to the SDK's HTTP client

    async def models(self) -> list[str]:
        """Return the models that the server lists. See `base.ListsModels`."""
        try:
            response = await self._sdk.get(self._models_path, cast_to=httpx2.Response)
            body = response.text
        except Exception as error:
            raise as_provider_error(error, key=self._key) from error
        return model_names(body)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await close_ahead(self._sdk._client)
        await self._sdk.close()


def _note_failure(opening: "asyncio.Task[None]") -> None:
    """Take note of an error, which the request will meet and report."""
    if not opening.cancelled() and (error := opening.exception()) is not None:
        _log.info("no connection could be opened ahead: %s", error)


def model_names(body: str) -> list[str]:
    """Return the names in a response that lists models, in their order; [] if it lists none.

    They stand in `data[].id` (OpenAI, Anthropic), in `models[].name`, or in a bare list.
    Gemini writes `models/` before each name.
    """
    try:
        document = lenient_json.parse(body)
    except ValueError:
        return []
    record = lenient_json.as_object(document)
    items = document if record is None else record.get("data") or record.get("models")
    models = (lenient_json.as_object(item) for item in (items if isinstance(items, list) else []))
    names = (lenient_json.text(model, "id", "name") for model in models if model is not None)
    return [name.removeprefix("models/") for name in names if name]


class Server(TypedDict):
    """A server as `registry` describes it to every wire."""

    base_url: str | None
    api_key: str | None
    headers: Mapping[str, str]
    connect_timeout: NotRequired[float]


def open_client(
    sdk: Callable[..., Client],
    http: type[httpx2.AsyncClient],
    default_url: str,
    server: Server,
) -> Client:
    """Open an SDK's client that obeys its arguments alone.

    It connects as the SDK would, or to a server on this machine without any proxy. `sdk`
    is the client's class, `http` the SDK's own class of HTTP client, with its connection
    limits and keep-alive. Blocks: call it in a thread.
    """
    url = httpx2.URL(server["base_url"] or default_url)
    # For connecting alone: `Reading` has timeouts of its own.
    timeout = httpx2.Timeout(None, connect=server.get("connect_timeout", CONNECT_TIMEOUT))
    if local_host(url.host):
        # Reading the usual certificates takes 40 ms, which plain HTTP does not need.
        plain = url.scheme == "http"
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True
        pool = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        http_client = httpx2.AsyncClient(
            trust_env=False, timeout=timeout, verify=trust, limits=pool
        )
    else:
        http_client = http(timeout=timeout)
    read_by_loop(http_client)
    guard(http_client, document_bytes=limits.LIST_BYTES)
    time_connections(http_client)
    headers = sdk_headers(server["headers"])
    client = sdk(
        base_url=url,
        api_key=server["api_key"] or _PLACEHOLDER_KEY,
        default_headers=headers,
        max_retries=0,
        timeout=timeout,
        http_client=http_client,
    )
    # The variables that no argument overrides: OPENAI_CUSTOM_HEADERS and Anthropic's.
    client._custom_headers = headers
    return client
