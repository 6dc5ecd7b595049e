"""The calls that a model makes: each is approved if it needs to be, run, and answered.

Every call gets a `ToolCallFinished`, run or not: a request with an unanswered call is refused by
most wires. Calls of installed agents are not run here (see `questions`).
"""

from collections.abc import Iterable
from time import monotonic

import msgspec
from msgspec import UNSET

from lfgtui.agent.approvable import shown_otherwise, unshowable
from lfgtui.agent.approval_rules import covering
from lfgtui.agent.context import AgentContext, StoppedError
from lfgtui.agent.questions import unaskable
from lfgtui.agent.repetition import REPETITION, calls_made, circle
from lfgtui.errors import ToolError
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import CallPart
from lfgtui.model.fold.items import NOT_RUN
from lfgtui.model.ticket_keys.approvals import Approval
from lfgtui.text.redactor import is_marked
from lfgtui.tools import CHANGED, Preview, Toolboxes, ToolOutcome

_COMMAND = "run_command"
_INTERRUPTED = (
    "interrupted: lfg was stopped before this had finished;"
    " check what it did, if anything, before going on"
)
_STOPPED = "stopped by the person watching, who has something to say; check what it did"
_NOT_BEGUN = "not run: the person watching stopped this and has something to say"
_DENIED = "the person watching denied this call"
_FORGOTTEN = (
    "not run: its arguments held a secret, which was not stored, and lfg was stopped since;"
    " make the call again"
)


class ToolCalls:
    """Runs one ticket's calls, in the order in which the model made them.

    `requested` has the arguments as they came, by call id: those in the history may be redacted.
    `Agent` sets it to that of each new `Response`.
    """

    def __init__(self, context: AgentContext, tools: Toolboxes) -> None:
        self.requested: dict[str, e.ToolArguments] = {}
        self._context = context
        self._ticket = context.ticket
        self._tools = tools
        self._transcript = context.transcript
        self._conversation = context.transcript.conversation
        self._emit = context.emit

    async def run(self, calls: Iterable[CallPart]) -> e.TicketBlocked | None:
        """Run the calls; return an ending if nobody can approve one.

        If the person stops a call, those after it are answered as not run.
        """
        left = list(calls)
        while left:
            try:
                blocked = await self._run_call(left.pop(0))
            except StoppedError:
                self.answer_not_begun(left)
                return None
            if blocked is not None:
                return blocked
        return None

    def answer_interrupted(self) -> None:
        """Answer the call during which an earlier attempt ended, as interrupted.

        The calls after it never began, nor did a call whose approval was still open; they will be
        run. But if the person has said something since, they are answered as not run, so that the
        model reads that first.
        """
        calls = self._conversation.unanswered
        if calls and not self._transcript.is_undecided(calls[0].call_id):
            self.answer_unrun(calls[0], _INTERRUPTED, "interrupted")
            calls = calls[1:]
        if self._conversation.said:
            self.answer_not_begun(calls)

    async def _run_call(self, call: CallPart) -> e.TicketBlocked | None:
        """Approve, run and answer one call; return an ending if nobody can approve it."""
        arguments, shown = self.requested.pop(call.call_id, None), call
        if is_marked(call.arguments):  # the stored arguments are redacted; the real ones are run
            if arguments is None:
                self.answer_unrun(call, _FORGOTTEN, "forgotten")
                return None
            call = msgspec.structs.replace(call, arguments=arguments)
        try:
            answer = await self._approval_of(call, shown)
        except ToolError as error:  # it cannot run, or nobody could see what it would do
            self.answer_unrun(call, str(error), str(error))
            return None
        if isinstance(answer, e.TicketBlocked):
            return answer
        if isinstance(answer, Preview):
            await self._take_slot(call)
            await self._context.settle(saved=True)
            await self._execute(call, answer.version)
        else:
            self.answer_unrun(call, f"denied: {answer}", "denied")
        return None

    async def _approval_of(
        self, call: CallPart, shown: CallPart
    ) -> Preview | str | e.TicketBlocked:
        """Return the call's preview if it may run, and otherwise why not, for the model.

        `shown` is the call as its card shows it, perhaps redacted. The preview is empty if no
        approval is needed. Returns an ending if nobody can approve; raises `ToolError` for a call
        that cannot run, and `StoppedError`.
        """
        approval, context = self._approval(call.name), self._context
        if approval == "deny":
            return "the tickets file denies this tool"
        is_well = self._tools.of(call.name).is_well_formed(call.name, call.arguments)
        repeated = await self._repeated(call)
        if not repeated and (approval == "auto" or not is_well):
            return Preview("")
        if not repeated and (ruled := await self._ruled(call)) is not None:
            return ruled
        if (why := unshowable(call, shown)) is not None:
            return why
        question = await self._question(call, even_failing=bool(repeated))
        where = context.confinement.description if call.name == _COMMAND else ""
        self._emit(
            e.ApprovalRequested(
                call.call_id,
                call.name,
                question.summary,
                question.diff or UNSET,
                question.path or UNSET,
                sandbox=where or UNSET,
                definition=question.definition or UNSET,
                reason=repeated or UNSET,
            )
        )
        try:
            with context.holding_clock():
                async with context.stoppable():
                    decision = await context.ask(call.call_id)
        except StoppedError:
            self._emit(e.ApprovalDenied(call.call_id, ""))
            self.answer_unrun(call, _NOT_BEGUN, "denied")
            raise
        if decision is None:
            stopped = f"{repeated}; going on" if repeated else call.name
            return e.TicketBlocked(unaskable(stopped, context.confinement))
        if decision.verdict == "deny":
            self._emit(e.ApprovalDenied(call.call_id, decision.reason))
            denied = f"{repeated}; do something else" if repeated else _DENIED
            return decision.reason or denied
        self._emit(e.ApprovalGiven(call.call_id, decision.rule or UNSET, decision.grants or UNSET))
        await self._take_slot(call)  # before the check that the approval still fits the call
        await context.settle(saved=True)
        card = self._transcript.calls.get(call.call_id)
        if (why := shown_otherwise(call, question, card)) is not None:
            return why
        if question != await self._question(call, even_failing=bool(repeated)):
            return CHANGED
        return question

    async def _ruled(self, call: CallPart) -> Preview | None:
        """Emit the approval by a rule and return the call's preview; None if no rule covers it."""
        rules = [rule for rule in self._context.rules() if rule.tool == call.name]
        if rules:
            question = await self._question(call)
            if rule := covering(
                rules, call.name, call.arguments, question.path, definition=question.definition
            ):
                self._emit(e.ApprovalGiven(call.call_id, rule))
                return question
        return None

    async def _take_slot(self, call: CallPart) -> None:
        """Wait for a slot; if the person stops the wait, answer the call as not run."""
        try:
            await self._context.take_slot()
        except StoppedError:
            self.answer_not_begun([call])
            raise

    async def _repeated(self, call: CallPart) -> str:
        """Return the circle of calls that this one would continue, and emit it; "" if none."""
        if self._ticket.repetition == "off":
            return ""
        await self._context.settle()
        made = calls_made(self._transcript.attempts)
        if repeated := circle(made, call.name, call.arguments):
            self._emit(e.GuardTripped(REPETITION, repeated))
        return repeated

    async def _question(self, call: CallPart, *, even_failing: bool = False) -> Preview:
        """Return the call's preview; for one that would fail a remark, if `even_failing`."""
        try:
            return await self._tools.of(call.name).preview(call.name, call.arguments)
        except ToolError as error:
            if not even_failing:
                raise
            return Preview(f"{call.name}, which would fail: {error}")

    def _approval(self, name: str) -> Approval:
        """Return the approval that a tool's calls need.

        An unknown tool needs none, since calling it can only fail. If a sandbox is wanted but there
        is none, a person decides on each command.
        """
        if not self._tools.of(name).offers(name):
            return "auto"
        approval = self._ticket.approval_for(name)
        must_ask = name == _COMMAND and self._context.confinement.missing
        return "ask" if approval == "auto" and must_ask else approval

    def answer_not_begun(self, calls: Iterable[CallPart]) -> None:
        """Tell the model that the calls were not run, since the person has something to say."""
        for call in calls:
            self.answer_unrun(call, _NOT_BEGUN, NOT_RUN)

    def answer_unrun(self, call: CallPart, message: str, error: str) -> None:
        """Answer a call that did not run: the message to the model, the error on its card."""
        self._emit(e.ToolCallFinished(call.call_id, message, error, None, 0.0))

    async def _execute(self, call: CallPart, approved: str) -> None:
        """Run the tool and answer the call; `approved` is the `version` of its preview."""
        began = None
        try:
            async with self._context.stoppable():
                began = monotonic()
                self._emit(e.ToolRunStarted(call.call_id))
                outcome = await self._outcome(call, approved)
        except StoppedError:
            if began is None:
                self.answer_not_begun([call])
            else:
                self._finish(call, ToolOutcome(_STOPPED, "stopped"), began)
            raise
        self._finish(call, outcome, began)

    async def _outcome(self, call: CallPart, approved: str) -> ToolOutcome:
        """Run the tool; if it is a command, with the files that it changes watched."""
        if call.name == "run_command" and isinstance(call.arguments, dict):
            async with self._context.watching_command(str(call.arguments.get("command"))):
                return await self._run_tool(call, approved)
        return await self._run_tool(call, approved)

    async def _run_tool(self, call: CallPart, approved: str) -> ToolOutcome:
        return await self._tools.of(call.name).run(
            call.name,
            call.arguments,
            approved,
            lambda channel, text: self._emit(
                e.ToolOutputDelta(call.call_id, channel, text) if text else e.Heartbeat()
            ),
        )

    def _finish(self, call: CallPart, outcome: ToolOutcome, began: float) -> None:
        seconds = round(monotonic() - began, 3)
        ended = (outcome.output, outcome.error, outcome.exit_code, seconds)
        self._emit(e.ToolCallFinished(call.call_id, *ended))
