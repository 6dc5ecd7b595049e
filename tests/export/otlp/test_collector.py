"""Spans sent to a collector, over real HTTP."""

import asyncio

import pytest

from lfgtui.errors import UsageError
from lfgtui.export.otlp.collector import Collector, Outcome
from tests.providers.loopback import CUT, Answer, Loopback

BODY = b'{"resourceSpans":[]}'


async def sent(server: Loopback, path: str = "") -> Outcome:
    return await asyncio.to_thread(lambda: Collector(f"{server.url}{path}").send(BODY))


def answer(text: str, status: int = 200, **headers: str) -> Answer:
    return Answer([text.encode()], status, "application/json", headers)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/v1/traces"),
        ("/", "/v1/traces"),
        ("/a/otel/", "/a/otel/v1/traces"),
        ("/v1/traces",) * 2,
    ],
)
async def test_the_address_is_a_base(server: Loopback, path: str, asked: str) -> None:
    server.answer = answer("{}")
    assert await sent(server, path) == Outcome()
    (request,) = server.asked
    assert (request.method, request.path, request.raw) == ("POST", asked, BODY)
    assert request.headers["content-type"] == "application/json"


async def test_without_an_address_the_variables_of_opentelemetry_name_it(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answer("")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{server.url}/base/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20a%3D, x-b = c ,")
    await asyncio.to_thread(lambda: Collector().send(BODY))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{server.url}/exactly/this")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-d=e")
    await asyncio.to_thread(lambda: Collector().send(BODY))
    first, second = server.asked
    assert (first.path, second.path) == ("/base/v1/traces", "/exactly/this")
    assert first.headers["authorization"] == "Basic a="
    assert (first.headers["x-b"], second.headers["x-d"]) == ("c", "e")
    assert "authorization" not in second.headers


@pytest.mark.parametrize(
    ("address", "headers", "refusal"),
    [
        ("", "", "--to needs an address: --to URL, or OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("localhost:4318", "", '--to: "localhost:4318" must begin with http://'),
        ("20261123-1", "", '--to: "20261123-1" must begin with http://'),
        ("http://h", "token", "OTEL_EXPORTER_OTLP_HEADERS: expected name=value"),
    ],
)
def test_what_is_no_address_or_header_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str, headers: str, refusal: str
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    with pytest.raises(UsageError) as caught:
        Collector(address)
    assert str(caught.value).startswith(refusal)


async def test_a_busy_collector_is_asked_again(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("lfgtui.export.otlp.collector.sleep", waits.append)
    answers = [answer("", 503), answer("", 429, **{"retry-after": "7"}), answer("{}")]
    server.answering = lambda _: answers[len(server.asked) - 1]
    assert await sent(server) == Outcome()
    assert waits == [1.0, 7.0]
    server.asked.clear()
    server.answering = lambda _: answer("", 502, **{"retry-after": "9999"})
    assert await sent(server) == Outcome("HTTP 502")
    assert (len(server.asked), max(waits)) == (4, 30.0)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (answer('{"message": "bad trace id"}', 400), Outcome("HTTP 400: bad trace id")),
        (answer("<html>no</html>", 404), Outcome("HTTP 404")),
        (answer('{"code": 16}', 401), Outcome("HTTP 401")),
        (answer("", 307, location="/elsewhere"), Outcome("HTTP 307")),
        (
            answer('{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}'),
            Outcome("", "too old", 3),
        ),
        (answer('{"partialSuccess": {"rejectedSpans": 2}}'), Outcome("", "", 2)),
        (answer('{"partialSuccess": {"errorMessage": "hm"}}'), Outcome("", "hm", 0)),
        (answer('{"partialSuccess": {"rejectedSpans": "many"}}'), Outcome()),
        (answer('{"partialSuccess": 1}'), Outcome()),
        (answer("[" * 10_000), Outcome()),
    ],
)
async def test_what_a_collector_answers_is_told(
    server: Loopback, given: Answer, outcome: Outcome
) -> None:
    server.answer = given
    assert await sent(server) == outcome
    assert len(server.asked) == 1


async def test_an_answer_without_end_is_not_read(server: Loopback) -> None:
    server.answer = Answer([b" " * 65_536, b" " * 65_536, "stall"])
    assert await sent(server) == Outcome()


async def test_a_collector_beyond_reach_is_told_at_once(server: Loopback) -> None:
    server.answer = Answer([], before=[CUT])
    assert (await sent(server)).failure
    collector = Collector("http://127.0.0.1:9")
    assert collector.name == "127.0.0.1:9"
    assert await asyncio.to_thread(collector.send, BODY) == Outcome("connection refused")
