"""lfg's own id for every call, given where a provider's events enter.

Providers choose the ids of their calls, and nothing keeps one from giving two calls the same id,
or a later call that of an earlier one. So lfg never tells calls apart by them: neither cards,
approvals nor output. See docs/decisions/0017-calls-have-ids-of-our-own.md.
"""

from msgspec import UNSET
from msgspec.structs import replace

from lfgtui.model import events as e
from lfgtui.model.call_ids import call_id


class CallIds:
    """The ids of one attempt's calls; each is unique in the ticket.

    `last` is the highest number in use. Hosted calls are counted with the rest but looked up
    apart, so an event about one never touches a call that runs here. They keep their ids over
    responses, since a provider may pause a long turn and send its results with the next one.
    """

    def __init__(self, last: int) -> None:
        self._last = last
        self._open: dict[str, str] = {}
        self._hosted: dict[str, str] = {}

    def begin_response(self) -> None:
        """Forget the calls of the response before."""
        self._open.clear()

    def own(self, event: e.WireEvent) -> e.WireEvent:
        """Return the event with our id in place of the provider's."""
        match event:
            case e.ToolCallStarted(theirs):
                self._open[theirs] = self._next()
                return replace(event, call_id=self._open[theirs])
            case e.ToolArgumentsDelta(theirs):
                return replace(event, call_id=self._of(self._open, theirs))
            case e.ToolCallRequested(theirs):
                ours = self._of(self._open, theirs)
                del self._open[theirs]  # whoever uses the id again means another call
                wire_id = theirs if event.wire_id is UNSET else event.wire_id
                return replace(event, call_id=ours, wire_id=wire_id)
            case e.HostedTool(call_id=str(theirs)) | e.HostedOutputDelta(theirs):
                return replace(event, call_id=self._of(self._hosted, theirs))
            case _:
                return event

    def _of(self, known: dict[str, str], theirs: str) -> str:
        if theirs not in known:
            known[theirs] = self._next()
        return known[theirs]

    def _next(self) -> str:
        self._last += 1
        return call_id(self._last)
