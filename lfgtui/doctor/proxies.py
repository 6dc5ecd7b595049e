"""Recognises proxies by a response's headers; says how each is made to let a stream through.

Proxies sign what they pass on: nginx and Cloudflare in `server`, others in
`via` (RFC 9110, 7.6.3) or in headers of their own. A proxy is named only if
something went wrong. `proxies.toml`, read once, lists the known ones.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from lfgtui.text import toml_file

Headers = Sequence[tuple[str, str]]


class Proxy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of proxy, with advice: `unbuffer` against its buffers, `keep_open` against timeouts.

    `signs` are headers, in lower case, with a pattern of their values; one of them is enough.
    """

    name: str
    keep_open: str = (
        "raise the idle timeout of proxies on the way (nginx: proxy_read_timeout 600s;)"
        " or have the server send a comment every few seconds"
    )
    unbuffer: str = (
        "test the server itself, past any proxy: if it streams then, switch off response"
        " buffering and compression of text/event-stream on the way (nginx: proxy_buffering off;"
        " proxy_http_version 1.1; gzip off; or have the server answer with X-Accel-Buffering: no)"
    )
    signs: Mapping[str, str] = {}


class _Table(msgspec.Struct):
    """The content of `proxies.toml`."""

    proxy: tuple[Proxy, ...]


_KNOWN = toml_file.read(Path(__file__).with_suffix(".toml"), _Table).proxy

UNKNOWN = Proxy("a proxy that does not identify itself")
"""Its advice is general; used if `signed_by` finds none."""


def signed_by(headers: Headers) -> dict[str, Proxy]:
    """Return the known proxies of a response by names as `nginx (server: nginx/1.22)`."""
    proxies: dict[str, Proxy] = {}
    for proxy in _KNOWN:
        for name, value in headers:
            sign = proxy.signs.get(name.lower())
            if sign is not None and re.search(sign, value.strip(), re.IGNORECASE):
                proxies[f"{proxy.name} ({name.lower()}: {value})"] = proxy
                break
    return proxies


def value_of(headers: Headers, name: str) -> str:
    """Return a header's value, "" if it is missing; several are joined as in RFC 9110, 5.3.

    `name` is in lower case.
    """
    return ", ".join(value for header, value in headers if header.lower() == name)
