"""aimock, a mock server on the three wires, and what it is told to answer.

    npm install @copilotkit/aimock
    AIMOCK=node_modules/.bin/llmock make acceptance

Written against 1.43. The model's name chooses the answer.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from lfgtui.providers.base import ToolSpec
from tests.acceptance.programs import find, free_port, serving
from tests.acceptance.wires import WIRES

Json = dict[str, object]

TEXT = "Rain falls alike on the just and the unjust: ä, 日本, 🌧."
NIGHT = "It was a dark and stormy night; the rain fell in torrents, except at times."
CALLS: list[tuple[str, str, Json]] = [
    ("call_1", "read_file", {"path": "one.txt"}),
    ("call_2", "read_file", {"path": "two.txt"}),
]
TOOLS = (
    ToolSpec(
        "read_file", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}}
    ),
)
USAGE = {"input_tokens": 11, "output_tokens": 7, "prompt_tokens": 11, "completion_tokens": 7}


def _fixture(model: str, response: Json, match: Json | None = None, /, **how: object) -> Json:
    return {"match": {**(match or {}), "model": model}, "response": response, **how}


def _fails(model: str, status: int, kind: str, **more: object) -> Json:
    said = {"message": f"no: {kind}", "type": kind}
    return _fixture(model, {"error": said, "status": status, **more})


def fixtures() -> list[Json]:
    """What each model answers; the first that matches does."""
    calls = [{"id": i, "name": n, "arguments": json.dumps(a)} for i, n, a in CALLS]
    cut: Json = {"chunkSize": 4, "latency": 30, "disconnectAfterMs": 250}
    writes = {"path": "out.txt", "content": "one and two"}
    written = [{"id": "call_3", "name": "write_file", "arguments": json.dumps(writes)}]
    return [
        _fixture("text", {"content": TEXT, "usage": USAGE}, chunkSize=6),
        _fixture("tools", {"content": "Both are read."}, {"hasToolResult": True}),
        _fixture("tools", {"content": "Let me see.", "toolCalls": calls}, chunkSize=5),
        _fixture("reasoning", {"content": "42", "reasoning": "Six times seven."}, chunkSize=4),
        _fixture("length", {"content": "Once upon", "finishReason": "length"}),
        _fails("limited", 429, "rate_limit_error", retryAfter=7),
        _fails("overloaded", 529, "overloaded_error"),
        _fails("broken", 500, "server_error"),
        _fails("refused", 401, "authentication_error"),
        _fixture("cut", {"content": NIGHT}, None, **cut),
        _fixture("cut-call", {"toolCalls": written}, None, **cut),
        # An agent that works: two reads, a write, a closing line.
        _fixture("agent", {"content": "All is written."}, {"toolCallId": "call_3"}),
        _fixture("agent", {"toolCalls": written}, {"toolCallId": "call_2"}, chunkSize=7),
        _fixture("agent", {"content": "First I read.", "toolCalls": calls}, chunkSize=7),
        *(fixture for wire in WIRES for fixture in _breaks_once(f"breaks-{wire}", calls[0], cut)),
    ]


def _breaks_once(model: str, call: object, cut: Json) -> list[Json]:
    """A tool call, then an answer that breaks off the first time it is given."""
    first = {"toolCallId": "call_1", "sequenceIndex": 0}
    return [
        _fixture(model, {"content": NIGHT}, first, **cut),
        _fixture(model, {"content": NIGHT}, {"toolCallId": "call_1"}, chunkSize=9),
        _fixture(model, {"toolCalls": [call]}),
    ]


def models() -> list[str]:
    """The names that fixtures answer to."""
    matches = (cast(Json, fixture["match"]) for fixture in fixtures())
    return list(dict.fromkeys(str(match["model"]) for match in matches))


@contextmanager
def aimock(folder: Path) -> Iterator[str]:
    """The server's root URL while it runs."""
    program = find("AIMOCK", "llmock", "npm install @copilotkit/aimock")
    file = folder / "fixtures.json"
    file.write_text(json.dumps({"fixtures": fixtures()}))
    root = f"http://127.0.0.1:{(port := free_port())}"
    command = [program, "-h", "127.0.0.1", "-p", str(port), "-f", str(file), "--validate-on-load"]
    with serving(command, f"listening on {root}"):
        yield root
