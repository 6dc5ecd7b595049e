"""Examines `lfg serve` at an address: whether it answers, and whether a proxy in front of it, if
any, lets events and WebSockets through."""

from time import monotonic

import httpx

from lfgtui.doctor.arrivals import Arrival, judge
from lfgtui.doctor.findings import Finding
from lfgtui.doctor.proxies import UNKNOWN, signed_by
from lfgtui.text.terminal_safe import visible_line

_SECONDS = 30.0
"""Longest wait for the server's next byte."""

_LONGEST = 200
"""Characters of an error that are shown."""

_EVENT = b"data: "  # in the bytes of a read, once for each event

_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "bGZnIGRvY3RvciBhc2tzIQ==",
}
"""A WebSocket's handshake: https://www.rfc-editor.org/rfc/rfc6455#section-4.1"""

_PASS_ON = (
    "have the proxy pass on Host, Upgrade and Connection; nginx: proxy_http_version 1.1;"
    " proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade;"
    ' proxy_set_header Connection "upgrade";'
)


async def examine_lfg_server(url: str, token: str | None) -> list[Finding]:
    """Request the server's test events, judge how they arrive, and try a WebSocket."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    arrivals: list[Arrival] = []
    began = last = monotonic()
    try:
        async with (
            httpx.AsyncClient(timeout=_SECONDS, headers=headers) as client,
            client.stream("GET", f"{url.rstrip('/')}/probe") as answer,
        ):
            if answer.status_code == 401:
                if token:
                    return [Finding("token", "fix", "the server has another token (HTTP 401)")]
                fix = "name the variable that has it: --token-env NAME"
                return [Finding("token", "fix", "the server wants a token (HTTP 401)", fix)]
            is_ours = answer.headers.get("content-type", "").startswith("text/event-stream")
            if answer.status_code != 200 or not is_ours:
                fix = "is lfg serve running there, and does the proxy lead to it?"
                return [Finding("server", "fix", f"not lfg serve (HTTP {answer.status_code})", fix)]
            async for part in answer.aiter_raw():
                now = monotonic()
                arrivals.append(Arrival(now - last, part.count(_EVENT), len(part), len(part)))
                last = now
            socket = await _try_websocket(url.rstrip("/"), headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = visible_line(str(error) or type(error).__name__)[:_LONGEST]
        return [Finding("server", "fix", f"cannot be reached: {said}")]
    verdict, figures = judge(arrivals, last - began)
    findings = [Finding("server", "ok", "lfg serve answers")]
    if verdict == "streams":
        median = figures.median_gap_ms or 0.0
        events = f"{figures.pieces} events one by one, {median:.0f} ms apart"
        return [*findings, Finding("events", "ok", events), socket]
    proxies = signed_by([(name, value) for name, value in answer.headers.items()])
    names = ", then ".join(proxies) or UNKNOWN.name
    proxy = next(iter(proxies.values()), UNKNOWN)
    lumps = f"{figures.bursts} lump{'s' * (figures.bursts != 1)}"
    held = f"{figures.pieces} events arrive in {lumps}: {names} buffers them"
    if not figures.pieces:
        held = f"no event arrives: {names} holds them all back"
    return [*findings, Finding("events", "fix", visible_line(held), proxy.unbuffer), socket]


async def _try_websocket(url: str, headers: dict[str, str]) -> Finding:
    """Request a WebSocket as a page of the server would, with the server's own Origin."""
    address = httpx.URL(url)
    asking = {**headers, **_UPGRADE, "Origin": f"{address.scheme}://{address.netloc.decode()}"}
    async with (
        httpx.AsyncClient(timeout=_SECONDS) as client,
        client.stream("GET", f"{url}/ws", headers=asking) as answer,
    ):
        status = answer.status_code
    if status == 101:
        return Finding("websocket", "ok", "passes")
    missed = f"does not pass (HTTP {status}): pages stay empty"
    return Finding("websocket", "fix", missed, _PASS_ON)
