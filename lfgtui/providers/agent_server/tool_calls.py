"""An agent's own tool calls, as they arrive in pieces.

The agent runs its tools itself, so a call is shown and never run by lfg. Its
events are a `HostedTool` when it begins, again once its input is complete, and
again with the result, all with one id. A record without an id is about the latest
call without a result, with the same name if the record has one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lfgtui.model.events import HostedOutputDelta, HostedTool, WireEvent
from lfgtui.providers import limits
from lfgtui.providers.agent_server.dialects.rules import Meaning

_RECENT = 200
"""Number of latest calls that a record without an id may belong to."""


@dataclass(slots=True, eq=False)
class _Call:
    """A call; `input` are pieces of `length` characters, `shown` is the last event about it."""

    call_id: str
    name: str
    input: list[str] = field(default_factory=list)
    length: int = 0
    output: str = ""
    is_over: bool = False
    shown: HostedTool | None = None

    def grow(self, piece: str) -> None:
        """Add a piece of the input, which is shown once it is complete."""
        self.length += len(piece)
        limits.refuse_long_input(self.name, self.length)
        self.input.append(piece)

    def show(self) -> Iterator[WireEvent]:
        """Yield the call as it stands, if it has changed."""
        self.input = ["".join(self.input)]
        event = HostedTool(self.name or "tool", self.input[0], self.output, self.call_id)
        if event != self.shown:
            self.shown = event
            yield event


class AgentCalls:
    """The calls of one run, by id; `turn` goes into the ids of calls that have none."""

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._calls: dict[str, _Call] = {}

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._calls

    def read(
        self, means: Meaning, call_id: str, name: str, given: str | None, text: str
    ) -> Iterator[WireEvent]:
        """Yield the events of a record.

        `given` is the whole input, None if the record has none; `text` is a piece of the input or
        the output, or the result, as `means` says. An empty `call_id` is for the latest call.

        Raises `ProviderError` ("protocol") for too many calls, and for too long an input.
        """
        call = None if means == "call" and not call_id else self._find(call_id, name)
        if call is None:
            if means == "input_over":
                return
            call = self._add(call_id, name)
            yield from call.show() if means == "arguments" else ()
        match means:
            case "call":
                call.name = name or call.name
                if given is not None:
                    call.input, call.length = [given], len(given)
            case "arguments":
                call.grow(text)
                return
            case "result":
                call.name = call.name or name
                call.input = call.input if any(call.input) else [given or ""]
                call.output, call.is_over = text or call.output, True
        yield from call.show()
        if means == "output" and text:
            yield HostedOutputDelta(call.call_id, text)

    def leftovers(self) -> Iterator[WireEvent]:
        """Yield the calls whose input was still arriving, with the part that came."""
        for call in self._calls.values():
            yield from call.show()

    def _add(self, call_id: str, name: str) -> _Call:
        if len(self._calls) >= limits.HOSTED_CALLS:
            raise limits.too_many("calls of the agent's own tools", limits.HOSTED_CALLS)
        call_id = call_id or f"agent-{self._turn}-{len(self._calls) + 1}"
        call = self._calls[call_id] = _Call(call_id, name)
        return call

    def _find(self, call_id: str, name: str) -> _Call | None:
        """Return the call that a record is about, None if it is new."""
        if call_id:
            return self._calls.get(call_id)
        for call in islice(reversed(self._calls.values()), _RECENT):
            if not call.is_over and name in ("", call.name):
                return call
        return None
