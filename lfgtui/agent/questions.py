"""The questions of an agent that runs its tools itself, asked while its response goes on.

Several questions may be open at the same time, and the agent may say more meanwhile; so each waits
for the person in a task of its own. The person approves what the agent shows: lfg cannot check
what it runs.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from msgspec import UNSET, UnsetType

from lfgtui.agent.approvable import unshowable, unshowable_diffs
from lfgtui.agent.approval_rules import covering
from lfgtui.agent.context import AgentContext, Decision
from lfgtui.model import events as e
from lfgtui.model.approval_options import Verdict, plain_option
from lfgtui.model.fold.conversation import CallPart
from lfgtui.processes.sandbox.walls import Confinement
from lfgtui.providers.base import TakesAnswers

UNASKABLE = (
    "{} needs approval, but this run has no screen to ask on;"
    " to answer, run `lfg resume` in a terminal"
)
"""The reason of a ticket that is blocked; the gap is for what needs approval."""


def unaskable(name: str, confinement: Confinement) -> str:
    """Return why a ticket is blocked that needs an approval in a run without a screen."""
    why = f" (there is no sandbox: {confinement.missing})" if confinement.missing else ""
    return UNASKABLE.format(name) + why


class NobodyToAskError(Exception):
    """An agent asked, and nobody is there to answer; the message is why the ticket is blocked."""


class Questions:
    """The questions of one response; `ask` and `withdraw` are called in the body of `asked`.

    `source` is the agent's stream, which takes the answers.
    """

    def __init__(self, context: AgentContext, source: TakesAnswers) -> None:
        self._context = context
        self._source = source
        self._open: dict[str, asyncio.Task[None]] = {}  # by call id; answered ones stay
        self._slot = asyncio.Lock()  # two answers must not both take the ticket's one slot

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """Let questions be asked in the body; at its end withdraw those that are open.

        Raises the first exception of a question's task.
        """
        try:
            yield
        finally:
            self.close()
            ended = await asyncio.gather(*self._open.values(), return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault

    def close(self) -> None:
        """Withdraw open questions: the response has ended, and no event of it may follow."""
        for call_id in self._open:
            self.withdraw(call_id)

    def withdraw(self, call_id: str) -> None:
        """Cancel the task of a question, if it is open: the agent no longer wants an answer."""
        if call_id in self._open:
            self._open[call_id].cancel()

    def ask(
        self, theirs: str, question: e.ApprovalRequested, arguments: e.ToolArguments | None
    ) -> None:
        """Answer by the ticket's settings or a rule; otherwise begin to ask the person.

        `theirs` is the agent's own id of the call. `arguments` came with the call in this
        response; None if they did not. Raises `NobodyToAskError`.
        """
        context, call_id = self._context, question.call_id
        if (replaced := self._open.get(call_id)) is not None and not replaced.done():
            replaced.cancel()
            context.emit(e.ApprovalWithdrawn(call_id))  # an answer to it would not fit the new one
        where = context.confinement.of_agent.description
        question = msgspec.structs.replace(question, sandbox=where or UNSET)
        match context.ticket.approve:
            case "auto" if not context.confinement.missing:
                self._open[call_id] = asyncio.create_task(self._allow(theirs, question))
                return None
            case "deny":
                return self._source.answer(theirs, _plain(question, "reject"))
        rules, path = context.rules(), question.path or ""
        if rule := covering(rules, question.name, arguments, path, context.transcript.workspace):
            context.emit(e.ApprovalGiven(call_id, rule))
            self._open[call_id] = asyncio.create_task(self._allow(theirs, question))
            return None
        if not context.can_ask:
            context.emit(question)
            raise NobodyToAskError(unaskable(question.name, context.confinement))
        self._open[call_id] = asyncio.create_task(self._ask(theirs, question, arguments))
        return None

    async def _allow(self, theirs: str, question: e.ApprovalRequested) -> None:
        """Allow the call unasked, once the files it would change are kept."""
        await self._context.settle()
        await self._context.changes_kept()
        self._source.answer(theirs, _plain(question, "allow"))

    async def _ask(
        self, theirs: str, question: e.ApprovalRequested, arguments: e.ToolArguments | None
    ) -> None:
        """Have the person answer, and pass the answer on; an error counts as no answer."""
        try:
            with self._context.holding_clock():
                answer = await self._decided(question, arguments)
        except Exception:
            self._source.answer(theirs, None)
            raise
        self._source.answer(theirs, answer)

    async def _decided(
        self, question: e.ApprovalRequested, arguments: e.ToolArguments | None
    ) -> e.ApprovalOption | None:
        """Ask the person, emit the decision and return the agent's option for it, None if none.

        Nothing may be awaited between the question's event and `context.ask`: the person may
        answer at once.
        """
        context, call_id = self._context, question.call_id
        await context.settle()
        card = context.transcript.calls.get(call_id)
        shown = card.arguments if card and card.arguments is not None else arguments or {}
        asked = CallPart(call_id, question.name, shown if arguments is None else arguments)
        decision: Decision | None = Decision("deny")
        context.emit(question)
        diffs = [diff for _, diff in card.diffs] if card else []
        why = unshowable(asked, CallPart(call_id, question.name, shown))
        if (why := why or unshowable_diffs(diffs or [question.diff or ""])) is not None:
            context.emit(e.Status(f"{question.name} was denied: {why}"))
        else:
            decision = await context.ask(call_id)
        async with self._slot:
            await context.take_slot(beside=True)
        if decision is None or decision.verdict == "deny":
            answer, name = _chosen(question, decision, "reject")
            reason = decision.reason if decision else ""
            context.emit(e.ApprovalDenied(call_id, reason, name))
            if reason:  # the protocol has no field for it
                context.say(f"I denied {question.name}: {reason}")
            return answer
        answer, name = _chosen(question, decision, "allow")
        given = (decision.rule or UNSET, decision.grants or UNSET)
        context.emit(e.ApprovalGiven(call_id, *given, name))
        await context.settle(saved=True)
        await context.changes_kept()
        return answer


def _chosen(
    question: e.ApprovalRequested, decision: Decision | None, verdict: Verdict
) -> tuple[e.ApprovalOption | None, str | UnsetType]:
    """Return the option that the person chose and its name; the plain one has `UNSET`."""
    options, option_id = question.options or (), decision.option if decision else ""
    for one in options:
        if option_id and one.option_id == option_id and one.kind.startswith(verdict):
            return one, one.name
    return plain_option(options, verdict), UNSET


def _plain(question: e.ApprovalRequested, verdict: Verdict) -> e.ApprovalOption | None:
    return plain_option(question.options or (), verdict)
