"""`lfg doctor` of an address: whether `lfg serve` answers there, and its events pass."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lfgtui.doctor.lfg_server import examine_lfg_server
from lfgtui.simulator.server import listening
from tests.server.http.stand import served


async def test_events_that_come_as_they_are_sent_are_found_well() -> None:
    async with served("secret") as client:
        url = str(client.base_url)
        server, events, socket = await examine_lfg_server(url, "secret")
        assert (server.level, events.level, socket.level) == ("ok", "ok", "ok")
        assert "40 events one by one" in events.message
        (wrong,) = await examine_lfg_server(url, "wrong")
        assert (wrong.topic, wrong.level, wrong.fix) == ("token", "fix", "")
        (missing,) = await examine_lfg_server(url, None)
        assert (missing.topic, missing.level) == ("token", "fix")
        assert "--token-env" in missing.fix


async def test_a_proxy_that_collects_them_is_named() -> None:
    async with served() as behind:
        url = str(behind.base_url)

        async def collect(_request: Request) -> Response:
            async with httpx.AsyncClient(trust_env=False) as client:
                whole = await client.get(f"{url}/probe")
            headers = {"content-type": "text/event-stream", "server": "nginx/1.22.1"}
            return Response(whole.content, headers=headers)

        async with listening(Starlette(routes=[Route("/probe", collect)])) as proxy:
            _, events, socket = await examine_lfg_server(proxy, None)
    assert (events.level, socket.level) == ("fix", "fix")
    assert "pages stay empty" in socket.message and "proxy_set_header" in socket.fix
    assert "40 events arrive in 1 lump: nginx (server: " in events.message
    assert "proxy_buffering off;" in events.fix


async def test_a_proxy_that_lets_no_event_through_is_not_said_to_send_lumps() -> None:
    async def swallow(_request: Request) -> Response:
        return Response(b"", headers={"content-type": "text/event-stream"})

    async with listening(Starlette(routes=[Route("/probe", swallow)])) as proxy:
        _, events, _ = await examine_lfg_server(proxy, None)
    assert events.level == "fix" and events.message.startswith("no event arrives: ")


@pytest.mark.parametrize("path", ["", "/elsewhere"])
async def test_what_is_not_lfg_serve_is_said(path: str) -> None:
    async def hello(_request: Request) -> Response:
        return PlainTextResponse("Hello!")

    async with listening(Starlette(routes=[Route("/probe", hello)])) as url:
        (found,) = await examine_lfg_server(url + path, None)
        assert "not lfg serve" in found.message
    (found,) = await examine_lfg_server(url, None)
    assert "cannot be reached" in found.message
