"""The wire `agent-sse` over a real loopback server: what HTTP and event streams bring along."""

import json

import pytest

from lfgtui.model.events import Heartbeat, ResponseFinished, TextDelta, Usage
from lfgtui.providers.agent_server.sse import AgentSseProvider
from lfgtui.providers.transport.probe import Probe
from tests.providers.agent_server.agents import KEY, PATH, SseAgent, failure_of, text
from tests.providers.loopback import CUT, Answer, Asked, Loopback, Step
from tests.providers.sdk_wires import HELLO, events_of, request
from tests.providers.virtual_time import pausing

DONE = b'data: {"type": "done"}\n\n'
AT_ONCE = b"retry: 1\n\n"


async def test_the_pool_keeps_the_connection_and_the_environment_changes_nothing(
    sse: SseAgent, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    sse.plays = [[sse.token("Hello")]]
    provider = sse.provider(headers={"x-title": "lfg"})
    assert await events_of(provider) == await events_of(provider) == HELLO
    assert server.connections == 1
    headers = sse.asked[0].headers
    assert (sse.asked[0].method, headers["x-title"]) == ("POST", "lfg")
    assert headers["accept"] == "text/event-stream"


async def test_lines_of_json_are_a_stream_too(sse: SseAgent) -> None:
    lines = b'{"type":"token","content":"Hel"}\n{"type":"token","content":"lo"}\n{"type":"done"}'
    sse.plays = [[lines[:50], lines[50:]]]
    assert text(await events_of(sse.provider())) == "Hello"


async def test_one_json_document_is_an_answer_to_a_request_for_a_stream_too(sse: SseAgent) -> None:
    body = {"content": "Hello", "usage": {"input_tokens": 7, "output_tokens": 3}}
    sse.plays = [[json.dumps(body).encode()]]
    events = await events_of(sse.provider())
    assert events == [TextDelta("Hello"), Usage(7, 3), ResponseFinished(1, "end")]


async def test_the_reader_is_strict(sse: SseAgent) -> None:
    sse.plays = [[sse.token("Hello"), sse.token(" there").rstrip(b"\n")]]
    assert await events_of(sse.provider()) == HELLO


async def test_comments_and_pings_are_heartbeats(sse: SseAgent) -> None:
    sse.plays = [[b": alive\n\n", b"event: ping\ndata: {}\n\n", sse.token("Hello")]]
    assert await events_of(sse.provider()) == [Heartbeat(), Heartbeat(), *HELLO]


@pytest.mark.parametrize(
    ("status", "kind", "wait"), [(401, "auth", None), (429, "rate_limit", 3.0), (500, "server", 3)]
)
async def test_a_refusal_is_one_request_and_one_clear_error(
    sse: SseAgent, server: Loopback, status: int, kind: str, wait: float | None
) -> None:
    body = json.dumps({"detail": f"No, {KEY}, not now."}).encode()
    headers = {"retry-after": "3"} if wait else {}
    server.answering = lambda _: Answer([body], status, "application/json", headers)
    failure, _ = await failure_of(sse.provider())
    assert len(sse.asked) == 1
    assert (failure.kind, failure.retry_after) == (kind, wait)
    assert failure.message == f"No, [key], not now (HTTP {status})"


async def test_a_probe_sees_the_exchange_and_what_was_unknown(sse: SseAgent) -> None:
    sse.plays = [[sse.token("Hello"), sse.event({"type": "agent_message_chunk"})]]
    provider, probe = sse.provider(), Probe()
    assert isinstance(provider, AgentSseProvider)
    provider.watch(probe)
    assert await events_of(provider) == HELLO
    [exchange] = probe.exchanges
    assert (exchange.status, exchange.complete, len(exchange.pieces)) == (200, True, 2)
    assert probe.unknown == {"agent_message_chunk": 1}


async def test_a_long_event_is_no_silence(sse: SseAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = pausing(monkeypatch, 5)
    slow: list[Step] = [b"x" * 20, pause] * 3
    begun = b'data: {"type": "token", "content": "'
    sse.plays = [[sse.token("Hel"), pause, begun, *slow, b'"}\n\n']]
    events = await events_of(sse.provider(), request(idle_timeout=8))
    assert text(events) == "Hel" + "x" * 60


# resuming what broke off


@pytest.mark.parametrize(
    ("headers", "again"),
    [
        ({"location": "/runs/7/stream", "content-location": "/runs/7"}, ("GET", "/runs/7/stream")),
        ({"location": "http://127.0.0.2:9/stolen"}, ("POST", PATH)),  # does not get the key
    ],
    ids=["its own", "a stranger's"],
)
async def test_the_address_that_the_server_named_is_asked_again_if_it_is_its_own(
    sse: SseAgent, server: Loopback, headers: dict[str, str], again: tuple[str, str]
) -> None:
    def answer(asked: Asked) -> Answer:
        if "last-event-id" in asked.headers:
            return Answer([sse.token("lo", 2), DONE])
        return Answer([AT_ONCE, sse.token("Hel", 1), CUT], headers=headers)

    server.answering = answer
    assert text(await events_of(sse.provider())) == "Hello"
    assert (sse.asked[1].method, sse.asked[1].path) == again
    assert sse.asked[1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "forgotten",
    [
        Answer([b'{"detail": "no such run"}'], 404, "application/json"),
        Answer([], 204),
        Answer([b'{"content": "Hello"}'], content_type="application/json"),
    ],
    ids=["unknown", "over", "whole"],
)
async def test_a_server_that_does_not_resume_is_taken_at_its_word(
    sse: SseAgent, server: Loopback, forgotten: Answer
) -> None:
    first = Answer([AT_ONCE, sse.token("Hel", "run-1"), CUT])
    server.answering = lambda asked: forgotten if "last-event-id" in asked.headers else first
    failure, before = await failure_of(sse.provider())
    assert (failure.kind, before) == ("cut", "Hel")
    assert "resuming failed" in failure.message
    assert len(sse.asked) == 2


async def test_a_pause_longer_than_the_idle_time_is_a_timeout(sse: SseAgent) -> None:
    sse.plays = [[b"retry: 20000\n\n", sse.token("Hel", 1), CUT]]
    failure, _ = await failure_of(sse.provider(), request(idle_timeout=0.2))
    assert failure.kind == "timeout"
