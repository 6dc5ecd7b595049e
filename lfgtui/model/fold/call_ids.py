"""Call ids: lfg's own in events, and the provider's in the messages that it is sent.

Providers choose the ids of their calls, and nothing keeps one from giving two calls the same id.
So lfg identifies calls by ids of its own: their cards, approvals and output. See
docs/decisions/0017-calls-have-ids-of-our-own.md.

Ours are `call00001`: nine letters and digits, the form that the strictest wire (Mistral's)
requires. A provider gets its own ids back, since some encode data in them, but no id
twice: most wires refuse a conversation in which two calls have the same id. A call that another
provider made, or that came without an id or with one already used, is sent with ours.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from msgspec import UNSET
from msgspec.structs import replace

from lfgtui.model import events as e
from lfgtui.model.fold.conversation import CallPart, ItemPart, Message, ModelTurn, Part, ToolResult

_OURS = re.compile(r"call(\d{5,18})")
_NOT_IN_EVERY_ID = re.compile(r"[^A-Za-z0-9_-]")


def call_id(number: int) -> str:
    """Return the id of a ticket's call, counted from 1."""
    return f"call{number:05d}"


def call_number(call_id: str) -> int:
    """Return the number in an id of ours; 0 for any other id."""
    match = _OURS.fullmatch(call_id)
    return int(match[1]) if match else 0


class CallIds:
    """Gives the calls of one attempt ids that are unique in the ticket.

    `last` is the highest number in use (`Calls.last`). Calls that run at the provider or by an
    agent share the numbers but not the table, so an event about one never touches a call that lfg
    runs. They keep their ids over responses, since a provider may pause a long turn and send its
    results with the next one.
    """

    def __init__(self, last: int) -> None:
        self._last = last
        self._open: dict[str, str] = {}  # the provider's id to ours, for calls that lfg runs
        self._hosted: dict[str, str] = {}  # the same, for an agent's or the provider's calls

    def own(self, event: e.WireEvent) -> e.WireEvent:
        """Return the event with our id in place of the provider's.

        To be called for each event of a stream, in order. A new event with a `call_id` needs a
        case here.
        """
        match event:
            case e.TextDelta() | e.ReasoningDelta():
                return event
            case e.ToolCallStarted(theirs, origin="agent"):
                self._hosted.pop(theirs, None)
                return replace(event, call_id=self._of(self._hosted, theirs))
            case (
                e.ToolCallRequested(theirs, origin="agent")
                | e.ApprovalRequested(theirs)
                | e.ApprovalWithdrawn(theirs)
                | e.ToolRunStarted(theirs)
                | e.ToolOutputDelta(theirs)
                | e.FileChange(theirs)
                | e.ToolCallFinished(theirs)
            ):
                return replace(event, call_id=self._of(self._hosted, theirs))
            case e.ToolCallStarted(theirs):
                self._open.pop(theirs, None)
                return replace(event, call_id=self._of(self._open, theirs))
            case e.ToolArgumentsDelta(theirs):
                return replace(event, call_id=self._of(self._open, theirs))
            case e.ToolCallRequested(theirs):
                ours = self._of(self._open, theirs)
                del self._open[theirs]  # the same id again would be another call
                wire_id = theirs if event.wire_id is UNSET else event.wire_id
                return replace(event, call_id=ours, wire_id=wire_id)
            case e.HostedTool(call_id=str(theirs)) | e.HostedOutputDelta(theirs):
                return replace(event, call_id=self._of(self._hosted, theirs))
            case e.ResponseFinished():
                self._open.clear()
        return event

    def _of(self, known: dict[str, str], theirs: str) -> str:
        """Return our id for the provider's, a new one if it is not known."""
        if theirs not in known:
            self._last += 1
            known[theirs] = call_id(self._last)
        return known[theirs]


def messages_for(provider: str, messages: Iterable[Message]) -> Iterator[Message]:
    """Yield the messages as this provider gets them.

    Calls have the ids meant for it, the same in every request; items that only another provider
    understands are left out.
    """
    taken: set[str] = set()
    unanswered: defaultdict[str, deque[str]] = defaultdict(deque)

    def sent(part: Part) -> Part | None:
        """Return a part with the call id meant for the provider; None for one to leave out."""
        if isinstance(part, ItemPart):
            return part if part.is_for(provider) else None
        if not isinstance(part, CallPart):
            return part
        theirs = part.wire_id if part.provider == provider else ""
        number, chosen = 0, theirs or part.call_id
        while not chosen or _bare(chosen) in taken:
            number += 1
            chosen = part.call_id if number == 1 and part.call_id else call_id(number)
        taken.add(_bare(chosen))
        unanswered[part.call_id].append(chosen)
        return replace(part, call_id=chosen)

    for message in messages:
        match message:
            case ModelTurn(parts):
                yield replace(message, parts=tuple(filter(None, map(sent, parts))))
            case ToolResult(answered) if calls := unanswered[answered]:
                # Calls of an older lfg may share an id; they are answered in their order.
                answered_id = calls.popleft() if len(calls) > 1 else calls[0]
                yield replace(message, call_id=answered_id)
            case _:
                yield message


def _bare(wire_id: str) -> str:
    """Return the id in the characters of the strictest wire; two ids may become the same."""
    return _NOT_IN_EVERY_ID.sub("_", wire_id)
