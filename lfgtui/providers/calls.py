"""Tool calls while they arrive, and stop reasons: what all three wires share."""

from dataclasses import dataclass, field

from lfgtui.events import StopReason, ToolArguments, ToolCallRequested
from lfgtui.providers import loose_json

_STOP_REASONS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop": "end",
    "completed": "end",
    "eos": "end",
    "tool_use": "tool_use",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "max_tokens": "length",
    "length": "length",
    "max_output_tokens": "length",
    "incomplete": "length",  # a Responses server that names no reason
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}

CUT_SHORT: frozenset[StopReason] = frozenset({"length", "content_filter", "refusal"})
"""Stops that may fall in the middle of a call's arguments."""

NO_JSON = "no JSON"
"""What a record that is none is counted as."""


def stop_reason(wire: str | None, *, called: bool, refused: bool = False) -> StopReason:
    """The wire's word in lfg's words.

    `called`: complete tool calls are there, so a plain end means them (the
    Responses wire has no other word, and some servers say `stop`). `refused`:
    the answer came as a refusal, whatever the wire calls its end.
    """
    reason = "end" if not wire else _STOP_REASONS.get(wire, wire)
    if reason == "end" and called:
        return "tool_use"
    if reason == "end" and refused:
        return "refusal"
    return reason


def parse_arguments(raw: str) -> ToolArguments | None:
    """What a call's arguments mean; None where the JSON is broken or cut off.

    Nothing at all and `null` mean no arguments. JSON that is no object is
    kept as it came, for the tool to refuse.
    """
    if not raw.strip():
        return {}
    try:
        value = loose_json.parse(raw)
    except ValueError:
        return None
    if value is None:
        return {}
    return value if isinstance(value, dict) else raw


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call whose arguments are arriving."""

    call_id: str
    name: str
    pieces: list[str] = field(default_factory=list)

    @property
    def raw(self) -> str:
        """The arguments so far."""
        return "".join(self.pieces)

    def rest(self, whole: str) -> str:
        """What a closing record's `whole` arguments say beyond the pieces.

        Where the two differ, the pieces stand: some servers close with nothing, or with
        the same JSON written otherwise.
        """
        return whole[len(self.raw) :] if whole.startswith(self.raw) else ""

    @property
    def looks_whole(self) -> bool:
        """Whether the arguments are complete JSON (nothing at all does not count)."""
        return bool(self.raw.strip()) and parse_arguments(self.raw) is not None

    def requested(self) -> ToolCallRequested:
        """The call as it stands; broken arguments go as they came."""
        arguments = parse_arguments(self.raw)
        return ToolCallRequested(
            self.call_id, self.name, self.raw if arguments is None else arguments
        )
