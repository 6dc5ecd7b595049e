"""OpenAI's SDK client, as both of its wires use it."""

from collections.abc import Mapping

import httpx2
import openai

from lfgtui.providers.transport.http_client import open_http
from lfgtui.providers.transport.pump import PLACEHOLDER_KEY, sdk_headers

DEFAULT_BASE_URL = "https://api.openai.com/v1"


def open_client(
    *,
    base_url: str | None,
    api_key: str | None,
    headers: Mapping[str, str],
    timeout: httpx2.Timeout,
) -> openai.AsyncOpenAI:
    """A client that says what its arguments say. Blocks: open it in a thread.

    The SDK also reads keys, headers, an organisation and a project from the
    environment; they are OpenAI's and must not reach another host.
    """
    url = httpx2.URL(base_url or DEFAULT_BASE_URL)
    said = sdk_headers(headers)
    client = openai.AsyncOpenAI(
        base_url=url,
        api_key=api_key or PLACEHOLDER_KEY,
        default_headers=said,
        max_retries=0,
        timeout=timeout,
        http_client=open_http(openai.DefaultAsyncHttpxClient, url, timeout),
    )
    client._custom_headers = said  # no argument overrides OPENAI_CUSTOM_HEADERS
    client.admin_api_key = None
    if url.host != "api.openai.com":
        client.organization = client.project = None
    return client
