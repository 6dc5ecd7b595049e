"""The updates of an agent's session, as events. None is lost: an unreadable one is reported.

Kinds of version 1 of the Agent Client Protocol, stable and not, and those that the draft of
version 2 adds (agentclientprotocol/agent-client-protocol, `SessionUpdate` in client.rs). A record
is never trusted to have the form of its kind: a field that is missing or of a wrong type costs
only its own part. Unknown kinds are counted, and shown the first time.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from lfgtui.model.events import (
    ContextUsed,
    Heartbeat,
    PlanChanged,
    PlanStatus,
    PlanStep,
    ReasoningDelta,
    Status,
    TextDelta,
    WireEvent,
)
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.acp.updates.calls import Calls
from lfgtui.providers.acp.updates.content import is_known, text_of
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.text.growing_text import Growing

_SHOWN = 200
"""Most characters of an unknown record that are shown."""

# Kinds of updates that are known and not shown.
_QUIET: Final = frozenset(
    {
        "user_message_chunk",
        "user_message",
        "available_commands_update",
        "state_update",
        "terminal_update",
        "compaction_summary_chunk",
    }
)
# The states of a step that is not "pending".
_STATUSES: Final[dict[str, PlanStatus]] = {
    "in_progress": "in_progress",
    "completed": "completed",
}
_MESSAGES = 8
"""Number of messages whose text is remembered; older ones do not grow any more."""


class Updates:
    """The decoder of the updates of one session, which works in the `folder`.

    `unknown` counts unknown records by their kind, `mode` is the session's present mode.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, folder: str = "") -> None:
        self.unknown: Counter[str] = Counter()
        self.calls = Calls(clock, folder)
        self.mode = ""
        self.options: list[JsonObject] = []
        """The session's present options."""
        self._settings: dict[str, str] = {}
        self._title = ""
        self._messages: dict[str, Growing] = {}
        self._stopped: frozenset[str] = frozenset()

    def stop(self) -> None:
        """Ignore further text of the messages so far.

        After a cancelled turn, claude-agent-acp sends words of it in the next one.
        """
        self._stopped = frozenset(self._messages) - {""}

    def feed(self, update: JsonObject) -> list[WireEvent]:
        """Return the events of an update. Raises `ProviderError` past the limits of a response."""
        try:
            return list(limits.in_pieces(self._events(update)))
        except lenient_json.UnreadableError as error:
            return [Status(f"an update of the agent cannot be read: {error}")]

    def configure(self, options: object) -> Iterator[WireEvent]:
        """Take the session's options; yield a `Status` for each that has changed."""
        self.options = lenient_json.objects_in(options, "configOptions")
        for option in self.options:
            name, value = lenient_json.text(option, "name", "id"), option.get("currentValue")
            shown = value if isinstance(value, str) else lenient_json.compact(value)
            before = self._settings.get(name)
            self._settings[name] = shown
            if before is not None and before != shown:
                yield Status(f"{name.lower()}: {shown}")

    def remark(self, kind: str, message: str) -> WireEvent:
        """Count an unknown record by its kind; return the message as a `Status` the first time."""
        kind = kind[: limits.NAME_LENGTH]
        if kind in self.unknown or len(self.unknown) < limits.QUIET_TYPES:
            self.unknown[kind] += 1
        return Status(message) if self.unknown[kind] == 1 else Heartbeat()

    def _events(self, update: JsonObject) -> Iterator[WireEvent]:
        match kind := lenient_json.text(update, "sessionUpdate"):
            case "agent_message_chunk" | "agent_thought_chunk":
                yield from self._piece(update, kind == "agent_message_chunk")
            case "agent_message" | "agent_thought":
                yield from self._whole(update, kind == "agent_message")
            case "tool_call" | "tool_call_update":
                yield from self.calls.take(update)
            case "tool_call_content_chunk":
                yield from self.calls.grow(update)
            case "terminal_output_chunk":
                yield from self.calls.print(update)
            case "plan" | "plan_update" | "plan_removed":
                plan = lenient_json.child(update, "plan") or update
                yield PlanChanged(tuple(_steps(plan)))
            case "usage_update":
                known = lenient_json.number(update, "used") is not None
                yield _context(update) if known else Heartbeat()
            case "current_mode_update":
                mode, before = lenient_json.text(update, "currentModeId"), self.mode
                self.mode = mode
                yield Status(f"mode: {mode}") if mode and mode != before else Heartbeat()
            case "config_option_update":
                yield from self.configure(update.get("configOptions"))
                yield Heartbeat()
            case "session_info_update":
                title, before = lenient_json.text(update, "title"), self._title
                self._title = title or before
                yield Status(f"title: {title}") if title and title != before else Heartbeat()
            case "notice":
                texts = (lenient_json.text(update, key) for key in ("title", "description"))
                yield Status(": ".join(filter(None, texts)))
            case "compaction_update":
                yield Status(f"compacting the context: {lenient_json.text(update, 'status')}")
            case _ if kind in _QUIET:
                yield Heartbeat()
            case _:
                yield self.remark(kind, f'unknown update "{kind}": {brief(update)}')

    def _piece(self, update: JsonObject, is_text: bool) -> Iterator[WireEvent]:
        """Yield a piece of a message, of the answer if `is_text`, of reasoning if not."""
        block = lenient_json.child(update, "content")
        if not is_known(block):
            kind = lenient_json.text(block, "type")
            yield self.remark(kind, f'unknown content "{kind}": {brief(block)}')
            return
        message = lenient_json.text(update, "messageId")
        if message in self._stopped:
            yield Heartbeat()
        elif text := text_of(block):
            if message:
                self._pieces(message).append(text)
            yield TextDelta(text) if is_text else ReasoningDelta(text)
        else:
            yield Heartbeat()

    def _whole(self, update: JsonObject, is_text: bool) -> Iterator[WireEvent]:
        """Yield the part of a whole message that was not streamed; none if the texts differ."""
        message = lenient_json.text(update, "messageId")
        whole = "".join(map(text_of, lenient_json.children(update, "content")))
        pieces = self._pieces(message)
        streamed = str(pieces)
        if new := whole[len(streamed) :] if whole.startswith(streamed) else "":
            pieces.append(new)
            yield TextDelta(new) if is_text else ReasoningDelta(new)
        else:
            yield Heartbeat()

    def _pieces(self, message: str) -> Growing:
        """Return the text of a message so far; its id is "" if it has none."""
        if message not in self._messages and len(self._messages) >= _MESSAGES:
            del self._messages[next(iter(self._messages))]
        return self._messages.setdefault(message, Growing())


def _steps(plan: JsonObject) -> Iterator[PlanStep]:
    for entry in lenient_json.children(plan, "entries"):
        if text := lenient_json.text(entry, "content"):
            yield PlanStep(text, _STATUSES.get(lenient_json.text(entry, "status"), "pending"))
    for line in lenient_json.text(plan, "content").splitlines():  # a plan in Markdown
        if line.strip():
            yield PlanStep(line.strip())


def _context(update: JsonObject) -> ContextUsed:
    """Return the use of the context, with the cost if it is in USD."""
    used, size = (lenient_json.number(update, key) or 0 for key in ("used", "size"))
    cost = lenient_json.child(update, "cost")
    amount = cost.get("amount")
    if isinstance(amount, bool) or lenient_json.text(cost, "currency") not in ("", "USD"):
        amount = None
    return ContextUsed(used, size, float(amount) if isinstance(amount, int | float) else None)


def brief(record: JsonObject) -> str:
    """Return a record as JSON on one line, or the beginning of it."""
    text = lenient_json.compact(record)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
