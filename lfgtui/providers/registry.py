"""Providers by name, opened when first needed.

A wire's module brings an SDK along, which costs more than the rest of the
program's start, so it is imported in a thread, when the first ticket needs
it: the screen keeps painting meanwhile.
"""

import asyncio
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import NamedTuple, cast

from lfgtui.errors import UsageError
from lfgtui.processes.agents import AgentProcesses
from lfgtui.providers.base import Provider
from lfgtui.settings.config import Config
from lfgtui.settings.credentials import api_key, request_headers, secret_variables
from lfgtui.settings.mcp import McpServer
from lfgtui.settings.providers import AGENT_SERVERS, EMBEDDED, ProviderConfig, WireName

_CONNECT: dict[WireName, str] = {
    "anthropic": "lfgtui.providers.sdk.anthropic:connect",
    "openai-responses": "lfgtui.providers.sdk.openai:connect_responses",
    "openai-chat": "lfgtui.providers.sdk.openai:connect_chat",
    "agent-sse": "lfgtui.providers.agent_server.sse:connect",
    "agent-websocket": "lfgtui.providers.agent_server.websocket:connect",
    "acp": "lfgtui.providers.acp.stream:connect",
}
"""The function that opens a provider of each wire, as "module:name", where no type checker sees a
rename."""

Starter = Callable[[], Awaitable[str]]
"""Returns the address of a server of lfg's own, as in `http://127.0.0.1:4321`; starts it unless it
runs."""


class Providers:
    """The open providers, one for each name, whose connections all tickets share.

    `starters` start the servers of the simulator and of the local model, by the
    provider's name. If such a server died, the next `get` starts it again and opens
    the provider anew, since its address has changed. `on_key` is called with every
    key before a request is sent with it.
    """

    def __init__(
        self,
        config: Config,
        starters: Mapping[str, Starter] | None = None,
        on_key: Callable[[str], None] | None = None,
    ) -> None:
        self._config = config
        self._starters = starters or {}
        self._on_key = on_key
        self.agents = AgentProcesses()
        """The agents' processes on this machine, whichever provider started them."""
        self._open: dict[str, _Opened] = {}
        self._opening: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> Provider:
        """Return the provider of that name.

        Raises `UsageError` if it is unknown, or its key or a header's variable
        is missing, and `ProviderError` if it has a server of lfg's own that
        does not start.
        """
        async with self._opening.setdefault(name, asyncio.Lock()):
            config = self._config.provider(name)
            base_url = await self._base_url(name, config)
            opened = self._open.get(name)
            if opened is None or opened.base_url != base_url:
                if opened is not None:
                    await opened.provider.aclose()
                others = secret_variables(self._config)
                key = await asyncio.to_thread(api_key, name, config, others)
                if key is not None and self._on_key is not None:
                    self._on_key(key)
                opening = (name, config, base_url, key, self.agents, self._config.mcp)
                provider = await asyncio.to_thread(_connect, *opening)
                opened = self._open[name] = _Opened(base_url, provider)
            return opened.provider

    async def aclose(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as stack:
            while self._open:
                stack.push_async_callback(self._open.popitem()[1].provider.aclose)

    async def _base_url(self, name: str, config: ProviderConfig) -> str | None:
        """Return the configured address, or that of lfg's own server; None is the SDK's default."""
        if config.base_url is not None or name not in EMBEDDED:
            return config.base_url
        if name not in self._starters:
            raise UsageError(f'no local server is available for provider "{name}"')
        root = (await self._starters[name]()).rstrip("/")
        # Anthropic's SDK adds the version to the path by itself.
        return root + ("" if config.wire == "anthropic" else "/v1")


class _Opened(NamedTuple):
    base_url: str | None
    provider: Provider


def _connect(
    name: str,
    config: ProviderConfig,
    base_url: str | None,
    key: str | None,
    agents: AgentProcesses,
    servers: Mapping[str, McpServer],
) -> Provider:
    """Open a provider, with all that takes long: the import, the certificates. Blocks.

    The wires' arguments, of which `acp` has its own, are not type-checked here.
    """
    connect = cast(Callable[..., Provider], pkgutil.resolve_name(_CONNECT[config.wire]))
    if config.wire == "acp":
        return connect(name, config, agents, servers)
    more = {"body": config.body} if config.wire in AGENT_SERVERS else {}
    return connect(
        base_url=base_url,
        api_key=key,
        headers=request_headers(name, config),
        connect_timeout=config.connect_timeout,
        **more,
    )
