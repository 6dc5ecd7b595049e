"""The guards of one ticket, which read its texts as they stream.

Each text is read once, in the pieces it comes in: the answer, the reasoning, the arguments of
a call, a channel of its output. A text that comes whole (full arguments, an output that was not
streamed, a change of a file) is read whole. A guard trips at most once in a turn for each call
and channel. `engine/ticket/guarding.py` feeds the events and acts on the trips.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, get_args

from lfgtui.errors import shortened
from lfgtui.model import events as e
from lfgtui.model.pieces import call_of, channel_of, text_of, tool_of
from lfgtui.model.ticket_keys.guards import SECRETS, Channel, Guard
from lfgtui.text.matching import Matcher, MatchStream
from lfgtui.text.redactor import Redactor, TextStream

_PATIENCE = 64
"""Characters that are collected before guards that only flag read them: fewer reads cost less. For
other guards each character counts, since they stop the ticket."""

_QUOTED = 60
"""Most characters that are quoted of a match."""

_WHERE: Mapping[Channel, str] = {
    "text": "the answer",
    "reasoning": "the reasoning",
    "arguments": "the arguments of {}",
    "output": "the output of {}",
}
"""The place that a message names; the gap is for the tool."""


class Trip(NamedTuple):
    """A guard saw what it looks for; `message` says what and where."""

    guard: Guard
    message: str


class _Key(NamedTuple):
    """The key of a text: its channel and call; `pipe` is "stdout", "stderr", "whole" or ""."""

    channel: Channel
    call: str
    pipe: str


_ANSWER = _Key("text", "", "")


class _Secrets(Redactor):
    """A redactor that notes which kinds of secrets it found; its output is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def replacement(self, name: str) -> str:
        """Note the kind that was found."""
        self.found.append(name)
        return ""


class _Reader:
    """Reads one text for some guards; waits for more of it if all of them only flag."""

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._least = _PATIENCE if all(guard.action == "flag" for guard in guards) else 0
        self._waiting = ""

    def feed(self, text: str) -> Sequence[tuple[Guard, str]]:
        """Add a piece; return the guards that trip, each with what it saw."""
        if self._least:
            text = self._waiting + text
            if len(text) < self._least:
                self._waiting = text
                return ()
            self._waiting = ""
        return self._read(text, is_over=False)

    def finish(self) -> Sequence[tuple[Guard, str]]:
        """End the text; return the guards that trip on its rest."""
        return self._read(self._waiting, is_over=True)

    def _read(self, text: str, *, is_over: bool) -> Sequence[tuple[Guard, str]]:
        """Read more of the text, the last of it if it `is_over`; return as `feed` does."""
        raise NotImplementedError


class _BuiltIn(_Reader):
    """Reads one text for the built-in guard."""

    def __init__(self, guard: Guard) -> None:
        super().__init__([guard])
        self._guard = guard
        self._secrets = _secrets()
        self._text = TextStream(self._secrets)

    def _read(self, text: str, *, is_over: bool) -> Sequence[tuple[Guard, str]]:
        self._text.feed(text)
        if is_over:
            self._text.finish()
        if not (found := self._secrets.found):
            return ()
        self._secrets.found = []
        return [(self._guard, kind) for kind in found]


class _Own(_Reader):
    """Reads one text for the guards that have a pattern, all at the same time."""

    def __init__(self, guards: tuple[Guard, ...]) -> None:
        super().__init__(guards)
        self._guards = guards
        self._matches = MatchStream(_matcher(guards))
        self._begun = ""  # the end of the text before, in which a match may have begun

    def _read(self, text: str, *, is_over: bool) -> Sequence[tuple[Guard, str]]:
        found = self._matches.feed(text)
        length = self._matches.length
        if is_over:
            found += self._matches.finish()
        if not (found or self._matches.is_open):  # true for nearly all text
            self._begun = ""
            return ()
        tripped: list[tuple[Guard, str]] = []
        for rule, start, end in found:
            seen = self._begun + text
            begin = len(seen) - length
            quote = seen[max(0, start + begin) : end + begin]
            tripped.append((self._guards[rule], _quoted(quote, is_whole=start + begin >= 0)))
        self._begun = (self._begun + text)[-_QUOTED:] if self._matches.is_open else ""
        return tripped


@cache
def _secrets() -> _Secrets:
    # All texts share it: `_read` takes what was found before another text is fed.
    return _Secrets()


@cache
def _matcher(guards: tuple[Guard, ...]) -> Matcher:
    return Matcher([guard.pattern for guard in guards])


def _quoted(text: str, *, is_whole: bool) -> str:
    """Return a match in quotes, cut to `_QUOTED`; with `…` first if its beginning is lost."""
    line = shortened(" ".join(text.split()), _QUOTED)
    return f'"{line}"' if is_whole else f'"…{line}"'


class Guards:
    """The guards of one ticket. `feed` each event before it is stored, in order.

    Guards with the action "redact" do not trip here: `EventRedactor` does their work.
    """

    def __init__(self, guards: tuple[Guard, ...]) -> None:
        seeing = [guard for guard in guards if guard.action != "redact"]
        self._seeing: Mapping[Channel, tuple[Guard, ...]] = {
            channel: tuple(guard for guard in seeing if channel in guard.on)
            for channel in get_args(Channel)
        }
        self._open: dict[_Key, Sequence[_Reader]] = {}
        self._tools: dict[str, str] = {}  # the name of the tool, by call
        self._streamed: set[str] = set()  # calls whose output was read in pieces
        self._tripped: set[tuple[str, Channel, str]] = set()  # guard, channel and call

    def feed(self, event: e.Event) -> Sequence[Trip]:
        """Return the guards that trip on the event, or on texts that end with it."""
        if isinstance(event, e.TextDelta):  # most events are
            return self._piece(_ANSWER, event.text)
        facets, channel, call = event.facets, channel_of(type(event)), call_of(event)
        if facets.is_piece and channel is not None:
            return self._piece(_Key(channel, call, getattr(event, "channel", "")), text_of(event))
        trips: list[Trip] = []
        if facets.ends in ("response", "turn"):
            trips += self._end(lambda key: True)
        elif not (facets.is_aside or isinstance(event, e.UserMessage)):
            trips += self._end(lambda key: key.call in ("", call))
        if isinstance(event, e.TurnBegun | e.AttemptStarted):
            for kept in (self._tools, self._streamed, self._tripped):
                kept.clear()
        if tool := tool_of(event):
            self._tools[call] = tool
        for channel, text in _whole_texts(event):
            if channel != "output" or call not in self._streamed:
                key = _Key(channel, call, "whole")
                trips += [*self._piece(key, text), *self._end(key.__eq__)]
        return trips

    def _piece(self, key: _Key, text: str) -> Sequence[Trip]:
        """Read a piece of a text. A new text ends others; only texts of calls may alternate."""
        trips: list[Trip] = []
        if (readers := self._open.get(key)) is None:
            trips += self._end(lambda other: not (key.call and other.call))
            readers = self._open[key] = self._readers(key)
        for reader in readers:
            if found := reader.feed(text):
                trips += self._trips(key, found)
        return trips

    def _readers(self, key: _Key) -> Sequence[_Reader]:
        """Return the readers of a new text."""
        if key.channel == "output" and key.pipe != "whole":
            self._streamed.add(key.call)
        seeing = self._seeing[key.channel]
        own = tuple(guard for guard in seeing if guard.name != SECRETS)
        built_in = (_BuiltIn(guard) for guard in seeing if guard.name == SECRETS)
        return [*built_in, *([_Own(own)] if own else ())]

    def _end(self, ends: Callable[[_Key], bool]) -> list[Trip]:
        """End the open texts for which `ends` is true."""
        ended = [(key, self._open.pop(key)) for key in list(self._open) if ends(key)]
        return [
            trip
            for key, readers in ended
            for reader in readers
            for trip in self._trips(key, reader.finish())
        ]

    def _trips(self, key: _Key, found: Sequence[tuple[Guard, str]]) -> Sequence[Trip]:
        """Return the trips for what was found, without guards that have tripped there already."""
        trips: list[Trip] = []
        for guard, what in found:
            once = (guard.name, key.channel, key.call)
            if once not in self._tripped:
                self._tripped.add(once)
                where = _WHERE[key.channel].format(self._tools.get(key.call) or "a call")
                trips.append(Trip(guard, f"{what} in {where}"))
        return trips


def _whole_texts(event: e.Event) -> Iterator[tuple[Channel, str]]:
    """Yield the texts that an event has whole, with their channels; of a diff, the added lines."""
    match event:
        case e.ToolCallRequested(_, _, arguments):
            for text in _strings(arguments):
                yield "arguments", text
        case e.FileChange(_, _, diff):
            added = [line[1:] for line in diff.split("\n") if line.startswith("+")]
            yield "arguments", "\n".join(added)
        case e.HostedTool(_, given, output):
            yield "arguments", given
            yield "output", output
        case e.ToolCallFinished(_, output):
            yield "output", output
        case _:
            pass


def _strings(value: object) -> Iterator[str]:
    """Yield the strings in a JSON value, without keys."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _strings(inner)
        case list():
            for inner in value:
                yield from _strings(inner)
        case _:
            pass
