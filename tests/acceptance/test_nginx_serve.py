"""`lfg serve` behind a real nginx, set up as docs/server.md says: events pass one by one."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from lfgtui.model import events as e
from tests.acceptance.nginx import free_ports, needs_nginx, nginx
from tests.helpers.terminal import LFG
from tests.server.control.test_listening import at_work
from tests.server.http.stand import stream

pytestmark = [pytest.mark.acceptance, needs_nginx]

PAGE = Path(__file__).parents[2] / "docs" / "server.md"


@pytest.fixture
async def addresses(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """The address behind nginx as the page says, and behind one that is told to buffer."""
    (location,) = re.findall(r"    location / \{.*?\n    \}\n", PAGE.read_text(), re.DOTALL)
    environment = {**os.environ, "LFG_TOKEN": "secret"}
    server = await asyncio.create_subprocess_exec(
        *(*LFG, "serve", "--listen", "127.0.0.1:0", "--token-env", "LFG_TOKEN"),
        stdout=PIPE,
        env=environment,
    )
    assert server.stdout is not None
    url = (await server.stdout.readline()).decode().removeprefix("serve: ").strip().rstrip("/")
    ports = free_ports(2)
    blind = "proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 64k;"
    lines = (
        location.replace("http://127.0.0.1:8334", url),
        f"location / {{ proxy_pass {url}; {blind} proxy_buffers 8 64k; }}",
    )
    servers = "\n".join(
        f"server {{ listen 127.0.0.1:{port}; {said} }}"
        for port, said in zip(ports, lines, strict=True)
    )
    with nginx(tmp_path, servers):
        good, bad = (f"http://127.0.0.1:{port}" for port in ports)
        yield good, bad
    server.terminate()
    assert await server.wait() == 0


async def doctor(url: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "lfgtui", "doctor", url, "--token-env", "LFG_TOKEN")
    environment = {**os.environ, "LFG_TOKEN": "secret"}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=environment)
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_events_pass_while_the_run_works(addresses: tuple[str, str], tmp_path: Path) -> None:
    token = {"Authorization": "Bearer secret"}
    async with (
        at_work(tmp_path) as r,  # its ticket waits in the middle of its answer
        httpx.AsyncClient(base_url=addresses[0], headers=token, trust_env=False) as client,
        stream(client, f"/runs/{r.engine.run}/events") as seen,
    ):
        await r.until_event("a", e.TextDelta)
        await seen.until(lambda: "text_delta" in [entry["type"] for entry in seen.entries])
        r.recorder.submit(r.engine.run, "a", 1, 0.0, e.Status("one more"))
        await seen.until(lambda: "one more" in [x.get("message") for x in seen.entries])


async def test_doctor_agrees_and_names_a_proxy_that_buffers(addresses: tuple[str, str]) -> None:
    good, bad = addresses
    code, out = await doctor(good)
    assert (code, "40 events one by one" in out) == (0, True), out
    assert "websocket    ok" in out
    code, out = await doctor(bad)
    assert "websocket    fix   does not pass (HTTP 403)" in out, out
    assert "proxy_set_header Upgrade $http_upgrade;" in " ".join(out.split())
    assert (code, "nginx" in out, "proxy_buffering off;" in " ".join(out.split())) == (
        1,
        True,
        True,
    )
