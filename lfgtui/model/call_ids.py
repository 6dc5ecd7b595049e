"""Call ids: lfg's own, and those that a provider is sent.

Ours are `call00001`: nine letters and digits, the form that the strictest wire (Mistral's)
requires. A provider gets its own ids back, since some encode data in them, but never one
twice: most wires refuse a conversation in which two calls have one id. A call that another
provider made, or that came without an id or with one that is taken, is sent with ours.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from lfgtui.model.conversation import CallPart, Message, ModelTurn, Part, ToolResult

_OURS = re.compile(r"call(\d{5,18})")
_NOT_IN_EVERY_ID = re.compile(r"[^A-Za-z0-9_-]")


def call_id(number: int) -> str:
    """Return the id of a ticket's call, counted from 1."""
    return f"call{number:05d}"


def call_number(call_id: str) -> int:
    """Return the number in an id of ours; 0 for any other id."""
    match = _OURS.fullmatch(call_id)
    return int(match[1]) if match else 0


def with_wire_ids(messages: Iterable[Message], provider: str) -> Iterator[Message]:
    """Return the messages with the ids that `provider` is to see, the same in every request."""
    ids = _WireIds(provider)
    for message in messages:
        match message:
            case ModelTurn(parts):
                yield replace(message, parts=tuple(map(ids.call, parts)))
            case ToolResult(answered):
                yield replace(message, call_id=ids.result(answered))
            case _:
                yield message


class _WireIds:
    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._taken: set[str] = set()
        self._unanswered: dict[str, deque[str]] = {}

    def call(self, part: Part) -> Part:
        if not isinstance(part, CallPart):
            return part
        theirs = part.wire_id if part.provider == self._provider else ""
        number, found = 0, theirs or part.call_id
        while not found or _bare(found) in self._taken:
            number += 1
            found = part.call_id if number == 1 and part.call_id else call_id(number)
        self._taken.add(_bare(found))
        self._unanswered.setdefault(part.call_id, deque()).append(found)
        return replace(part, call_id=found)

    def result(self, answered: str) -> str:
        """Return the id of the call that is answered; calls of an older lfg may share one."""
        calls = self._unanswered.get(answered)
        if not calls:
            return answered
        return calls.popleft() if len(calls) > 1 else calls[0]


def _bare(wire_id: str) -> str:
    """Return the id as the strictest wire writes it, where two ids may become the same."""
    return _NOT_IN_EVERY_ID.sub("_", wire_id)
