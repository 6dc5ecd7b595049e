"""The rules that hold on both wires to agent servers, over real sockets."""

import asyncio
import json

import pytest

from lfgtui.errors import ProviderError, UsageError
from lfgtui.model.events import ResponseFinished, Status, TextDelta, Usage, WireEvent
from lfgtui.model.fold.conversation import Message, ModelTurn, TextPart, UserTurn
from lfgtui.model.ticket_keys.context import ContextFile, as_message
from lfgtui.providers.base import Request
from tests.providers.agent_server.agents import KEY, PATH, Agent, failure_of, text
from tests.providers.decoding import Json
from tests.providers.loopback import CUT, STALL, Step
from tests.providers.sdk_wires import HELLO, events_of, request

DONE = {"type": "done"}
STARTED = {"type": "RUN_STARTED"}


async def test_the_agent_is_asked_at_its_own_address(agent: Agent) -> None:
    agent.plays = [[agent.token("Hello")]]
    turns: list[Message] = [UserTurn("Hi"), ModelTurn((TextPart("Yes?"),)), UserTurn("Go on")]
    answers = list[float | None]()
    asked = Request(*("m", turns, "Be brief."), extra={"top_k": 5}, on_answer=answers.append)
    assert await events_of(agent.provider(), asked) == HELLO
    (connect,) = answers
    assert connect is not None and connect > 0
    assert await events_of(agent.provider(headers={"authorization": "Basic mine"})) == HELLO
    first, second = agent.asked
    assert first.path == PATH
    assert len(str(run_id := first.body.pop("run_id"))) == 36
    assert run_id != second.body.pop("run_id")
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
    hi = [{"role": "user", "content": "Hi"}]
    assert second.body == {"model": "m", "messages": hi, "stream": True}
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert second.headers["authorization"] == "Basic mine"
    assert first.headers["accept-encoding"] == "identity"


async def test_the_prompt_is_all_that_was_said_since_the_last_answer(agent: Agent) -> None:
    agent.plays = [[agent.token("Hello")]]
    said: list[Message] = [
        UserTurn("One"),
        ModelTurn((TextPart("Two"),)),
        UserTurn("Three"),
        UserTurn("Four"),
    ]
    await events_of(agent.provider(body={"input": "{prompt}"}), Request("m", said))
    assert agent.asked[0].body == {"input": "Three\n\nFour"}


async def test_files_stand_before_the_prompt_they_are_for(agent: Agent) -> None:
    agent.plays = [[agent.token("Hello")]]
    files = (ContextFile("a.md", 1, "00", "A"),)
    said: list[Message] = [UserTurn(as_message(files), files=files), UserTurn("Do it.")]
    body: dict[str, object] = {"input": "{prompt}", "messages": "{messages}"}
    await events_of(agent.provider(body=body), Request("m", said))
    text = f"{as_message(files)}\n\nDo it."
    messages = [{"role": "user", "content": text}]
    assert agent.asked[0].body == {"input": text, "messages": messages}


async def test_a_body_of_ones_own_is_filled_in(agent: Agent) -> None:
    agent.plays = [[agent.token("Hello")]]
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
    asked = Request("m", [UserTurn(question)], extra={"n": 4})
    await events_of(agent.provider(body=body), asked)
    got = agent.asked[0].body
    assert len(str(got.pop("run"))) == 36
    assert got == {
        "assistant_id": "agent",
        "input": {"messages": [{"role": "user", "content": question}]},
        "parts": [{"kind": "text", "text": f"To do: {question}"}],
        "config": {"note": "System: ."},
        "n": 4,
        "other": "{thing}",
    }


def test_an_agent_needs_an_address(agent: Agent) -> None:
    with pytest.raises(UsageError, match="base_url"):
        agent.kind(base_url=None, api_key=None, headers={})


async def test_a_whole_answer_ends_a_run_without_streaming(agent: Agent) -> None:
    body = {"content": "Hello", "usage": {"input_tokens": 7, "output_tokens": 3}}
    agent.plays = [[json.dumps(body).encode()]]
    events = await events_of(agent.provider(), request(stream=False))
    assert events == [TextDelta("Hello"), Usage(7, 3), ResponseFinished(1, "end")]
    assert agent.asked[0].body["stream"] is False


# ends


@pytest.mark.parametrize("then", [[], [CUT], [STALL]], ids=["ends", "breaks", "holds on"])
async def test_an_announced_end_is_the_end_whatever_follows(agent: Agent, then: list[Step]) -> None:
    agent.plays = [[agent.token("Hello"), agent.event(DONE), *then]]
    assert await events_of(agent.provider()) == HELLO


async def test_a_plain_end_is_the_end_where_no_other_was_announced(agent: Agent) -> None:
    agent.plays = [[agent.token("Hello")]]
    assert await events_of(agent.provider()) == HELLO
    agent.plays = [[agent.event(STARTED), agent.token("Hello")]]
    failure, before = await failure_of(agent.provider())
    assert (failure.kind, before) == ("cut", "Hello")


async def test_an_end_never_announced_is_remarked_on_where_there_are_ids(agent: Agent) -> None:
    agent.plays = [[agent.token("Hel", 1), agent.token("lo", 2)]]
    events = await events_of(agent.provider())
    assert (text(events), events[-1]) == ("Hello", ResponseFinished(1, "end"))
    (remark,) = [event for event in events if isinstance(event, Status)]
    assert "may be incomplete" in remark.message


async def test_nobody_there_is_reported_with_the_address(agent: Agent) -> None:
    scheme = agent.url.partition(":")[0]
    failure, _ = await failure_of(agent.provider(f"{scheme}://127.0.0.1:1/agent"))
    assert failure.kind == "connection"
    assert failure.message.startswith("cannot reach 127.0.0.1:1")


@pytest.mark.parametrize("is_begun", [False, True])
async def test_silence_is_a_timeout(agent: Agent, is_begun: bool) -> None:
    agent.plays = [[agent.token("x"), STALL] if is_begun else [STALL]]
    asked = request(first_token_timeout=0.2, idle_timeout=0.2)
    failure, _ = await failure_of(agent.provider(), asked)
    assert failure.kind == "timeout"
    assert failure.message.startswith("no data" if is_begun else "no response")
    await agent.left.wait()


@pytest.mark.parametrize("is_begun", [False, True])
async def test_cancelling_closes_the_connection_at_once(agent: Agent, is_begun: bool) -> None:
    agent.plays = [[agent.token("x"), STALL] if is_begun else [STALL]]
    task = asyncio.create_task(events_of(agent.provider()))
    await agent.streaming.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await agent.left.wait()


# resuming what broke off


@pytest.mark.parametrize("starts_over", [False, True])
async def test_a_broken_stream_is_resumed_where_it_was(agent: Agent, starts_over: bool) -> None:
    tokens = [agent.token(text, n) for n, text in enumerate(["H", "é", "l", "l", "o"])]
    again = tokens if starts_over else tokens[2:]
    agent.plays = [[*tokens[:2], CUT], [*again, agent.event(DONE, 5)]]
    events = await events_of(agent.provider())
    assert text(events) == "Héllo"
    assert sum(isinstance(event, Status) for event in events) == 1
    first, second = agent.asked
    assert second.headers["last-event-id"] == "1"
    second.body.pop("last_event_id", None)
    assert second.body == first.body  # the run's id included


async def test_a_stream_that_ends_well_but_too_early_is_resumed_as_well(agent: Agent) -> None:
    begun = [agent.event(STARTED, 0), agent.token("Hel", 1)]
    agent.plays = [begun, [agent.token("lo", 2), agent.event(DONE, 3)]]
    assert text(await events_of(agent.provider())) == "Hello"


@pytest.mark.parametrize("how", ["counts anew", "starts anew"])
async def test_a_server_that_forgot_the_run_gets_no_other_in(agent: Agent, how: str) -> None:
    begun: list[Step] = [agent.event(STARTED, "run-0"), agent.token("Hel", "run-1"), CUT]
    anew = [agent.token("Other", "new-1"), agent.token("wise", "new-2")]
    if how == "starts anew":
        anew = [agent.event(STARTED, "run-2"), agent.token("Other", "run-3")]
    agent.plays = [begun, anew]
    failure, before = await failure_of(agent.provider())
    assert (failure.kind, before) == ("cut", "Hel")
    assert "resuming failed" in failure.message
    assert len(agent.asked) == 2


async def test_usage_counts_beside_and_after_an_error(agent: Agent) -> None:
    error: Json = {"type": "error", "message": "Boom"}
    usage: Json = {"usage": {"input_tokens": 3}}
    for records in ([error | usage], [error, {"type": "done"} | usage]):
        sent = [agent.event(record) for record in records]
        agent.plays = [[agent.token("Hel"), *sent, agent.token("lo"), STALL]]
        events: list[WireEvent] = []
        with pytest.raises(ProviderError, match="Boom"):
            async for event in agent.provider().stream(request()):
                events.append(event)
        assert events == [TextDelta("Hel"), Usage(3, 0)]
