"""The wire `agent-sse` over a real loopback server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from lfgtui.errors import ProviderError, UsageError
from lfgtui.model.conversation import Message, ModelTurn, TextPart, UserTurn
from lfgtui.model.events import Heartbeat, ResponseFinished, Status, TextDelta, Usage, WireEvent
from lfgtui.providers.agent_server.sse import AgentSseProvider
from lfgtui.providers.base import Request
from lfgtui.providers.transport.probe import Probe
from tests.providers.agent_server.agents import (
    HELLO,
    KEY,
    events_of,
    failure_of,
    request,
    text,
)
from tests.providers.loopback import CUT, STALL, Answer, Asked, Loopback, Step
from tests.providers.virtual_time import pausing

DONE = b'data: {"type": "done"}\n\n'


def token(text: str, event_id: object = None) -> bytes:
    head = b"" if event_id is None else f"id: {event_id}\n".encode()
    said = json.dumps({"type": "token", "content": text}, ensure_ascii=False)
    return head + f"data: {said}\n\n".encode()


Connect = Callable[..., AgentSseProvider]


@pytest.fixture
async def connect(server: Loopback) -> AsyncIterator[Connect]:
    opened: list[AgentSseProvider] = []

    def connect(
        url: str = "", *, key: str | None = KEY, body: dict[str, object] | None = None, **more: str
    ) -> AgentSseProvider:
        url = url or f"{server.url}/agents/plan"
        opened.append(AgentSseProvider(base_url=url, api_key=key, headers=more, body=body))
        return opened[-1]

    yield connect
    for provider in opened:
        await provider.aclose()


# what is asked


async def test_the_agent_is_asked_at_its_own_address(server: Loopback, connect: Connect) -> None:
    server.answer = Answer([token("Hello")])
    provider = connect()
    turns: list[Message] = [UserTurn("Hi"), ModelTurn((TextPart("Yes?"),)), UserTurn("Go on")]
    asked = Request("m", turns, system="Be brief.", extra={"top_k": 5})
    assert await events_of(provider, asked) == HELLO
    assert await events_of(provider) == HELLO
    assert server.connections == 1  # the pool kept the connection
    first = server.asked[0]
    assert (first.method, first.path) == ("POST", "/agents/plan")
    run_id = first.body.pop("run_id")
    assert first.body == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "Go on"},
        ],
        "system": "Be brief.",
        "stream": True,
        "top_k": 5,
    }
    assert run_id != server.asked[1].body["run_id"]
    assert "system" not in server.asked[1].body
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.headers["accept"] == "text/event-stream"
    assert first.headers["accept-encoding"] == "identity"


async def test_a_body_of_ones_own_is_filled_in(server: Loopback, connect: Connect) -> None:
    server.answer = Answer([token("Hello")])
    body: dict[str, object] = {
        "assistant_id": "agent",
        "input": {"messages": "{messages}"},
        "parts": [{"kind": "text", "text": "To do: {prompt}"}],
        "config": {"system": "{system}", "note": "System: {system}."},
        "run": "{run_id}",
        "n": 3,
        "other": "{thing}",
    }
    question = "What is {run_id}?"  # a placeholder of the template's, but not in its place
    await events_of(connect(body=body), Request("m", [UserTurn(question)], extra={"n": 4}))
    got = server.asked[0].body
    assert len(str(got.pop("run"))) == 36
    assert got == {
        "assistant_id": "agent",
        "input": {"messages": [{"role": "user", "content": question}]},
        "parts": [{"kind": "text", "text": f"To do: {question}"}],
        "config": {"note": "System: ."},
        "n": 4,
        "other": "{thing}",
    }


async def test_headers_are_sent_and_win_and_the_environment_says_nothing(
    server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    server.answer = Answer([token("Hello")])
    await events_of(connect(authorization="Basic mine", **{"x-title": "lfg"}))
    headers = server.asked[0].headers
    assert (headers["authorization"], headers["x-title"]) == ("Basic mine", "lfg")
    await events_of(connect(key=None))
    assert "authorization" not in server.asked[1].headers


def test_it_needs_an_address() -> None:
    with pytest.raises(UsageError, match="base_url"):
        AgentSseProvider(base_url=None, api_key=None, headers={})


# what comes


async def test_lines_of_json_are_a_stream_too(server: Loopback, connect: Connect) -> None:
    lines = b'{"type":"token","content":"Hel"}\n{"type":"token","content":"lo"}\n{"type":"done"}'
    server.answer = Answer([lines[:50], lines[50:]], content_type="application/x-ndjson")
    assert text(await events_of(connect())) == "Hello"


@pytest.mark.parametrize("streams", [True, False])
async def test_one_json_document_is_an_answer_too(
    server: Loopback, connect: Connect, streams: bool
) -> None:
    body = {"content": "Hello", "usage": {"input_tokens": 7, "output_tokens": 3}}
    server.answer = Answer([json.dumps(body).encode()], content_type="application/json")
    events = await events_of(connect(), request(stream=streams))
    assert events == [TextDelta("Hello"), Usage(7, 3), ResponseFinished(1, "end")]
    assert server.asked[0].body["stream"] is streams
    assert server.asked[0].headers["accept"].startswith("text" if streams else "application/json")


async def test_the_reader_is_strict(server: Loopback, connect: Connect) -> None:
    server.answer = Answer([token("Hello"), token(" there").rstrip(b"\n")])
    assert await events_of(connect()) == HELLO


async def test_comments_and_pings_are_heartbeats(server: Loopback, connect: Connect) -> None:
    server.answer = Answer([b": alive\n\n", b"event: ping\ndata: {}\n\n", token("Hello")])
    assert await events_of(connect()) == [Heartbeat(), Heartbeat(), *HELLO]


@pytest.mark.parametrize(
    ("status", "kind", "wait"), [(401, "auth", None), (429, "rate_limit", 3.0), (500, "server", 3)]
)
async def test_a_refusal_is_one_request_and_one_clear_error(
    server: Loopback, connect: Connect, status: int, kind: str, wait: float | None
) -> None:
    body = json.dumps({"detail": f"No, {KEY}, not now."}).encode()
    headers = {"retry-after": "3"} if wait else {}
    server.answer = Answer([body], status, "application/json", headers)
    failure, _ = await failure_of(connect())
    assert len(server.asked) == 1
    assert (failure.kind, failure.retry_after) == (kind, wait)
    assert failure.message == f"No, [key], not now (HTTP {status})"


async def test_nobody_there_is_said_with_the_address(server: Loopback, connect: Connect) -> None:
    url = server.url
    await server.stop()
    failure, _ = await failure_of(connect(url))
    assert failure.kind == "connection"
    assert failure.message.startswith("cannot reach 127.0.0.1")


async def test_a_probe_sees_the_exchange_and_what_was_unknown(
    server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([token("Hello"), b'data: {"type": "agent_message_chunk"}\n\n'])
    provider, probe = connect(), Probe()
    provider.watch(probe)
    assert await events_of(provider) == HELLO
    [exchange] = probe.exchanges
    assert (exchange.status, exchange.complete, len(exchange.pieces)) == (200, True, 2)
    assert probe.unknown == {"agent_message_chunk": 1}


# clocks and ends


async def test_a_long_event_is_no_silence(
    server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = pausing(monkeypatch, 5)
    slow: list[Step] = [b"x" * 20, pause] * 3
    server.answer = Answer(
        [token("Hel"), pause, b'data: {"type": "token", "content": "', *slow, b'"}\n\n']
    )
    events = await events_of(connect(), request(idle_timeout=8))
    assert text(events) == "Hel" + "x" * 60


async def test_an_announced_end_is_the_end_though_the_server_holds_on(
    server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([token("Hello"), DONE, STALL])
    assert await events_of(connect()) == HELLO


@pytest.mark.parametrize("before", [True, False], ids=["waiting", "streaming"])
async def test_cancelling_ends_the_request_at_once(
    server: Loopback, connect: Connect, before: bool
) -> None:
    server.answer = Answer([], before=[STALL]) if before else Answer([token("x"), STALL])
    task = asyncio.create_task(events_of(connect()))
    await server.streaming.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.left.wait()


# taking up what broke off


async def test_a_broken_connection_is_taken_up_where_it_stopped(
    server: Loopback, connect: Connect
) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.headers.get("last-event-id") == "1":
            return Answer([token("é", 2), token("llo", 3), DONE])
        return Answer([b"retry: 1\n\n", token("H", 0), token("", 1), token("é", 2)[:-6], CUT])

    server.answering = answer
    events = await events_of(connect())
    assert text(events) == "Héllo"
    first, second = server.asked
    assert (second.method, second.body) == ("POST", first.body)  # the run's id included
    assert events[-1] == ResponseFinished(1, "end")


async def test_the_address_that_the_server_named_is_asked_again(
    server: Loopback, connect: Connect
) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer([token("lo", 2), DONE])
        headers = {"location": "/runs/7/stream", "content-location": "/runs/7"}
        return Answer([b"retry: 1\n\n", token("Hel", 1), CUT], headers=headers)

    server.answering = answer
    assert text(await events_of(connect())) == "Hello"
    assert server.asked[1].path == "/runs/7/stream"
    assert server.asked[1].headers["authorization"] == f"Bearer {KEY}"


async def test_a_strangers_address_does_not_get_the_key(server: Loopback, connect: Connect) -> None:
    def answer(asked: Asked) -> Answer:
        if "last-event-id" in asked.headers:
            return Answer([token("lo", 2), DONE])
        headers = {"location": "http://127.0.0.2:9/stolen"}
        return Answer([b"retry: 1\n\n", token("Hel", 1), CUT], headers=headers)

    server.answering = answer
    assert text(await events_of(connect())) == "Hello"
    assert server.asked[1].method == "POST"


async def test_a_body_that_ends_well_but_too_early_is_taken_up_as_well(
    server: Loopback, connect: Connect
) -> None:
    start = b'data: {"type": "RUN_STARTED"}\n\n'

    def answer(asked: Asked) -> Answer:
        if "last-event-id" in asked.headers:
            return Answer([token("lo", 2), DONE])
        return Answer([b"retry: 1\n\n", start, token("Hel", 1)])

    server.answering = answer
    assert text(await events_of(connect())) == "Hello"


FORGOTTEN: dict[str, Answer] = {
    "is unknown": Answer([b'{"detail": "no such run"}'], 404, "application/json"),
    "is over": Answer([], 204),
    "counts anew": Answer([token("Other", "new-1"), token("wise", "new-2"), DONE]),
    "starts anew": Answer(
        [b'data: {"type": "RUN_STARTED", "runId": "8"}\n\n', token("Other", "run-2"), DONE]
    ),
    "is told whole": Answer([b'{"content": "Hello"}'], content_type="application/json"),
}


@pytest.mark.parametrize("how", FORGOTTEN)
async def test_a_server_that_forgot_the_run_does_not_get_its_other_answer_in(
    server: Loopback, connect: Connect, how: str
) -> None:
    begun = b'id: run-0\ndata: {"type": "RUN_STARTED", "runId": "7"}\n\n'
    first: list[Step] = [b"retry: 1\n\n", begun, token("Hel", "run-1"), CUT]

    def answer(asked: Asked) -> Answer:
        return FORGOTTEN[how] if "last-event-id" in asked.headers else Answer(first)

    server.answering = answer
    events: list[WireEvent] = []
    with pytest.raises(ProviderError, match="resuming failed") as failure:
        async for event in connect().stream(request()):
            events.append(event)
    assert failure.value.kind == "cut"
    assert text(events) == "Hel"
    assert len(server.asked) == 2


async def test_a_pause_longer_than_the_idle_time_is_a_timeout(
    server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([b"retry: 20000\n\n", token("Hel", 1), CUT])
    failure, _ = await failure_of(connect(), request(idle_timeout=0.2))
    assert failure.kind == "timeout"


async def test_an_end_that_was_never_announced_is_remarked_on_where_there_are_ids(
    server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([token("Hel", 1), token("lo", 2)])
    events = await events_of(connect())
    assert (text(events), events[-1]) == ("Hello", ResponseFinished(1, "end"))
    (remark,) = [event for event in events if isinstance(event, Status)]
    assert "may be incomplete" in remark.message
    server.answer = Answer([token("Hello")])
    assert await events_of(connect()) == HELLO
    server.answer = Answer([token("Hello", 1), DONE])
    assert await events_of(connect()) == HELLO
