"""Events and entries without their secrets.

A secret may be cut in two by the pieces a stream arrives in, so consecutive
deltas are read as one text. Each kind of text (the answer, the reasoning, the
arguments of one call, one channel of its output) is a text of its own. The
answer ends where something else begins; arguments and outputs of several
calls may arrive by turns. Heartbeats, usage and the like come in the middle
of anything and end nothing.

Which fields of an event hold text is read off its declaration, so that a new
event or field is looked at without being named here.

Items that a wire wants back unchanged cannot be redacted: the provider would
refuse what its signature does not fit. One that holds a secret, or that signs
reasoning from which one was taken, is left out of the conversation: in its
place stands an item of the wire `redacted`, which no wire sends.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from lfgtui import events as e
from lfgtui.redaction.redactor import Redactor, TextStream
from lfgtui.tickets import Ticket

_Delta: TypeAlias = (
    e.TextDelta | e.ReasoningDelta | e.ToolArgumentsDelta | e.ToolOutputDelta | e.HostedOutputDelta
)
_Key: TypeAlias = tuple[str, str, str]

_LEFT_OUT = e.ProviderItem("redacted", {})


class EventRedactor:
    """One ticket's events in, the same without secrets out.

    Texts lag behind by what may still become a secret.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._open: dict[_Key, tuple[TextStream, _Delta]] = {}
        self._reasoned = 0
        self._hiding: set[str] = set()

    def feed(self, event: e.Event) -> list[e.Event]:
        """What was held of texts that end here, then the event itself; a delta may be empty."""
        match event:
            case (
                e.TextDelta()
                | e.ReasoningDelta()
                | e.ToolArgumentsDelta()
                | e.ToolOutputDelta()
                | e.HostedOutputDelta()
            ):
                key = _key_of(event)
                if len(self._open) == 1 and key in self._open:
                    return [self._delta(key, event)]
                before = self._end(lambda other: not _go_together(key, other))
                return [*before, self._delta(key, event)]
            case e.Heartbeat() | e.Usage() | e.Status() | e.Citation():
                return [self._whole(event)]
            case e.ToolCallFinished(call_id):  # others may still be printing
                return [*self._end(lambda key: key[1] in ("", call_id)), self._whole(event)]
            case _:
                return [*self.finish(), self._whole(event)]

    def finish(self) -> list[_Delta]:
        """What was held of all texts."""
        return self._end(lambda _: True)

    def _delta(self, key: _Key, event: _Delta) -> _Delta:
        stream, _ = self._open.get(key) or (TextStream(self._redactor), event)
        self._open[key] = (stream, event)
        if not isinstance(event, e.ReasoningDelta):
            return self._named(_with_text(event, stream.feed(_text_of(event))))
        found = self._redactor.found.total()
        text = stream.feed(event.text)
        self._note_reasoning(event, found)
        return _with_text(event, text)

    def _end(self, ends: Callable[[_Key], bool]) -> list[_Delta]:
        ended: list[_Delta] = []
        for key in [key for key in self._open if ends(key)]:
            stream, last = self._open.pop(key)
            found = self._redactor.found.total()
            if rest := stream.finish():
                ended.append(self._named(_with_text(last, rest)))
            self._note_reasoning(last, found)
        return ended

    def _note_reasoning(self, event: _Delta, found_before: int) -> None:
        if isinstance(event, e.ReasoningDelta):
            self._reasoned += self._redactor.found.total() - found_before

    def _whole(self, event: e.Event) -> e.Event:
        told = self._fields(event)
        match event:
            case e.RequestSent():
                self._reasoned = 0
            case e.ProviderItem():
                signs_redacted, self._reasoned = self._reasoned > 0, 0
                return _LEFT_OUT if signs_redacted or told != event else event
            case e.ToolCallRequested(call_id) if told != event:
                self._hiding.add(call_id)
            case e.ApprovalRequested(call_id, _, summary) if call_id in self._hiding:
                # It was made of what is hidden, put on one line and cut in its middle.
                hidden = self._redactor.replacement("secret")
                return msgspec.structs.replace(told, summary=hidden if summary else "")
        return told

    def _named(self, event: _Delta) -> _Delta:
        """The delta with the rest of its fields redacted, which are whole."""
        if isinstance(event, e.TextDelta | e.ReasoningDelta):
            return event
        call_id = self._redactor.text(event.call_id)
        if call_id == event.call_id:
            return event
        return msgspec.structs.replace(event, call_id=call_id)

    def _fields(self, event: e.Event) -> e.Event:
        changed: dict[str, object] = {}
        for name in _text_fields(type(event)):
            value = getattr(event, name)
            redacted = self._redactor.value(value)
            if redacted != value:
                changed[name] = redacted
        return msgspec.structs.replace(event, **changed) if changed else event


@cache
def _text_fields(kind: type[e.Event]) -> tuple[str, ...]:
    """The fields in which anything may be said: all but numbers and lfg's own few words."""
    return tuple(name for name, hint in get_type_hints(kind).items() if _holds_text(hint))


def _holds_text(hint: object) -> bool:
    if get_origin(hint) is Literal:
        return False
    return hint in (str, object) or any(map(_holds_text, get_args(hint)))


def is_empty_delta(event: e.Event) -> bool:
    """Whether it is a delta all of whose text was held back or belongs to a secret."""
    return isinstance(event, _Delta) and not _text_of(event)


def redacted_entries(redactor: Redactor, entries: Iterable[e.Entry]) -> Sequence[e.Entry]:
    """One ticket's entries without secrets: as many, with the same numbers and times.

    Where there are none, text stays in the very pieces it came in.
    """
    events = EventRedactor(redactor)
    found_before = redactor.found.total()
    told = list(entries)
    redacted: list[e.Entry] = []
    for entry in told:
        *ended, event = events.feed(entry.event)
        _add_to_last(redacted, ended)
        redacted.append(msgspec.structs.replace(entry, event=event))
    _add_to_last(redacted, events.finish())
    return told if redactor.found.total() == found_before else redacted


def _add_to_last(entries: list[e.Entry], ended: Iterable[e.Event]) -> None:
    """Put the rest of each text behind the last of its pieces."""
    for rest in ended:
        for index in range(len(entries) - 1, -1, -1):
            joined = _joined(entries[index].event, rest)
            if joined is not None:
                entries[index] = msgspec.structs.replace(entries[index], event=joined)
                break


def redacted_ticket(redactor: Redactor, ticket: Ticket) -> Ticket:
    """The ticket as it may be shown; its id, its files and who is asked stay."""
    return msgspec.structs.replace(
        ticket,
        title=redactor.whole(ticket.title),
        prompt=redactor.text(ticket.prompt),
        system=None if ticket.system is None else redactor.text(ticket.system),
        extra=redactor.value(ticket.extra),
    )


def _key_of(event: _Delta) -> _Key:
    """Which text the delta is a piece of."""
    match event:
        case e.TextDelta():
            return "text", "", ""
        case e.ReasoningDelta(_, origin):
            return "reasoning", "", origin or ""
        case e.ToolArgumentsDelta(call_id):
            return "arguments", call_id, ""
        case e.ToolOutputDelta(call_id, channel):
            return "output", call_id, channel
        case e.HostedOutputDelta(call_id):
            return "hosted", call_id, ""


def _go_together(one: _Key, other: _Key) -> bool:
    """Whether two texts may arrive by turns; the answer and the reasoning end for another."""
    return one == other or not {one[0], other[0]} & {"text", "reasoning"}


def _text_of(event: _Delta) -> str:
    return event.json if isinstance(event, e.ToolArgumentsDelta) else event.text


def _with_text(event: _Delta, text: str) -> _Delta:
    if text == _text_of(event):
        return event
    if isinstance(event, e.ToolArgumentsDelta):
        return msgspec.structs.replace(event, json=text)
    return msgspec.structs.replace(event, text=text)


def _joined(earlier: e.Event, rest: e.Event) -> e.Event | None:
    """The delta with more of its text behind it; None where it is another text's."""
    if not (isinstance(earlier, _Delta) and isinstance(rest, _Delta)):
        return None
    if _key_of(earlier) != _key_of(rest):
        return None
    return _with_text(earlier, _text_of(earlier) + _text_of(rest))
