"""The agent loop: one attempt at one ticket.

The loop keeps no conversation of its own. It emits events, waits until they
are delivered (committed, and folded into the ticket's transcript) and reads
the next request off that fold. So the request a resumed process sends after
a crash is the one the crashed process would have sent: there is no second
memory that could differ.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from typing import Final, Literal

import msgspec
from msgspec import UNSET

from lfgtui.agent.approvable import shown_otherwise, unshowable
from lfgtui.agent.approval_rules import covering
from lfgtui.agent.context import AgentContext, StoppedError
from lfgtui.agent.questions import UNASKABLE
from lfgtui.agent.response import Response
from lfgtui.errors import ToolError
from lfgtui.model import events as e
from lfgtui.model.call_ids import CallIds, messages_for
from lfgtui.model.conversation import CallPart, ModelTurn
from lfgtui.model.items import NOT_RUN
from lfgtui.model.tickets import Approval, ToolName
from lfgtui.providers.base import Provider, Request, ToolSpec
from lfgtui.providers.wire.tool_calls import broke_off
from lfgtui.settings.providers import Dialect, Price
from lfgtui.text.redactor import is_marked
from lfgtui.tools import (
    CHANGED,
    TOOLS,
    Preview,
    ToolLimits,
    ToolOutcome,
    is_well_formed,
    preview,
    run_tool,
)

CONTINUE = (
    "Your answer broke off here. Go on exactly where it stopped, in the same format;"
    " repeat nothing and do not comment on this."
)
"""Instruction to finish an answer that a lost connection cut off."""

_LIMITS: Final[dict[e.StopReason, Literal["tokens", "turns"]]] = {
    "length": "tokens",
    "max_turn_requests": "turns",  # of an agent that makes requests by itself
}
_ONLY_WRITTEN = "the model wrote a tool call as text; it was not run, and no answer came with it"
_INTERRUPTED = (
    "interrupted: lfg was stopped before this had finished;"
    " check what it did, if anything, before going on"
)
_STOPPED = "stopped by the person watching, who has something to say; check what it did"
_NOT_BEGUN = "not run: the person watching stopped this and has something to say"
_FORGOTTEN = (
    "not run: its arguments held a secret, which was not stored, and lfg was stopped since;"
    " make the call again"
)


class Agent:
    """Works one ticket with one provider. `run` returns how it ended."""

    def __init__(
        self,
        context: AgentContext,
        model: str,
        provider: Provider,
        *,
        price: Price | None = None,
        leak_dialects: frozenset[Dialect] = frozenset(),
    ) -> None:
        self._context = context
        self._ticket = context.ticket
        self._transcript = context.transcript
        self._conversation = context.transcript.conversation
        self._emit = context.emit
        self._model = model
        self._provider = provider
        self._price = price
        self._leak_dialects = leak_dialects
        self._requested: dict[str, e.ToolArguments] = {}
        self._ids = CallIds(0)
        self._tools = tuple(
            ToolSpec(TOOLS[name].name, TOOLS[name].description, dict(TOOLS[name].parameters))
            for name in self._ticket.tools
        )

    async def run(self, message: e.UserMessage) -> e.Ending:
        """Make one attempt, from the first message or from where the transcript stands.

        Raises `ProviderError` when a request fails; whether to try again is
        the engine's to say.
        """
        await self._context.settle()
        self._ids = CallIds(self._transcript.calls.last)
        messages = self._conversation.messages
        if not messages:
            self._emit(message)
        elif isinstance(messages[-1], ModelTurn) and messages[-1].is_cut:
            self._emit(e.UserMessage(CONTINUE))
        self._answer_interrupted()
        while True:
            await self._context.settle()
            await self._context.hear()
            if calls := self._conversation.unanswered:
                ending: e.Ending | None = self._limit() or await self._answer(calls)
            elif (ending := self._ending()) is None:
                await self._context.gate()
                ending = await self._respond()
            if ending is not None:
                return ending

    @property
    def _stop_reason(self) -> e.StopReason:
        """The stop reason of the last response."""
        attempts = reversed(self._transcript.attempts)
        return next((a.stop_reason for a in attempts if a.stop_reason), "end")

    def _ending(self) -> e.Ending | None:
        """Return the ending, if the last response asked for nothing more or a limit is reached."""
        last, reason = self._conversation.messages[-1], self._stop_reason
        if not isinstance(last, ModelTurn) or reason == "pause_turn":
            return self._limit()  # a paused response goes on with the next request
        if reason in _LIMITS:
            return e.TicketLimited(_LIMITS[reason])
        if (stopped := _stopped_by_provider(reason)) is not None:
            return stopped
        if reason == "cancelled":  # by an agent itself, as some do when a call is denied
            is_resumed = self._transcript.attempts[-1].stop_reason is None
            return self._limit() if is_resumed else e.TicketCancelled()
        tools = self._transcript.attempts[-1].tools
        if not last.text.strip() and any(call.state == "written" for call in tools):
            self._emit(e.Status(_ONLY_WRITTEN))
        return e.TicketDone(reason)

    def _limit(self) -> e.TicketLimited | None:
        if self._conversation.turns_since_said >= self._ticket.max_turns:
            return e.TicketLimited("turns")
        spent, most = self._transcript.cost_since_start, self._ticket.max_cost
        return e.TicketLimited("cost") if most is not None and spent >= most else None

    # Responses

    async def _respond(self) -> e.Ending | None:
        """Send the next request; return an ending where its response cannot go on."""
        async with self._context.permit() as answered_with:
            await self._context.hear()
            response = Response(self._context, self._ids, self._price, self._leak_dialects)
            self._requested = response.requested
            request = self._request(response.turn)
            self._emit(e.RequestSent(response.turn))
            try:
                return await response.follow(self._provider.stream(request), answered_with)
            except StoppedError:
                await self._context.settle()
                self._answer_not_begun(self._conversation.unanswered)
                return None

    def _request(self, turn: int) -> Request:
        ticket = self._ticket
        provider = self._transcript.attempts[-1].provider
        return Request(
            model=self._model,
            messages=tuple(messages_for(provider, self._conversation.messages)),
            system=ticket.system,
            tools=self._tools,
            max_output_tokens=ticket.max_output_tokens,
            reasoning=ticket.reasoning,
            extra=ticket.extra,
            stream=ticket.stream,
            cache=ticket.cache,
            turn=turn,
            first_token_timeout=ticket.first_token_timeout,
            idle_timeout=ticket.idle_timeout,
            ticket=ticket.id,
            workspace=ticket.workspace,
            session=self._conversation.sessions.get(provider),
            on_answer=lambda connect: self._emit(e.ResponseStarted(connect)),
            is_seen=self._context.is_seen,
        )

    # Calls

    def _answer_interrupted(self) -> None:
        """Answer the call that an earlier attempt was stopped in; those after it never began.

        Nor did a call whose approval was still open: it is requested again. None of these begins
        before the model has read what the person said since.
        """
        calls = self._conversation.unanswered
        if calls and not self._transcript.is_undecided(calls[0].call_id):
            self._answer_unrun(calls[0], _INTERRUPTED, "interrupted")
            calls = calls[1:]
        if self._conversation.said:
            self._answer_not_begun(calls)

    async def _answer(self, calls: tuple[CallPart, ...]) -> e.Ending | None:
        """Run the calls of a response that ended well; tell the model of any other."""
        reason = self._stop_reason
        if reason == e.STOPPED:
            self._answer_not_begun(calls)
            return None
        if broke_off(reason):
            message = f"not run: the response broke off ({reason}); make the call again"
            for call in calls:
                self._answer_unrun(call, message, NOT_RUN)
            return _stopped_by_provider(reason)
        left = list(calls)
        while left:
            try:
                blocked = await self._run_call(left.pop(0))
            except StoppedError:
                self._answer_not_begun(left)
                return None
            if blocked is not None:
                return blocked
        return None

    async def _run_call(self, call: CallPart) -> e.TicketBlocked | None:
        """Run one call, after its approval where it needs one; return an ending if nobody can."""
        arguments, shown = self._requested.pop(call.call_id, None), call
        if is_marked(call.arguments):  # the stored arguments are redacted; the real ones are run
            if arguments is None:
                self._answer_unrun(call, _FORGOTTEN, "forgotten")
                return None
            call = msgspec.structs.replace(call, arguments=arguments)
        try:
            answer = await self._approval_of(call, shown)
        except ToolError as error:  # it cannot run, or nobody could see what it would do
            self._answer_unrun(call, str(error), str(error))
            return None
        if isinstance(answer, e.TicketBlocked):
            return answer
        if isinstance(answer, Preview):
            await self._take_slot(call)
            await self._context.settle(saved=True)
            await self._execute(call, answer.version)
        else:
            self._answer_unrun(call, f"denied: {answer}", "denied")
        return None

    async def _approval_of(
        self, call: CallPart, shown: CallPart
    ) -> Preview | str | e.TicketBlocked:
        """Return what was approved by the card, as `shown`; else why the call must not run.

        The preview is empty where no approval is needed.
        """
        approval, context = self._approval(call.name), self._context
        if approval == "deny":
            return "the tickets file denies this tool"
        is_well = is_well_formed(call.name, call.arguments)
        if approval == "auto" or not is_well:
            return Preview("")
        if (ruled := await self._ruled(call)) is not None:
            return ruled
        if (why := unshowable(call, shown)) is not None:
            return why
        question = await self._question(call)
        shown_by = (question.summary, question.diff or UNSET, question.path or UNSET)
        self._emit(e.ApprovalRequested(call.call_id, call.name, *shown_by))
        try:
            with context.holding_clock():
                async with context.stoppable():
                    decision = await context.ask(call.call_id)
        except StoppedError:
            self._emit(e.ApprovalDenied(call.call_id, ""))
            self._answer_unrun(call, _NOT_BEGUN, "denied")
            raise
        if decision is None:
            return e.TicketBlocked(UNASKABLE.format(call.name))
        if decision.verdict == "deny":
            self._emit(e.ApprovalDenied(call.call_id, decision.reason))
            return decision.reason or "the person watching denied this call"
        self._emit(e.ApprovalGiven(call.call_id, decision.rule or UNSET, decision.grants or UNSET))
        await self._take_slot(call)  # before it is checked what the approval was for
        await context.settle(saved=True)
        card = self._transcript.call(call.call_id)
        if (why := shown_otherwise(call, question, card)) is not None:
            return why
        if question != await self._question(call):
            return CHANGED
        return question

    async def _ruled(self, call: CallPart) -> Preview | None:
        """Return what a rule approves of the call; None if no rule covers it."""
        rules = [rule for rule in self._context.rules() if rule.tool == call.name]
        if rules:
            question = await self._question(call)
            if rule := covering(rules, call.name, call.arguments, question.path):
                self._emit(e.ApprovalGiven(call.call_id, rule))
                return question
        return None

    async def _take_slot(self, call: CallPart) -> None:
        try:
            await self._context.take_slot()
        except StoppedError:
            self._answer_not_begun([call])
            raise

    async def _question(self, call: CallPart) -> Preview:
        workspace = Path(self._ticket.workspace)
        return await asyncio.to_thread(preview, call.name, call.arguments, workspace, ToolLimits())

    def _approval(self, name: str) -> Approval:
        """Return the approval due; an unknown tool needs none, since calling it can only fail."""
        known: ToolName | None = next((t for t in self._ticket.tools if t == name), None)
        return "auto" if known is None else self._ticket.approval_for(known)

    def _answer_not_begun(self, calls: Iterable[CallPart]) -> None:
        for call in calls:
            self._answer_unrun(call, _NOT_BEGUN, NOT_RUN)

    def _answer_unrun(self, call: CallPart, message: str, error: str) -> None:
        self._emit(e.ToolCallFinished(call.call_id, message, error, None, 0.0))

    async def _execute(self, call: CallPart, approved: str) -> None:
        began = None
        try:
            async with self._context.stoppable():
                began = monotonic()
                self._emit(e.ToolRunStarted(call.call_id))
                outcome = await self._outcome(call, approved)
        except StoppedError:
            if began is None:
                self._answer_not_begun([call])
            else:
                self._finish(call, ToolOutcome(_STOPPED, "stopped"), began)
            raise
        self._finish(call, outcome, began)
        self._note_change(call, outcome)

    async def _outcome(self, call: CallPart, approved: str) -> ToolOutcome:
        if call.name in TOOLS and call.name not in self._ticket.tools:
            tools = ", ".join(self._ticket.tools)
            message = f"{call.name} is not among this ticket's tools: {tools}"
            return ToolOutcome(message, message)
        return await run_tool(
            call.name,
            call.arguments,
            Path(self._ticket.workspace),
            on_output=lambda channel, text: self._emit(
                e.ToolOutputDelta(call.call_id, channel, text) if text else e.Heartbeat()
            ),
            limits=ToolLimits(),
            environment=self._context.environment,
            secrets=self._context.secrets,
            approved=approved,
        )

    def _finish(self, call: CallPart, outcome: ToolOutcome, began: float) -> None:
        seconds = round(monotonic() - began, 3)
        ended = (outcome.output, outcome.error, outcome.exit_code, seconds)
        self._emit(e.ToolCallFinished(call.call_id, *ended))

    def _note_change(self, call: CallPart, outcome: ToolOutcome) -> None:
        if outcome.error is not None or call.name not in ("write_file", "edit_file"):
            return
        if isinstance(call.arguments, dict):
            path = Path(self._ticket.workspace, str(call.arguments.get("path", "")))
            self._context.file_changed(Path(os.path.normpath(path)))  # resolve() reads the disk


def _stopped_by_provider(reason: e.StopReason) -> e.TicketFailed | None:
    if reason not in ("content_filter", "refusal"):
        return None
    message = "the provider stopped the answer: " + reason.replace("_", " ")
    return e.TicketFailed("content_filter", message, retryable=False)
