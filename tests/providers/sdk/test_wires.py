"""The three wires through their SDKs, over a real loopback server."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby

import pytest

from lfgtui.model.events import Heartbeat, TextDelta, ToolCallRequested, Usage
from lfgtui.providers import limits
from lfgtui.providers.base import Provider
from lfgtui.providers.registry import Providers
from lfgtui.providers.sdk.provider import SdkProvider, model_names
from lfgtui.providers.transport import pace, reading
from lfgtui.providers.transport.pace import IsSeen, Pace
from lfgtui.settings.config import Config
from lfgtui.settings.providers import ProviderConfig, WireName
from tests.providers.decoding import Json, sse
from tests.providers.loopback import CUT, STALL, Answer, Loopback, Step
from tests.providers.recordings import FOLDER, WHY_SKIPPED, cuts, recordings
from tests.providers.sdk_wires import (
    FIRST,
    HELLO,
    KEY,
    LAST,
    WHOLE,
    WIRES,
    events_of,
    failure_of,
    open_wire,
    request,
)
from tests.providers.virtual_time import pausing

Connect = Callable[..., Awaitable[SdkProvider]]


@pytest.fixture
async def connect(wire: str, server: Loopback) -> AsyncIterator[Connect]:
    opened: list[Provider] = []

    async def connect(key: str | None = KEY, **headers: str) -> SdkProvider:
        provider = await open_wire(wire, server.url, key, headers)
        opened.append(provider)
        return provider

    yield connect
    for provider in opened:
        await provider.aclose()


async def test_a_streamed_answer_arrives(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer(FIRST[wire] + LAST[wire])
    provider = await connect()
    assert await events_of(provider, request(extra={"nested": {"a": [1]}})) == HELLO
    assert await events_of(provider) == HELLO
    assert server.connections == 1  # the pool kept the connection
    sent = server.asked[0]
    paths = {"anthropic": "/v1/messages", "openai-chat": "/v1/chat/completions"}
    assert sent.path == paths.get(wire, "/v1/responses")
    assert (sent.body["model"], sent.body["stream"]) == ("m", True)
    assert sent.body["nested"] == {"a": [1]}
    assert sent.body.get("messages") or sent.body.get("input")
    header = sent.headers.get("x-api-key") or sent.headers["authorization"]
    assert header.endswith(KEY)


async def test_only_a_request_that_opens_a_connection_has_a_time_to_connect(
    wire: str, server: Loopback, connect: Connect
) -> None:
    server.answer = Answer(FIRST[wire] + LAST[wire])
    provider, times = await connect(), list[float | None]()
    for _ in range(2):
        await events_of(provider, request(on_answer=times.append))
    first, second = times
    assert first is not None and first > 0 and second is None


async def test_an_answer_is_read_at_the_pace_of_who_sees_it(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_resting, rested = asyncio.Event(), list[IsSeen | None]()

    async def rest(_: Pace, is_seen: IsSeen | None) -> None:
        rested.append(is_seen)
        if is_seen is not None:
            is_resting.set()

    async def until_it_rests() -> None:
        await is_resting.wait()
        is_resting.clear()

    monkeypatch.setattr(pace, "FEW", 0)
    monkeypatch.setattr(Pace, "rest", rest)
    server.answer = Answer([*FIRST[wire], until_it_rests, *LAST[wire]])
    provider = await connect()
    seen: list[IsSeen] = [lambda: True, lambda: False]
    for is_seen in seen:
        assert await events_of(provider, request(is_seen=is_seen)) == HELLO
    assert server.connections == 1
    # Of the second answer's head nobody knows yet who sees it.
    assert [is_seen for is_seen, _ in groupby(rested)] == [seen[0], None, seen[1]]


async def test_a_whole_answer_gives_the_same(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer([json.dumps(WHOLE[wire]).encode()], content_type="application/json")
    events = await events_of(await connect(), request(stream=False, max_output_tokens=64_000))
    assert server.asked[0].body["stream"] is False
    assert [event for event in events if not isinstance(event, Usage)] == HELLO
    assert Usage(1, 2) in events
    # some servers answer so when they were asked to stream
    assert await events_of(await connect()) == events


@pytest.mark.parametrize("end", [[CUT], []], ids=["cut", "ended too early"])
async def test_a_body_that_is_not_complete_is_a_cut_and_keeps_what_came(
    wire: str, server: Loopback, connect: Connect, end: list[Step]
) -> None:
    server.answer = Answer([*FIRST[wire], *end])
    failure = await failure_of(await connect(), after=[TextDelta("Hello")])
    assert (failure.kind, failure.retryable) == ("cut", True)


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [(401, "auth", None), (429, "rate_limit", 3.0), (529, "overloaded", 3.0)],
)
async def test_a_refusal_is_one_request_and_one_clear_error(
    wire: str, server: Loopback, connect: Connect, status: int, kind: str, wait: float | None
) -> None:
    body = {"type": "error", "error": {"type": "", "message": f"No, {KEY}, not now."}}
    headers = {"retry-after": "3"} if wait else {}
    server.answer = Answer([json.dumps(body).encode()], status, "application/json", headers)
    failure = await failure_of(await connect())
    assert len(server.asked) == 1
    assert (failure.kind, failure.retry_after) == (kind, wait)
    assert failure.message == f"No, [key], not now (HTTP {status})"


async def test_a_server_that_is_not_there_is_named(server: Loopback, connect: Connect) -> None:
    await server.stop()
    failure = await failure_of(await connect())
    assert failure.kind == "connection"
    assert "cannot reach 127" in failure.message


@pytest.mark.parametrize("wire", ["openai-chat"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer([], before=[STALL]),
        Answer([b": wait\n\n", STALL]),
        Answer([b"data: {}\n\n" * 3, b'data: {"type":"odd"}\n\n' * 3, STALL]),
    ],
    ids=["nothing", "comments", "unknown records"],
)
async def test_no_content_is_a_timeout(server: Loopback, connect: Connect, answer: Answer) -> None:
    server.answer = answer
    failure = await failure_of(await connect(), request(first_token_timeout=0.3))
    assert failure.kind == "timeout"
    assert failure.message == "no response within 0.3 s (first_token_timeout)"
    await server.left.wait()


async def test_a_later_silence_is_a_timeout(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer([*FIRST[wire], STALL])
    failure = await failure_of(await connect(), request(idle_timeout=0.2))
    assert (failure.kind, failure.message) == ("timeout", "no data for 0.2 s (idle_timeout)")
    await server.left.wait()


@pytest.mark.parametrize("wire", ["openai-chat"])
async def test_a_long_record_on_a_slow_line_is_no_silence(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[Step] = [pausing(monkeypatch, 5), b"x" * 100] * 3
    server.answer = Answer([*FIRST[wire], b": ", *slow, b"\n\n", *LAST[wire]])
    events = await events_of(await connect(), request(idle_timeout=8))
    assert [event for event in events if not isinstance(event, Heartbeat)] == HELLO


@pytest.mark.parametrize("wire", WIRES)
async def test_a_server_that_accepts_nothing_is_named_with_the_setting(wire: WireName) -> None:
    with full_port() as port:
        url = f"http://127.0.0.1:{port}"
        slow = ProviderConfig(wire=wire, base_url=url, connect_timeout=0.1)
        providers = Providers(Config(providers={"slow": slow}))
        failure = await failure_of(await providers.get("slow"))
        await providers.aclose()
    assert failure.kind == "connection"
    why = "no connection within 0.1 s (connect_timeout); is the server running?"
    assert failure.message == f"cannot reach 127.0.0.1:{port}: {why}"


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


async def test_an_announced_end_is_the_end_whatever_the_server_still_sends(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = Answer([*FIRST[wire], *LAST[wire], STALL])
    assert await events_of(await connect()) == HELLO
    server.streaming.clear()
    comments: list[Step] = [b":\n\n", pausing(monkeypatch, 0.1)] * 30
    server.answer = Answer([*FIRST[wire], *LAST[wire], *comments, STALL])
    assert HELLO[0] in await events_of(await connect())
    assert not server.streaming.is_set()  # it was left before it came to its end


async def test_closing_ends_the_request(wire: str, server: Loopback, connect: Connect) -> None:
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


async def test_no_answer_waits_for_another(wire: str, server: Loopback, connect: Connect) -> None:
    many, all_there = 130, asyncio.Event()

    async def for_all() -> None:
        if len(server.asked) == many:
            all_there.set()
        await all_there.wait()

    server.answer = Answer([for_all, *FIRST[wire], *LAST[wire]])
    provider = await connect()
    answers = await asyncio.gather(
        *(events_of(provider, request(first_token_timeout=10.0)) for _ in range(many))
    )
    assert answers == [HELLO] * many


async def test_comments_are_a_heartbeat(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer([b":\n\n" * 100 + b"".join(FIRST[wire] + LAST[wire])])
    events = await events_of(await connect())
    beats = len(events) - len(HELLO)
    assert events == [Heartbeat()] * beats + HELLO
    assert 1 <= beats < 10  # one for what is read at once, which the network may divide


async def test_an_error_comes_after_the_text(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer([*FIRST[wire], *sse(ERROR)])
    failure = await failure_of(await connect(), after=[TextDelta("Hello")])
    assert (failure.kind, failure.message) == ("overloaded", "Overloaded")


ERROR: Json = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
FAILED = {"status": "failed", "error": {"code": "server_error", "message": "Sorry"}}
USED = {"input_tokens": 3, "output_tokens": 4}
BILLED: dict[str, Json] = {
    "anthropic": {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USED},
    "openai-chat": {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
    "openai-responses": {"type": "response.failed", "response": FAILED | {"usage": USED}},
}
"""The record of each wire that says what a response cost."""
COUNTED = Usage(3, 4)


async def test_usage_counts_around_an_error(wire: str, server: Loopback, connect: Connect) -> None:
    billed = BILLED[wire]
    for records in ([billed, ERROR], [ERROR, billed], [ERROR | {"usage": USED}]):
        server.answer = Answer([*FIRST[wire], *sse(*records)])
        failure = await failure_of(await connect(), after=[HELLO[0], COUNTED])
        assert failure.kind in ("overloaded", "server")


async def test_usage_counts_if_unreadable(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer([*FIRST[wire], b'data: {"type\n\n', *sse(BILLED[wire])])
    failure = await failure_of(await connect(), after=[HELLO[0], COUNTED])
    assert failure.kind == "protocol"


async def test_an_error_says_what_it_cost(wire: str, server: Loopback, connect: Connect) -> None:
    body = json.dumps(ERROR | {"usage": USED}).encode()
    server.answer = Answer([body], content_type="application/json")
    failure = await failure_of(await connect(), request(stream=False), after=[COUNTED])
    assert failure.message == "Overloaded"


async def test_nothing_but_usage_is_taken_after_an_error_and_not_for_long(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, text = sse(ERROR), FIRST[wire][-1]
    crowded = b'data: {"x":[' + b"{}," * 300_000 + b"0]}\n\n"
    for after in ([text, b":\n\n"], [b'data: {"usage\n\n', text], [crowded], [text, CUT], [STALL]):
        server.answer = Answer([*FIRST[wire], *error, *after])
        failure = await failure_of(await connect(), after=[HELLO[0]])
        assert failure.message == "Overloaded"
    server.streaming.clear()
    flood: list[Step] = [text, pausing(monkeypatch, 0.1)] * 30
    server.answer = Answer([*FIRST[wire], *error, *flood, STALL])
    assert (await failure_of(await connect(), after=[HELLO[0]])).message == "Overloaded"
    assert not server.streaming.is_set()  # it was left before it came to its end


async def test_the_environment_does_not_reach_another_host(
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


async def test_extra_headers_win(wire: str, server: Loopback, connect: Connect) -> None:
    server.answer = Answer(FIRST[wire] + LAST[wire])
    extra = {"authorization": "Basic mine", "x-api-key": "mine", "X-Title": "lfg"}
    await events_of(await connect(key=None, **extra))
    headers = server.asked[0].headers
    assert headers["x-title"] == "lfg"
    assert headers["authorization"] == "Basic mine"
    assert headers["x-api-key"] == "mine"


@pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)
async def test_recorded_bodies_come_through(wire: str, server: Loopback, connect: Connect) -> None:
    provider = await connect()
    for recording in recordings(wire):
        expected = recording.expected
        if expected["error"] is not None:
            continue
        server.answer = Answer(list(cuts(recording.body, "random")))
        events = await events_of(provider)
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        assert text == f"{expected['text']}{expected.get('refusal') or ''}", recording.name
        calls = expected["tool_calls"]
        assert isinstance(calls, list)
        requested = [event for event in events if isinstance(event, ToolCallRequested)]
        assert len(requested) == len(calls), recording.name


async def test_a_flood_of_records_leaves_the_loop_to_others(
    wire: str, server: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TURN_SECONDS", 0.0)
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


async def test_a_long_delta_comes_in_pieces_and_too_many_values_are_refused(
    wire: str, server: Loopback, connect: Connect
) -> None:
    first = b"".join(FIRST[wire])
    server.answer = Answer([first.replace(b"Hello", b"word " * 20_000), *LAST[wire]])
    texts = [e.text for e in await events_of(await connect()) if isinstance(e, TextDelta)]
    assert "".join(texts) == "word " * 20_000
    assert max(map(len, texts)) <= limits.DELTA_LENGTH
    server.answer = Answer([b'data: {"x":[' + b"{}," * 300_000 + b"0]}\n\n"])
    failure = await failure_of(await connect())
    assert "more than the allowed 250,000 objects and lists" in failure.message


@pytest.mark.parametrize(
    "body",
    [
        '{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}',
        '{"models": [{"name": "models/a"}, {"name": "b"}]}',
        '[{"id": "a"}, {"id": "b"}, {"id": 3}, "x"]',
        '{"data": [{"id": "a"}, {}, {"id": "", "name": "b"}]}',
    ],
)
def test_names_of_models_are_read_in_every_known_form(body: str) -> None:
    assert model_names(body) == ["a", "b"]


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"data": null}', "[]", "7"])
def test_anything_else_is_no_list_of_models(body: str) -> None:
    assert model_names(body) == []
