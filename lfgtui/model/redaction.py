"""Events and entries without their secrets.

A secret may be cut in two by the pieces a stream arrives in, so consecutive
deltas are read as one text. Each kind of text (the answer, the reasoning, the
arguments of one call, one channel of its output) is a text of its own. The
answer ends where something else begins; arguments and outputs of several
calls may arrive by turns. Heartbeats, usage, the person's messages and the like
may come in the middle of a text and do not end it.

The fields of an event that hold text are found by their types, so a new event or
field is redacted without being named here.

A `ProviderItem` cannot be redacted: its signature would be wrong, and the provider
would refuse it. One that holds a secret, or that signs reasoning from which a secret
was removed, is left out of the conversation: an item of the wire `redacted`, which
no provider gets, replaces it.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from lfgtui.model import events as e
from lfgtui.model.pieces import call_of, channel_of, merge, stream_of, text_of, with_text
from lfgtui.model.ticket_keys.guards import Channel, Guard
from lfgtui.model.tickets import Ticket
from lfgtui.text.redactor import Redactor, TextStream

_S = TypeVar("_S", bound=msgspec.Struct)

_LEFT_OUT = e.ProviderItem("redacted", {})
_HUNK = re.compile("^@@.*$", re.MULTILINE)
_KEY_END = re.compile("-----END ([A-Z0-9 ]{1,40}-----)")  # "-----END RSA PRIVATE KEY-----"


class EventRedactor:
    """Takes one ticket's events in order, and returns them without secrets.

    A text is held back from where a secret may begin; the rest comes with a later event. A channel
    may have a redactor of its own, which removes more: guards with `action = "redact"` use that.
    """

    def __init__(
        self, redactor: Redactor, by_channel: Mapping[Channel, Redactor] | None = None
    ) -> None:
        self._redactor = redactor
        self._by_channel = by_channel or {}
        self._counts = Counter[str]()  # of the channels' redactors, at the last `taken`
        self._open: dict[Hashable, tuple[TextStream, e.Event]] = {}  # with the last piece of each
        self._reasoned = 0  # secrets in the reasoning since the last `ProviderItem`
        self._hiding: set[str] = set()  # ids of calls with a secret in their arguments

    @property
    def is_idle(self) -> bool:
        """True if there is nothing to look for, so that events need not be fed."""
        return self._redactor.is_idle and not self._by_channel

    def taken(self) -> Sequence[str]:
        """Return the names of the rules by which channels' redactors replaced text since the last
        call."""
        if not self._by_channel:
            return ()
        counts = sum((one.counts for one in set(self._by_channel.values())), Counter[str]())
        new, self._counts = counts - self._counts, counts
        return tuple(new)

    def _of(self, event: e.Event) -> Redactor:
        """Return the redactor for an event's texts; other events of a stream count as answer."""
        channel = channel_of(type(event)) or ("text" if isinstance(event, e.WireEvent) else None)
        return self._by_channel.get(channel, self._redactor) if channel else self._redactor

    def feed(self, event: e.Event) -> list[e.Event]:
        """Return the held rest of texts that end here, then the event.

        A piece all of whose text is held comes with an empty text (`is_empty_delta`).
        """
        facets = event.facets
        if facets.is_piece:
            key = stream_of(event)
            if len(self._open) == 1 and key in self._open:
                return [self._piece(key, event)]
            before = self._end(lambda other, last: key != other and not _by_turns(event, last))
            return [*before, self._piece(key, event)]
        if facets.is_aside or (isinstance(event, e.UserMessage) and event.origin == "person"):
            return [self._whole(event)]
        if facets.ends in ("response", "turn"):
            return [*self.finish(), self._whole(event)]
        call = call_of(event)  # others may still be printing
        return [*self._end(lambda _, last: call_of(last) in ("", call)), self._whole(event)]

    def finish(self) -> list[e.Event]:
        """Release the held text of all streams."""
        return self._end(lambda _, __: True)

    def _piece(self, key: Hashable, event: e.Event) -> e.Event:
        stream, _ = self._open.get(key) or (TextStream(self._of(event)), event)
        self._open[key] = (stream, event)
        return self._cleared(event, lambda: stream.feed(text_of(event)))

    def _end(self, ends: Callable[[Hashable, e.Event], bool]) -> list[e.Event]:
        """End the open texts for which `ends` is true; return what was held of each."""
        ended: list[e.Event] = []
        for key, (stream, last) in list(self._open.items()):
            if ends(key, last):
                del self._open[key]
                ended.append(self._cleared(last, stream.finish))
        return [event for event in ended if text_of(event)]

    def _cleared(self, event: e.Event, read: Callable[[], str]) -> e.Event:
        """Return the piece with the text that its stream releases now, other fields redacted."""
        counts = self._of(event).counts
        before = counts.total()
        cleared = with_text(event, read())
        if event.facets.kind == "reasoning":
            self._reasoned += counts.total() - before
        return _fields(self._of(event), cleared, beside=event.facets.text)

    def _whole(self, event: e.Event) -> e.Event:
        """Return an event that is no piece without secrets, and note what later ones depend on."""
        redactor = self._of(event)
        cleared = _fields(redactor, event)
        match event:
            case e.TurnBegun():
                self._reasoned = 0
            case e.ProviderItem():
                signs_redacted, self._reasoned = self._reasoned > 0, 0
                others = (_fields(one, event) for one in self._by_channel.values())
                holds_any = cleared != event or any(other != event for other in others)
                return _LEFT_OUT if signs_redacted or holds_any else event
            case e.ToolCallRequested(call_id) if cleared != event:
                self._hiding.add(call_id)
        match cleared:
            case e.ApprovalRequested(call_id, _, summary, diff):
                if summary and call_id in self._hiding:
                    hidden = redactor.replacement("secret")
                    cleared = msgspec.structs.replace(cleared, summary=hidden)
                if self._shows(redactor, call_id, diff or ""):
                    cleared = _without_diff(redactor, cleared)
            case e.FileChange(call_id, _, diff) if self._shows(redactor, call_id, diff):
                cleared = _without_diff(redactor, cleared)
        return cleared

    def _shows(self, redactor: Redactor, call_id: str, diff: str) -> bool:
        """Return True if the diff shows a secret, perhaps over lines with signs before them."""
        if not diff:
            return False
        is_hiding = call_id in self._hiding
        return is_hiding or any(redactor.text(side) != side for side in _sides(diff))


def _without_diff(redactor: Redactor, event: _S) -> _S:
    return msgspec.structs.replace(event, diff=redactor.replacement("secret"))


def _fields(redactor: Redactor, struct: _S, beside: str = "") -> _S:
    """Return the struct with its text fields redacted, except the field `beside`."""
    changed: dict[str, object] = {}
    for name in _text_fields(type(struct)):
        value = getattr(struct, name)
        if name != beside and (redacted := _value(redactor, value)) != value:
            changed[name] = redacted
    return msgspec.structs.replace(struct, **changed) if changed else struct


def _value(redactor: Redactor, value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return _fields(redactor, value)
    if isinstance(value, tuple):
        return tuple(_value(redactor, one) for one in value)
    return redactor.value(value)


def _sides(diff: str) -> Iterator[str]:
    """Yield the text of the file before the diff and after it, as far as the diff shows it."""
    hunks = [hunk.split("\n") for hunk in _HUNK.split(diff)]
    for sign in "-+":
        sides = (
            "\n".join([line[1:] for line in lines if line[:1] in (sign, " ")]) for lines in hunks
        )
        yield "\n".join(map(_with_key_begin, sides))


def _with_key_begin(text: str) -> str:
    """Return the text of a hunk; if it begins within a key, after that key's first line."""
    end = _KEY_END.search(text)
    if end is None or "-----BEGIN " in text[: end.start()]:
        return text
    return f"-----BEGIN {end[1]}\n{text}"


@cache
def _text_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the fields that may hold foreign text: all but numbers and lfg's own words."""
    return tuple(name for name, hint in get_type_hints(kind).items() if _holds_text(hint))


def _holds_text(hint: object) -> bool:
    if get_origin(hint) is Literal:
        return False
    is_struct = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    return is_struct or hint in (str, object) or any(map(_holds_text, get_args(hint)))


def is_empty_delta(event: e.Event) -> bool:
    """Return True for a delta all of whose text was held back or belongs to a secret."""
    return event.facets.is_piece and not text_of(event)


def redacted_entries(redactor: Redactor, entries: Iterable[e.Entry]) -> Sequence[e.Entry]:
    """Return one ticket's entries without secrets: as many, with the same numbers and times.

    Text without secrets keeps its pieces.
    """
    events = EventRedactor(redactor)
    count_before = redactor.counts.total()
    entries = list(entries)
    redacted: list[e.Entry] = []
    for entry in entries:
        *ended, event = events.feed(entry.event)
        _add_to_last(redacted, ended)
        redacted.append(msgspec.structs.replace(entry, event=event))
    _add_to_last(redacted, events.finish())
    return entries if redactor.counts.total() == count_before else redacted


def _add_to_last(entries: list[e.Entry], ended: Iterable[e.Event]) -> None:
    """Append the rest of each text to the last of its pieces."""
    for rest in ended:
        for index in range(len(entries) - 1, -1, -1):
            if (joined := merge(entries[index].event, rest)) is not None:
                entries[index] = msgspec.structs.replace(entries[index], event=joined)
                break


def redacted_ticket(redactor: Redactor, ticket: Ticket) -> Ticket:
    """Return the ticket without secrets in its texts for the model; `setup` and guards stay."""
    return msgspec.structs.replace(
        ticket,
        title=redactor.whole(ticket.title),
        prompt=redactor.text(ticket.prompt),
        system=None if ticket.system is None else redactor.text(ticket.system),
        extra=redactor.value(ticket.extra),
        schema=redactor.value(ticket.schema),
    )


def ticket_for_others(redactor: Redactor, ticket: Ticket) -> Ticket:
    """Return the ticket as it may leave this machine: its setup and guards without secrets, too.

    A pattern with a part taken out would match something else, and one with the action `redact` is
    what it hides, so such guards are left out.
    """

    def is_harmless(guard: Guard) -> bool:
        words = guard.match or guard.phrase or ""
        return guard.action != "redact" and redactor.text(words) == words

    return msgspec.structs.replace(
        redacted_ticket(redactor, ticket),
        setup=redactor.text(ticket.setup),
        guards=tuple(filter(is_harmless, ticket.guards)),
    )


def _by_turns(one: e.Event, other: e.Event) -> bool:
    """Return True if two texts may interleave; answer and reasoning end each other."""
    return bool(call_of(one) and call_of(other))
