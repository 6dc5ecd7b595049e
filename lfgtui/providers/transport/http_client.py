"""The HTTP client under both SDKs: its clock for connecting, its proxy, its guard."""

import ssl

import httpx2

from lfgtui.providers import limits
from lfgtui.providers.transport.pump import local_host
from lfgtui.providers.transport.response_guard import guard


def open_http(
    sdk_client: type[httpx2.AsyncClient], url: httpx2.URL, timeout: httpx2.Timeout
) -> httpx2.AsyncClient:
    """A client as the SDK would make it, or for a server on this machine one without any proxy.

    `sdk_client` is the SDK's own class, with its connection limits and
    keep-alive. Blocks: open it in a thread.
    """
    if local_host(url.host):
        client = httpx2.AsyncClient(trust_env=False, timeout=timeout, verify=_trust(url))
    else:
        client = sdk_client(timeout=timeout)
    guard(client, document_bytes=limits.LIST_BYTES)
    return client


def only_connecting(seconds: float) -> httpx2.Timeout:
    """The SDK's clocks are off but for connecting: the pump has its own."""
    return httpx2.Timeout(None, connect=seconds)


def _trust(url: httpx2.URL) -> ssl.SSLContext | bool:
    """The usual certificates; none for plain HTTP, since reading them takes 40 ms."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.scheme == "http" else True
