"""What the parsers of all dialects share: the text, and where what they find goes."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lfgtui.agent.leakage.stream_buffer import Parsing, Tape
from lfgtui.model import events as e

FALLBACK_NAME = "tool_call"
"""The name of a call whose markup says none."""


class Output:
    """Events in the making; pieces of one kind that follow each other become one."""

    def __init__(self, turn: str) -> None:
        self._turn = turn
        self._events: list[e.WireEvent] = []
        self._make: Callable[[str], e.WireEvent] | None = None
        self._pieces: list[str] = []
        self.calls = 0

    def show(self, text: str) -> None:
        """A piece of the visible answer."""
        self._add(e.TextDelta, text)

    def reason(self, text: str) -> None:
        """A piece of what is withheld as reasoning."""
        self._add(_reasoning, text)

    def argue(self, json: str) -> None:
        """A piece of the arguments of the call that was begun last."""
        self._add(self._arguments, json)

    def begin_call(self, name: str) -> None:
        """A call that stands in the text; ids differ between the turns of a ticket."""
        self._join()  # what is open belongs to the call before
        self.calls += 1
        self._put(e.ToolCallStarted(self._call_id, name, "text"))

    def remark(self, message: str) -> None:
        """A line for the person."""
        self._put(e.Status(message))

    def take(self) -> list[e.WireEvent]:
        """The events so far, handed over."""
        self._join()
        events, self._events = self._events, []
        return events

    @property
    def _call_id(self) -> str:
        return f"text_{self._turn}_{self.calls}"

    def _arguments(self, json: str) -> e.WireEvent:
        return e.ToolArgumentsDelta(self._call_id, json)

    def _add(self, make: Callable[[str], e.WireEvent], text: str) -> None:
        if text:
            if make != self._make:
                self._join()
            self._make = make
            self._pieces.append(text)

    def _put(self, event: e.WireEvent) -> None:
        self._join()
        self._events.append(event)

    def _join(self) -> None:
        if self._make is not None:
            self._events.append(self._make("".join(self._pieces)))
        self._make, self._pieces = None, []


def _reasoning(text: str) -> e.WireEvent:
    return e.ReasoningDelta(text, "text")


class Reading:
    """The place a parser is called at: the text behind its head, and what is known so far.

    `is_fresh`: nothing but white space since the answer began or the last
    markup ended. `follows_markup`: since markup. `counts`: a tag counts here,
    for it is fresh or at the beginning of a line.
    """

    def __init__(self, turn: str) -> None:
        self.tape = Tape()
        self.out = Output(turn)
        self.is_fresh = True
        self.follows_markup = False
        self.counts = True
        self.has_shown = False
        self.has_thought = False
        self.mentions_tags = False
        self.knows_react = False


Block: TypeAlias = Callable[[Reading, str], Parsing[bool]]
"""Reads what follows a head. True: it is withheld. False: it was none after all, and
what was read since the mark goes back to the visible text."""

Table: TypeAlias = Mapping[str, Block]


def token(reading: Reading, head: str) -> Parsing[bool]:
    """A mark that stands for itself: withheld, whatever surrounds it."""
    yield from ()
    return True
