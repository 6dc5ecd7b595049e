"""Both of OpenAI's wires, sent by OpenAI's SDK. `registry` finds the functions by name."""

from functools import partial
from typing import Unpack

import openai

from lfgtui.providers.openai_chat import request as chat
from lfgtui.providers.openai_chat.decoder import ChatDecoder
from lfgtui.providers.openai_responses import request as responses
from lfgtui.providers.openai_responses.decoder import ResponsesDecoder
from lfgtui.providers.sdk.provider import SdkProvider, Server, open_client

DEFAULT_BASE_URL = "https://api.openai.com/v1"


def connect_chat(**server: Unpack[Server]) -> SdkProvider:
    """Open any server that speaks the chat completions wire. Blocks: call it in a thread."""
    client = _client(server)
    return SdkProvider(
        client,
        # Looked up now and not with the first request: the SDK imports the resource for it.
        client.chat.completions.with_streaming_response.create,
        partial(chat.request_body, host=client.base_url.host),
        ChatDecoder,
        key=server["api_key"],
        required={"model": "", "messages": []},
    )


def connect_responses(**server: Unpack[Server]) -> SdkProvider:
    """Open a server that speaks the Responses wire. Blocks: call it in a thread."""
    client = _client(server)
    send = client.responses.with_streaming_response.create
    body = partial(responses.request_body, host=client.base_url.host)
    return SdkProvider(client, send, body, ResponsesDecoder, key=server["api_key"], required={})


def _client(server: Server) -> openai.AsyncOpenAI:
    """Open a client without settings from the environment, which are for OpenAI's own host."""
    http = openai.DefaultAsyncHttpxClient
    client = open_client(openai.AsyncOpenAI, http, DEFAULT_BASE_URL, server)
    client.admin_api_key = None
    if client.base_url.host != "api.openai.com":
        client.organization = client.project = None
    return client
