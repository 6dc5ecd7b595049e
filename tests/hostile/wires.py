"""How each wire spells text, reasoning, calls and ends, so that a case is written once for all.

A `Wire` writes one response. What it gives are bytes as they go over the
socket: records of an event stream, or frames of a WebSocket. `record` sends
what is no proper record of the wire just the same.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from typing import ClassVar, Literal

from lfgtui.settings.providers import WireName

Json = Mapping[str, object]

EVENT_STREAM = "text/event-stream"
MODEL = "hostile-1"

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def dump(value: object) -> str:
    """Compact JSON; NaN and huge numbers as Python writes them."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def http_head(status: int = 200, content_type: str = EVENT_STREAM, **headers: str) -> bytes:
    """The head of a reply that ends when the connection does."""
    lines = [f"HTTP/1.1 {status} Here", "connection: close", f"content-type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Wire:
    """One response on one wire.

    `request_number` counts the requests of this case, from 1; `port` is the server's own.
    """

    name: ClassVar[WireName]

    def __init__(self, request_number: int = 1, port: int = 0, websocket_key: str = "") -> None:
        self.request_number = request_number
        self.port = port
        self._websocket_key = websocket_key

    @property
    def is_first(self) -> bool:
        """True for the first request of this case."""
        return self.request_number == 1

    @property
    def is_websocket(self) -> bool:
        """True if records are frames."""
        return self.name == "agent-websocket"

    @property
    def is_agent(self) -> bool:
        """True if the other side is an agent with tools of its own."""
        return self.name in ("agent-sse", "agent-websocket")

    def head(self) -> bytes:
        """The head of a good reply."""
        return http_head()

    def record(self, data: str, event: str = "") -> bytes:
        """Any text as one record."""
        name = f"event: {event}\n" if event else ""
        lines = "".join(f"data: {line}\n" for line in data.split("\n"))
        return f"{name}{lines}\n".encode("utf-8", "surrogatepass")

    def begin(self) -> bytes:
        """The head, and what opens a response."""
        return self.head()

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        raise NotImplementedError

    def reasoning(self, text: str) -> bytes:
        """A piece of reasoning."""
        raise NotImplementedError

    def call(self, call_id: str, name: str, arguments: str, index: int = 0) -> bytes:
        """A whole tool call: begun, argued, over."""
        raise NotImplementedError

    def call_start(self, call_id: str, name: str, index: int = 0) -> bytes:
        """A call begins; its arguments follow."""
        raise NotImplementedError

    def arguments(self, call_id: str, piece: str, index: int = 0) -> bytes:
        """A piece of a call's arguments."""
        raise NotImplementedError

    def usage(self, tokens: object) -> bytes:
        """What the response has used so far, before its end."""
        raise NotImplementedError

    def heartbeat(self) -> bytes:
        """What shows that the server lives."""
        return b": ping\n\n"

    def finish(self, stop: Literal["end", "tool"] = "end", tokens: object = 7) -> bytes:
        """The end of the response, `tokens` in and out."""
        raise NotImplementedError


class Anthropic(Wire):
    """Blocks, each begun, grown and stopped; a change of kind begins another."""

    name = "anthropic"

    def __init__(self, request_number: int = 1, port: int = 0, websocket_key: str = "") -> None:
        super().__init__(request_number, port, websocket_key)
        self._index = -1
        self._open = ""

    def typed(self, kind: str, **fields: object) -> bytes:
        """One record, named as its type is."""
        return self.record(dump({"type": kind, **fields}), kind)

    def begin(self) -> bytes:
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [],
            "usage": {"input_tokens": 3, "output_tokens": 1},
        }
        return self.head() + self.typed("message_start", message=message)

    def text(self, text: str) -> bytes:
        block = {"type": "text", "text": ""}
        return self._in("text", block) + self._delta({"type": "text_delta", "text": text})

    def reasoning(self, text: str) -> bytes:
        block = {"type": "thinking", "thinking": "", "signature": ""}
        delta = {"type": "thinking_delta", "thinking": text}
        return self._in("thinking", block) + self._delta(delta)

    def call(self, call_id: str, name: str, arguments: str, index: int = 0) -> bytes:
        start = self.call_start(call_id, name, index)
        return start + self.arguments(call_id, arguments, index) + self._stop()

    def call_start(self, call_id: str, name: str, index: int = 0) -> bytes:
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        return self._stop() + self._in(f"call {index}", block)

    def arguments(self, call_id: str, piece: str, index: int = 0) -> bytes:
        return self._delta({"type": "input_json_delta", "partial_json": piece})

    def usage(self, tokens: object) -> bytes:
        usage = {"input_tokens": tokens, "output_tokens": tokens}
        return self.typed("message_delta", delta={}, usage=usage)

    def heartbeat(self) -> bytes:
        return self.typed("ping")

    def finish(self, stop: Literal["end", "tool"] = "end", tokens: object = 7) -> bytes:
        reason = {"stop_reason": "tool_use" if stop == "tool" else "end_turn"}
        usage = {"input_tokens": tokens, "output_tokens": tokens}
        last = self.typed("message_delta", delta=reason, usage=usage)
        return self._stop() + last + self.typed("message_stop")

    def _in(self, kind: str, block: Json) -> bytes:
        if self._open == kind:
            return b""
        stopped = self._stop()
        self._index += 1
        self._open = kind
        start = self.typed("content_block_start", index=self._index, content_block=block)
        return stopped + start

    def _stop(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return self.typed("content_block_stop", index=self._index)

    def _delta(self, delta: Json) -> bytes:
        return self.typed("content_block_delta", index=self._index, delta=delta)


class Chat(Wire):
    """Chunks with a delta."""

    name = "openai-chat"

    def delta(self, delta: Json, reason: str | None = None) -> bytes:
        """One chunk."""
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL}
        return self.record(dump({**chunk, "choices": [choice]}))

    def begin(self) -> bytes:
        return self.head() + self.delta({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        return self.delta({"content": text})

    def reasoning(self, text: str) -> bytes:
        return self.delta({"reasoning_content": text})

    def call(self, call_id: str, name: str, arguments: str, index: int = 0) -> bytes:
        return self.call_start(call_id, name, index) + self.arguments(call_id, arguments, index)

    def call_start(self, call_id: str, name: str, index: int = 0) -> bytes:
        function = {"name": name, "arguments": ""}
        return self.delta(
            {
                "tool_calls": [
                    {"index": index, "id": call_id, "type": "function", "function": function}
                ]
            }
        )

    def arguments(self, call_id: str, piece: str, index: int = 0) -> bytes:
        return self.delta({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})

    def usage(self, tokens: object) -> bytes:
        usage = {"prompt_tokens": tokens, "completion_tokens": tokens}
        choice = {"index": 0, "delta": {}, "finish_reason": None}
        return self.record(dump({"choices": [choice], "usage": usage}))

    def finish(self, stop: Literal["end", "tool"] = "end", tokens: object = 7) -> bytes:
        last = self.delta({}, "tool_calls" if stop == "tool" else "stop")
        usage = {"prompt_tokens": tokens, "completion_tokens": tokens}
        return last + self.record(dump({"choices": [], "usage": usage})) + self.record("[DONE]")


class Responses(Wire):
    """Items, each added, grown and done."""

    name = "openai-responses"

    def __init__(self, request_number: int = 1, port: int = 0, websocket_key: str = "") -> None:
        super().__init__(request_number, port, websocket_key)
        self._place = -1
        self._open = ""
        self._number = 0

    def typed(self, kind: str, **fields: object) -> bytes:
        """One record, numbered, named as its type is."""
        self._number += 1
        return self.record(dump({"type": kind, "sequence_number": self._number, **fields}), kind)

    def begin(self) -> bytes:
        response = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
        return self.head() + self.typed("response.created", response=response)

    def text(self, text: str) -> bytes:
        added = self._in("message", {"type": "message", "role": "assistant", "content": []})
        at = {"item_id": "msg_1", "output_index": self._place, "content_index": 0}
        return added + self.typed("response.output_text.delta", **at, delta=text)

    def reasoning(self, text: str) -> bytes:
        added = self._in("reasoning", {"type": "reasoning", "id": "rs_1", "summary": []})
        at = {"item_id": "rs_1", "output_index": self._place, "summary_index": 0}
        return added + self.typed("response.reasoning_summary_text.delta", **at, delta=text)

    def call(self, call_id: str, name: str, arguments: str, index: int = 0) -> bytes:
        start = self.call_start(call_id, name, index)
        grown = self.arguments(call_id, arguments, index)
        item = self._call_item(call_id, name, arguments, "completed")
        done = self.typed("response.output_item.done", output_index=self._place, item=item)
        return start + grown + done

    def call_start(self, call_id: str, name: str, index: int = 0) -> bytes:
        self._open = ""
        return self._in("call", self._call_item(call_id, name, "", "in_progress"))

    def arguments(self, call_id: str, piece: str, index: int = 0) -> bytes:
        at = {"item_id": f"fc_{call_id}", "output_index": self._place}
        return self.typed("response.function_call_arguments.delta", **at, delta=piece)

    def usage(self, tokens: object) -> bytes:
        usage = {"input_tokens": tokens, "output_tokens": tokens}
        response = {"id": "resp_1", "status": "in_progress", "usage": usage}
        return self.typed("response.in_progress", response=response)

    def finish(self, stop: Literal["end", "tool"] = "end", tokens: object = 7) -> bytes:
        usage = {"input_tokens": tokens, "output_tokens": tokens}
        response = {"id": "resp_1", "object": "response", "status": "completed", "usage": usage}
        return self.typed("response.completed", response={**response, "output": []})

    def _call_item(self, call_id: str, name: str, arguments: str, status: str) -> Json:
        item = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id}
        return {**item, "name": name, "arguments": arguments, "status": status}

    def _in(self, kind: str, item: Json) -> bytes:
        if self._open == kind:
            return b""
        self._place += 1
        self._open = kind
        return self.typed("response.output_item.added", output_index=self._place, item=item)


class AgentEvents(Wire):
    """The common event form, and AG-UI's for calls in pieces; tools are the agent's own."""

    def typed(self, kind: str, **fields: object) -> bytes:
        """One record with its type inside."""
        return self.record(dump({"type": kind, **fields}))

    def text(self, text: str) -> bytes:
        return self.typed("token", content=text)

    def reasoning(self, text: str) -> bytes:
        return self.typed("reasoning", content=text)

    def call(self, call_id: str, name: str, arguments: str, index: int = 0) -> bytes:
        return self.typed("tool_call", tool_call_id=call_id, name=name, input=arguments)

    def call_start(self, call_id: str, name: str, index: int = 0) -> bytes:
        return self.typed("TOOL_CALL_START", toolCallId=call_id, toolCallName=name)

    def arguments(self, call_id: str, piece: str, index: int = 0) -> bytes:
        return self.typed("TOOL_CALL_ARGS", toolCallId=call_id, delta=piece)

    def usage(self, tokens: object) -> bytes:
        return self.typed(
            "status", message="", usage={"input_tokens": tokens, "output_tokens": tokens}
        )

    def finish(self, stop: Literal["end", "tool"] = "end", tokens: object = 7) -> bytes:
        return self.typed("done", usage={"input_tokens": tokens, "output_tokens": tokens})


class AgentSse(AgentEvents):
    """The same as an event stream."""

    name = "agent-sse"


class AgentWebSocket(AgentEvents):
    """The same over a WebSocket, one message a record."""

    name = "agent-websocket"

    def head(self) -> bytes:
        digest = hashlib.sha1(self._websocket_key.encode() + _WEBSOCKET_GUID).digest()
        accept = base64.b64encode(digest).decode()
        lines = ["HTTP/1.1 101 Here", "upgrade: websocket", "connection: upgrade"]
        return ("\r\n".join([*lines, f"sec-websocket-accept: {accept}"]) + "\r\n\r\n").encode()

    def record(self, data: str, event: str = "") -> bytes:
        return frame(data.encode("utf-8", "surrogatepass"))

    def heartbeat(self) -> bytes:
        return frame(b"", PING)

    def finish(self, stop: Literal["end", "tool"] = "end", tokens: object = 7) -> bytes:
        return super().finish(stop, tokens) + frame(struct.pack("!H", 1000), CLOSE)


TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
_FINAL = 0x80


def frame(data: bytes, opcode: int = TEXT, *, is_final: bool = True) -> bytes:
    """One frame as a server sends it (RFC 6455, section 5.2)."""
    first = opcode | (_FINAL if is_final else 0)
    if len(data) < 126:
        return bytes([first, len(data)]) + data
    if len(data) < 1 << 16:
        return struct.pack("!BBH", first, 126, len(data)) + data
    return struct.pack("!BBQ", first, 127, len(data)) + data


WIRES: Mapping[WireName, type[Wire]] = {
    wire.name: wire for wire in (Anthropic, Chat, Responses, AgentSse, AgentWebSocket)
}

ROOTS: Mapping[WireName, str] = {
    "anthropic": "",
    "openai-chat": "/v1",
    "openai-responses": "/v1",
    "agent-sse": "/agent",
    "agent-websocket": "/agent",
}
"""What follows a case's own address in `base_url`."""
