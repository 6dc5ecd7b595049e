"""The Anthropic Messages wire, sent by Anthropic's SDK."""

from collections.abc import Mapping

import anthropic
import httpx2

from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.anthropic.request import request_body
from lfgtui.providers.sdk.provider import PLACEHOLDER_KEY, SdkProvider, connect_only, open_http
from lfgtui.providers.transport.pump import CONNECT_TIMEOUT, sdk_headers

DEFAULT_BASE_URL = "https://api.anthropic.com"


def connect(
    *,
    base_url: str | None,
    api_key: str | None,
    headers: Mapping[str, str],
    connect_timeout: float = CONNECT_TIMEOUT,
) -> SdkProvider:
    """Open a server that speaks the Messages wire. Blocks: call it in a thread."""
    url = httpx2.URL(base_url or DEFAULT_BASE_URL)
    timeout = connect_only(connect_timeout)
    client = anthropic.AsyncAnthropic(
        base_url=url,
        api_key=api_key or PLACEHOLDER_KEY,
        default_headers=sdk_headers(headers),
        max_retries=0,
        timeout=timeout,
        http_client=open_http(anthropic.DefaultAsyncHttpxClient, url, timeout),
    )
    # The one variable that no argument can override: ANTHROPIC_CUSTOM_HEADERS.
    client._custom_headers = sdk_headers(headers)
    return SdkProvider(
        client,
        # Touched now and not with the first request: then a resource is imported.
        client.messages.with_streaming_response.create,
        request_body,
        AnthropicDecoder,
        key=api_key,
        models_path="/v1/models",
        required={"model": "", "messages": [], "max_tokens": 0},
    )
