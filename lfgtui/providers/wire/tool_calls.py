"""Tool calls while they arrive, and stop reasons: what all three wires share."""

from dataclasses import dataclass, field

from msgspec import UNSET

from lfgtui.model.events import StopReason, ToolArguments, ToolCallRequested
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.lenient_json import UnreadableError

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

_BROKE_OFF: frozenset[StopReason] = CUT_SHORT | {
    "error",
    "abort",
    "aborted",
    "cancelled",
    "insufficient_system_resource",  # DeepSeek
    "malformed_function_call",  # Google, and what follows
    "safety",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
}


def broke_off(reason: StopReason) -> bool:
    """Return True if a response that stopped so is less than the model was going to say.

    Of such a response no call is run: what was to follow may have changed it.
    """
    return reason.lower() in _BROKE_OFF


DONE = frozenset({"[DONE]", b"[DONE]"})
"""The record that ends a stream on OpenAI's wires; it does no harm on others."""

NO_RECORD = "no record"
"""The type under which JSON that is no object is counted."""


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
        value = lenient_json.parse(raw)
    except ValueError:
        return None
    if value is None:
        return {}
    return value if isinstance(value, dict) else raw


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call whose arguments are arriving.

    `call_id` is its own in the response; `wire_id` is what the provider calls it.
    """

    call_id: str
    name: str
    wire_id: str = ""
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

    def compare(self, whole: object) -> None:
        """Raise `UnreadableError` where the wire says the arguments twice, and not the same.

        Nothing is no second version, and one that broke off is mended by the whole.
        """
        if isinstance(whole, dict) and whole and self.looks_whole:
            mine = parse_arguments(self.raw)
            if mine and mine != whole:
                raise UnreadableError("the arguments of a tool call came twice, and differ")

    @property
    def looks_whole(self) -> bool:
        """Whether the arguments are complete JSON (nothing at all does not count)."""
        return bool(self.raw.strip()) and parse_arguments(self.raw) is not None

    def requested(self) -> ToolCallRequested:
        """The call as it stands; broken arguments go as they came."""
        if not self.name:
            raise UnreadableError("a tool call has no name")
        arguments = parse_arguments(self.raw)
        return ToolCallRequested(
            self.call_id,
            self.name,
            self.raw if arguments is None else arguments,
            UNSET if self.wire_id == self.call_id else self.wire_id,
        )


class CallIds:
    """Tells the calls of one response apart, whatever ids the provider gives them.

    A call keeps the provider's id unless that is missing, taken or too long to be one.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def open(self, wire_id: str, name: str) -> OpenCall:
        """A call that begins; raises `ProviderError` ("protocol") where there are too many."""
        if len(self._taken) >= limits.CALLS:
            raise limits.too_many("tool calls in one response", limits.CALLS)
        wire_id = wire_id if len(wire_id) <= limits.CALL_ID_LENGTH else ""
        call_id, number = wire_id, len(self._taken)
        while not call_id or call_id in self._taken:
            number += 1
            call_id = f"call_{number}"
        self._taken.add(call_id)
        return OpenCall(call_id, name, wire_id)
