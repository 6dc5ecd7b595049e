"""The outcome of filtering a text, the same for every way of cutting it."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lfgtui.agent.leakage import LeakageFilter
from lfgtui.agent.leakage.filter import CALL_NAME
from lfgtui.model import events as e
from lfgtui.settings.providers import ALL_DIALECTS, Dialect


@dataclass
class Filtered:
    """`calls`: the text of each, in order."""

    visible: str = ""
    reasoning: str = ""
    calls: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def everything(self) -> str:
        return "".join([self.visible, self.reasoning, *self.calls])


def summed(events: Iterable[e.WireEvent]) -> Filtered:
    outcome, calls = Filtered(), dict[str, str]()
    for event in events:
        match event:
            case e.TextDelta(text):
                outcome.visible += text
            case e.ReasoningDelta(text, origin):
                assert origin == "text"
                outcome.reasoning += text
            case e.ToolCallStarted(call_id, name, origin):
                assert (name, origin) == (CALL_NAME, "text")
                assert call_id not in calls
                calls[call_id] = ""
            case e.ToolArgumentsDelta(call_id, json):
                calls[call_id] += json
            case e.Status(message):
                outcome.remarks.append(message)
            case _:
                raise AssertionError(event)
    outcome.calls = list(calls.values())
    return outcome


def pieces(text: str, cut: int) -> Iterator[str]:
    """The text in pieces of that length; for 0, of lengths at random (the same ones each time)."""
    rng, at = random.Random(text), 0
    while at < len(text):
        size = cut or rng.choice((1, 2, 3, 5, 13, 80))
        yield text[at : at + size]
        at += size


def filtered(text: str, cut: int, dialects: frozenset[Dialect] = ALL_DIALECTS) -> Filtered:
    leaks = LeakageFilter(dialects)
    events = [outcome for piece in pieces(text, cut) for outcome in leaks.feed(e.TextDelta(piece))]
    return summed([*events, *leaks.finish()])


def outcome(text: str, *dialects: Dialect) -> Filtered:
    """Whole, character by character and in pieces; with all dialects where none is named."""
    chosen = frozenset(dialects) or ALL_DIALECTS
    whole = filtered(text, len(text) or 1, chosen)
    for cut in (1, 2, 7, 0):
        assert filtered(text, cut, chosen) == whole
    return whole
