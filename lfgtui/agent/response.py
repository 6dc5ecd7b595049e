"""One response on its way from a provider's stream to the ticket's events.

Its events get call ids of lfg's own and prices, leaked markup is filtered from the text, and an
agent's questions are asked; then the context emits them.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing

from lfgtui.agent.context import AgentContext, StoppedError
from lfgtui.agent.leakage import LeakageFilter
from lfgtui.agent.questions import NobodyToAskError, Questions
from lfgtui.agent.repetition import REPETITION, AgentCircles
from lfgtui.model import events as e
from lfgtui.model.fold.attempts import FULL, FULL_CONTEXT
from lfgtui.model.fold.call_ids import CallIds
from lfgtui.providers.base import Stream, TakesAnswers
from lfgtui.settings.prices import ModelFacts
from lfgtui.settings.providers import Dialect
from lfgtui.text.figures import count

_AT_END = (e.Usage, e.Status, e.Heartbeat, e.ResponseFinished)
"""Events that may follow a response's last report of its cost: they do not show more spending."""

_SPOKEN = (e.TextDelta, e.ReasoningDelta)  # most events are; no call is among them
_NO_PRICE = "max_cost has no effect: this model's price is unknown; set `price` in the config"
_EMPTY = "the response was empty"
_UNSHOWN = "nothing in the response can be shown: "


class Response:
    """One response; `follow` is to be called once.

    `requested` has the arguments of its calls, by call id, as they came: those in the history may
    be redacted. `turn` is its number.
    """

    def __init__(
        self,
        context: AgentContext,
        ids: CallIds,
        facts: ModelFacts,
        leak_dialects: frozenset[Dialect],
    ) -> None:
        self.requested: dict[str, e.ToolArguments] = {}
        self.turn = context.transcript.conversation.responses + 1
        self._context = context
        self._ids = ids
        self._facts = facts
        attempt = context.transcript.attempts[-1].number
        self._leaks = LeakageFilter(leak_dialects, f"{attempt}_{self.turn}")
        self._empty_check = EmptyResponseCheck()
        self._questions: Questions | None = None
        self._is_whole = False  # `ResponseFinished` came
        self._spent_before = context.transcript.cost_since_start  # USD
        self._is_too_dear = False  # `max_cost` is reached
        self._is_unlimited = False  # `max_cost` cannot be checked: no price is known
        self._circles = AgentCircles() if context.ticket.repetition == "ask" else None
        self._is_context_remarked = context.transcript.attempts[-1].is_context_remarked

    async def follow(
        self, stream: Stream, answered_with: Callable[[e.Event], None]
    ) -> e.Ending | None:
        """Emit the stream's events; return an ending if the response cannot go on.

        That is so if nobody is there to approve a call, or an agent reaches `max_cost`.
        `answered_with` gets each event first. Raises `ProviderError`, and `StoppedError` for a
        response that was complete already when the person stopped it.
        """
        try:
            async with (
                self._context.stoppable(anew=True),
                aclosing(stream),
                self._context.heard_by(stream),
                AsyncExitStack() as stack,
            ):
                if isinstance(stream, TakesAnswers):
                    self._questions = Questions(self._context, stream)
                    await stack.enter_async_context(self._questions.asked())
                async for event in stream:
                    answered_with(event)
                    if self._is_too_dear and self._questions and not isinstance(event, _AT_END):
                        return e.TicketLimited("cost")  # an agent's turn may last for hours
                    self._take(event)
                    await self._context.room()
        except StoppedError:
            if self._is_whole:
                raise
            self._emit_rest()
            self._context.emit(e.ResponseFinished(self.turn, e.STOPPED))
        except NobodyToAskError as error:
            return e.TicketBlocked(str(error))  # the response is not finished: a resume asks again
        finally:  # a stream that breaks or is stopped loses nothing that was held back
            self._emit_rest()
        return None

    def _emit_rest(self) -> None:
        """Emit text that was held back because it could become markup."""
        for one in self._leaks.finish():
            self._context.emit(one)

    def _take(self, event: e.WireEvent) -> None:
        """Emit one event of the stream, with what it leads to."""
        theirs = event.call_id if isinstance(event, e.ApprovalRequested) else ""
        if isinstance(event, e.Usage):
            event = self._facts.priced(event)
            spent, most = self._spent_before + (event.cost or 0.0), self._context.ticket.max_cost
            self._is_too_dear = most is not None and spent >= most
            self._is_unlimited = most is not None and event.cost is None
            self._heed_context(event.input + event.output, self._facts.context_window)
        elif isinstance(event, e.ContextUsed):
            self._heed_context(event.used, event.size)
        for one in self._leaks.feed(self._ids.own(event)):
            if not self._empty_check.has_content and (remark := self._empty_check.watch(one)):
                self._context.emit(remark)
            circles = None if isinstance(one, _SPOKEN) else self._circles
            if circles is not None and (circle := circles.watch(one)):
                self._context.emit(e.GuardTripped(REPETITION, circle, "flag"))
            match one:
                case e.ToolCallRequested(call_id, _, arguments):
                    self.requested[call_id] = arguments
                case e.ApprovalRequested(call_id) if self._questions is not None:
                    self._questions.ask(theirs, one, self.requested.get(call_id))
                    continue
                case e.ApprovalWithdrawn(call_id) if self._questions is not None:
                    self._questions.withdraw(call_id)
                case e.ResponseFinished():
                    self._is_whole = True
                    if self._is_unlimited and self.turn == 1:
                        self._context.emit(e.Status(_NO_PRICE))
                    if self._questions is not None:
                        self._questions.close()
            self._context.emit(one)

    def _heed_context(self, used: int, size: int) -> None:
        """Warn of a context that is nearly full, once until the ticket starts over."""
        if not self._is_context_remarked and size and used >= FULL * size:
            self._is_context_remarked = True
            much = f"{used / size:.0%} of it is used, {count(used)} of {count(size)} tokens"
            self._context.emit(e.GuardTripped(FULL_CONTEXT, much))


class EmptyResponseCheck:
    """Watches one response until it `has_content`; the caller then stops watching.

    Without its remark a ticket would be done and its pane empty, as if lfg had lost the answer.
    """

    def __init__(self) -> None:
        self.has_content = False
        self._kinds: set[str] = set()

    def watch(self, event: e.WireEvent) -> e.Status | None:
        """Return the remark to emit before a `ResponseFinished` that ends an empty response."""
        match event:
            case e.TextDelta(text) | e.ReasoningDelta(text):
                self.has_content = bool(text) and not text.isspace()
            case e.ProviderItem(_, item):
                if isinstance(kind := item.get("type"), str):
                    self._kinds.add(kind)
            case e.ResponseFinished():
                kinds = ", ".join(sorted(self._kinds))
                return e.Status(_UNSHOWN + kinds if kinds else _EMPTY)
            # No content. A new event counts as content unless it is listed here.
            case (
                e.Status()
                | e.Usage()
                | e.Heartbeat()
                | e.MessageTaken()
                | e.SessionOpened()
                | e.ContextUsed()
            ):
                pass
            case _:
                self.has_content = True
        return None
