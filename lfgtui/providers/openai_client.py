"""OpenAI's SDK client, as both of its wires use it."""

from collections.abc import Mapping

import httpx2
import openai

from lfgtui.providers.pump import CONNECT_TIMEOUT, PLACEHOLDER_KEY, local_host, sdk_headers

DEFAULT_BASE_URL = "https://api.openai.com/v1"

TIMEOUT = httpx2.Timeout(None, connect=CONNECT_TIMEOUT)
"""The SDK's clocks are off but for connecting: the pump has its own."""


def open_client(
    *, base_url: str | None, api_key: str | None, headers: Mapping[str, str]
) -> openai.AsyncOpenAI:
    """A client that says what its arguments say. Blocks: open it in a thread.

    The SDK also reads keys, headers, an organisation and a project from the
    environment; they are OpenAI's and must not reach another host.
    """
    url = httpx2.URL(base_url or DEFAULT_BASE_URL)
    said = sdk_headers(headers)
    local = local_host(url.host)
    client = openai.AsyncOpenAI(
        base_url=url,
        api_key=api_key or PLACEHOLDER_KEY,
        default_headers=said,
        max_retries=0,
        timeout=TIMEOUT,
        http_client=httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT) if local else None,
    )
    client._custom_headers = said  # no argument overrides OPENAI_CUSTOM_HEADERS
    client.admin_api_key = None
    if url.host != "api.openai.com":
        client.organization = client.project = None
    return client
