"""Both of OpenAI's wires, sent by OpenAI's SDK."""

from collections.abc import Mapping
from functools import partial
from typing import NotRequired, TypedDict, Unpack

import httpx2
import openai

from lfgtui.providers.openai_chat import request as chat
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses import request as responses
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.sdk.provider import PLACEHOLDER_KEY, SdkProvider, connect_only, open_http
from lfgtui.providers.transport.pump import CONNECT_TIMEOUT, sdk_headers

DEFAULT_BASE_URL = "https://api.openai.com/v1"


class Server(TypedDict):
    """The arguments of both wires."""

    base_url: str | None
    api_key: str | None
    headers: Mapping[str, str]
    connect_timeout: NotRequired[float]


def connect_chat(**server: Unpack[Server]) -> SdkProvider:
    """Open any server that speaks the chat completions wire. Blocks: call it in a thread."""
    client = _client(**server)
    return SdkProvider(
        client,
        # Touched now and not with the first request: then a resource is imported.
        client.chat.completions.with_streaming_response.create,
        partial(chat.request_body, host=client.base_url.host),
        ChatDecoder,
        key=server["api_key"],
        required={"model": "", "messages": []},
    )


def connect_responses(**server: Unpack[Server]) -> SdkProvider:
    """Open a server that speaks the Responses wire. Blocks: call it in a thread."""
    client = _client(**server)
    send = client.responses.with_streaming_response.create
    body, key = responses.request_body, server["api_key"]
    return SdkProvider(client, send, body, ResponsesDecoder, key=key, required={})


def _client(
    base_url: str | None,
    api_key: str | None,
    headers: Mapping[str, str],
    connect_timeout: float = CONNECT_TIMEOUT,
) -> openai.AsyncOpenAI:
    """Open a client that obeys its arguments alone.

    The SDK also reads keys, headers, an organisation and a project from the
    environment; they are OpenAI's and must not reach another host.
    """
    url = httpx2.URL(base_url or DEFAULT_BASE_URL)
    timeout = connect_only(connect_timeout)
    client = openai.AsyncOpenAI(
        base_url=url,
        api_key=api_key or PLACEHOLDER_KEY,
        default_headers=sdk_headers(headers),
        max_retries=0,
        timeout=timeout,
        http_client=open_http(openai.DefaultAsyncHttpxClient, url, timeout),
    )
    client._custom_headers = sdk_headers(headers)  # no argument overrides OPENAI_CUSTOM_HEADERS
    client.admin_api_key = None
    if url.host != "api.openai.com":
        client.organization = client.project = None
    return client
