"""The provider of both wires to agent servers, which differ in their link."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

from lfgtui.errors import UsageError
from lfgtui.model.events import WireEvent
from lfgtui.providers.agent_server.connection import Link, agent_pump
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.request import request_body
from lfgtui.providers.base import Request
from lfgtui.providers.transport.probe import Probe
from lfgtui.providers.transport.pump import CONNECT_TIMEOUT, sdk_headers


class AgentProvider(ABC):
    """One agent server. See `base.Provider`."""

    wire: ClassVar[str]

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        headers: Mapping[str, str],
        connect_timeout: float = CONNECT_TIMEOUT,
        body: Mapping[str, object] | None = None,
    ) -> None:
        if base_url is None:
            raise UsageError(f'the wire "{self.wire}" needs a "base_url"')
        bearer = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._base_url = base_url
        self._key = api_key
        self._headers = sdk_headers(bearer) | sdk_headers(headers)
        self._connect_timeout = connect_timeout
        self._body = body or {}
        self._probe: Probe | None = None
        self._prepare()

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """Return the events of one run. See `base.Provider.stream`."""
        decoder = AgentDecoder(request.turn)
        if self._probe is not None:
            self._probe.unknown = decoder.unknown
        link = self._link(request_body(request, self._body, str(uuid4())))
        host = urlsplit(self._base_url).hostname or ""
        return agent_pump(link, decoder, request, key=self._key, host=host)

    async def aclose(self) -> None:  # noqa: B027 - most have nothing to close
        """Close what stays open between two runs."""

    def _prepare(self) -> None:  # noqa: B027 - the same
        """Do once, off the event loop, what takes long."""

    @abstractmethod
    def _link(self, body: dict[str, object]) -> Link:
        """Return the way to one run, which `body` asks for."""
