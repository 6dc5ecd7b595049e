"""How much of one response lfg takes in: past these a server is broken or hostile.

Nothing here limits an answer that a model gives. The figures stand far above
the largest that real servers send (a picture is a record of some megabytes,
128,000 tokens are a body of 80 MB at most) and far below what would hurt the
process that also runs the other tickets. So they are no settings: who meets
one has something else to mend.
"""

from lfgtui.errors import ProviderError
from lfgtui.events import ToolArgumentsDelta, ToolCallRequested, ToolCallStarted, WireEvent

MEGABYTE = 1024 * 1024

RECORD_BYTES = 32 * MEGABYTE
"""One line, and one record of several lines: it is in memory whole before it says anything."""

ARGUMENTS_LENGTH = 8 * MEGABYTE
"""The arguments of one tool call, in characters."""

BODY_BYTES = 256 * MEGABYTE
"""One response, decompressed: a stream from end to end, or a single JSON document."""

ERROR_BYTES = MEGABYTE
"""The body of a refusal; what is longer is cut off there, its message comes first."""


def too_long(what: str, limit: int, hint: str) -> ProviderError:
    """The error of what went past a limit. Sending the same again would not help."""
    size = f"{limit / MEGABYTE:g} MB" if limit >= MEGABYTE else f"{limit} bytes"
    return ProviderError("protocol", f"{what} is longer than {size}, more than lfg takes; {hint}")


class ArgumentsMeter:
    """Measures the arguments of the calls that are arriving, on any wire."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lengths: dict[str, int] = {}

    def count(self, event: WireEvent) -> None:
        """Raises `ProviderError` ("protocol") once a call's arguments are too long."""
        match event:
            case ToolCallStarted(call_id, name):
                self._names[call_id] = name
            case ToolArgumentsDelta(call_id, text):
                length = self._lengths[call_id] = self._lengths.get(call_id, 0) + len(text)
                if length > ARGUMENTS_LENGTH:
                    what = f"what the model passes to {self._names.get(call_id, 'a tool')}"
                    raise too_long(what, ARGUMENTS_LENGTH, "have it work in smaller pieces")
            case ToolCallRequested(call_id):
                self._lengths.pop(call_id, None)
