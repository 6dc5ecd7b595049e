"""The person at the screen, as one ticket knows them: what they say, decide and stop.

The engine calls `say`, `carry_out` and `withdraw` for commands; the ticket's agent waits in `hear`,
`decision` and `stoppable`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from lfgtui.agent.context import Decision, StoppedError
from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.providers.base import Stream, TakesMessages


class Person:
    """Messages and decisions on their way to a ticket's agent.

    `emit` takes the ticket's events; `settle` waits until those emitted so far are folded.
    """

    def __init__(
        self, emit: Callable[[e.Event], None], settle: Callable[[], Awaitable[None]]
    ) -> None:
        self._emit = emit
        self._settle = settle
        self._unheard = 0
        """Messages that are not folded yet."""
        self._listener: TakesMessages | None = None
        """The stream of the response under way, if it takes messages."""
        self._stoppable: asyncio.Timeout | None = None
        self._stop_due = False
        """True from a stop until a body of `stoppable` has ended by it."""
        self._questions: dict[str, asyncio.Future[Decision]] = {}
        self.decided: set[str] = set()
        """Calls that the person decided on, while the decision is not folded yet."""

    def say(self, text: str, *, stops: bool) -> None:
        """Emit a message; with `stops`, also end the present or next body of `stoppable`."""
        self._unheard += 1
        self._emit(e.UserMessage(text, origin="person"))
        self._stop_due = self._stop_due or stops
        if stops:
            self.leave_listener()
        if stops and self._stoppable is not None and not self._stoppable.expired():
            self._stoppable.reschedule(0.0)

    def leave_listener(self) -> None:
        """Hand no more messages to a response that is being stopped."""
        self._listener = None

    def apply(self, entry: e.Entry) -> None:
        """Note a folded entry: pass a message on to the response under way, if it takes any."""
        event = entry.event
        if isinstance(event, e.UserMessage) and event.origin == "person":
            self._unheard = max(0, self._unheard - 1)
            if self._listener is not None:
                self._listener.tell(entry.seq, event.text)
        elif isinstance(event, e.ApprovalGiven | e.ApprovalDenied):
            self.decided.discard(event.call_id)

    async def hear(self) -> None:
        """Wait until all messages so far are folded; return at once if they are."""
        while self._unheard:
            await self._settle()

    @asynccontextmanager
    async def heard_by(self, stream: Stream) -> AsyncIterator[None]:
        """Hand messages that come during the body to the stream, if it takes any."""
        self._listener = stream if isinstance(stream, TakesMessages) else None
        try:
            yield
        finally:
            self._listener = None

    @asynccontextmanager
    async def stoppable(self, *, anew: bool = False) -> AsyncIterator[None]:
        """Let the person stop the body, a response or a tool; then raise `StoppedError`.

        A stop since the last body counts, too, unless the body begins `anew`.
        """
        self._stop_due = self._stop_due and not anew
        try:
            if self._stop_due:
                raise StoppedError
            async with asyncio.timeout(None) as scope:
                self._stoppable = scope
                yield
        except TimeoutError:
            if scope.expired():
                self._stop_due = False
                raise StoppedError from None
            raise
        finally:
            self._stoppable = None

    async def decision(self, call_id: str) -> Decision:
        """Wait for the person's decision on a call."""
        question: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._questions[call_id] = question
        self.decided.discard(call_id)  # left by an attempt that ended before the fold
        try:
            return await question
        finally:
            if self._questions.get(call_id) is question:
                del self._questions[call_id]

    def decide(self, call_id: str, decision: Decision) -> None:
        """Give a waiting call the person's decision; for any other call, do nothing."""
        question = self._questions.get(call_id)
        if question is not None and not question.done():
            question.set_result(decision)
            self.decided.add(call_id)

    def carry_out(self, command: c.Approve | c.Deny) -> None:
        """Decide as the command says."""
        match command:
            case c.Approve(_, call_id, rule, option):
                self.decide(call_id, Decision("approve", grants=rule, option=option))
            case c.Deny(_, call_id, reason, option):
                self.decide(call_id, Decision("deny", reason, option=option))

    def withdraw(self, rule: ApprovalRule) -> None:
        """Withdraw a rule of approval that the person gave."""
        self._emit(e.RuleWithdrawn(rule))
