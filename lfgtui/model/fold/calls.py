"""The calls of a ticket: the part of the fold that reads the events about calls.

A call that lfg runs may outlive its attempt: a process may die between the call's approval and its
end, and the next attempt continues it in an item of its own. A call that runs at the provider, or
that an agent runs itself, ends with its response.
"""

from typing import TypeAlias

from lfgtui.model import events as e
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.call_ids import call_number
from lfgtui.model.fold.items import COMPACT, HostedItem, ToolItem, ToolState

_OPEN: tuple[ToolState, ...] = ("arriving", "written", "requested", "needs_approval", "running")

_RunEvent: TypeAlias = (
    e.ApprovalRequested
    | e.ApprovalGiven
    | e.ApprovalDenied
    | e.ApprovalWithdrawn
    | e.ToolRunStarted
    | e.ToolOutputDelta
    | e.FileChange
    | e.ToolCallFinished
)
# These two and the `case` in `Transcript._apply_to_attempt` list the same events.
CallEvent: TypeAlias = (
    e.ToolCallStarted
    | e.ToolArgumentsDelta
    | e.ToolCallRequested
    | e.HostedTool
    | e.HostedOutputDelta
    | e.SetupStarted
    | _RunEvent
)


class Calls:
    """The calls since an attempt last began from the prompt; `Transcript` owns and feeds it.

    `last` is the highest number used in a call id, from which the agent counts on. `workspace` is
    the folder that new items get; the transcript sets it when a worktree opens.
    """

    def __init__(self, workspace: str = "") -> None:
        self.last = 0
        self.workspace = workspace
        self._items: dict[str, list[ToolItem]] = {}  # by call id, oldest first
        self._asking: list[ToolItem] = []
        self._hosted: dict[str, HostedItem] = {}  # by call id, or by name and input without one

    @property
    def waiting(self) -> tuple[ToolItem, ...]:
        """The calls that wait for the person, in the order in which approval was requested."""
        return tuple(call for call in self._asking if call.state == "needs_approval")

    def start_attempt(self, *, continues: bool) -> None:
        """Forget hosted calls; for an attempt from the prompt, all calls."""
        if not continues:
            self._items.clear()
            self._asking.clear()
        self._hosted.clear()

    def get(self, call_id: str) -> ToolItem | None:
        """Return the first call of that id that is yet to finish, or else the last one.

        Runs of older versions have the provider's ids, which several calls may share; such
        calls are run in their order.
        """
        calls = self._items.get(call_id, [])
        due = (c for c in calls if c.state in ("requested", "needs_approval", "running"))
        return next(due, calls[-1] if calls else None)

    def apply(self, attempt: Attempt, at: float, event: CallEvent) -> None:
        """Fold an event about a call."""
        match event:
            case e.ToolCallStarted(call_id, name, origin):
                call = ToolItem(call_id, name, workspace=self.workspace)
                call.is_text_borne, call.is_agent_call = origin == "text", origin == "agent"
                self._begin(attempt, call)
            case e.ToolArgumentsDelta(call_id, json):
                attempt.stream(at, len(json))
                call = self._in(attempt, call_id, _OPEN)
                call.json.append(json)
                call.revision += 1
            case e.ToolCallRequested(call_id, name, arguments):
                call = self._requested(attempt, call_id)
                call.name, call.arguments = name, arguments
                if call.state in _OPEN[:2]:
                    call.state, call.started_at = "requested", at
                # An agent may not say when its call begins, so the call counts as begun now: its
                # time is left out of the response's speed.
                if call.is_agent_call and call.is_at_work:
                    attempt.begin_call(at, call_id)
                call.revision += 1
            case e.HostedTool():
                self._apply_hosted(attempt, event)
            case e.SetupStarted(call_id, command):
                given: e.ToolArguments = {"command": command}
                call = ToolItem(call_id, "setup", "running", given, workspace=self.workspace)
                call.started_at = at
                self._begin(attempt, call)
            case e.ApprovalRequested(call_id, name) if _is_own(call_id) and not self.get(call_id):
                self._begin(attempt, ToolItem(call_id, name, "requested", {}))
                self.apply(attempt, at, event)
            case e.HostedOutputDelta(call_id, text):
                attempt.stream(at)
                self.last = max(self.last, call_number(call_id))
                if (item := self._hosted.get(call_id)) is not None:
                    item.live.append(text)
                    item.revision += 1
            case _:
                if (due := self._due(attempt, event.call_id, at)) is not None:
                    _run(due, at, event)
                    self._line_up(due)
                    if due.state == "finished":
                        attempt.end_call(at, due.call_id)

    def _line_up(self, call: ToolItem) -> None:
        """Queue the call if it needs a decision, and mark the first of the queue (`is_next`)."""
        if call.state == "needs_approval":
            self._asking = [*(one for one in self.waiting if one is not call), call]
        for position, waiting in enumerate(self.waiting):
            if waiting.is_next != (position == 0):
                waiting.is_next, waiting.revision = position == 0, waiting.revision + 1

    def _begin(self, attempt: Attempt, call: ToolItem) -> None:
        """Add an item for a new call."""
        self._items.setdefault(call.call_id, []).append(call)
        self.last = max(self.last, call_number(call.call_id))
        attempt.add(call)

    def _requested(self, attempt: Attempt, call_id: str) -> ToolItem:
        """Return the call that a request completes; an agent may send several for one call."""
        call = self.get(call_id)
        is_again = call is not None and call.is_agent_call and call in attempt.items
        return self._in(attempt, call_id, (*_OPEN, "finished") if is_again else _OPEN[:2])

    def _in(self, attempt: Attempt, call_id: str, states: tuple[ToolState, ...]) -> ToolItem:
        """Return the newest call of that id if it is in one of these states, or begin another."""
        calls = self._items.get(call_id)
        if not calls or calls[-1].state not in states:
            self._begin(attempt, ToolItem(call_id, "", workspace=self.workspace))
        return self._items[call_id][-1]

    def _due(self, attempt: Attempt, call_id: str, at: float) -> ToolItem | None:
        """Return the call to be run; a stopped one begins again as a new item of this attempt."""
        call = self.get(call_id)
        if call is None or call.state != "stopped":
            return call
        again = ToolItem(call_id, call.name, "requested", call.arguments)
        again.workspace = self.workspace
        again.started_at, again.revision = at, call.revision  # which tells two requests apart
        again.is_agent_call, again.asked = call.is_agent_call, call.asked
        self._begin(attempt, again)
        return again

    def _apply_hosted(self, attempt: Attempt, event: e.HostedTool) -> None:
        """Add a call at the provider, or complete the item that an earlier event began."""
        call_id = event.call_id or ""
        key = call_id or f"\0{event.name}\0{event.input}"
        item = self._hosted.get(key)
        if item is None:
            item = self._hosted[key] = HostedItem(event.name, event.input, "", call_id)
            self.last = max(self.last, call_number(call_id))
            attempt.add(item)
        item.name, item.input = event.name or item.name, event.input or item.input
        item.output = event.output or item.output
        item.revision += 1


def _is_own(call_id: str) -> bool:
    """Return True for the id of lfg's own question about compaction (`COMPACT`), not of a call."""
    return call_id.startswith(COMPACT)


def _run(call: ToolItem, at: float, event: _RunEvent) -> None:
    """Write an event about a call's approval, run or result into its item."""
    call.revision += 1
    match event:
        case e.ApprovalRequested(_, _, summary, diff, path, options, sandbox, definition):
            call.state, call.approval, call.is_decided = "needs_approval", summary, False
            call.diff, call.path = diff or call.diff, path or call.path
            call.options, call.asked = options or (), call.asked + 1
            call.sandbox, call.definition = sandbox or "", definition or ""
            call.reason = event.reason or ""
        case e.ApprovalGiven(_, rule, grants, option):
            call.state, call.started_at, call.is_decided = "running", at, True
            call.rule, call.grants, call.option = rule or None, grants or None, option or ""
        case e.ApprovalDenied(_, _, option):
            call.state, call.denied, call.is_decided = "running", True, True
            call.option = option or ""
        case e.ApprovalWithdrawn() if call.state == "needs_approval":
            call.state = "requested"
        case e.ToolRunStarted() if call.state != "needs_approval":
            call.state, call.started_at = "running", at
        case e.ToolOutputDelta(_, _, text):
            call.state = "running" if call.state != "needs_approval" else call.state
            call.live.append(text)
        case e.FileChange(_, path, diff):
            call.changes = call.changes | {path: diff}
            call.path, call.diff = path, diff
            if len(call.changes) > 1:
                each = (f"{name}\n{one}" for name, one in call.changes.items())
                call.path, call.diff = "", "".join(each)
        case e.ToolCallFinished(_, output, error, exit_code, seconds):
            call.state, call.output, call.error = "finished", output, error
            call.exit_code, call.seconds = exit_code, seconds
        case _:
            pass
