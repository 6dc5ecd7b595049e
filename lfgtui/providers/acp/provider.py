"""The wire `acp`: an agent that runs on this machine and speaks the Agent Client Protocol."""

from collections.abc import Mapping

from lfgtui.processes.agents import AgentProcesses
from lfgtui.providers.acp.pool import Pool
from lfgtui.providers.acp.stream import AcpStream
from lfgtui.providers.base import Request
from lfgtui.settings.mcp import NO_SERVERS, McpServer
from lfgtui.settings.providers import ProviderConfig


class AcpProvider:
    """One agent. See `base.Provider`."""

    def __init__(
        self,
        name: str,
        config: ProviderConfig,
        processes: AgentProcesses,
        servers: Mapping[str, McpServer] = NO_SERVERS,
    ) -> None:
        self._pool = Pool(name, config, processes, servers)

    def stream(self, request: Request) -> AcpStream:
        """Return the events of one turn. See `base.Provider.stream`."""
        return AcpStream(self._pool, request)

    def prepare(self, request: Request) -> None:
        """Start the ticket's agent before its turn. See `base.Prepares`."""
        self._pool.prepare(request)

    async def aclose(self) -> None:
        """End all processes."""
        await self._pool.aclose()


connect = AcpProvider
"""Opened by `registry`."""
