"""Proxies between lfg and the model, by a response's headers, and how to let a stream through.

Proxies sign what they pass on: nginx and Cloudflare in `server`, others in
`via` (RFC 9110, 7.6.3) or in headers of their own. A proxy is named
only where something went wrong.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A kind of proxy: advice against its buffers and against its idle timeouts.

    `signs` are headers with a pattern of their values.
    """

    name: str
    unbuffer: str
    keep_open: str
    signs: Mapping[str, str]


class Mark(NamedTuple):
    """A proxy and the header that identifies it."""

    proxy: Proxy
    evidence: str


_NGINX_UNBUFFER = (
    "in the location of this path: proxy_buffering off; proxy_http_version 1.1; gzip off;"
    " or have the server behind it answer with X-Accel-Buffering: no"
)
_UNBUFFER = (
    "test the server itself, past any proxy: if it streams then, switch off response buffering"
    f" and compression of text/event-stream on the way (nginx: {_NGINX_UNBUFFER})"
)

UNKNOWN = Proxy(
    "a proxy that does not identify itself",
    _UNBUFFER,
    "raise the idle timeout of proxies on the way (nginx: proxy_read_timeout 600s;)"
    " or have the server send a comment every few seconds",
    {},
)

# In the order of naming: the first is most likely to be the person's own.
_KNOWN = (
    Proxy(
        "Kong",
        "set response_buffering = false on the route",
        "raise read_timeout of the service (60 s if it is not set)",
        {"via": r"\bkong\b", "server": r"\bkong\b"},
    ),
    Proxy(
        "nginx",
        _NGINX_UNBUFFER,
        "in the location of this path: proxy_read_timeout 600s; (60 s if it is not set)",
        {"server": r"nginx|openresty|tengine"},
    ),
    Proxy(
        "Azure Application Gateway",
        "switch off its response buffer (enableResponseBuffering false)",
        "raise the request timeout of the backend setting (20 s if it is not set)",
        {"server": r"microsoft-azure-application-gateway"},
    ),
    Proxy(
        "IIS",
        "in Application Request Routing set the response buffer threshold to 0,"
        " and switch off dynamic compression for this path",
        "raise the proxy time-out of Application Request Routing",
        {"server": r"microsoft-iis"},
    ),
    Proxy(
        "Apache",
        "SetEnv no-gzip 1 for this path, since mod_deflate collects;"
        " flushpackets=on where it speaks FastCGI or AJP",
        "raise timeout= of the ProxyPass line",
        {"server": r"^apache"},
    ),
    Proxy(
        "Caddy",
        "flush_interval -1 in reverse_proxy, and no encode for this path",
        "raise read_timeout in the transport of reverse_proxy",
        {"via": r"\bcaddy\b", "server": r"^caddy"},
    ),
    Proxy(
        "Envoy",
        "take the buffer and the compressor filter off this route",
        "raise the route's timeout (15 s) and idle_timeout (5 min)",
        {"server": r"^(istio-)?envoy"},
    ),
    Proxy(
        "Varnish",
        "set beresp.do_stream = true and do_gzip = false, or return (pipe) for this path",
        "raise between_bytes_timeout of the backend",
        {"x-varnish": r".", "via": r"varnish"},
    ),
    Proxy(
        "Squid",
        "go past it: NO_PROXY for this host",
        "raise its read_timeout",
        {"via": r"\bsquid\b"},
    ),
    Proxy(
        "AWS API Gateway",
        "a REST API collects the answer unless its integration has response streaming",
        "it ends a request after 29 s: stream through it, or go past it",
        {"apigw-requestid": r".", "x-amz-apigw-id": r"."},
    ),
    Proxy(
        "CloudFront",
        "no compression and no caching for this path",
        "raise the origin's response timeout (30 s)",
        {"via": r"cloudfront", "x-amz-cf-id": r"."},
    ),
    Proxy(
        "an AWS load balancer",
        _UNBUFFER,
        "raise its idle timeout (60 s)",
        {"server": r"^awselb"},
    ),
    Proxy(
        "Fastly",
        "set beresp.do_stream = true and pass this path",
        "raise between_bytes_timeout of the backend (10 s)",
        {"x-served-by": r"^cache-", "via": r"fastly"},
    ),
    Proxy(
        "Cloudflare",
        "have the server answer with Cache-Control: no-cache, no-transform;"
        " switch off Response Buffering (Enterprise, under Network)",
        "it gives up after some 100 s of silence: have the server send a comment sooner",
        {"cf-ray": r".", "server": r"^cloudflare"},
    ),
    Proxy(
        "a Google load balancer",
        _UNBUFFER,
        "raise the backend service's timeout (30 s)",
        {"via": r"\bgoogle\b"},
    ),
)


def marks(headers: Headers) -> list[Mark]:
    """Return the proxies that signed a response, each once."""
    found: dict[str, Mark] = {}
    for proxy in _KNOWN:
        for name, value in headers:
            sign = proxy.signs.get(name.lower())
            if sign is not None and re.search(sign, value.strip(), re.IGNORECASE):
                found.setdefault(proxy.name, Mark(proxy, f"{name.lower()}: {value}"))
    return list(found.values())


def value_of(headers: Headers, name: str) -> str:
    """Return a header's value, "" where it is missing; several are joined as RFC 9110, 5.3 says."""
    return ", ".join(value for header, value in headers if header.lower() == name)
