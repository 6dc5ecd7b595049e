"""The past that an agent sends again when it loads a session: lfg's history has most of it."""

from collections.abc import Sequence

from lfgtui.model.events import (
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCallStarted,
    WireEvent,
)
from lfgtui.model.fold.conversation import Session
from lfgtui.model.pieces import call_of
from lfgtui.providers import lenient_json
from lfgtui.providers.acp.updates.updates import Updates
from lfgtui.providers.lenient_json import JsonObject

_WENT_ON = "what the agent did after lfg stopped:"


def missed(
    updates: Sequence[JsonObject], session: Session, asked: str, folder: str
) -> list[WireEvent]:
    """Return the agent's events after the message `asked` that the history does not have.

    The history has all of a turn that ended. Of an interrupted one, the text and calls that it has
    are skipped; text that differs is left out, since the person has read the other. Relative paths
    begin at the `folder`.
    """
    begin = _begin(updates, asked)
    if begin is None or not session.is_interrupted:
        return []
    decoder = Updates(folder=folder)
    past = [event for update in updates[begin:] for event in decoder.feed(update)]
    seen = str(session.said)
    if not "".join(e.text for e in past if isinstance(e, TextDelta)).startswith(seen):
        seen = "".join(e.text for e in past if isinstance(e, TextDelta))
    events = _beyond(past, len(seen), session.calls)
    return [Status(_WENT_ON), *events] if events else []


def _begin(updates: Sequence[JsonObject], asked: str) -> int | None:
    """Return where the answer to the message `asked` begins; None if the agent never got it."""
    kinds = [lenient_json.text(update, "sessionUpdate") for update in updates]
    is_persons = [kind.startswith("user_message") for kind in kinds]
    end = max((n for n, persons in enumerate(is_persons, 1) if persons), default=0)
    start = end
    while start and is_persons[start - 1]:
        start -= 1
    got = "".join(map(_words, updates[start:end]))
    return end if "".join(asked.split()) in "".join(got.split()) else None


def _words(update: JsonObject) -> str:
    """Return the text in an update, whose content is a block or a list of them."""
    blocks = [lenient_json.child(update, "content"), *lenient_json.children(update, "content")]
    return "".join(lenient_json.text(block, "text") for block in blocks)


def _beyond(past: Sequence[WireEvent], seen: int, calls: int) -> list[WireEvent]:
    """Return the events after `seen` characters of text and `calls` calls."""
    started = [event.call_id for event in past if isinstance(event, ToolCallStarted)]
    known = set(started[:calls])
    events: list[WireEvent] = []
    for event in past:
        match event:
            case TextDelta(text):
                if text[seen:]:
                    events.append(TextDelta(text[seen:]))
                seen = max(0, seen - len(text))
            case ReasoningDelta():
                pass
            case _ if call_of(event) and call_of(event) not in known:
                events.append(event)
    return events
