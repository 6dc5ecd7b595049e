"""ReAct: calls and thoughts as labelled lines.

    Thought: I should look it up.
    Action: search
    Action Input: {"query": "lfg"}
    Observation: ...
    Thought: I know now.
    Final Answer: 42

The labels are words of plain prose, so nothing is taken for ReAct before an
`Action:` line with one identifier is followed by an `Action Input:` line;
from there on all labels of the answer are understood. Only the `Action:` line
is held for that; and a `Thought:` paragraph that an answer begins with, up to a
limit, since it is the thought of the action that follows it.

An observation in an answer is the model's invention (no tool ran): it is shown
as reasoning, label included.
"""

import re

from lfgtui.agent.leakage.reading import Reading, Table
from lfgtui.agent.leakage.stream_buffer import Heads, Parsing
from lfgtui.agent.leakage.tag_calls import copy_input

_LABELS = ("Thought:", "Action:", "Observation:", "Final Answer:")
_NEXT = Heads(_LABELS)
_NEXT_LINE = Heads(f"\n{label}" for label in _LABELS)
_INPUT = Heads(["Action Input:"])
_ACTION_LINE = re.compile(r"[ \t]*[`*\[]?([A-Za-z_][\w.\-]*)[`*\]]?[ \t]*\r?\n")
_LINE_LIMIT = 120
_THOUGHT_LIMIT = 1000


def _action(reading: Reading, head: str) -> Parsing[bool]:
    name = yield from _pair(reading)
    if name is None:
        return False
    yield from _call(reading, name)
    return True


def _pair(reading: Reading) -> Parsing[str | None]:
    """The name in an `Action:` line that an `Action Input:` line follows; both labels read."""
    tape = reading.tape
    line = yield from tape.matched(_ACTION_LINE, _LINE_LIMIT)
    if line is None:
        return None
    offset = yield from tape.past_space()
    if offset is None or not (yield from tape.starts_with(_INPUT, offset)):
        tape.back(len(line))
        return None
    tape.skip(offset + len("Action Input:"))
    found = _ACTION_LINE.match(line)
    return found[1] if found else None


def _call(reading: Reading, name: str) -> Parsing[None]:
    reading.tape.unmark()
    reading.knows_react = True
    reading.out.begin_call(name)
    offset = (yield from reading.tape.past_space()) or 0
    if (yield from reading.tape.starts_with(_NEXT, offset)):
        return
    end = yield from copy_input(reading, _NEXT_LINE)
    reading.tape.back(len(end) - 1 if end else 0)


def _thought(reading: Reading, head: str) -> Parsing[bool]:
    tape = reading.tape
    if reading.knows_react:
        yield from _reason(reading)
        return True
    if not reading.is_fresh:
        return False
    thought = yield from tape.ahead("\nAction:", _THOUGHT_LIMIT)
    if thought is None:
        return False
    name = yield from _pair(reading)
    if name is None:
        tape.back(len(thought) + len("\nAction:"))
        return False
    reading.out.reason(thought.lstrip())
    yield from _call(reading, name)
    return True


def _observation(reading: Reading, head: str) -> Parsing[bool]:
    if not reading.knows_react:
        return False
    reading.out.reason(head + " ")
    yield from _reason(reading)
    return True


def _reason(reading: Reading) -> Parsing[None]:
    """What a label says, up to the next one."""
    reading.tape.unmark()
    yield from reading.tape.skip_space()
    end = yield from reading.tape.copy_until(_NEXT_LINE, reading.out.reason)
    if end is not None:
        reading.out.reason("\n")
        reading.tape.back(len(end) - 1)


def _final(reading: Reading, head: str) -> Parsing[bool]:
    if not reading.knows_react:
        return False
    if (yield from reading.tape.starts_with(_BLANK)):
        reading.tape.skip(1)
    return True


_BLANK = Heads([" "])

LABELS: Table = {
    "Thought:": _thought,
    "Action:": _action,
    "Observation:": _observation,
    "Final Answer:": _final,
}
