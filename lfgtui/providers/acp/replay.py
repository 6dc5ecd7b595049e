"""The past that an agent replays when it loads a session: most of it is in the history already."""

from collections.abc import Sequence

from lfgtui.model.conversation import Session
from lfgtui.model.events import (
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCallStarted,
    WireEvent,
)
from lfgtui.model.pieces import call_of
from lfgtui.providers import lenient_json
from lfgtui.providers.acp.updates import Updates
from lfgtui.providers.lenient_json import JsonObject

_WENT_ON = "the agent had gone on with this after lfg was stopped:"


def missed(updates: Sequence[JsonObject], session: Session, folder: str) -> list[WireEvent]:
    """Return what the agent did since it was last asked and the history does not have.

    Of a turn that ended the history has all. Of the last one, the text and the calls that it has
    are passed over; text that is another one is left out, since what the person has read stands.
    """
    if not session.is_interrupted:
        return []
    kinds = [lenient_json.text(update, "sessionUpdate") for update in updates]
    asked = max((n for n, kind in enumerate(kinds) if kind.startswith("user_message")), default=-1)
    decoder = Updates(folder=folder)
    past = [event for update in updates[asked + 1 :] for event in decoder.feed(update)]
    said = str(session.said)
    if not "".join(e.text for e in past if isinstance(e, TextDelta)).startswith(said):
        said = "".join(e.text for e in past if isinstance(e, TextDelta))
    events = _beyond(past, len(said), session.calls)
    return [Status(_WENT_ON), *events] if events else []


def _beyond(past: Sequence[WireEvent], said: int, calls: int) -> list[WireEvent]:
    """Return the events beyond so many characters of text and so many calls."""
    started = [event.call_id for event in past if isinstance(event, ToolCallStarted)]
    known = set(started[:calls])
    events: list[WireEvent] = []
    for event in past:
        match event:
            case TextDelta(text):
                if text[said:]:
                    events.append(TextDelta(text[said:]))
                said = max(0, said - len(text))
            case ReasoningDelta():
                pass
            case _ if call_of(event) and call_of(event) not in known:
                events.append(event)
    return events
