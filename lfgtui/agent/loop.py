"""The agent loop: one attempt at one ticket.

The loop keeps no conversation of its own. It emits events, waits until they
are committed and folded into the ticket's transcript (`settle`), and makes the
next request from the transcript. So the request that a resumed process sends
after a crash is the one that the crashed process would have sent: there is no
second memory that could differ.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from lfgtui.agent import output_bound
from lfgtui.agent.compaction import Compaction
from lfgtui.agent.context import AgentContext, StoppedError
from lfgtui.agent.response import Response
from lfgtui.agent.reuse import Reuse, events_of, reused
from lfgtui.agent.schema import again, misfit, was_asked_again
from lfgtui.agent.tool_calls import ToolCalls
from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.model.fold.call_ids import CallIds, messages_for
from lfgtui.model.fold.conversation import CallPart, ModelTurn
from lfgtui.model.fold.items import NOT_RUN
from lfgtui.providers.base import Provider, Request, Stream, ToolSpec
from lfgtui.providers.wire.tool_calls import broke_off
from lfgtui.settings.prices import ModelFacts
from lfgtui.settings.providers import Dialect
from lfgtui.tools import Tool, Toolbox, Toolboxes, WorkspaceTools

CONTINUE = (
    "Your answer broke off here. Go on exactly where it stopped, in the same format;"
    " repeat nothing and do not comment on this."
)
"""Instruction to finish an answer that a lost connection cut off."""

_LIMITS: Final[dict[e.StopReason, Literal["tokens", "turns"]]] = {
    "length": "tokens",
    "max_turn_requests": "turns",  # of an agent that makes requests by itself
}
"""Stop reasons that are limits of the ticket."""
_ONLY_WRITTEN = "the model wrote a tool call as text; it was not run, and no answer came with it"


class Agent:
    """One attempt at a ticket with one provider; the engine makes it and awaits `run` once.

    `leak_dialects` are those of the model's leaked markup; `toolboxes`, as of MCP servers, are
    added to the tools of the workspace.
    """

    def __init__(
        self,
        context: AgentContext,
        model: str,
        provider: Provider,
        *,
        facts: ModelFacts | None = None,
        leak_dialects: frozenset[Dialect] = frozenset(),
        toolboxes: Sequence[Toolbox] = (),
    ) -> None:
        self._context = context
        self._ticket = context.ticket
        self._transcript = context.transcript
        self._conversation = context.transcript.conversation
        self._emit = context.emit
        self._model = model
        self._provider = provider
        self._facts = facts or ModelFacts()
        self._leak_dialects = leak_dialects
        workspace = context.transcript.workspace
        given = (context.environment, context.secrets, context.kept)
        own = WorkspaceTools(context.ticket, workspace, *given, context.confinement)
        self._tools = Toolboxes((*toolboxes, own))
        self._calls = ToolCalls(context, self._tools)
        self._compaction = Compaction(context, self._facts)
        self._reuse = Reuse(context, provider)
        self._ids = CallIds(0)

    async def run(self, message: e.UserMessage) -> e.Ending:
        """Make the attempt and return its ending.

        It begins with `message` if the conversation is empty, and otherwise goes on from there.
        Raises `ProviderError` when a request fails; the engine decides whether to try again.
        """
        await self._context.settle()
        self._ids = CallIds(self._transcript.calls.last)
        messages = self._conversation.messages
        if not messages:
            self._emit(await self._with_files(message))
            if bounded := output_bound.remark(self._ticket, self._facts.max_output_tokens):
                self._emit(bounded)
        elif isinstance(messages[-1], ModelTurn) and messages[-1].is_cut:
            self._emit(e.UserMessage(CONTINUE))
        self._calls.answer_interrupted()
        while True:
            await self._context.settle()
            await self._context.hear()
            if calls := self._conversation.unanswered:
                ending: e.Ending | None = self._limit() or await self._answer(calls)
            elif (ending := self._ending()) is None:
                await self._context.gate()
                ending = await self._respond()
            if isinstance(ending, e.TicketDone):
                ending = self._checked(ending)
            if ending is not None:
                return ending

    async def _with_files(self, message: e.UserMessage) -> e.UserMessage:
        """Return the message with the files of the ticket's `context`, as they are now."""
        files = await self._context.files.read(Path(self._transcript.workspace))
        return replace(message, context=files) if files else message

    @property
    def _stop_reason(self) -> e.StopReason:
        """The stop reason of the last response."""
        attempts = reversed(self._transcript.attempts)
        return next((a.stop_reason for a in attempts if a.stop_reason), "end")

    def _ending(self) -> e.Ending | None:
        """Return the ending that follows from the last response, None if another is due.

        To be called only when no call is unanswered.
        """
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

    def _checked(self, ending: e.TicketDone) -> e.Ending | None:
        """Return the ending, or a failure if the answer does not fit the ticket's schema again.

        After the first misfit the answer goes back to the model, and None is returned.
        """
        if not (why := misfit(self._ticket, self._transcript.answer)):
            return ending
        if self._limit() is not None or was_asked_again(self._conversation.messages):
            message = f"the answer does not fit the ticket's schema: {why}"
            return e.TicketFailed("schema", message, retryable=False)
        self._emit(e.UserMessage(again(why)))
        return None

    def _limit(self) -> e.TicketLimited | None:
        """Return the ending if the ticket's turns or its cost have reached their limit."""
        if self._conversation.turns_since_said >= self._ticket.max_turns:
            return e.TicketLimited("turns")
        spent, most = self._transcript.cost_since_start, self._ticket.max_cost
        return e.TicketLimited("cost") if most is not None and spent >= most else None

    # Responses

    async def _respond(self) -> e.Ending | None:
        """Send the next request and follow its response, compacting the context before if due.

        If the provider refuses the request as too long, compact and send once more.
        """
        try:
            if (blocked := await self._compaction.heed()) is not None:
                return blocked
            try:
                return await self._send()
            except ProviderError as error:
                await self._context.settle()
                is_overflow = error.kind == "context_overflow"
                made = is_overflow and await self._compaction.after_refusal()
                if not made:
                    raise
                if made is not True:
                    return made
            return await self._send()
        except StoppedError:
            return None  # instead of allowing the compaction, the person has something to say

    async def _send(self) -> e.Ending | None:
        """Send the next request, or reuse an answer; return an ending if it cannot go on."""
        tools = tuple(map(_spec, await self._tools.offered()))
        sought = self._reuse.fingerprint(self._request(tools))
        answer = await self._reuse.find(sought)
        if answer is not None and sought == self._reuse.fingerprint(self._request(tools)):
            turn = self._turn
            self._emit(reused(answer, turn))
            return await self._follow(events_of(answer, turn), lambda _: None, frozenset())
        async with self._context.permit() as answered_with:
            await self._context.hear()
            request = self._request(tools)
            self._emit(e.RequestSent(request.turn, self._reuse.fingerprint(request)))
            stream = self._provider.stream(request)
            return await self._follow(stream, answered_with, self._leak_dialects)

    async def _follow(
        self, stream: Stream, answered_with: Callable[[e.Event], None], leaks: frozenset[Dialect]
    ) -> e.Ending | None:
        """Emit the response's events; return an ending if it cannot go on.

        `answered_with` gets each event first; `leaks` are dialects to look for in the text.
        """
        response = Response(self._context, self._ids, self._facts, leaks)
        self._calls.requested = response.requested
        try:
            return await response.follow(stream, answered_with)
        except StoppedError:
            await self._context.settle()
            self._calls.answer_not_begun(self._conversation.unanswered)
            return None

    @property
    def _turn(self) -> int:
        """The number of the next response."""
        return self._conversation.responses + 1

    def _request(self, tools: tuple[ToolSpec, ...]) -> Request:
        """Return the request for the next response, as the transcript is now."""
        ticket = self._ticket
        provider = self._transcript.attempts[-1].provider
        request = Request(
            model=self._model,
            messages=tuple(messages_for(provider, self._conversation.messages)),
            system=ticket.instructions,
            tools=tools,
            max_output_tokens=ticket.max_output_tokens,
            reasoning=ticket.reasoning,
            extra=ticket.extra,
            stream=ticket.stream,
            cache=ticket.cache,
            turn=self._turn,
            first_token_timeout=ticket.first_token_timeout,
            idle_timeout=ticket.idle_timeout,
            ticket=ticket.id,
            workspace=self._transcript.workspace,
            confinement=self._context.confinement,
            session=self._conversation.sessions.get(provider),
            mcp=ticket.mcp,
            on_answer=lambda connect: self._emit(e.ResponseStarted(connect)),
            is_seen=self._context.is_seen,
        )
        return output_bound.bounded(request, self._facts.max_output_tokens)

    # Calls

    async def _answer(self, calls: tuple[CallPart, ...]) -> e.Ending | None:
        """Run the calls of a complete response; of any other, answer them as not run."""
        reason = self._stop_reason
        if reason == e.STOPPED:
            self._calls.answer_not_begun(calls)
            return None
        if broke_off(reason):
            message = f"not run: the response broke off ({reason}); make the call again"
            for call in calls:
                self._calls.answer_unrun(call, message, NOT_RUN)
            return _stopped_by_provider(reason)
        return await self._calls.run(calls)


def _spec(tool: Tool) -> ToolSpec:
    return ToolSpec(tool.name, tool.description, dict(tool.parameters))


def _stopped_by_provider(reason: e.StopReason) -> e.TicketFailed | None:
    """Return the failure for a refused or filtered answer; None for other stop reasons."""
    if reason not in ("content_filter", "refusal"):
        return None
    message = "the provider stopped the answer: " + reason.replace("_", " ")
    return e.TicketFailed("content_filter", message, retryable=False)
