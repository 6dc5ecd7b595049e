"""Compaction: making room in the context by leaving old tool output out of the requests.

Tool output grows without bound in a tool loop, matters least a few turns later, and the model can
get it again by making the call again. The person's messages, the model's words and calls, and the
output of the last turns stay whole, as do the items that a provider wants back unchanged: no
message or call is left out, so requests stay valid on every wire.

An event says which output is left out, and the fold changes the messages: the next request is the
same after a resume. Much is left out at a time, since each step loses what the provider has cached
after the first change. See docs/decisions/0037-old-tool-output-leaves-the-request.md.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import UNSET

from lfgtui.agent.approval_rules import covering
from lfgtui.agent.context import AgentContext, Decision, StoppedError
from lfgtui.agent.questions import UNASKABLE
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import Message, ModelTurn, ToolResult, since_the_model
from lfgtui.model.fold.items import COMPACT
from lfgtui.model.fold.tokens import CHARACTERS_PER_TOKEN
from lfgtui.providers.wire.tool_calls import arguments_text
from lfgtui.settings.prices import ModelFacts
from lfgtui.text.figures import count

FULLEST = 0.9
"""Largest share of the model's context window that a request may take; less if the answer needs
more room than the rest."""

LEFT = 0.5
"""Share of that size to which a request is reduced, so that the next compaction is far off."""

_LEAST_SAVED = 0.1
"""Least share of the window to save: less would lose more of the provider's cache than it gains."""

_LEAST_OUTPUT = 400
"""Outputs of at most this many characters stay: a line in their place would save little."""

_SHORTEST_TOKEN = 2.0  # characters; a bound for the estimate

_KEPT, _KEPT_AFTER_REFUSAL = 3, 1
"""Turns at the end that keep their output."""


class Compaction:
    """Makes room in one attempt's requests.

    Call `heed` before each request, and `after_refusal` if one was refused as too long.
    """

    def __init__(self, context: AgentContext, facts: ModelFacts) -> None:
        self._context = context
        self._mode = context.ticket.compact
        self._window = facts.context_window
        reserve = min(context.ticket.max_output_tokens, self._window // 4)
        self._most = min(FULLEST * self._window, self._window - reserve)  # tokens of a request
        self._is_denied = False  # the person is not asked again in this attempt

    async def heed(self) -> e.TicketBlocked | None:
        """Make room if the next request is too large.

        Returns an ending if that needs an approval and nobody can give it. Raises `StoppedError`
        if the person has something to say instead of deciding.
        """
        if self._mode == "off" or not self._window or self._is_denied:
            return None
        if (size := self._next_size()) <= self._most:
            return None
        calls, saved = self._oldest(_KEPT, size - LEFT * self._most)
        if saved < _LEAST_SAVED * self._window:
            return None
        held = f"the next request would take {size / self._window:.0%} of the context"
        if size < FULLEST * self._window:
            held += ", which leaves too little for the answer"
        made = await self._leave_out(calls, saved, held)
        return made if isinstance(made, e.TicketBlocked) else None

    async def after_refusal(self) -> bool | e.TicketBlocked:
        """Make room after the provider refused a request as too long; return True if it was made.

        Returns an ending, or raises, as `heed` does.
        """
        if self._mode == "off" or self._is_denied:
            return False
        # The window is smaller than was assumed: half of all that was sent has to go.
        calls, saved = self._oldest(_KEPT_AFTER_REFUSAL, (1 - LEFT) * self._next_size())
        if not calls:
            return False
        return await self._leave_out(calls, saved, "the provider refused the request as too long")

    def _next_size(self) -> float:
        """Return the tokens of the next request, estimated."""
        messages = self._context.transcript.conversation.messages
        used = self._context.transcript.attempts[-1].context
        new, whole = _characters(since_the_model(messages)), _characters(messages)
        if not used:
            return whole / CHARACTERS_PER_TOKEN
        # Code has fewer characters per token than prose; the provider counted the earlier messages.
        per_token = min(max((whole - new) / used, _SHORTEST_TOKEN), CHARACTERS_PER_TOKEN)
        return used + new / per_token

    def _oldest(self, kept: int, excess: float) -> tuple[list[str], int]:
        """Return the ids of the calls whose output has to go, and the tokens that this saves.

        `kept` turns at the end keep theirs; `excess` is the number of tokens to save.
        """
        calls, saved = list[str](), 0
        for result in _outputs(self._context.transcript.conversation.messages, kept):
            if saved >= excess:
                break
            calls.append(result.call_id)
            saved += round(len(result.output) / CHARACTERS_PER_TOKEN)  # at least
        return calls, saved

    async def _leave_out(
        self, calls: Sequence[str], tokens: int, reason: str
    ) -> bool | e.TicketBlocked:
        """Leave the output of the calls out, once it is allowed; return True if it was."""
        context = self._context
        if self._mode == "ask" and not covering(context.rules(), COMPACT, {}, ""):
            outputs = f"the output of {len(calls)} old call{'s' * (len(calls) > 1)}"
            question = f"omit {outputs} from further requests (about {count(tokens)} tokens)"
            decision = await self._decision(question, reason)
            if decision is None:
                return e.TicketBlocked(UNASKABLE.format('compact = "ask"'))
            if decision.verdict == "deny":
                self._is_denied = True
                return False
        context.emit(e.ContextCompacted(tuple(calls), tokens))
        await context.settle()
        return True

    async def _decision(self, question: str, reason: str) -> Decision | None:
        """Return the person's decision; None if nobody can decide.

        The question has the form of a call, so that screens and shells can approve it.
        """
        context = self._context
        call_id = f"{COMPACT}-{context.transcript.last_seq}"
        context.emit(e.ApprovalRequested(call_id, COMPACT, question, reason=reason))
        try:
            with context.holding_clock():
                async with context.stoppable():
                    decision = await context.ask(call_id)
        except StoppedError:  # they have something to say, and are asked again after it
            context.emit(e.ApprovalDenied(call_id, ""))
            context.emit(e.ToolCallFinished(call_id, "", "denied", None, 0.0))
            raise
        if decision is None:
            return None
        if decision.verdict == "deny":
            context.emit(e.ApprovalDenied(call_id, decision.reason))
        else:
            given = (decision.rule or UNSET, decision.grants or UNSET)
            context.emit(e.ApprovalGiven(call_id, *given))
        error = "denied" if decision.verdict == "deny" else None
        context.emit(e.ToolCallFinished(call_id, "", error, None, 0.0))
        await context.take_slot()
        await context.settle()
        return decision


def _outputs(messages: Sequence[Message], kept: int) -> Iterator[ToolResult]:
    """Yield the outputs that may go, oldest first: those before the last turns."""
    turns = (n for n in range(len(messages) - 1, -1, -1) if isinstance(messages[n], ModelTurn))
    end = next(islice(turns, kept - 1, None), 0)
    for message in messages[:end]:
        if isinstance(message, ToolResult) and len(message.output) > _LEAST_OUTPUT:
            yield message


def _characters(messages: Sequence[Message]) -> int:
    """Return the characters of the messages that are counted as tokens."""
    characters = 0
    for message in messages:
        match message:
            case ToolResult(output=text):
                characters += len(text)
            case ModelTurn():
                characters += len(message.text)
                characters += sum(len(arguments_text(one.arguments)) for one in message.calls)
            case _:
                characters += len(message.text)
    return characters
