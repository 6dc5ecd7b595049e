"""Providers by name, opened when first asked for.

A wire's module brings an SDK along, which costs more than the rest of the
program's start, so it is imported in a thread, when the first ticket needs
it: the screen keeps painting meanwhile.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol, cast

from lfgtui.config import SIMULATED, Config, ProviderConfig, WireName, api_key, request_headers
from lfgtui.errors import UsageError
from lfgtui.providers.base import Provider

_MODULES: dict[WireName, str] = {
    "anthropic": "lfgtui.providers.anthropic",
    "openai-responses": "lfgtui.providers.openai_responses",
    "openai-chat": "lfgtui.providers.openai_chat",
}

Simulator = Callable[[], Awaitable[str]]
"""Starts the simulator once and gives its root, as in `http://127.0.0.1:4321`."""


class _WireModule(Protocol):
    def connect(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        headers: Mapping[str, str],
        connect_timeout: float,
    ) -> Provider: ...


class Providers:
    """One pooled provider a name."""

    def __init__(self, config: Config, simulator: Simulator | None = None) -> None:
        self._config = config
        self._simulator = simulator
        self._simulator_root: str | None = None
        self._open: dict[str, Provider] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._starting = asyncio.Lock()

    async def get(self, name: str) -> Provider:
        """The provider of that name.

        Raises `UsageError` where it is unknown, or its key or a header's
        variable is missing.
        """
        async with self._opening.setdefault(name, asyncio.Lock()):
            if name not in self._open:
                said = self._config.provider(name)
                base_url = await self._base_url(name, said)
                self._open[name] = await asyncio.to_thread(_connect, name, said, base_url)
            return self._open[name]

    async def aclose(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as stack:
            while self._open:
                stack.push_async_callback(self._open.popitem()[1].aclose)

    async def _base_url(self, name: str, said: ProviderConfig) -> str | None:
        if said.base_url is not None or name not in SIMULATED:
            return said.base_url
        async with self._starting:
            if self._simulator_root is None:
                if self._simulator is None:
                    raise UsageError(f'provider "{name}": the simulator does not run here')
                self._simulator_root = (await self._simulator()).rstrip("/")
        # Anthropic's SDK adds the version to the path by itself.
        return self._simulator_root + ("" if said.wire == "anthropic" else "/v1")


def _connect(name: str, said: ProviderConfig, base_url: str | None) -> Provider:
    """Everything that takes long: a key from a command, the import, the certificates."""
    if said.wire is None:
        raise UsageError(f'provider "{name}" has no "wire"')
    key = api_key(name, said)
    headers = request_headers(name, said)
    module = cast(_WireModule, importlib.import_module(_MODULES[said.wire]))
    return module.connect(
        base_url=base_url, api_key=key, headers=headers, connect_timeout=said.connect_timeout
    )
