"""A provider that says nothing but attacks: its models, its answers, its errors, its headers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.cli.hostile_world import markdown

_NAME = 200
"""Characters of a tool's name that lfg takes."""


@contextmanager
def hostile_provider(text: str) -> Iterator[str]:
    """Its root URL; `/v1` is a chat completions API, `/agent` an agent server.

    The model named `refused` gets an error, any other one an answer.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            models = [{"id": text, "object": "model"}, {"id": f"other {text}", "object": "model"}]
            self._send(200, json.dumps({"object": "list", "data": models}).encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if asked["model"] == "refused":
                error = {"message": f"{text}\ud800", "type": text, "code": text, text: text}
                self._send(400, json.dumps({"error": error}).encode())
                return
            if self.path == "/agent":
                said = _agent(text)
            else:
                said = _model(text, calls=asked["messages"][-1]["role"] != "tool")
            records = "".join(f"data: {json.dumps(record)}\n\n" for record in said)
            self._send(200, f"{records}data: [DONE]\n\n".encode(), "text/event-stream")

        def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status, "\x1b[6n\x9b6n")
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.send_header("via", "1.1 \x1b]52;c;UFdORUQ=\x07\x9b6n")
            self.send_header("x-request-id", "\x9b6n")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
