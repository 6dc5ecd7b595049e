"""What the wires that an SDK sends have in common."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import httpx2

from lfgtui.model.events import WireEvent
from lfgtui.providers.base import Decoder, Request
from lfgtui.providers.transport.model_list import listed_models
from lfgtui.providers.transport.probe import Probe
from lfgtui.providers.transport.pump import SdkResponse, pump


class SdkClient(Protocol):
    """What both SDKs' clients have in common."""

    _client: httpx2.AsyncClient

    @property
    def base_url(self) -> httpx2.URL: ...
    async def get(self, path: str, *, cast_to: type[httpx2.Response]) -> httpx2.Response: ...
    async def close(self) -> None: ...


class SdkProvider:
    """A provider around an SDK's client; a wire adds `stream`. See `base.Provider`."""

    def __init__(self, client: SdkClient, *, key: str | None, models_path: str = "/models") -> None:
        self._sdk = client
        self._key = key
        self._host = client.base_url.host
        self._models_path = models_path
        self._probe: Probe | None = None

    def watch(self, probe: Probe) -> None:
        """Have the probe note the requests from now on. See `probe.Watchable`."""
        self._probe = probe
        probe.watch(self._sdk._client)  # the SDK makes it and has no other way to it

    async def models(self) -> list[str]:
        """What the server lists. See `listing.ListsModels`."""
        asking = self._sdk.get(self._models_path, cast_to=httpx2.Response)
        return await listed_models(asking, key=self._key)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()

    def _pump(
        self,
        sending: AbstractAsyncContextManager[SdkResponse],
        decoder: Decoder,
        request: Request,
    ) -> AsyncGenerator[WireEvent, None]:
        if self._probe is not None:
            self._probe.unknown = decoder.unknown
        return pump(sending, decoder, request, key=self._key, host=self._host)
