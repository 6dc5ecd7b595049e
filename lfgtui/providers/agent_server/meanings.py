"""What each meaning of an agent's event becomes: one method a meaning.

A record is never trusted to have the form of its kind: a field that is
missing or of another type costs what it would have said and nothing else. Only
text that is no string fails the response: a hole in an answer is not seen.
"""

from collections.abc import Callable, Sequence

from lfgtui.model.events import Citation, Heartbeat, Status, WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server import fields
from lfgtui.providers.agent_server.fields import call_fields, said_in, word, words
from lfgtui.providers.agent_server.kinds import Meaning, normal
from lfgtui.providers.agent_server.messages import AgentMessages, is_message, messages_in
from lfgtui.providers.agent_server.tool_calls import AgentCalls
from lfgtui.providers.agent_server.usage import Tally
from lfgtui.providers.errors import mapping
from lfgtui.providers.lenient_json import JsonObject, UnreadableError
from lfgtui.providers.wire.decoder import RecordDecoder

_SURELY_TEXT = ("content", "text", "delta", "token")
_PARTS = ("part", "delta", "content_block", "item")
_MESSAGE_IDS = ("messageId", "message_id")
_REASONS = ("finishReason", "finish_reason", "stop_reason", "stopReason", "subtype", "reason")
_FINE = frozenset({"success", "succeeded", "done", "finished", "complete", "ok"})
_BAD = frozenset({"failed", "error", "errored", "rejected", "canceled", "cancelled", "aborted"})
_ASKING = frozenset({"input_required", "auth_required"})
_OUR_FAULT = frozenset({-32700, -32600, -32601, -32602})  # JSON-RPC's codes of a bad request


class Meanings(RecordDecoder):
    """The run as its events tell it.

    `announces_its_end` once it has begun like one that does, `starts` how often.
    """

    def __init__(self, turn: int) -> None:
        super().__init__(turn)
        self.announces_its_end = False
        self.starts = 0
        self._calls = AgentCalls(turn)
        self._tally = Tally()
        self._messages = AgentMessages(self._calls, self._tally)
        self._cited: set[str] = set()
        self._methods: dict[Meaning, Callable[[JsonObject], list[WireEvent]]] = {
            "text": self._text,
            "whole": self._whole,
            "reasoning": self._reasoning,
            "call": self._call,
            "piece": lambda record: self._calls.piece(call_fields(record)),
            "input_over": lambda record: self._calls.input_over(call_fields(record)),
            "live": self._live,
            "result": self._result,
            "status": self._status,
            "source": self._source,
            "error": self._error,
            "start": self._start,
            "done": self._done,
            "whole_done": self._whole_done,
            "heartbeat": lambda _: [Heartbeat()],
            "message": self._message,
            "snapshot": self._snapshot,
            "part": self._part,
            "task": self._task,
            "artifact": self._artifact,
            "thought_step": self._thought_step,
        }

    def _mean(self, meaning: Meaning, record: JsonObject) -> list[WireEvent]:
        method = self._methods.get(meaning)  # frames and usage have none
        return [] if method is None else method(record)

    def _text(self, record: JsonObject) -> list[WireEvent]:
        return self._messages.text(word(record, *_MESSAGE_IDS), _text_of(record, fields.TEXT))

    def _whole(self, record: JsonObject) -> list[WireEvent]:
        key, text = word(record, *_MESSAGE_IDS), _text_of(record, fields.TEXT)
        return self._messages.text(key, text, whole=True) if text else []

    def _reasoning(self, record: JsonObject) -> list[WireEvent]:
        key = word(record, *_MESSAGE_IDS)
        return self._messages.reasoning(key, _text_of(record, fields.REASONING))

    def _call(self, record: JsonObject) -> list[WireEvent]:
        several = lenient_json.children(record, "tool_calls") or [record]
        events: list[WireEvent] = []
        for call in several:
            events += self._calls.given(call_fields(call))
            if any(call.get(name) is not None for name in ("output", "result", "tool_output")):
                events += self._calls.result(call_fields(call))
        return events

    def _live(self, record: JsonObject) -> list[WireEvent]:
        if normal(word(record, "status", "state")) in _FINE | _BAD | {"completed"}:
            return self._calls.result(call_fields(record))
        return self._calls.live(call_fields(record))

    def _result(self, record: JsonObject) -> list[WireEvent]:
        said = call_fields(record)
        if said.output is None and not said.failed and said.call_id:
            return self._calls.input_over(said)  # AG-UI's end of a call is that of its input
        return self._calls.result(said)

    def _status(self, record: JsonObject) -> list[WireEvent]:
        said = said_in(record, fields.STATUS).strip()
        agent = lenient_json.text(lenient_json.child(record, "new_agent"), "name")
        return [Status(said or agent)] if said or agent else []

    def _source(self, record: JsonObject) -> list[WireEvent]:
        sources = [
            record,
            lenient_json.child(record, "source"),
            lenient_json.child(record, "citation"),
        ]
        for field in ("sources", "citations", "content", "data", "references"):
            sources += lenient_json.children(record, field) or [lenient_json.child(record, field)]
        events: list[WireEvent] = []
        for source in sources:
            url = word(source, "url", "uri", "link")
            if url and url not in self._cited:
                self._cited.add(url)
                quote = word(source, "quote", "snippet", "cited_text", "content", "text")
                events.append(Citation(url, word(source, "title", "name"), quote))
        return events

    def _error(self, record: JsonObject) -> list[WireEvent]:
        body: JsonObject = record
        for field in ("error", "response", "data"):
            body = lenient_json.child(body, field) or body
        message = said_in(body, fields.ERROR) or said_in(record, fields.ERROR)
        said = dict(body) | {"message": message, "error": None}
        if lenient_json.number(body, "code") in _OUR_FAULT:
            said["status_code"] = 400
        elif (status := lenient_json.number(body, "status")) is not None:
            said["status_code"] = status
        self.failure = mapping.in_stream(said)
        return []

    def _start(self, record: JsonObject) -> list[WireEvent]:
        self.announces_its_end = True
        self.starts += 1
        return []

    def _done(self, record: JsonObject) -> list[WireEvent]:
        self.done = True
        data = lenient_json.child(record, "data")
        outcome = lenient_json.child(record, "outcome")
        reason = word(record, *_REASONS) or word(data, *_REASONS, "status")
        reason = normal(reason or word(outcome, "type") or word(record, "status", "outcome"))
        if reason in _BAD or record.get("error"):
            return self._error(record)
        if reason:
            self.wire_stop_reason = "stop" if reason in _FINE else reason
        asked = [
            word(one, "message", "reason") for one in lenient_json.children(outcome, "interrupts")
        ]
        return [Status(said) for said in asked if said]

    def _whole_done(self, record: JsonObject) -> list[WireEvent]:
        if word(record, "tool_name", "toolName", "tool_call_id", "toolCallId"):
            return self._calls.result(call_fields(record))
        if record.get("is_error") is True:
            return self._error(record | {"message": said_in(record, ("result", "subtype"))})
        return [*self._whole(record), *self._done(record)]

    def _message(self, record: JsonObject) -> list[WireEvent]:
        data = lenient_json.child(record, "data")
        for field in ("chunk", "output"):  # LangChain's
            if inner := lenient_json.child(data, field):
                return self._messages.message(inner)
        for field in ("message", "raw_item"):
            if inner := lenient_json.child(record, field):
                return self._messages.message(inner)
        lasts = ("additional_kwargs", "response_metadata", "tool_calls", "tool_call_id", "parts")
        if is_message(record) or isinstance(record.get("content"), list):
            return self._messages.message(record)
        if any(field in record for field in lasts):
            return self._messages.message(record)
        kind = normal(word(record, "type", "event"))
        return [] if kind in ("user", "human", "system", "human_message") else self._text(record)

    def _snapshot(self, record: JsonObject) -> list[WireEvent]:
        data = record.get("data", record)
        found = messages_in(data)
        is_pair = isinstance(data, list) and len(found) == 2 and not is_message(found[1])
        if is_pair and not word(found[1], "type", "role"):  # LangGraph: a chunk and its metadata
            return self._messages.message(found[0])
        return self._messages.snapshot(found)

    def _part(self, record: JsonObject) -> list[WireEvent]:
        key = word(record, *_MESSAGE_IDS)
        for field in _PARTS:
            part = lenient_json.child(record, field)
            if not part:
                continue
            if is_message(part):
                return self._messages.message(part)
            kind = normal(word(part, "type", "part_delta_kind"))
            if kind == "input_json_delta" or word(part, "part_delta_kind") == "tool_call":
                return self._calls.piece(call_fields(part))
            if "part_delta_kind" in part:
                part = {"type": kind, "text": part.get("content_delta")}
            return self._messages.part(key, part, whole=False)
        return []

    def _task(self, record: JsonObject) -> list[WireEvent]:
        self.announces_its_end = True
        events: list[WireEvent] = []
        for artifact in lenient_json.children(record, "artifacts"):
            text = words(artifact.get("parts"))
            events += self._messages.text(word(artifact, "artifactId"), text, whole=True)
        status = lenient_json.child(record, "status")
        state = normal(lenient_json.text(status, "state")).removeprefix("task_state_")
        message = lenient_json.child(status, "message")
        said = words(message.get("parts"))
        if state in _BAD:
            why = said or f"the agent ended its task: {state}"
            self.failure = mapping.in_stream({"message": why})
        elif state == "completed" or state in _ASKING:
            events += self._messages.text(word(message, *_MESSAGE_IDS), said, whole=True)
            self.done, self.wire_stop_reason = True, state
        elif said:
            events.append(Status(said))
        self.done = self.done or record.get("final") is True
        return events

    def _artifact(self, record: JsonObject) -> list[WireEvent]:
        artifact = lenient_json.child(record, "artifact")
        key, text = word(artifact, "artifactId"), words(artifact.get("parts"))
        whole = record.get("append") is not True and record.get("lastChunk") is True
        return self._messages.text(key, text, whole=whole)

    def _thought_step(self, record: JsonObject) -> list[WireEvent]:
        """Dify's: the tools of a step; its thought is streamed as the answer as well."""
        if not word(record, "tool"):
            return []
        said = call_fields(record)
        events = self._calls.given(said)
        return events + (self._calls.result(said) if record.get("observation") else [])


def _text_of(record: JsonObject, names: Sequence[str]) -> str:
    """The text of a record that is there to bring some; raises `UnreadableError`."""
    text = said_in(record, names)
    if not text and any(isinstance(record.get(name), int | float) for name in _SURELY_TEXT):
        raise UnreadableError("a piece of text is not a string")
    return text
