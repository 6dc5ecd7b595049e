"""The Anthropic Messages wire, sent by Anthropic's SDK."""

from typing import Unpack

import anthropic

from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.anthropic.request import request_body
from lfgtui.providers.sdk.provider import SdkProvider, Server, client_options

DEFAULT_BASE_URL = "https://api.anthropic.com"


def connect(**server: Unpack[Server]) -> SdkProvider:
    """Open a server that speaks the Messages wire. Blocks: call it in a thread."""
    options = client_options(server, DEFAULT_BASE_URL, anthropic.DefaultAsyncHttpxClient)
    client = anthropic.AsyncAnthropic(**options)
    # The one variable that no argument can override: ANTHROPIC_CUSTOM_HEADERS.
    client._custom_headers = options["default_headers"]
    return SdkProvider(
        client,
        # Touched now and not with the first request: then a resource is imported.
        client.messages.with_streaming_response.create,
        request_body,
        AnthropicDecoder,
        key=server["api_key"],
        models_path="/v1/models",
        required={"model": "", "messages": [], "max_tokens": 0},
    )
