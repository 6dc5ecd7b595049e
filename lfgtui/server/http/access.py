"""The right to use `lfg serve`, for whoever reaches its socket or, if it has a token, knows that.

A browser also shows strangers' pages, which may send requests here. They are refused by the page's
`Origin`, or by the `Host` if a foreign name was made to lead here (DNS rebinding). lfg's own pages
exchange the token for a cookie, since a browser's EventSource or WebSocket cannot send a header.
"""

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

COOKIE = "lfg"
"""Name of the session's cookie; `_cookie` makes its value."""

OPEN = ("/", "/screen", "/session")
"""Paths that need no token, since they show nothing of a run; nor do those below `OPEN_BELOW`."""

OPEN_BELOW = "/assets/"

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Styles may be inline, as xterm.js makes its own; everything else must come from this server."""

_SECURITY_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Access:
    """Middleware that lets only permitted requests pass; without a `token`, every client may ask.

    `is_loopback`: the server listens on loopback only, so a request for another host's name was
    tricked here.
    """

    def __init__(self, app: ASGIApp, token: str | None, *, is_loopback: bool) -> None:
        self._app = app
        self._token = token
        self._is_loopback = is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(1008, refusal[1])(scope, receive, send)
        else:
            status, why = refusal
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            await JSONResponse({"error": why}, status, headers)(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> tuple[int, str] | None:
        """Return the status and the reason of a refusal; None if the request may pass."""
        host = request.headers.get("host", "")
        if self._is_loopback and _name(host) not in _LOOPBACK:
            return 403, f"Host {host} is not a loopback name"
        origin = request.headers.get("origin")
        if origin is not None and _host_of(origin) != host:
            return 403, f"requests from {origin} are not allowed"
        path = request.scope["path"]
        if self._token is None or path in OPEN or path.startswith(OPEN_BELOW):
            return None
        if is_known(self._token, request.headers) or _same(
            request.cookies.get(COOKIE, ""), _cookie(self._token)
        ):
            return None
        return 401, "missing or wrong token; expected Authorization: Bearer TOKEN"


async def open_session(request: Request) -> Response:
    """Answer `POST /session`: exchange the token for a cookie that scripts cannot read."""
    token: str | None = request.app.state.token
    if token is None:
        return Response(status_code=204)
    if not is_known(token, request.headers):
        return JSONResponse({"error": "the token is wrong"}, 401)
    answer = Response(status_code=204)
    is_secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    answer.set_cookie(COOKIE, _cookie(token), httponly=True, samesite="strict", secure=is_secure)
    return answer


def is_known(token: str, headers: Headers) -> bool:
    """Return True if the headers have the token, compared in constant time."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and _same(given.strip(), token)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _cookie(token: str) -> str:
    """Return the session's cookie: made from the token, but not usable in its place."""
    return hmac.new(token.encode(), b"lfg serve: a session", hashlib.sha256).hexdigest()


def _host_of(origin: str) -> str | None:
    """Return the host and port of an Origin header; None if it cannot be read."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _name(host: str) -> str:
    """Return the host of a Host header, without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds the security headers."""

    async def sending(message: "dict[str, object]") -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", [])
            assert isinstance(headers, list)
            message = {**message, "headers": [*headers, *_SECURITY_HEADERS]}
        await send(message)

    return sending  # type: ignore[return-value]  # as ASGI has it
