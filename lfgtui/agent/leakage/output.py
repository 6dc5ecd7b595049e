"""Events in the making; pieces of one kind that follow each other become one."""

from collections.abc import Callable
from functools import partial
from itertools import groupby
from operator import itemgetter

from lfgtui.model import events as e

CALL_NAME = "tool_call"
"""The name of every call that stands in the text; its own name is in its markup."""


class Output:
    """The events of a filter. Ids of its calls begin with `turn`, so they differ in a ticket."""

    def __init__(self, turn: str) -> None:
        self._turn = turn
        self._pieces: list[tuple[Callable[[str], e.WireEvent], str]] = []
        self._calls = 0
        self._argue = partial(e.ToolArgumentsDelta, "")

    def show(self, text: str) -> None:
        """Add a piece of the visible answer."""
        self._add(e.TextDelta, text)

    def reason(self, text: str) -> None:
        """Add a piece of what is withheld as reasoning."""
        self._add(_reasoning, text)

    def argue(self, text: str) -> None:
        """Add a piece of the call that was begun last, as it came."""
        self._add(self._argue, text)

    def begin_call(self) -> None:
        """Begin a call that stands in the text."""
        self._calls += 1
        call_id = f"text_{self._turn}_{self._calls}"
        self._argue = partial(e.ToolArgumentsDelta, call_id)
        self._add(lambda name: e.ToolCallStarted(call_id, name, "text"), CALL_NAME)

    def remark(self, message: str) -> None:
        """Add a line for the person."""
        self._add(e.Status, message)

    def take(self) -> list[e.WireEvent]:
        """Hand over the events so far."""
        groups = groupby(self._pieces, itemgetter(0))
        events = [make("".join(text for _, text in pieces)) for make, pieces in groups]
        self._pieces.clear()
        return events

    def _add(self, make: Callable[[str], e.WireEvent], text: str) -> None:
        if text:
            self._pieces.append((make, text))


def _reasoning(text: str) -> e.WireEvent:
    return e.ReasoningDelta(text, "text")
