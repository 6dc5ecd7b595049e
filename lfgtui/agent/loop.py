"""The agent loop: one attempt at one ticket.

The loop keeps no conversation of its own. It emits events, waits until they
are delivered (committed, and folded into the ticket's transcript) and reads
the next request off that fold. So the request a resumed process sends after
a crash is the one the crashed process would have sent: there is no second
memory that could differ.

What surrounds the agent is an `AgentContext`. The engine makes one for each
ticket; a test can make another.
"""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from time import monotonic
from typing import get_args

import msgspec

from lfgtui.agent.approvable import shown_otherwise, unshowable
from lfgtui.agent.call_ids import CallIds
from lfgtui.agent.context import AgentContext
from lfgtui.agent.leakage import LeakageFilter
from lfgtui.model import events as e
from lfgtui.model.call_ids import with_wire_ids
from lfgtui.model.conversation import CallPart, ModelTurn
from lfgtui.model.tickets import Approval, ToolName
from lfgtui.providers.base import Provider, Request, ToolSpec
from lfgtui.providers.wire.tool_calls import broke_off
from lfgtui.settings.config import Dialect, Price
from lfgtui.text.redaction.redactor import is_marked
from lfgtui.tools import TOOLS, ToolLimits, ToolOutcome, is_well_formed, run_tool, summary

CONTINUE = (
    "Your answer broke off here. Go on exactly where it stopped, in the same format;"
    " repeat nothing and do not comment on this."
)
"""Instruction to finish an answer that a lost connection cut off."""


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
        self._model = model
        self._provider = provider
        self._price = price
        self._leak_dialects = leak_dialects
        self._asked_for: dict[str, e.ToolArguments] = {}
        self._ids = CallIds(0)
        self._tools = tuple(
            ToolSpec(TOOLS[name].name, TOOLS[name].description, dict(TOOLS[name].parameters))
            for name in self._ticket.tools
        )

    async def run(self, message: e.UserMessage) -> e.Ending:
        """One attempt, from the first message or from where the transcript stands.

        Raises `ProviderError` when a request fails; whether to try again is
        the engine's to say.
        """
        context = self._context
        await context.settle()
        self._ids = CallIds(context.transcript.last_call)
        messages = context.transcript.conversation.messages
        if not messages:
            context.emit(message)
        elif isinstance(messages[-1], ModelTurn) and messages[-1].is_cut:
            context.emit(e.UserMessage(CONTINUE))
        self._answer_interrupted()
        while True:
            await context.settle()
            if calls := context.transcript.conversation.unanswered:
                ending: e.Ending | None = self._limit() or await self._answer(calls)
            elif (ending := self._ending()) is None:
                await context.gate()
                await self._respond()
            if ending is not None:
                return ending

    def _ending(self) -> e.Ending | None:
        """Return the ending, if the last response asked for nothing more or a limit is reached."""
        messages = self._context.transcript.conversation.messages
        if isinstance(messages[-1], ModelTurn):
            reason = self._stop_reason
            if reason == "length":
                return e.TicketLimited("tokens")
            if reason == "pause_turn":  # its own tools take long: it wants to be asked on
                return self._limit()
            if (stopped := self._stopped_by_provider(reason)) is not None:
                return stopped
            self._remark_on_unrun_calls(messages[-1])
            return e.TicketDone(reason)
        return self._limit()

    def _stopped_by_provider(self, reason: e.StopReason) -> e.TicketFailed | None:
        if reason not in ("content_filter", "refusal"):
            return None
        message = "the provider stopped the answer: " + reason.replace("_", " ")
        return e.TicketFailed("content_filter", message, retryable=False)

    def _remark_on_unrun_calls(self, last: ModelTurn) -> None:
        """Say so where all that came was a call in the text, which is never run."""
        tools = self._context.transcript.attempts[-1].tools
        if not last.text.strip() and any(call.state == "written" for call in tools):
            told = "the model wrote a tool call as text; it was not run, and nothing else was said"
            self._context.emit(e.Status(told))

    def _limit(self) -> e.TicketLimited | None:
        if self._context.transcript.conversation.responses >= self._ticket.max_turns:
            return e.TicketLimited("turns")
        spent = self._context.transcript.cost_since_start
        if self._ticket.max_cost is not None and spent >= self._ticket.max_cost:
            return e.TicketLimited("cost")
        return None

    def _answer_interrupted(self) -> None:
        """Answer the call that an earlier attempt was stopped in; those after it never began.

        A call whose question was not answered never began either: it is asked anew.
        """
        calls = self._context.transcript.conversation.unanswered
        if calls and not self._context.transcript.is_undecided(calls[0].call_id):
            told = "interrupted: lfg was stopped while this ran; check what it did before going on"
            self._answer_unrun(calls[0], told, "interrupted")

    @property
    def _stop_reason(self) -> e.StopReason:
        """The stop reason of the last response."""
        attempts = self._context.transcript.attempts
        return next((a.stop_reason for a in reversed(attempts) if a.stop_reason), "end")

    async def _answer(self, calls: tuple[CallPart, ...]) -> e.Ending | None:
        """Run the calls of a response that ended well; tell the model of any other."""
        reason = self._stop_reason
        if broke_off(reason):
            told = f"not run: the response broke off ({reason}); make the call again"
            for call in calls:
                self._answer_unrun(call, told, "not run")
            return self._stopped_by_provider(reason)
        for call in calls:
            if (blocked := await self._run_call(call)) is not None:
                return blocked
        return None

    def _request(self, turn: int) -> Request:
        ticket, transcript = self._ticket, self._context.transcript
        provider = transcript.attempts[-1].provider
        messages = transcript.conversation.messages_for(provider)
        return Request(
            model=self._model,
            messages=tuple(with_wire_ids(messages, provider)),
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
        )

    async def _respond(self) -> None:
        turn = self._context.transcript.conversation.responses + 1
        async with self._context.permit() as answered:
            request = self._request(turn)
            self._context.emit(e.RequestSent(turn))
            attempt = self._context.transcript.attempts[-1].number
            leaks = LeakageFilter(self._leak_dialects, f"{attempt}_{turn}")
            self._asked_for.clear()
            self._ids.begin_response()
            try:
                async with aclosing(self._provider.stream(request)) as stream:
                    async for event in stream:
                        answered()
                        if isinstance(event, e.Usage):
                            event = self._priced(event)
                        for told in leaks.feed(self._ids.own(event)):
                            if isinstance(told, e.ToolCallRequested):
                                self._asked_for[told.call_id] = told.arguments
                            self._context.emit(told)
                        await self._context.room()
            finally:  # a stream that breaks or is stopped loses nothing that was held back
                for told in leaks.finish():
                    self._context.emit(told)

    def _priced(self, usage: e.Usage) -> e.Usage:
        if self._price is None:
            return usage
        cost = self._price.cost(usage.input, usage.output, usage.cached)
        return msgspec.structs.replace(usage, cost=cost)

    async def _run_call(self, call: CallPart) -> e.TicketBlocked | None:
        """Run one call, asking first where that is due; a value only if nobody can be asked."""
        arguments, shown = self._asked_for.pop(call.call_id, None), call
        if is_marked(call.arguments):  # what is stored is redacted; what was asked for is run
            if arguments is None:
                self._answer_unrun(call, _FORGOTTEN, "forgotten")
                return None
            call = msgspec.structs.replace(call, arguments=arguments)
        approval = self._approval(call.name)
        if approval == "deny":
            self._refuse(call, "the tickets file denies this tool")
            return None
        if (
            approval == "ask"
            and call.name not in self._context.always
            and is_well_formed(call.name, call.arguments)
        ):
            if (why := unshowable(call, shown)) is not None:
                self._refuse(call, why)
                return None
            return await self._run_if_approved(call)
        await self._context.settle(saved=True)
        await self._execute(call)
        return None

    async def _run_if_approved(self, call: CallPart) -> e.TicketBlocked | None:
        """Ask, and run the call if its card showed exactly what runs and where it leads."""
        told = await self._question(call)
        self._context.emit(e.ApprovalRequested(call.call_id, call.name, told))
        with self._context.holding_clock():
            decision = await self._context.ask(call.call_id)
        if decision is None:
            return e.TicketBlocked(f"{call.name} needs an approval that nobody can give")
        if decision.verdict == "deny":
            self._context.emit(e.ApprovalDenied(call.call_id, decision.reason))
            self._refuse(call, decision.reason or "the person watching denied this call")
            return None
        self._context.emit(e.ApprovalGiven(call.call_id))
        await self._context.settle(saved=True)
        card = self._context.transcript.call(call.call_id)
        if (why := shown_otherwise(call, told, card)) is not None:
            self._refuse(call, why)
            return None
        if told != await self._question(call):
            self._refuse(call, "the target of its path has changed since the person was asked")
            return None
        if decision.verdict == "always":
            self._context.always.add(call.name)
        await self._execute(call)
        return None

    async def _question(self, call: CallPart) -> str:
        workspace = Path(self._ticket.workspace)
        return await asyncio.to_thread(summary, call.name, call.arguments, workspace)

    def _approval(self, name: str) -> Approval:
        """An unknown tool needs no approval: calling it can only fail."""
        known: ToolName | None = next((t for t in get_args(ToolName) if t == name), None)
        if known is None or known not in self._ticket.tools:
            return "auto"
        return self._ticket.approval_for(known)

    def _refuse(self, call: CallPart, reason: str) -> None:
        self._answer_unrun(call, f"denied: {reason}", "denied")

    def _answer_unrun(self, call: CallPart, told: str, error: str) -> None:
        self._context.emit(e.ToolCallFinished(call.call_id, told, error, None, 0.0))

    async def _execute(self, call: CallPart) -> None:
        began = monotonic()
        if call.name in TOOLS and call.name not in self._ticket.tools:
            told = f"{call.name} is not among this ticket's tools: {', '.join(self._ticket.tools)}"
            outcome = ToolOutcome(told, told)
        else:
            outcome = await run_tool(
                call.name,
                call.arguments,
                Path(self._ticket.workspace),
                on_output=lambda channel, text: self._context.emit(
                    e.ToolOutputDelta(call.call_id, channel, text)
                ),
                limits=ToolLimits(),
                environment=self._context.environment,
                secrets=self._context.secrets,
            )
        seconds = round(monotonic() - began, 3)
        self._context.emit(
            e.ToolCallFinished(
                call.call_id, outcome.output, outcome.error, outcome.exit_code, seconds
            )
        )
        self._note_change(call, outcome)

    def _note_change(self, call: CallPart, outcome: ToolOutcome) -> None:
        if outcome.error is not None or call.name not in ("write_file", "edit_file"):
            return
        if isinstance(call.arguments, dict):
            path = Path(self._ticket.workspace, str(call.arguments.get("path", "")))
            self._context.file_changed(Path(os.path.normpath(path)))  # resolve() reads the disk
