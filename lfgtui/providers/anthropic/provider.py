"""The Anthropic Messages wire, sent by Anthropic's SDK."""

from collections.abc import AsyncGenerator, Mapping

import anthropic
import httpx2

from lfgtui.model.events import WireEvent
from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.anthropic.request import request_body
from lfgtui.providers.base import Request
from lfgtui.providers.sdk_provider import SdkProvider
from lfgtui.providers.transport.http_client import only_connecting, open_http
from lfgtui.providers.transport.pump import CONNECT_TIMEOUT, PLACEHOLDER_KEY, sdk_headers

DEFAULT_BASE_URL = "https://api.anthropic.com"


class AnthropicProvider(SdkProvider):
    """A server that speaks the Messages wire. See `base.Provider`.

    Opening one blocks (imports, certificates): do it in a thread. Everything
    is said by the arguments: the SDK's own environment variables
    (a key, a token, a base URL, headers) must not reach another host.
    """

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        headers: Mapping[str, str],
        connect_timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        url = httpx2.URL(base_url or DEFAULT_BASE_URL)
        said = sdk_headers(headers)
        self._timeout = only_connecting(connect_timeout)
        client = anthropic.AsyncAnthropic(
            base_url=url,
            api_key=api_key or PLACEHOLDER_KEY,
            default_headers=said,
            max_retries=0,
            timeout=self._timeout,
            http_client=open_http(anthropic.DefaultAsyncHttpxClient, url, self._timeout),
        )
        # The one variable that no argument can override: ANTHROPIC_CUSTOM_HEADERS.
        client._custom_headers = said
        super().__init__(client, key=api_key, models_path="/v1/models")
        # Now and not with the first request: a resource is imported when first touched.
        self._send = client.messages.with_streaming_response.create

    def stream(self, request: Request) -> AsyncGenerator[WireEvent, None]:
        """The events of one response. See `base.Provider.stream`."""
        # The body goes whole: the SDK's own fields would copy the conversation,
        # and print warnings about models onto the screen.
        sending = self._send(
            model="",
            messages=[],
            max_tokens=request.max_output_tokens,
            stream=request.stream,
            extra_body=request_body(request),
            timeout=self._timeout,
        )
        return self._pump(sending, AnthropicDecoder(request.turn), request)


connect = AnthropicProvider
"""What `registry` opens."""
