"""Calls as JSON objects: `{"name": "f", "arguments": {...}}`.

The form of Hermes and Qwen (https://github.com/NousResearch/Hermes-Function-Calling),
of Mistral's `[TOOL_CALLS]` and of most prompts that ask for JSON. The object
is read member by member, so that a call begins once its name is known and its
arguments stream on from there as they came. Where arguments come before the
name, they are held up to a limit. A member that is neither is shown as
reasoning: nothing of it is lost, and it is no part of the arguments.
"""

import json
import re
from collections.abc import Callable

from lfgtui.agent.leakage.reading import FALLBACK_NAME, Reading
from lfgtui.agent.leakage.stream_buffer import Heads, Parsing, Tape

_NAMES = frozenset({"name", "tool", "tool_name", "function", "function_name", "action"})
_ARGUMENTS = frozenset({"arguments", "parameters", "args", "input", "tool_input", "action_input"})
_HELD = 4000
"""Characters of arguments that wait for a name; then the call begins without."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STRING_LIMIT = 300
_PLAIN = re.compile(r'["{}\[\]<]')
_IN_STRING = re.compile(r'["\\\n]')
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_AFTER_SCALAR = re.compile(r"[,}\]\s<]")
_CLOSED = (
    *("tool_call", "tool_calls", "function_call", "function_calls", "function", "tool"),
    *("invoke", "antml:invoke", "minimax:tool_call", "seed:tool_call"),
)
_CLOSING = Heads(f"</{name}>" for name in _CLOSED)
_CLOSING_LINE = Heads(f"\n{closing}" for closing in _CLOSING)


class _Call:
    """One call, told apart from its markup. `argue` and `remark` may come before `begin`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._held: list[str] = []
        self._aside: list[str] = []
        self._length = 0
        self.has_begun = False

    def begin(self, name: str) -> None:
        """The name is known."""
        if self.has_begun:
            self.remark(name)
            return
        self.has_begun = True
        self._reading.tape.unmark()
        self._reading.out.begin_call(name)
        self._reading.out.argue("".join(self._held))
        self._reading.out.reason("".join(self._aside))

    def argue(self, piece: str) -> None:
        """More of the arguments."""
        if self.has_begun:
            self._reading.out.argue(piece)
        else:
            self._hold(self._held, piece)

    def remark(self, piece: str) -> None:
        """Something of the call that is neither its name nor its arguments."""
        if self.has_begun:
            self._reading.out.reason(piece)
        else:
            self._hold(self._aside, piece)

    def _hold(self, held: list[str], piece: str) -> None:
        held.append(piece)
        self._length += len(piece)
        if self._length > _HELD:
            self.begin(FALLBACK_NAME)


def read_calls(reading: Reading) -> Parsing[bool]:
    """Objects one after the other, from the first one's brace on.

    False, and nothing emitted, where the first is no call.
    """
    tape, is_first = reading.tape, True
    while True:
        call = _Call(reading)
        is_whole = yield from _members(tape, call)
        if not call.has_begun:
            if is_first:
                return False
            reading.out.reason(tape.since_mark)
        elif not is_whole:
            yield from _give_up(reading)
        is_first = False
        if not (yield from _find_next(tape)):
            return True
        tape.mark()


def _find_next(tape: Tape) -> Parsing[bool]:
    """Whether another object follows; a list's punctuation and surplus brackets are passed."""
    while (offset := (yield from tape.past_space())) is not None:
        char = tape.peek(offset)
        if char == "{":
            tape.skip(offset)
            return True
        if char not in ",]}":
            return False
        tape.skip(offset + 1)
    return False


def _members(tape: Tape, call: _Call) -> Parsing[bool]:
    """An object's members; False where it is broken or the text ends in it."""
    tape.skip(1)
    while True:
        char = yield from tape.upcoming()
        if char == "}":
            tape.skip(1)
            return True
        if char == ",":
            tape.skip(1)
            continue
        key = yield from _string(tape)
        if key is None or (yield from tape.upcoming()) != ":":
            call.remark(key or "")
            return False
        tape.skip(1)
        char = yield from tape.upcoming()
        if key in _NAMES and char == '"':
            if (name := (yield from _string(tape))) is None:
                return False
            call.begin(name)
        elif key in _NAMES and char == "{":
            if not (yield from _members(tape, call)):
                return False
        elif key in _ARGUMENTS:
            if not (yield from copy_value(tape, call.argue)):
                return False
        else:
            call.remark(f"{key}: ")
            if not (yield from copy_value(tape, call.remark)):
                return False
            call.remark("\n")


def _string(tape: Tape) -> Parsing[str | None]:
    raw = yield from tape.matched(_STRING, _STRING_LIMIT)
    if raw is None:
        return None
    try:
        value: object = json.loads(raw, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _give_up(reading: Reading) -> Parsing[None]:
    """What is left of a broken call, up to the tag that closes it."""
    end = yield from reading.tape.copy_until(_CLOSING, reading.out.reason)
    reading.tape.back(len(end or ""))


def copy_value(tape: Tape, to: Callable[[str], None]) -> Parsing[bool]:
    """One JSON value as it came; True once it is whole.

    Only strings and brackets are looked at: what is odd inside is the
    arguments' own. A closing tag where no string is open ends a broken
    value, and so does one on a line of its own.
    """
    if not (yield from tape.wait()):
        return False
    if tape.next not in '"{[':
        while (yield from tape.wait()) and (piece := tape.take_to(_AFTER_SCALAR)):
            to(piece)
        return bool(tape.next)
    depth, is_string = 0, False
    while (yield from tape.wait()):
        if piece := tape.take_to(_IN_STRING if is_string else _PLAIN):
            to(piece)
            continue
        char = tape.next
        if char == "\\":
            pair = yield from tape.matched(_ESCAPE, 2)
            tape.skip(0 if pair else 1)
            to(pair or char)
            continue
        if char in "<\n" and (
            yield from tape.starts_with(_CLOSING_LINE if is_string else _CLOSING)
        ):
            tape.skip(1 if is_string else 0)
            return False
        tape.skip(1)
        to(char)
        if char == '"':
            is_string = not is_string
        elif not is_string:
            depth += (char in "{[") - (char in "}]")
        if not depth and not is_string:
            return True
    return False
