"""An agent's calls, which it reports as patches: fields that a record leaves out do not change.

Live output comes as a snapshot of all output so far; only its new part becomes an event. The input
may come later than the call, and again with the request for permission.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from msgspec import UNSET

from lfgtui.model.events import (
    FileChange,
    ToolArguments,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    ToolOutputDelta,
    ToolRunStarted,
    WireEvent,
)
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.acp.updates.content import Change, changes_in, text_of, texts_in
from lfgtui.providers.lenient_json import JsonObject

_WORD = re.compile(r"[\w.:/-]{1,40}")  # a title that is a tool's name: `web_search`
# The states of a call that has ended, and the error if there is no output to tell it.
_ENDS = {"completed": None, "failed": "failed", "cancelled": "cancelled"}


@dataclass(eq=False)
class Call:
    """A call as it is known so far.

    `path` is the file that it is about, `text` its output so far, `since` the time of the `clock`
    from which its seconds count. `requested` and `finished` are the last events of their kind.
    """

    call_id: str
    name: str = ""
    title: str = ""
    input: object = None
    path: str = ""
    kind: str = ""
    text: str = ""
    is_running: bool = False
    since: float = 0.0
    changes: dict[str, Change] = field(default_factory=dict)
    requested: ToolCallRequested | None = None
    finished: ToolCallFinished | None = None

    @property
    def arguments(self) -> ToolArguments:
        """The arguments of the call, or its title if the agent gives none."""
        if isinstance(self.input, dict) and self.input:
            return self.input
        if isinstance(self.input, str) and self.input:
            return self.input
        if self.input not in (None, {}, "", []):
            return {"input": self.input}
        return {} if self.title in ("", self.name) else {"title": self.title}


class Calls:
    """The calls of one session, by id. `clock` counts seconds; relative paths begin at `folder`."""

    def __init__(self, clock: Callable[[], float] = monotonic, folder: str = "") -> None:
        self._clock = clock
        self._folder = folder
        self._calls: dict[str, Call] = {}
        self._terminals: dict[str, Call] = {}

    def take(self, record: JsonObject) -> Iterator[WireEvent]:
        """Yield the events for what is new in a record. Raises `ProviderError` past a limit."""
        call = self._call(record, begins=record.get("sessionUpdate") == "tool_call")
        is_new = not call.name
        self._patch(call, record)
        if is_new:
            yield ToolCallStarted(call.call_id, call.name, "agent")
        status = lenient_json.text(record, "status")
        is_over = status in _ENDS
        if call.input not in (None, {}, "", []) or is_over:
            yield from self.requested(call)
        content = record.get("content")
        yield from self._changed(call, content)
        if status == "in_progress" and not call.is_running:
            call.is_running, call.since = True, self._clock()
            yield ToolRunStarted(call.call_id)
        if is_over:
            yield from self._finished(call, record, _ENDS[status])
        elif call.is_running and content is not None and call.finished is None:
            yield from self._printed(call, texts_in(content))

    def is_open(self, call_id: str) -> bool:
        """Return True for a call that has not ended."""
        call = self._calls.get(call_id)
        return call is not None and call.finished is None

    def grow(self, record: JsonObject) -> Iterator[WireEvent]:
        """Yield a piece of a call's content (version 2 of the protocol)."""
        call, block = self._call(record), lenient_json.child(record, "content")
        yield from self._changed(call, [block])
        if block.get("type") == "content":
            text = text_of(lenient_json.child(block, "content"))
            yield from self._printed(call, call.text + text)

    def print(self, record: JsonObject) -> Iterator[WireEvent]:
        """Yield output of a terminal of the agent (version 2 of the protocol)."""
        call = self._terminals.get(lenient_json.text(record, "terminalId"))
        if call is not None:
            yield from self._printed(call, call.text + lenient_json.text(record, "data"))

    def asked(self, record: JsonObject) -> tuple[Call, list[WireEvent]]:
        """Return the call that a question is about, and events for what the question adds to it."""
        call = self._call(record)
        given = _asked_input(call.input, record)
        events = list(self.take(record | {"rawInput": given}))
        return call, [*events, *self.requested(call)]

    def answered(self, call_id: str) -> None:
        """Count the seconds of a call from the answer to its question."""
        if call_id in self._calls:
            self._calls[call_id].since = self._clock()

    def requested(self, call: Call) -> Iterator[ToolCallRequested]:
        """Yield the call with its input, if that is new."""
        reads = (call.path if call.kind == "read" else "") or UNSET
        event = ToolCallRequested(
            call.call_id, call.name, call.arguments, origin="agent", reads=reads
        )
        if event != call.requested:
            call.requested = event
            limits.refuse_long_input(call.name, len(lenient_json.compact(call.arguments)))
            yield event

    def _call(self, record: JsonObject, *, begins: bool = False) -> Call:
        """Return the call of a record; one that `begins` with an ended call's id is a new one."""
        call_id = lenient_json.text(record, "toolCallId")[: limits.CALL_ID_LENGTH]
        if begins and call_id in self._calls and self._calls[call_id].finished is not None:
            del self._calls[call_id]
        if call_id not in self._calls:
            if len(self._calls) >= limits.HOSTED_CALLS:
                raise limits.too_many("calls of the agent's own tools", limits.HOSTED_CALLS)
            self._calls[call_id] = Call(call_id, since=self._clock())
        return self._calls[call_id]

    def _patch(self, call: Call, record: JsonObject) -> None:
        """Change the fields of a call that a record has."""
        call.title = lenient_json.text(record, "title") or call.title
        call.name = call.name or _name(record)
        call.kind = lenient_json.text(record, "kind") or call.kind
        given = record.get("rawInput")
        if given not in (None, {}, "", []) and not _is_less(given, call.input):
            call.input = given
        for place in lenient_json.children(record, "locations")[:1]:
            path = lenient_json.text(place, "path")
            call.path = self._absolute(path) if path else call.path
        for block in lenient_json.children(record, "content"):
            if block.get("type") == "terminal":
                self._terminals[lenient_json.text(block, "terminalId")] = call

    def _changed(self, call: Call, content: object) -> Iterator[WireEvent]:
        """Yield the changes of files in a content that are new."""
        for path, diff in changes_in(content):
            path = self._absolute(path)
            if call.changes.get(path) != (path, diff):
                call.changes[path] = Change(path, diff)
                call.path = call.path or path
                yield FileChange(call.call_id, path, diff)

    def _absolute(self, path: str) -> str:
        """Return the path made absolute: an agent may pass on one that a model wrote."""
        return os.path.normpath(Path(self._folder, path))

    def _printed(self, call: Call, text: str) -> Iterator[WireEvent]:
        """Yield what is new in `text`, all output so far; all of it if the earlier one differs."""
        if not call.is_running:
            call.is_running = True
            yield ToolRunStarted(call.call_id)
        new = text[len(call.text) :] if text.startswith(call.text) else f"\n{text}"
        call.text = text
        if new:
            yield ToolOutputDelta(call.call_id, "stdout", new)

    def _finished(self, call: Call, record: JsonObject, error: str | None) -> Iterator[WireEvent]:
        """Yield the end of a call, again only if the record changes the output or the error."""
        raw = record.get("rawOutput")
        output = _output(raw)
        if output is None:
            output = texts_in(record.get("content")) or call.text
        if len(output) > limits.ARGUMENTS_LENGTH:
            raise limits.too_long(
                f"the result of {call.name}", limits.ARGUMENTS_LENGTH, limits.KEPT
            )
        seconds = round(self._clock() - call.since, 3)
        why = error and (output.strip() or error)
        event = ToolCallFinished(call.call_id, output, why, _exit_code(raw), seconds)
        before = call.finished
        if before is None or (before.output, before.error) != (event.output, event.error):
            call.finished, call.text = event, output  # one text in memory, since it may be long
            yield event


def _name(record: JsonObject) -> str:
    """Return the name of the tool or, if the agent gives none, its kind."""
    meta = lenient_json.child(lenient_json.child(record, "_meta"), "claudeCode")
    name = lenient_json.text(record, "name") or lenient_json.text(meta, "toolName")
    title, kind = lenient_json.text(record, "title"), lenient_json.text(record, "kind")
    name = name or (title if _WORD.fullmatch(title) and "/" not in title else kind or "tool")
    return name[: limits.NAME_LENGTH]


def _is_less(given: object, known: object) -> bool:
    """Return True for an input that lacks fields of the known one, as a question's may."""
    if not isinstance(given, dict) or not isinstance(known, dict):
        return False
    return given.keys() < known.keys() and all(known[key] == given[key] for key in given)


def _asked_input(known: object, record: JsonObject) -> object:
    """Return the input of a call with the fields that a question adds.

    If the question has a diff, only fields that are known already count: it may have the
    diff as a field in place of the new content.
    """
    given = record.get("rawInput")
    if not isinstance(known, dict) or not isinstance(given, dict):
        return given
    has_diff = any(changes_in(record.get("content")))
    return known | {key: given[key] for key in given if key in known or not has_diff}


def _output(raw: object) -> str | None:
    """Return the output in a `rawOutput`, from any field where agents put it; None without one."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, dict):
        printed = [raw[key] for key in ("output", "stdout", "stderr", "formatted_output")
                   if isinstance(raw.get(key), str)]  # fmt: skip
        return next((text for text in printed if text), printed[0] if printed else None)
    return None


def _exit_code(raw: object) -> int | None:
    record = lenient_json.as_object(raw) or {}
    for place in (record, lenient_json.child(record, "metadata")):
        for key in ("exit", "exitCode", "exit_code"):
            if (code := lenient_json.number(place, key)) is not None:
                return code
    return None
