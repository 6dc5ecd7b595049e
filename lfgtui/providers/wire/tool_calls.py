"""Tool calls while they arrive, and stop reasons: what all three wires share."""

from dataclasses import dataclass, field

from msgspec import UNSET

from lfgtui.model.events import (
    STOPPED,
    StopReason,
    ToolArguments,
    ToolArgumentsDelta,
    ToolCallRequested,
    ToolCallStarted,
    WireEvent,
)
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.lenient_json import UnreadableError

_STOP_REASONS: dict[str, StopReason] = {
    **dict.fromkeys(("end_turn", "stop", "completed", "eos"), "end"),
    **dict.fromkeys(("tool_calls", "function_call"), "tool_use"),
    **dict.fromkeys(("max_tokens", "max_output_tokens", "model_context_window_exceeded"), "length"),
    "incomplete": "length",  # a Responses server that names no reason
}
"""The wires' words for lfg's reasons; any other reason stays as it came."""

CUT_SHORT: frozenset[StopReason] = frozenset({"length", "content_filter", "refusal"})
"""Stops that may fall in the middle of a call's arguments."""

# The same and worse, of some providers, in lower case: see `broke_off`.
_DEEPSEEK = {"insufficient_system_resource"}
_GOOGLE = {"malformed_function_call", "safety", "recitation", "blocklist", "prohibited_content"}
_GOOGLE |= {"spii"}
_BROKE_OFF = CUT_SHORT | {STOPPED, "error", "abort", "aborted", "cancelled"} | _DEEPSEEK | _GOOGLE


def broke_off(reason: StopReason) -> bool:
    """Return True for the stop reason of a response that ended before the model was done.

    None of its calls are run: what would have followed might have changed them.
    """
    return reason.lower() in _BROKE_OFF


def stop_reason(wire: str | None, *, called: bool, refused: bool = False) -> StopReason:
    """Return the wire's stop reason in lfg's words.

    `called`: the response has complete tool calls, so a plain end becomes
    `tool_use` (the Responses wire has no word for it, and some servers say
    `stop`). `refused`: the answer is a refusal, whatever the wire calls its end.
    """
    reason = "end" if not wire else _STOP_REASONS.get(wire, wire)
    if reason == "end" and called:
        return "tool_use"
    if reason == "end" and refused:
        return "refusal"
    return reason


def parse_arguments(raw: str) -> ToolArguments | None:
    """Read a call's arguments; return None if the JSON is broken or cut off.

    An empty text and `null` mean no arguments. JSON that is no object is
    returned as the text that came, for the tool to refuse.
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


def arguments_text(value: object) -> str:
    """Return arguments that a record holds as text or as an object; raise `UnreadableError`."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, dict):
        return lenient_json.compact(value)
    raise UnreadableError("the arguments of a tool call are neither text nor an object")


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call whose arguments are arriving.

    `call_id` is unique in the response; `wire_id` is the provider's. `name` is "" until it is
    known; no event is made before. `is_text`: it is a custom tool's, whose argument is free text,
    which never shows whether it is complete. `pieces` are the arguments so far.
    """

    call_id: str
    wire_id: str = ""
    name: str = ""
    is_text: bool = False
    pieces: list[str] = field(default_factory=list)

    @property
    def raw(self) -> str:
        """The arguments so far."""
        return "".join(self.pieces)

    @property
    def looks_whole(self) -> bool:
        """True if the arguments are complete JSON, and not empty."""
        return bool(self.raw.strip()) and not self.is_text and not self.breaks_off

    @property
    def breaks_off(self) -> bool:
        """True if the arguments are incomplete JSON, so that more must follow."""
        return not self.is_text and parse_arguments(self.raw) is None

    def show(self, name: str) -> list[WireEvent]:
        """Set the name, once; return the call's beginning and the arguments that came before it."""
        if self.name or not name:
            return []
        self.name = name
        before = [ToolArgumentsDelta(self.call_id, self.raw)] if self.pieces else []
        return [ToolCallStarted(self.call_id, name), *before]

    def grow(self, piece: str) -> list[WireEvent]:
        """Add a piece of the arguments and return its event; none for an empty piece."""
        if not piece:
            return []
        self.pieces.append(piece)
        return [ToolArgumentsDelta(self.call_id, piece)] if self.name else []

    def complete(self, whole: str) -> list[WireEvent]:
        """Compare the pieces with arguments that came whole; add the end if they lack it.

        If the two differ in form only, the pieces stand: some servers close with an
        empty text, or with the same JSON written otherwise. Raises `UnreadableError` if
        they differ in meaning. For free text the whole counts, if it has all the pieces.
        """
        raw = self.raw
        if self.is_text:
            return self._complete_text(raw, whole)
        streamed, meaning = parse_arguments(raw), parse_arguments(whole)
        if streamed and meaning and isinstance(meaning, dict) and streamed != meaning:
            raise UnreadableError("the arguments of a tool call came twice, and differ")
        if whole.startswith(raw):
            return self.grow(whole[len(raw) :])
        if meaning and not self.looks_whole:
            self.pieces = [whole]  # a delta was lost on the way
        return []

    def _complete_text(self, raw: str, whole: str) -> list[WireEvent]:
        """Do as `complete` for free text, in which a piece may have been lost."""
        if whole.startswith(raw):
            return self.grow(whole[len(raw) :])
        if whole:
            end = 0
            for piece in self.pieces:
                if (at := whole.find(piece, end)) < 0:
                    raise UnreadableError("the text of a tool call came twice, and differs")
                end = at + len(piece)
            self.pieces = [whole]
        return []


class ToolCalls:
    """The calls of one response that lfg is to run. `any_requested` once one is complete.

    Each gets an id that is unique in the response: the provider's, or one made up if
    that is missing, taken or longer than `limits.CALL_ID_LENGTH`.
    """

    def __init__(self) -> None:
        self.any_requested = False
        self._ids: set[str] = set()
        self._held: list[OpenCall] = []

    def open(self, wire_id: str, *, is_text: bool = False) -> OpenCall:
        """Begin a call; raise `ProviderError` ("protocol") if there are too many."""
        if len(self._ids) >= limits.CALLS:
            raise limits.too_many("tool calls in one response", limits.CALLS)
        wire_id = wire_id if len(wire_id) <= limits.CALL_ID_LENGTH else ""
        call_id, number = wire_id, len(self._ids)
        while not call_id or call_id in self._ids:
            number += 1
            call_id = f"call_{number}"
        self._ids.add(call_id)
        return OpenCall(call_id, wire_id, is_text=is_text)

    def request(self, call: OpenCall) -> ToolCallRequested:
        """Return the request to run a call; broken arguments are passed on as text."""
        if not call.name:
            raise UnreadableError("a tool call has no name")
        self.any_requested = True
        arguments = parse_arguments(call.raw)
        arguments = call.raw if arguments is None else arguments
        wire_id = UNSET if call.wire_id == call.call_id else call.wire_id
        return ToolCallRequested(call.call_id, call.name, arguments, wire_id)

    def close(self, call: OpenCall) -> list[ToolCallRequested]:
        """Request a call whose arguments have ended.

        Empty or broken JSON may have been cut off, which only later records show. Such
        a call is held back until `release`.
        """
        if call.is_text or call.looks_whole:
            return [self.request(call)]
        self._held.append(call)
        return []

    def release(self, *, are_cut: bool = False) -> list[ToolCallRequested]:
        """Request the calls that were held back or, if they `are_cut`, forget them."""
        held, self._held = self._held, []
        return [] if are_cut else [self.request(call) for call in held]
