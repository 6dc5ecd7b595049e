"""The three wires through their SDKs, over a real loopback server."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model.conversation import UserTurn
from lfgtui.model.events import (
    Heartbeat,
    ResponseFinished,
    TextDelta,
    ToolCallRequested,
    Usage,
    WireEvent,
)
from lfgtui.providers import limits
from lfgtui.providers.anthropic.provider import AnthropicProvider
from lfgtui.providers.base import Provider, Request
from lfgtui.providers.openai_chat.provider import ChatProvider
from lfgtui.providers.openai_responses.provider import ResponsesProvider
from lfgtui.providers.registry import Providers
from lfgtui.providers.transport import timeouts
from lfgtui.settings.config import Config, ProviderConfig, WireName
from tests.providers.loopback import CUT, PAUSE, STALL, Answer, Loopback, Step
from tests.providers.recordings import FOLDER, WHY_SKIPPED, cuts, recordings

WIRES = ["anthropic", "openai-chat", "openai-responses"]
KEY = "sk-test-0123456789"


def sse(*records: object) -> list[bytes]:
    return [
        f"data: {record if isinstance(record, str) else json.dumps(record)}\n\n".encode()
        for record in records
    ]


FIRST: dict[str, list[bytes]] = {
    "anthropic": sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hello"},
        },
    ),
    "openai-chat": sse({"choices": [{"index": 0, "delta": {"content": "Hello"}}]}),
    "openai-responses": sse(
        {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"}
    ),
}
LAST: dict[str, list[bytes]] = {
    "anthropic": sse(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}
    ),
    "openai-chat": sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]"),
    "openai-responses": sse(
        {"type": "response.completed", "response": {"status": "completed", "output": []}}
    ),
}
WHOLE: dict[str, dict[str, object]] = {
    "anthropic": {
        "type": "message",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
    "openai-chat": {
        "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    },
    "openai-responses": {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
}
HELLO: list[WireEvent] = [TextDelta("Hello"), ResponseFinished(1, "end")]


def request(**more: object) -> Request:
    return Request("some-model", [UserTurn("Hi")], **more)  # type: ignore[arg-type]  # test shorthand


async def events_of(provider: Provider, asked: Request | None = None) -> list[WireEvent]:
    async with aclosing(provider.stream(asked or request())) as stream:
        return [event async for event in stream]


Connect = Callable[..., Awaitable[Provider]]


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def connect(wire: str, server: Loopback) -> AsyncIterator[Connect]:
    opened: list[Provider] = []

    async def connect(url: str = server.url, key: str | None = KEY, **headers: str) -> Provider:
        def blocking() -> Provider:
            if wire == "anthropic":
                return AnthropicProvider(base_url=url, api_key=key, headers=headers)
            cls = ChatProvider if wire == "openai-chat" else ResponsesProvider
            return cls(base_url=f"{url}/v1", api_key=key, headers=headers)

        opened.append(await asyncio.to_thread(blocking))
        return opened[-1]

    yield connect
    for provider in opened:
        await provider.aclose()


async def test_a_streamed_answer_comes_through(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer(FIRST[wire] + LAST[wire])
    provider = await connect()
    assert await events_of(provider) == HELLO
    assert await events_of(provider) == HELLO
    assert server.connections == 1  # the pool kept the connection
    asked = server.asked[0]
    paths = {"anthropic": "/v1/messages", "openai-chat": "/v1/chat/completions"}
    assert asked.path == paths.get(wire, "/v1/responses")
    assert (asked.body["model"], asked.body["stream"]) == ("some-model", True)
    assert asked.body.get("messages") or asked.body.get("input")
    header = asked.headers.get("x-api-key") or asked.headers["authorization"]
    assert header.endswith(KEY)


async def test_one_request_without_streaming_gives_the_same(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([json.dumps(WHOLE[wire]).encode()], content_type="application/json")
    asked = request(stream=False, max_output_tokens=64_000)
    events = await events_of(await connect(), asked)
    assert server.asked[0].body["stream"] is False
    assert [event for event in events if not isinstance(event, Usage)] == HELLO
    assert Usage(1, 2) in events
    # some servers answer so when they were asked to stream
    assert await events_of(await connect()) == events


async def test_a_body_cut_in_the_middle_keeps_what_came(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([*FIRST[wire], CUT])
    events: list[WireEvent] = []
    with pytest.raises(ProviderError) as failure:
        async for event in (await connect()).stream(request()):
            events.append(event)
    assert events == [TextDelta("Hello")]
    assert failure.value.kind == "cut"
    assert failure.value.retryable


async def test_a_body_that_ends_too_early_is_a_cut(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer(FIRST[wire])
    with pytest.raises(ProviderError) as failure:
        await events_of(await connect())
    assert failure.value.kind == "cut"


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [
        (401, "auth", None),
        (429, "rate_limit", 3.0),
        (529, "overloaded", 3.0),
        (404, "not_found", None),
    ],
)
async def test_a_refusal_is_one_request_and_one_clear_error(
    wire: str, server: Loopback, connect: Connect, status: int, kind: str, wait: float | None
) -> None:
    body = {"type": "error", "error": {"type": "", "message": f"No, {KEY}, not now."}}
    server.answer = Answer(
        [json.dumps(body).encode()],
        status=status,
        content_type="application/json",
        headers={"retry-after": "3"} if wait else {},
    )
    with pytest.raises(ProviderError) as failure:
        await events_of(await connect())
    assert len(server.asked) == 1
    assert failure.value.kind == kind
    assert failure.value.retry_after == wait
    assert failure.value.message == f"No, [key], not now (HTTP {status})"


async def test_nothing_listening_is_said_with_its_address(
    wire: str, server: Loopback, connect: Connect
) -> None:
    url = server.url
    await server.stop()
    with pytest.raises(ProviderError, match="cannot reach 127") as failure:
        await events_of(await connect(url))
    assert failure.value.kind == "connection"


async def test_silence_before_the_first_record_is_a_timeout(
    server: Loopback, connect: Connect
) -> None:
    for answer in (Answer([], before=[STALL]), Answer([b": wait\n\n", STALL])):
        server.answer = answer
        with pytest.raises(ProviderError, match="no answer within") as failure:
            await events_of(await connect(), request(first_token_timeout=0.3))
        assert failure.value.kind == "timeout"
        await server.left.wait()
        server.left.clear()


async def test_silence_in_the_middle_is_a_timeout(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([*FIRST[wire], STALL])
    with pytest.raises(ProviderError, match="nothing more within") as failure:
        await events_of(await connect(), request(idle_timeout=0.2))
    assert failure.value.kind == "timeout"
    await server.left.wait()


@pytest.mark.parametrize("wire", ["openai-chat"])
async def test_a_long_record_on_a_slow_line_is_no_silence(
    wire: str, server: Loopback, connect: Connect
) -> None:
    slow: list[Step] = [PAUSE, b"x" * 100] * 6
    server.answer = Answer([*FIRST[wire], b": ", *slow, b"\n\n", *LAST[wire]])
    events = await events_of(await connect(), request(idle_timeout=0.5))
    assert [event for event in events if not isinstance(event, Heartbeat)] == HELLO


@pytest.mark.parametrize("wire", WIRES)
async def test_a_server_that_does_not_take_the_connection_is_said_with_the_setting(
    wire: WireName,
) -> None:
    with full_port() as port:
        url = f"http://127.0.0.1:{port}"
        said = ProviderConfig(wire=wire, base_url=url, connect_timeout=0.1)
        providers = Providers(Config(providers={"slow": said}))
        with pytest.raises(ProviderError) as failure:
            await events_of(await providers.get("slow"))
        await providers.aclose()
    assert failure.value.kind == "connection"
    why = "no connection within 0.1 s (connect_timeout); is the server running?"
    assert failure.value.message == f"cannot reach 127.0.0.1:{port}: {why}"


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that it answers nobody."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def test_an_announced_end_is_the_end_though_the_server_holds_on(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([*FIRST[wire], *LAST[wire], STALL])
    assert await events_of(await connect()) == HELLO


async def test_closing_the_stream_ends_the_request_at_once(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([*FIRST[wire], STALL])
    stream = (await connect()).stream(request())
    assert await anext(stream) == TextDelta("Hello")
    await stream.aclose()
    await server.left.wait()


@pytest.mark.parametrize("before", [True, False], ids=["waiting", "streaming"])
async def test_cancelling_the_task_ends_the_request_at_once(
    wire: str, server: Loopback, connect: Connect, before: bool
) -> None:
    server.answer = Answer([], before=[STALL]) if before else Answer([*FIRST[wire], STALL])
    task = asyncio.create_task(events_of(await connect()))
    await server.streaming.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.left.wait()


async def test_comments_are_heartbeats(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer([b": working\n\n", *FIRST[wire], *LAST[wire]])
    assert await events_of(await connect()) == [Heartbeat(), *HELLO]


async def test_an_error_in_the_stream_is_raised_after_what_came(
    wire: str, server: Loopback, connect: Connect
) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    server.answer = Answer([*FIRST[wire], *sse(error)])
    events: list[WireEvent] = []
    with pytest.raises(ProviderError, match="Overloaded") as failure:
        async for event in (await connect()).stream(request()):
            events.append(event)
    assert events == [TextDelta("Hello")]
    assert failure.value.kind == "overloaded"


@pytest.mark.parametrize("streams", [True, False])
async def test_a_web_page_is_no_answer(server: Loopback, connect: Connect, streams: bool) -> None:
    server.answer = Answer([b"<html>hello</html>"], content_type="text/html; charset=utf-8")
    with pytest.raises(ProviderError, match="base_url") as failure:
        await events_of(await connect(), request(stream=streams))
    assert failure.value.kind == "protocol"


async def test_the_environment_says_nothing_to_another_host(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{package}_API_KEY", "leaked")
        monkeypatch.setenv(f"{package}_BASE_URL", "http://127.0.0.1:1/leaked")
        monkeypatch.setenv(f"{package}_CUSTOM_HEADERS", "X-Mine: leaked")
    for variable in ("ANTHROPIC_AUTH_TOKEN", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(variable, "leaked")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "leaked")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server.answer = Answer(FIRST[wire] + LAST[wire])
    assert await events_of(await connect(key=None)) == HELLO
    assert "leaked" not in str(server.asked[0])


async def test_extra_headers_are_sent_and_win(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer(FIRST[wire] + LAST[wire])
    extra = {"authorization": "Basic mine", "x-api-key": "mine", "X-Title": "lfg"}
    await events_of(await connect(key=None, **extra))
    headers = server.asked[0].headers
    assert headers["x-title"] == "lfg"
    assert headers["authorization"] == "Basic mine"
    assert headers["x-api-key"] == "mine"


async def test_extra_fields_reach_the_body(server: Loopback, connect: Connect, wire: str) -> None:
    server.answer = Answer(FIRST[wire] + LAST[wire])
    await events_of(await connect(), request(extra={"top_k": 5, "nested": {"a": [1]}}))
    assert server.asked[0].body["top_k"] == 5
    assert server.asked[0].body["nested"] == {"a": [1]}


@pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)
async def test_recorded_bodies_come_through_the_wire(
    wire: str, server: Loopback, connect: Connect
) -> None:
    provider = await connect()
    for recording in recordings(wire):
        if recording.expected["error"] is not None:
            continue
        server.answer = Answer(list(cuts(recording.body, "random")))
        events = await events_of(provider)
        said = "".join(event.text for event in events if isinstance(event, TextDelta))
        expected = recording.expected
        assert said == f"{expected['text']}{expected.get('refusal') or ''}", recording.name
        called = sum(isinstance(event, ToolCallRequested) for event in events)
        calls = expected["tool_calls"]
        assert isinstance(calls, list)
        assert called == len(calls), recording.name


async def test_heartbeats_that_come_together_are_one(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([b":\n\n" * 100 + b"".join(FIRST[wire] + LAST[wire])])
    events = await events_of(await connect())
    assert [event for event in events if event == Heartbeat()] == [Heartbeat()]
    assert HELLO[0] in events


async def test_a_record_that_nobody_knows_is_no_first_answer(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer([b"data: {}\n\n" * 3, b'data: {"type":"odd"}\n\n' * 3, STALL])
    provider = await connect()
    with pytest.raises(ProviderError, match="first_token_timeout"):
        await events_of(provider, request(first_token_timeout=0.4, idle_timeout=30.0))


async def test_comments_after_the_last_word_do_not_hold_the_answer(
    wire: str, server: Loopback, connect: Connect
) -> None:
    comments: list[Step] = [b":\n\n", PAUSE] * 30
    server.answer = Answer([*FIRST[wire], *LAST[wire], *comments, STALL])
    assert HELLO[0] in await events_of(await connect())
    assert not server.streaming.is_set()  # it was left before it came to its end


async def test_a_flood_of_records_leaves_the_loop_to_others(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "_TURN", 0.0)
    rounds = 0

    async def tick() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    server.answer = Answer([b"".join(FIRST[wire]) + FIRST[wire][-1] * 500, *LAST[wire]])
    provider = await connect()
    ticking = asyncio.create_task(tick())
    events = await events_of(provider)
    ticking.cancel()
    assert events.count(TextDelta("Hello")) >= 500
    assert rounds >= 500


async def test_a_long_delta_comes_as_several_and_a_crowd_of_values_not_at_all(
    wire: str, server: Loopback, connect: Connect
) -> None:
    first = b"".join(FIRST[wire])
    server.answer = Answer([first.replace(b"Hello", b"word " * 20_000), *LAST[wire]])
    texts = [e.text for e in await events_of(await connect()) if isinstance(e, TextDelta)]
    assert "".join(texts) == "word " * 20_000
    assert max(map(len, texts)) <= limits.DELTA_LENGTH
    server.answer = Answer([b'data: {"x":[' + b"{}," * 300_000 + b"0]}\n\n"])
    provider = await connect()
    with pytest.raises(ProviderError, match="more than 250,000 objects and lists"):
        await events_of(provider)
