"""A provider that says nothing but attacks: its models, its answers, its errors, its headers."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from tests.cli.hostile_world import markdown
from tests.providers.loopback import Answer, Asked, Loopback

_NAME = 200
"""Characters of a tool's name that lfg takes."""

_HEADERS = {"via": "1.1 \x1b]52;c;UFdORUQ=\x07\x9b6n", "x-request-id": "\x9b6n"}


@asynccontextmanager
async def hostile_provider(text: str) -> AsyncIterator[str]:
    """Its root URL; `/v1` is a chat completions API, `/agent` an agent server.

    The model named `refused` gets an error, any other one an answer.
    """

    def answer(asked: Asked) -> Answer:
        if asked.method == "GET":
            models = [{"id": name, "object": "model"} for name in (text, f"other {text}")]
            return _json(200, {"object": "list", "data": models})
        if asked.body["model"] == "refused":
            error = {"message": f"{text}\ud800", "type": text, "code": text, text: text}
            return _json(400, {"error": error})
        if asked.path == "/agent":
            records = _agent(text)
        else:
            messages = asked.body["messages"]
            assert isinstance(messages, list)
            records = _model(text, calls=messages[-1]["role"] != "tool")
        lines = [f"data: {json.dumps(record)}\n\n".encode() for record in records]
        return Answer([*lines, b"data: [DONE]\n\n"], headers=_HEADERS)

    server = Loopback()
    server.answering = answer
    await server.start()
    yield server.url
    await server.stop()


def _json(status: int, value: object) -> Answer:
    return Answer([json.dumps(value).encode()], status, "application/json", _HEADERS)


def _model(text: str, *, calls: bool) -> Iterator[dict[str, object]]:
    head = {"id": text, "object": "chat.completion.chunk", "created": 1, "model": text}
    deltas: list[dict[str, object]] = [
        {"role": "assistant", "reasoning_content": text},
        {"content": markdown(text)},
    ]
    if calls:
        asked = {
            "list_files": {"path": text, text: text},
            "run_command": {"command": f"printf {text}"},
            text[:_NAME]: {text: text},
        }
        calls_made = [_call(n, *call) for n, call in enumerate(asked.items())]
        deltas.append({"tool_calls": calls_made})
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    reason = "tool_calls" if calls else text
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def _call(index: int, name: str, arguments: dict[str, str]) -> dict[str, object]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"index": index, "id": f"{name}{index}", "type": "function", "function": function}


def _agent(text: str) -> Iterator[dict[str, object]]:
    yield {"type": "status", "message": text}
    yield {"type": "reasoning", "content": text}
    name = text[:_NAME]
    yield {"type": "tool_call", "tool_call_id": name, "name": name, "input": {text: text}}
    yield {"type": "tool_output", "tool_call_id": name, "content": text}
    yield {"type": "tool_result", "tool_call_id": name, "content": text}
    yield {"type": text, "content": text, text: text}
    yield {"type": "token", "content": markdown(text)}
    yield {"type": "done", "usage": {"input_tokens": 7, "output_tokens": 3}, text: text}
