"""`lfg doctor` in front of a real nginx, in front of the simulator: each setting is named.

Which of them hold an answer back was measured on nginx 1.22 and is not what
one would guess. Its default does: what fits a buffer (4 KB, a dozen records)
comes when it is full, and with larger buffers the whole answer in one lump.
HTTP/1.1 to the upstream is enough to end that. `gzip on` collects too, but
only for those who take compression, so lfg is spared, unless a second proxy
asks for it in lfg's place.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lfgtui.simulator.scenario import Scenario, Stall, Turn
from lfgtui.simulator.server import Settings, build_app, listening
from tests.acceptance.nginx import free_ports, needs_nginx, nginx

pytestmark = [pytest.mark.acceptance, needs_nginx]

LINES = "\n".join(f"line {number} of forty" for number in range(40))
SCENARIOS = {
    "paced": Scenario(turn=(Turn(text=LINES),), rate=120, first_token=0.2),
    "silent": Scenario(turn=(Turn(text=LINES, stall=Stall(300, 3.0, pings=False)),), rate=300),
}
HTTP_1_1 = 'proxy_http_version 1.1; proxy_set_header Connection "";'
GZIP = "gzip on; gzip_proxied any; gzip_types text/event-stream; gzip_min_length 0;"
SETTINGS = {
    "bare": "",
    "large-buffers": "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;",
    "http11-gzip": f"{HTTP_1_1} {GZIP}",
    "http11": HTTP_1_1,
    "unbuffered": "proxy_buffering off;",
    "impatient": f"{HTTP_1_1} proxy_read_timeout 1s;",
    "impatient-bare": "proxy_read_timeout 1s;",
    "accel": "proxy_set_header X-Setting accel;",
    "two-gzip": f"{HTTP_1_1} proxy_set_header Accept-Encoding gzip;",
}


@dataclass(frozen=True)
class Doctor:
    """Runs `lfg doctor` against a setting, as a person would."""

    folder: Path
    urls: dict[str, str]

    async def __call__(self, setting: str, model: str, *options: str) -> tuple[int, str]:
        config = self.folder / "config.toml"
        config.write_text(
            f'[providers.it]\nwire = "openai-chat"\nbase_url = "{self.urls[setting]}/v1"\n'
        )
        command = (sys.executable, "-m", "lfgtui", "doctor", "it", "--model", model, *options)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "LFG_CONFIG": str(config), "COLUMNS": "80"},
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()


class Unbuffered:
    """Adds what tells nginx not to buffer, where the request came by that setting's port."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants = (b"x-setting", b"accel") in scope["headers"]

        async def send_marked(message: Message) -> None:
            if wants and message["type"] == "http.response.start":
                headers = [*message["headers"], (b"x-accel-buffering", b"no")]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_marked)


@pytest.fixture
async def simulator() -> AsyncIterator[str]:
    app = await asyncio.to_thread(build_app, Settings(scenarios=SCENARIOS))
    app.add_middleware(Unbuffered)
    async with listening(app) as url:
        yield url


@pytest.fixture
def doctor(simulator: str, tmp_path: Path) -> Iterator[Doctor]:
    """An nginx with a port for each setting."""
    ports = dict(zip(SETTINGS, free_ports(len(SETTINGS)), strict=True))
    upstreams = dict.fromkeys(SETTINGS, simulator)
    upstreams["two-gzip"] = f"http://127.0.0.1:{ports['http11-gzip']}"
    servers = "\n".join(
        f"server {{ listen 127.0.0.1:{ports[name]}; location / {{ {said}"
        f" proxy_pass {upstreams[name]}; }} }}"
        for name, said in SETTINGS.items()
    )
    with nginx(tmp_path, servers):
        yield Doctor(tmp_path, {name: f"http://127.0.0.1:{port}" for name, port in ports.items()})


def finding(said: Any, topic: str) -> dict[str, str]:  # JSON as it came
    return next(found for found in said["findings"] if found["topic"] == topic)


@pytest.mark.parametrize(
    ("setting", "verdict"), [("bare", "bursts"), ("large-buffers", "lump"), ("two-gzip", "lump")]
)
async def test_a_setting_that_buffers_is_named_with_the_cure(
    doctor: Doctor, setting: str, verdict: str
) -> None:
    code, out = await doctor(setting, "paced", "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["verdict"]) == (1, False, verdict)
    cause = finding(said, "cause")
    assert cause["message"].startswith("nginx (server: nginx/")
    assert "proxy_buffering off;" in cause["fix"]
    assert "X-Accel-Buffering: no" in cause["fix"]
    assert ("content-encoding: gzip" in cause["message"]) == (setting == "two-gzip")


@pytest.mark.parametrize("setting", ["http11", "http11-gzip", "unbuffered", "accel"])
async def test_a_setting_that_does_not_buffer_is_found_well(doctor: Doctor, setting: str) -> None:
    code, out = await doctor(setting, "paced", "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["verdict"]) == (0, True, "streams")
    assert said["headers"]["server"].startswith("nginx/")
    assert said["arrivals"]["span_ms"] > 0.5 * said["latency_ms"]["total"]


async def test_an_idle_timeout_is_named_with_its_seconds(doctor: Doctor) -> None:
    code, out = await doctor("impatient", "silent", "--json")
    said = json.loads(out)
    assert (code, said["error"]["kind"]) == (1, "cut")
    end = finding(said, "end")
    silent = re.search(r"the last ([\d.]+) s silent: an idle timeout", end["message"])
    assert silent is not None, end["message"]
    assert 0.5 <= float(silent[1]) <= 1.5
    assert "proxy_read_timeout" in end["fix"]


async def test_an_idle_timeout_behind_a_buffer_is_still_thought_of(doctor: Doctor) -> None:
    code, out = await doctor("impatient-bare", "silent", "--json")
    said = json.loads(out)
    assert (code, said["error"]["kind"]) == (1, "cut")
    end = finding(said, "end")
    assert "idle timeout" in end["message"]
    assert "proxy_read_timeout" in end["fix"]


async def test_what_is_printed_fits_eighty_columns(doctor: Doctor) -> None:
    code, out = await doctor("large-buffers", "paced")
    assert code == 1
    assert "arrived at once" in out
    assert max(map(len, out.splitlines())) <= 80
