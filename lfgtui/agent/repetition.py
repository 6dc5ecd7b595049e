"""Calls that go in circles: the same call again and again, or a few that alternate.

A circle is two rounds of the same calls, with the same arguments and results, and the beginning of
a third. A command whose output differs makes no circle, nor does one that runs again after an edit,
since the edit is a call, too. Times in the output do not count as different. A message or approval
of the person begins a new count; a denial does not.

A model's next call is checked before it runs (`circle`); an agent's calls are watched
(`AgentCircles`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lfgtui.model import events as e
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import PromptItem, ToolItem

REPETITION = "repetition"
"""The `guard` of the `GuardTripped` for a circle; histories hold it."""

LONGEST = 4
"""Most calls in a round."""

_TIMES = re.compile(r"\d+(?:\.\d+)?\s?(?:m?s|seconds)\b|\d\d:\d\d(?::\d\d)?")  # "0.31s", "12:30:05"


class Made(NamedTuple):
    """A call that was made; `result` has its output and error, without times, and its diffs."""

    name: str
    arguments: str
    result: str


def circle(made: Sequence[Made], name: str, arguments: e.ToolArguments) -> str:
    """Return the circle that the call would continue, in words; "" if it would not."""
    return _circle(made, (name, _given(arguments)))


def _circle(made: Sequence[Made], call: tuple[str, str]) -> str:
    """Return the circle that a call, given as name and arguments, would continue; "" if none."""
    for size in range(1, LONGEST + 1):
        rounds = made[-2 * size :]
        first, second = rounds[:size], rounds[size:]
        is_next = len(second) == size and first[0][:2] == call
        if is_next and first == second:
            return _in_words([one.name for one in first])
    return ""


def calls_made(attempts: Sequence[Attempt]) -> list[Made]:
    """Return a ticket's last calls, oldest first, since the person's last message or approval."""
    found = list[Made]()
    for item in _items(attempts):
        if len(found) == 2 * LONGEST or isinstance(item, PromptItem):
            break
        if item.reason and item.is_decided:  # the question was whether to go on in a circle
            if not item.denied:
                break
        elif item.state == "finished" and item.arguments is not None:
            found.append(_made(item))
    return found[::-1]


def _items(attempts: Sequence[Attempt]) -> Iterator[ToolItem | PromptItem]:
    """Yield calls and messages, newest first, back to the last attempt from the prompt."""
    for attempt in reversed(attempts):
        for item in reversed(attempt.items):
            if isinstance(item, ToolItem | PromptItem):
                yield item
        if not attempt.continues:
            return


def _made(call: ToolItem) -> Made:
    changes = "".join(f"{path}\n{diff}" for path, diff in call.diffs)
    result = f"{call.output}\n{call.error or ''}\n{call.exit_code}\n{changes}"
    return Made(call.name, _given(call.given), _TIMES.sub("", result))


def _given(arguments: e.ToolArguments) -> str:
    """Return arguments in a form in which equal ones are equal, whatever their order."""
    return arguments if isinstance(arguments, str) else repr(sorted(arguments.items()))


def _in_words(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"third identical call of {names[0]} in a row, each with the same result"
    turns = ", ".join(names[:-1]) + f" and {names[-1]}"
    return f"{turns} repeated for the third time, with the same arguments and results"


class AgentCircles:
    """Watches the calls that an agent reports in one response, in which it runs them itself."""

    def __init__(self) -> None:
        self._requested: dict[str, tuple[str, str]] = {}  # open calls: name and arguments, by id
        self._diffs: dict[str, str] = {}  # by call id
        self._made = list[Made]()
        self._is_reported = False

    def watch(self, event: e.WireEvent) -> str:
        """Return the circle that the event's call closes, in words, only once; else ""."""
        match event:
            case e.ToolCallRequested(call_id, name, arguments, origin="agent"):
                self._requested[call_id] = name, _given(arguments)
            case e.FileChange(call_id, path, diff):
                self._diffs[call_id] = self._diffs.get(call_id, "") + f"{path}\n{diff}"
            case e.ToolCallFinished(call_id, output, error) if call_id in self._requested:
                name, given = self._requested.pop(call_id)
                result = f"{output}\n{error or ''}\n{self._diffs.pop(call_id, '')}"
                circle = "" if self._is_reported else _circle(self._made, (name, given))
                self._made = [*self._made, Made(name, given, _TIMES.sub("", result))][
                    -2 * LONGEST :
                ]
                self._is_reported = self._is_reported or bool(circle)
                return circle
        return ""
