"""An agent's own tool calls, as they arrive in pieces.

The agent runs its tools itself, so a call is told and never asked for:
`HostedTool` when it begins, again once its input is complete, and again with
what came out, all three with one id. Where the wire gives no id, the call
that is still open is meant, by its name if there are several.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lfgtui.model.events import HostedOutputDelta, HostedTool, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.agent_server.fields import CallFields, as_json, as_output

_OURS = "agent-"  # begins the id of a call that came without one
_MEANT = 200  # latest calls, one of which is meant where no id says which


@dataclass(slots=True, eq=False)
class _Call:
    call_id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    given: str = ""
    output: str = ""
    is_over: bool = False
    told: HostedTool | None = None

    @property
    def is_bare(self) -> bool:
        """Whether nothing is known of it but its name."""
        return not (self.pieces or self.given or self.is_over)

    def tell(self) -> Iterator[WireEvent]:
        """The call as it stands, where that is news."""
        event = HostedTool(self.name or "tool", self.given, self.output, self.call_id)
        if event != self.told:
            self.told = event
            yield event


class AgentCalls:
    """The calls of one response. Each method gives the events that follow from a record.

    One that begins a call too many raises `ProviderError` ("protocol").
    """

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._calls: dict[str, _Call] = {}

    def given(self, said: CallFields) -> list[WireEvent]:
        """A call began, or its whole input is known."""
        call = self._calls.get(said.call_id)
        if call is None and not said.call_id:
            call = self._open(said.name)
            if call is not None and (said.given is None or not call.is_bare):
                call = None  # another call of the same tool
        call = call or self._begin(said)
        call.name = said.name or call.name
        if said.given is not None:
            call.pieces.clear()
            call.given = as_json(said.given)
        return list(call.tell())

    def piece(self, said: CallFields) -> list[WireEvent]:
        """A piece of a call's input; it is told when all of it is there."""
        call = self._calls.get(said.call_id) or (None if said.call_id else self._open(said.name))
        events: list[WireEvent] = []
        if call is None:
            call = self._begin(said)
            events += call.tell()
        if said.piece:
            call.pieces.append(said.piece)
        return events

    def input_over(self, said: CallFields) -> list[WireEvent]:
        """No more pieces will come for a call."""
        call = self._calls.get(said.call_id) or (None if said.call_id else self._open(said.name))
        return [] if call is None else self._close_input(call)

    def live(self, said: CallFields) -> list[WireEvent]:
        """What a call prints while it runs."""
        call = self._meant(said)
        events = self._close_input(call)
        events += call.tell()
        if said.stream:
            events.append(HostedOutputDelta(call.call_id, said.stream))
        return events

    def result(self, said: CallFields) -> list[WireEvent]:
        """What came out of a call."""
        call = self._meant(said)
        call.name = call.name or said.name
        self._close_input(call)
        if not call.given and said.given is not None:
            call.given = as_json(said.given)
        output = as_output(said.output)
        call.output = f"error: {output}" if said.failed else output or call.output
        call.is_over = True
        return list(call.tell())

    def leftovers(self) -> list[WireEvent]:
        """The calls whose input was still arriving, with what came of it."""
        return [event for call in self._calls.values() for event in self._close_input(call)]

    def _begin(self, said: CallFields) -> _Call:
        if len(self._calls) >= limits.HOSTED_CALLS:
            raise limits.too_many("calls of the agent's own tools", limits.HOSTED_CALLS)
        call_id = said.call_id or f"{_OURS}{self._turn}-{len(self._calls) + 1}"
        call = self._calls[call_id] = _Call(call_id, said.name)
        return call

    def _meant(self, said: CallFields) -> _Call:
        """The call with that id, or the one that must be meant, or a new one.

        A number is no call's id but the event's own.
        """
        call = self._calls.get(said.call_id)
        if call is None:
            call = self._open(said.name) or self._open("")
            if call is not None and said.call_id and not said.call_id.isdigit():
                call = call if call.call_id.startswith(_OURS) else None
        return call or self._begin(said)

    def _open(self, name: str) -> _Call | None:
        """The latest call of that name, or of any, that has no result yet.

        Nobody means one that is further back.
        """
        for call in islice(reversed(self._calls.values()), _MEANT):
            if not call.is_over and name in ("", call.name):
                return call
        return None

    def _close_input(self, call: _Call) -> list[WireEvent]:
        if not call.pieces:
            return []
        call.given = "".join(call.pieces)
        call.pieces.clear()
        return list(call.tell())
