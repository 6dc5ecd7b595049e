"""The OpenAI chat completions wire, sent by OpenAI's SDK."""

from collections.abc import AsyncGenerator, Mapping

from lfgtui.model.events import WireEvent
from lfgtui.providers.base import Request
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_chat.request import request_body
from lfgtui.providers.sdk_provider import SdkProvider
from lfgtui.providers.transport.http_client import only_connecting
from lfgtui.providers.transport.openai_client import open_client
from lfgtui.providers.transport.pump import CONNECT_TIMEOUT


class ChatProvider(SdkProvider):
    """Any server that speaks the chat completions wire. See `base.Provider`."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        headers: Mapping[str, str],
        connect_timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        self._timeout = only_connecting(connect_timeout)
        client = open_client(
            base_url=base_url, api_key=api_key, headers=headers, timeout=self._timeout
        )
        super().__init__(client, key=api_key)
        # Now and not with the first request: a resource is imported when first touched.
        self._send = client.chat.completions.with_streaming_response.create

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """The events of one response. See `base.Provider.stream`."""
        # The body goes whole: the SDK's own fields would copy the conversation.
        sending = self._send(
            model="",
            messages=[],
            stream=request.stream,
            extra_body=request_body(request, self._host),
            timeout=self._timeout,
        )
        return self._pump(sending, ChatDecoder(request.turn), request)


connect = ChatProvider
"""What `registry` opens."""
