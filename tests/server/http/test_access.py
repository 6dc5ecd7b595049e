"""Who may ask: those who know the token, from no stranger's page."""

from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from lfgtui.server.browser.pages import routes
from tests.server.http.stand import served


async def test_without_the_token_nothing_of_a_run_is_given(tmp_path: Path) -> None:
    async with served("secret", sends_token=False, pages=routes()) as client:
        for path in ("/runs", "/search?q=x", "/runs/last/events", "/runs/last", "/assetsx"):
            answer = await client.get(path)
            assert answer.status_code == 401, path
            assert "token" in answer.json()["error"]
        wrong = {"Authorization": "Bearer secre"}
        assert (await client.get("/runs", headers=wrong)).status_code == 401
        for path in ("/ws?run=last", "/screen/terminal"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{client.base_url}{path}".replace("http", "ws"))
            assert refused.value.response.status_code == 403
        # Pages hold nothing, and ask for it.
        for path in ("/", "/screen", "/assets/session.js"):
            assert (await client.get(path)).status_code == 200
        right = {"Authorization": "Bearer secret"}
        assert (await client.get("/runs", headers=right)).status_code == 200


async def test_a_page_changes_the_token_into_a_cookie(tmp_path: Path) -> None:
    async with served("secret", sends_token=False) as client:
        assert (await client.post("/session")).status_code == 401
        answer = await client.post("/session", headers={"Authorization": "Bearer secret"})
        cookie = answer.headers["set-cookie"]
        assert "secret" not in cookie.partition(";")[0]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert (await client.get("/runs")).status_code == 200
        client.cookies.set("lfg", "made-up", domain="127.0.0.1")
        client.cookies.jar.clear()
        client.cookies.set("lfg", "made-up")
        assert (await client.get("/runs")).status_code == 401


async def test_pages_of_strangers_are_refused_with_or_without_a_token(tmp_path: Path) -> None:
    strange = {"Origin": "https://evil.example"}
    async with served(is_loopback=True) as client:
        assert (await client.get("/runs")).status_code == 200
        refused = await client.get("/runs", headers=strange)
        assert (refused.status_code, "evil.example" in refused.json()["error"]) == (403, True)
        garbled = await client.get("/runs", headers={"Origin": "http://["})
        assert (garbled.status_code, "http://[" in garbled.json()["error"]) == (403, True)
        # A name that was made to lead to this machine.
        rebound = await client.get("/runs", headers={"Host": "evil.example"})
        assert rebound.status_code == 403
        port = httpx.URL(client.base_url).port
        own = {"Origin": f"http://127.0.0.1:{port}"}
        assert (await client.get("/runs", headers=own)).status_code == 200
    async with served("secret") as client:
        assert (await client.get("/runs", headers=strange)).status_code == 403
