"""The Anthropic Messages wire, sent by Anthropic's SDK. `registry` finds `connect` by name."""

from typing import Unpack

import anthropic

from lfgtui.providers.anthropic.decoder import AnthropicDecoder
from lfgtui.providers.anthropic.request import request_body
from lfgtui.providers.sdk.provider import SdkProvider, Server, open_client

DEFAULT_BASE_URL = "https://api.anthropic.com"


def connect(**server: Unpack[Server]) -> SdkProvider:
    """Open a server that speaks the Messages wire. Blocks: call it in a thread."""
    http = anthropic.DefaultAsyncHttpxClient
    client = open_client(anthropic.AsyncAnthropic, http, DEFAULT_BASE_URL, server)
    return SdkProvider(
        client,
        # Looked up now and not with the first request: the SDK imports the resource for it.
        client.messages.with_streaming_response.create,
        request_body,
        AnthropicDecoder,
        key=server["api_key"],
        models_path="/v1/models",
        required={"model": "", "messages": [], "max_tokens": 0},
    )
