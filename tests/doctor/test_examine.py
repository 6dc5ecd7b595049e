"""The doctor's question over real sockets: a server that streams, and what stands before it."""

import re

import pytest

from lfgtui.doctor.diagnose import report
from lfgtui.doctor.examine import Examination, examine
from lfgtui.doctor.findings import Finding, Report
from lfgtui.providers.base import Provider, Request, Stream
from lfgtui.settings.providers import WireName
from tests.doctor.conftest import STALL, Ask
from tests.doctor.middleman import How, between
from tests.providers.sdk_wires import open_wire
from tests.text.secrets import drawn


def finding(report: Report, topic: str) -> Finding:
    return next(found for found in report.findings if found.topic == topic)


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses"])
async def test_a_streaming_server_is_found_well(simulator: str, ask: Ask, wire: WireName) -> None:
    said = await ask(simulator, wire)
    assert (said.ok, said.verdict, said.status) == (True, "streams", 200)
    assert said.arrivals is not None
    assert said.arrivals.pieces >= 40
    assert said.arrivals.bytes > said.arrivals.characters == 200
    assert said.latency_ms is not None
    assert said.latency_ms.first_byte is not None
    assert said.latency_ms.first_token is not None
    assert said.latency_ms.first_byte <= said.latency_ms.first_token < said.latency_ms.total
    assert said.usage is not None
    assert said.unknown == {}
    assert finding(said, "clock").level == "ok"


async def test_a_proxy_that_passes_everything_on_is_not_accused(simulator: str, ask: Ask) -> None:
    async with between(simulator, "passes", server="nginx/1.22.1") as url:
        said = await ask(url)
    assert (said.ok, said.verdict) == (True, "streams")
    assert "nginx" not in str(said.findings)


@pytest.mark.parametrize(
    ("how", "signed", "verdict", "cause", "fix"),
    [
        ("collects", {"server": "nginx/1.22.1"}, "lump", "content-length", "proxy_buffering off;"),
        ("compresses", {"via": "1.1 varnish"}, "lump", "content-encoding: gzip", "do_stream"),
        ("slices", {}, "bursts", "does not identify itself", "response buffering"),
    ],
)
async def test_a_proxy_that_holds_the_answer_back_is_named_with_the_cure(
    simulator: str, ask: Ask, how: How, signed: dict[str, str], verdict: str, cause: str, fix: str
) -> None:
    async with between(simulator, how, **signed) as url:
        said = await ask(url)
    assert (said.ok, said.verdict) == (False, verdict)
    found = finding(said, "cause")
    assert cause in found.message and fix in found.fix
    assert all(value in found.message for value in signed.values())


async def test_a_proxy_that_cuts_silence_is_named_with_seconds(simulator: str, ask: Ask) -> None:
    async with between(simulator, "cuts", server="nginx/1.22.1") as url:
        said = await ask(url, model="silent")
    assert not said.ok
    end = finding(said, "end")
    silent = re.search(r"the last ([\d.]+) s silent", end.message)
    assert silent is not None
    assert 0.5 <= float(silent[1]) < STALL.seconds  # a busy machine is late at both ends of it
    assert "proxy_read_timeout" in end.fix


async def test_a_refused_key_is_the_finding(simulator: str, ask: Ask) -> None:
    key = drawn(24, seed=1)
    said = await ask(simulator, key=key)
    assert (said.ok, said.verdict, said.status) == (False, None, 401)
    assert [found.topic for found in said.findings] == ["key", "clock"]
    assert key not in str(said)


async def test_a_server_that_is_not_there_is_said(ask: Ask) -> None:
    said = await ask("http://127.0.0.1:9")
    assert not said.ok
    assert finding(said, "connection").message.startswith("cannot reach 127.0.0.1:9")
    assert said.latency_ms is None


class Unwatched:
    """A provider that no probe fits, as one over a WebSocket."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def stream(self, request: Request) -> Stream:
        return self._provider.stream(request)

    async def aclose(self) -> None:
        await self._provider.aclose()


async def test_without_a_probe_the_events_tell(simulator: str) -> None:
    async with between(simulator, "passes") as url:
        provider = Unwatched(await open_wire("openai-chat", url, "sk-right"))
        seen = Examination("it", "openai-chat", "paced")
        await examine(provider, seen)
        await provider.aclose()
    said = report(seen, has_key=True)
    assert (said.verdict, said.status, said.clock_skew_s) == ("streams", None, None)
    assert said.latency_ms is not None
    assert said.latency_ms.connect is None
