"""Who stands between us and the model, by the headers of a response, and how to open the way.

Proxies sign what they pass on: nginx and Cloudflare in `server`, others in
`via` (RFC 9110, 7.6.3) or in headers of their own. A proxy that is seen is
not guilty of anything; it is named only where something went wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A kind of proxy: its advice against collecting, and against cutting what is silent."""

    name: str
    unbuffer: str
    keep_open: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A proxy and the header that gave it away."""

    proxy: Proxy
    evidence: str


NGINX = Proxy(
    "nginx",
    "in the location of this path: proxy_buffering off; proxy_http_version 1.1; gzip off;"
    " or have the server behind it answer with X-Accel-Buffering: no",
    "in the location of this path: proxy_read_timeout 600s; (60 s if it is not set)",
)

UNKNOWN = Proxy(
    "a proxy that leaves no mark",
    "ask the server itself, past any proxy: if it streams then, switch off response buffering"
    f" and compression of text/event-stream on the way ({NGINX.name}: {NGINX.unbuffer})",
    "raise the idle timeout of what stands between (nginx: proxy_read_timeout 600s;)"
    " or have the server send a comment every few seconds",
)

# Each with its headers and what is in them, in the order of naming: the first is most likely
# to be the person's own.
_KNOWN: tuple[tuple[dict[str, str], Proxy], ...] = (
    (
        {"via": r"\bkong\b", "server": r"\bkong\b"},
        Proxy(
            "Kong",
            "set response_buffering = false on the route",
            "raise read_timeout of the service (60 s if it is not set)",
        ),
    ),
    ({"server": r"nginx|openresty|tengine"}, NGINX),
    (
        {"server": r"microsoft-azure-application-gateway"},
        Proxy(
            "Azure Application Gateway",
            "switch off its response buffer (enableResponseBuffering false)",
            "raise the request timeout of the backend setting (20 s if it is not set)",
        ),
    ),
    (
        {"server": r"microsoft-iis"},
        Proxy(
            "IIS",
            "in Application Request Routing set the response buffer threshold to 0,"
            " and switch off dynamic compression for this path",
            "raise the proxy time-out of Application Request Routing",
        ),
    ),
    (
        {"server": r"^apache"},
        Proxy(
            "Apache",
            "SetEnv no-gzip 1 for this path, since mod_deflate collects;"
            " flushpackets=on where it speaks FastCGI or AJP",
            "raise timeout= of the ProxyPass line",
        ),
    ),
    (
        {"via": r"\bcaddy\b", "server": r"^caddy"},
        Proxy(
            "Caddy",
            "flush_interval -1 in reverse_proxy, and no encode for this path",
            "raise read_timeout in the transport of reverse_proxy",
        ),
    ),
    (
        {"server": r"^(istio-)?envoy"},
        Proxy(
            "Envoy",
            "take the buffer and the compressor filter off this route",
            "raise the route's timeout (15 s) and idle_timeout (5 min)",
        ),
    ),
    (
        {"x-varnish": r".", "via": r"varnish"},
        Proxy(
            "Varnish",
            "set beresp.do_stream = true and do_gzip = false, or return (pipe) for this path",
            "raise between_bytes_timeout of the backend",
        ),
    ),
    (
        {"via": r"\bsquid\b"},
        Proxy("Squid", "go past it: NO_PROXY for this host", "raise its read_timeout"),
    ),
    (
        {"apigw-requestid": r".", "x-amz-apigw-id": r"."},
        Proxy(
            "AWS API Gateway",
            "a REST API collects the answer unless its integration has response streaming",
            "it ends a request after 29 s: stream through it, or go past it",
        ),
    ),
    (
        {"via": r"cloudfront", "x-amz-cf-id": r"."},
        Proxy(
            "CloudFront",
            "no compression and no caching for this path",
            "raise the origin's response timeout (30 s)",
        ),
    ),
    (
        {"server": r"^awselb"},
        Proxy("an AWS load balancer", UNKNOWN.unbuffer, "raise its idle timeout (60 s)"),
    ),
    (
        {"x-served-by": r"^cache-", "via": r"fastly"},
        Proxy(
            "Fastly",
            "set beresp.do_stream = true and pass this path",
            "raise between_bytes_timeout of the backend (10 s)",
        ),
    ),
    (
        {"cf-ray": r".", "server": r"^cloudflare"},
        Proxy(
            "Cloudflare",
            "have the server answer with Cache-Control: no-cache, no-transform;"
            " switch off Response Buffering (Enterprise, under Network)",
            "it gives up after some 100 s of silence: have the server send a comment sooner",
        ),
    ),
    (
        {"via": r"\bgoogle\b"},
        Proxy(
            "a Google load balancer",
            UNKNOWN.unbuffer,
            "raise the backend service's timeout (30 s)",
        ),
    ),
)


def marks(headers: Headers) -> list[Mark]:
    """The proxies that signed a response, each once."""
    found: dict[str, Mark] = {}
    for signs, proxy in _KNOWN:
        for name, value in headers:
            sign = signs.get(name.lower())
            if sign is not None and re.search(sign, value.strip(), re.IGNORECASE):
                found.setdefault(proxy.name, Mark(proxy, f"{name.lower()}: {value}"))
    return list(found.values())


def value_of(headers: Headers, name: str) -> str:
    """A header's value, "" where it is missing; several are joined as RFC 9110, 5.3 says."""
    return ", ".join(value for header, value in headers if header.lower() == name)
