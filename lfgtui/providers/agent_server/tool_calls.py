"""An agent's own tool calls, as they arrive in pieces.

The agent runs its tools itself, so a call is shown and never requested:
`HostedTool` when it begins, again once its input is complete, and again with
what came out, all three with one id. A record without an id is about the latest
call that has no result yet, of its name where it has one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lfgtui.model.events import HostedOutputDelta, HostedTool, WireEvent
from lfgtui.providers import limits

_RECENT = 200
"""Calls among which one is looked for where no id says which."""


@dataclass(slots=True, eq=False)
class _Call:
    call_id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    input: str = ""
    output: str = ""
    is_over: bool = False
    shown: HostedTool | None = None

    def show(self) -> Iterator[WireEvent]:
        """Yield the call as it stands, where that is news."""
        if self.pieces:
            self.input = "".join(self.pieces)
            self.pieces.clear()
        event = HostedTool(self.name or "tool", self.input, self.output, self.call_id)
        if event != self.shown:
            self.shown = event
            yield event


class AgentCalls:
    """The calls of one response. Each method yields the events that follow from a record.

    One that begins a call too many raises `ProviderError` ("protocol").
    """

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._calls: dict[str, _Call] = {}

    def begin(self, call_id: str, name: str, given: str | None) -> Iterator[WireEvent]:
        """Begin a call, or set its whole input."""
        call = self._calls.get(call_id) or self._add(call_id, name)
        call.name = name or call.name
        if given is not None:
            call.pieces.clear()
            call.input = given
        yield from call.show() if given is not None or not call.pieces else ()

    def add_input(self, call_id: str, name: str, piece: str) -> Iterator[WireEvent]:
        """Add a piece of a call's input, which is shown when all of it is there."""
        call = self._find(call_id, name)
        if call is None:
            call = self._add(call_id, name)
            yield from call.show()
        if piece:
            call.pieces.append(piece)

    def end_input(self, call_id: str, name: str) -> Iterator[WireEvent]:
        """End the pieces of a call's input."""
        if (call := self._find(call_id, name)) is not None:
            yield from call.show()

    def add_output(self, call_id: str, name: str, text: str) -> Iterator[WireEvent]:
        """Add what a call prints while it runs."""
        call = self._find(call_id, name) or self._add(call_id, name)
        yield from call.show()
        if text:
            yield HostedOutputDelta(call.call_id, text)

    def finish(
        self, call_id: str, name: str, given: str | None, output: str
    ) -> Iterator[WireEvent]:
        """Finish a call with its result."""
        call = self._find(call_id, name) or self._add(call_id, name)
        call.name = call.name or name
        call.input = call.input or given or ""
        call.output, call.is_over = output or call.output, True
        yield from call.show()

    def leftovers(self) -> Iterator[WireEvent]:
        """Yield the calls whose input was still arriving, with as much as came of it."""
        for call in self._calls.values():
            if call.pieces:
                yield from call.show()

    def _add(self, call_id: str, name: str) -> _Call:
        if len(self._calls) >= limits.HOSTED_CALLS:
            raise limits.too_many("calls of the agent's own tools", limits.HOSTED_CALLS)
        call_id = call_id or f"agent-{self._turn}-{len(self._calls) + 1}"
        call = self._calls[call_id] = _Call(call_id, name)
        return call

    def _find(self, call_id: str, name: str) -> _Call | None:
        if call_id:
            return self._calls.get(call_id)
        for call in islice(reversed(self._calls.values()), _RECENT):
            if not call.is_over and name in ("", call.name):
                return call
        return None
