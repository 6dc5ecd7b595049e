"""Whole messages and their parts, in the frameworks' own forms.

Beside events an agent server may send messages: LangChain's, Google's,
Anthropic's, the AI SDK's, A2A's. A message comes in pieces, or whole, or both:
as chunks and then once more complete, or as a list that repeats the whole
conversation in every snapshot. So what was said is remembered by message, and
of a whole one only what the pieces left out is said.
"""

from collections.abc import Iterable

from lfgtui.model.events import ReasoningDelta, TextDelta, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.fields import (
    REASONING,
    call_fields,
    said_in,
    usage_in,
    word,
    words,
)
from lfgtui.providers.agent_server.kinds import normal
from lfgtui.providers.agent_server.tool_calls import AgentCalls
from lfgtui.providers.agent_server.usage import Tally
from lfgtui.providers.lenient_json import JsonObject

_AGENTS = frozenset({"", "ai", "assistant", "model", "agent", "bot", "role_agent"})
_CHUNKS = frozenset({"aimessage_chunk", "assistant_chunk"})
_TOOLS = frozenset({"tool", "function", "tool_message", "tool_message_chunk"})
_PEOPLE = frozenset({"user", "human", "human_message", "role_user"})

_TEXT_PARTS = frozenset({"text", "output_text", "text_delta", "input_text"})
_REASONING_PARTS = frozenset({
    "thinking", "reasoning", "thought", "thinking_delta", "reasoning_text", "summary_text",
    "reasoning_content",
})  # fmt: skip
_CALL_PARTS = frozenset({
    "tool_use", "tool_call", "function_call", "server_tool_use", "mcp_tool_use",
    "builtin_tool_call", "tool_call_item", "tool_call_chunk",
})  # fmt: skip
_RESULT_PARTS = frozenset({
    "tool_result", "tool_return", "function_response", "function_call_output", "retry_prompt",
    "builtin_tool_return", "tool_call_output_item", "mcp_tool_result", "web_search_tool_result",
})  # fmt: skip


class Said:
    """The text so far, by message; what a whole message adds to it."""

    def __init__(self) -> None:
        self._runs: dict[str, list[str]] = {}
        self._last = ""
        self._closed: set[str] = set()

    def piece(self, key: str, text: str) -> str:
        """A piece of the message of that id ("" where none is known)."""
        self._runs.setdefault(key, []).append(text)
        self._last = key
        return text

    def whole(self, key: str, text: str) -> str:
        """The end of a whole message that its pieces left out."""
        is_same = key in self._runs and bool(key)
        if key:
            known = [self._text(key if is_same else "")]
        else:
            known = [self._end(len(text) + 1), self._text(self._last)]
        rest = self._rest(text, known, is_same=is_same)
        if rest != text and "" in self._runs:
            self._closed.add("".join(self._runs.pop("")).strip())
        if key:
            self._runs[key] = [text]
        else:
            self._closed.add(text.strip())
        self._last = key
        return rest

    def _text(self, key: str) -> str:
        """The text of one message; its pieces are joined only once."""
        run = self._runs.get(key, [])
        run[:] = ["".join(run)]
        return run[0]

    def _end(self, length: int) -> str:
        """As many last characters of all messages, or all of a shorter text."""
        pieces: list[str] = []
        for run in reversed(self._runs.values()):
            for piece in reversed(run):
                if length <= 0:
                    return "".join(reversed(pieces))
                pieces.append(piece[-length:])
                length -= len(piece)
        return "".join(reversed(pieces))

    def _rest(self, text: str, known: list[str], *, is_same: bool) -> str:
        for sent in known:
            if sent and text.startswith(sent):
                return text[len(sent) :]
            if sent and (sent.startswith(text) if is_same else sent.endswith(text)):
                return ""
        return "" if text.strip() in self._closed else text


class AgentMessages:
    """Reads messages and their parts into events."""

    def __init__(self, calls: AgentCalls, tally: Tally) -> None:
        self._calls = calls
        self._tally = tally
        self._said = Said()
        self._thought = Said()

    def text(self, key: str, text: str, *, whole: bool = False) -> list[WireEvent]:
        """Visible text: a piece, or all of a message."""
        text = self._said.whole(key, text) if whole else self._said.piece(key, text)
        return [TextDelta(text)] if text else []

    def reasoning(self, key: str, text: str, *, whole: bool = False) -> list[WireEvent]:
        """Thinking: a piece, or all of it."""
        text = self._thought.whole(key, text) if whole else self._thought.piece(key, text)
        return [ReasoningDelta(text)] if text else []

    def snapshot(self, messages: Iterable[JsonObject]) -> list[WireEvent]:
        """A conversation as it stands: what the agent added since the person last spoke."""
        since: list[JsonObject] = []
        for message in messages:
            if _role(message) in _PEOPLE and not _has_results(message):
                since.clear()
            else:
                since.append(message)
        return [event for message in since for event in self.message(message, whole=True)]

    def message(self, message: JsonObject, *, whole: bool | None = None) -> list[WireEvent]:
        """One message; whether it is a piece is told by its type where it is not said."""
        role = _role(message)
        if role in _TOOLS:
            return self._calls.result(call_fields(message))
        if role not in _AGENTS and role not in _CHUNKS and not _has_results(message):
            return []
        if whole is None:
            whole = role not in _CHUNKS and message.get("partial") is not True
        # Google's events have an id of their own for each piece.
        key = "" if "partial" in message else word(message, "id", "message_id", "messageId")
        events: list[WireEvent] = []
        extra = lenient_json.child(message, "additional_kwargs")
        for holder in (message, extra):
            if thought := word(holder, "reasoning_content", "reasoning", "thinking"):
                events += self.reasoning(key, thought, whole=whole)
                break
        content = message.get("content")
        if (inner := lenient_json.as_object(content)) is not None:
            content = inner.get("parts") or [inner]
        for value in (content, message.get("parts")):
            events += self._content(key, value, whole=whole)
        for call in lenient_json.children(message, "tool_calls"):
            events += self._calls.given(call_fields(call))
        for piece in lenient_json.children(message, "tool_call_chunks"):
            events += self._calls.piece(call_fields(piece))
        if (usage := usage_in(message)) is not None:
            events.append(self._tally.add(key, usage))
        return events

    def part(self, key: str, part: JsonObject, *, whole: bool) -> list[WireEvent]:
        """One part of a message: text, thinking, a call or its result."""
        if _is_reasoning(part):
            return self.reasoning(key, said_in(part, REASONING), whole=whole)
        if _is_text(part):
            return self.text(key, words(part), whole=whole)
        kind, said = _kind(part), call_fields(part)
        if kind in _CALL_PARTS or "functionCall" in part:
            return self._calls.given(said)
        if kind in _RESULT_PARTS or "functionResponse" in part:
            return self._calls.result(said)
        if kind.startswith(("tool_", "dynamic_tool")) and said.call_id:  # the AI SDK's
            has_output = any(part.get(name) is not None for name in ("output", "errorText"))
            return self._calls.result(said) if has_output else self._calls.given(said)
        return []

    def _content(self, key: str, content: object, *, whole: bool) -> list[WireEvent]:
        if isinstance(content, str):
            return self.text(key, content, whole=whole) if content else []
        parts: list[JsonObject] = [
            {"type": "text", "text": part} if isinstance(part, str) else part
            for part in (content if isinstance(content, list) else [])
            if isinstance(part, str | dict)
        ]
        if not whole:
            return [event for part in parts for event in self.part(key, part, whole=False)]
        return self._whole(key, parts)

    def _whole(self, key: str, parts: list[JsonObject]) -> list[WireEvent]:
        """All parts of a message in their order, less what was streamed of its text."""
        texts = [words(part) if _is_text(part) else "" for part in parts]
        thoughts = [said_in(part, REASONING) if _is_reasoning(part) else "" for part in parts]
        skip_text = _streamed(self._said, key, "".join(texts))
        skip_thought = _streamed(self._thought, key, "".join(thoughts))
        events: list[WireEvent] = []
        for part, text, thought in zip(parts, texts, thoughts, strict=True):
            if thought:
                events += [ReasoningDelta(new)] if (new := thought[skip_thought:]) else []
                skip_thought = max(0, skip_thought - len(thought))
            elif text:
                events += [TextDelta(new)] if (new := text[skip_text:]) else []
                skip_text = max(0, skip_text - len(text))
            else:
                events += self.part(key, part, whole=True)
        return events


def is_message(record: JsonObject) -> bool:
    """Whether the record has the form of a message, whatever it is called."""
    if "role" in record and ("content" in record or "parts" in record):
        return True
    content = lenient_json.as_object(record.get("content")) or {}
    return isinstance(content.get("parts"), list)


def messages_in(value: object, depth: int = 0) -> list[JsonObject]:
    """The messages of a state: a list of them, or the list under `messages`, however deep."""
    if isinstance(value, list):
        return lenient_json.objects_in(value, "messages")
    record = lenient_json.as_object(value)
    if record is None or depth > 3:
        return []
    if "messages" in record:
        inner = record["messages"]
        return messages_in([inner] if isinstance(inner, dict) else inner, depth + 1)
    return [found for item in record.values() if isinstance(item, dict)
            for found in messages_in(item, depth + 1)]  # fmt: skip


def _role(message: JsonObject) -> str:
    role = normal(word(message, "role", "type"))
    if role in ("message", "constructor"):
        role = ""
    if not role and (author := word(message, "author", "sender")):
        return "user" if author == "user" else ""
    return role


def _has_results(message: JsonObject) -> bool:
    content = message.get("content")
    parts = (lenient_json.as_object(content) or {}).get("parts", content)
    return isinstance(parts, list) and any(
        isinstance(part, dict)
        and (normal(word(part, "type")) in _RESULT_PARTS or "functionResponse" in part)
        for part in parts
    )


def _streamed(said: Said, key: str, text: str) -> int:
    """How many characters of a whole message's text were already said."""
    return len(text) - len(said.whole(key, text)) if text else 0


def _kind(part: JsonObject) -> str:
    return normal(word(part, "type", "kind", "part_kind", "content_type"))


def _is_reasoning(part: JsonObject) -> bool:
    return _kind(part) in _REASONING_PARTS or part.get("thought") is True


def _is_text(part: JsonObject) -> bool:
    kind = _kind(part)
    plain = kind in _TEXT_PARTS or kind.startswith("text_") or (not kind and "text" in part)
    return plain and not _is_reasoning(part)
