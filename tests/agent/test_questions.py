"""An agent that asks before it makes a call of its own, while its response goes on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lfgtui.agent.context import Decision
from lfgtui.agent.loop import Agent
from lfgtui.agent.questions import UNASKABLE
from lfgtui.model import events as e
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.processes.sandbox.walls import UNCONFINED, Confinement
from lfgtui.providers.base import Request
from tests.agent.test_loop import Surroundings
from tests.engine.harness import ticket

OPTIONS = (
    e.ApprovalOption("always", "Always allow", "allow_always"),
    e.ApprovalOption("once", "Allow", "allow_once"),
    e.ApprovalOption("no", "Reject", "reject_once"),
)
COMMAND = {"command": "make deploy"}


class Asking:
    """An agent that asks one question, says more meanwhile, and does as it is told."""

    def __init__(self, options: tuple[e.ApprovalOption, ...] = OPTIONS, asks: int = 1) -> None:
        self.answers: dict[str, e.ApprovalOption | None] = {}
        self.was_closed = False
        self._options = options
        self._calls = [f"theirs{n}" for n in range(asks)]
        self._answered = asyncio.Event()

    def stream(self, request: Request) -> "Asking":
        return self

    def answer(self, call_id: str, option: e.ApprovalOption | None) -> None:
        self.answers[call_id] = option
        self._answered.set()

    async def aclose(self) -> None:
        self.was_closed = True

    async def __aiter__(self) -> AsyncIterator[e.WireEvent]:
        for call_id in self._calls:
            yield e.ToolCallStarted(call_id, "bash", "agent")
            yield e.ToolCallRequested(call_id, "bash", dict(COMMAND), origin="agent")
            yield e.ApprovalRequested(call_id, "bash", "$ make deploy", options=self._options)
        yield e.TextDelta("Meanwhile. ")
        while len(self.answers) < len(self._calls):
            self._answered.clear()
            await self._answered.wait()
        for call_id in self._calls:
            option = self.answers[call_id]
            if option is not None and option.kind.startswith("allow"):
                yield e.ToolRunStarted(call_id)
                yield e.ToolCallFinished(call_id, "deployed", None, 0, 0.1)
            else:
                yield e.ToolCallFinished(call_id, "", "rejected", None, 0.0)
        yield e.TextDelta("Done.")
        yield e.ResponseFinished(1, "end")


async def followed(
    folder: Path,
    agent: Asking,
    decision: Decision | None = None,
    rules: tuple[ApprovalRule, ...] = (),
    held: Confinement = UNCONFINED,
    **keys: object,
) -> tuple[Surroundings, e.Ending]:
    context = Surroundings(decision)
    context.approval_rules = list(rules)
    context.confinement = held
    context.ticket = ticket("a", folder, **keys)
    ending = await Agent(context, "", agent).run(e.UserMessage("Go."))
    await context.settle()
    return context, ending


def calls(context: Surroundings) -> list[ToolItem]:
    (attempt,) = context.transcript.attempts
    return list(attempt.tools)


async def test_an_approval_is_the_agents_own_answer_for_this_call_alone(tmp_path: Path) -> None:
    agent = Asking()
    context, ending = await followed(tmp_path, agent, Decision("approve"))
    assert ending == e.TicketDone("end") and agent.answers == {"theirs0": OPTIONS[1]}
    (call,) = calls(context)
    assert (call.state, call.output, call.is_agent_call) == ("finished", "deployed", True)
    assert call.options == OPTIONS and call.arguments == COMMAND
    assert context.transcript.attempts[-1].text == "Meanwhile. Done."
    assert context.held_while_asked
    # Its calls are no messages: the agent keeps them itself.
    assert len(context.transcript.conversation.messages) == 2


async def test_a_lasting_answer_is_given_only_if_it_was_chosen(tmp_path: Path) -> None:
    agent = Asking()
    context, _ = await followed(tmp_path, agent, Decision("approve", option="always"))
    assert agent.answers == {"theirs0": OPTIONS[0]}
    assert calls(context)[0].option == "Always allow"


async def test_a_refusal_tells_the_agent_why(tmp_path: Path) -> None:
    agent = Asking()
    context, _ = await followed(tmp_path, agent, Decision("deny", "not on a Friday"))
    assert agent.answers == {"theirs0": OPTIONS[2]}
    assert calls(context)[0].denied
    assert e.UserMessage("I denied bash: not on a Friday", origin="person") in context.seen


async def test_an_agent_without_such_an_option_gets_none(tmp_path: Path) -> None:
    agent = Asking(OPTIONS[:1])
    await followed(tmp_path, agent, Decision("deny"))
    assert agent.answers == {"theirs0": None}


@pytest.mark.parametrize(("approve", "chosen"), [("auto", 1), ("deny", 2)])
async def test_the_tickets_file_answers_where_it_says_so(
    tmp_path: Path, approve: str, chosen: int
) -> None:
    agent = Asking()
    context, _ = await followed(tmp_path, agent, Decision("approve"), approve=approve)
    assert agent.answers == {"theirs0": OPTIONS[chosen]}
    assert e.ApprovalRequested not in context.kinds()


async def test_a_rule_answers(tmp_path: Path) -> None:
    agent, rule = Asking(), ApprovalRule("bash", "command", "make deploy")
    context, _ = await followed(tmp_path, agent, Decision("deny"), (rule,))
    assert agent.answers == {"theirs0": OPTIONS[1]}
    assert calls(context)[0].rule == rule and e.ApprovalRequested not in context.kinds()


async def test_a_call_that_cannot_be_shown_is_denied(tmp_path: Path) -> None:
    agent = Asking()
    COMMAND["command"] = "true " * 2001
    try:
        context, _ = await followed(tmp_path, agent, Decision("approve"))
    finally:
        COMMAND["command"] = "make deploy"
    assert agent.answers == {"theirs0": OPTIONS[2]}
    assert any(isinstance(one, e.Status) and "too long" in one.message for one in context.seen)


async def test_several_questions_wait_at_once(tmp_path: Path) -> None:
    agent = Asking(asks=3)
    context, ending = await followed(tmp_path, agent, Decision("approve"))
    assert ending == e.TicketDone("end") and len(agent.answers) == 3
    assert [call.output for call in calls(context)] == ["deployed"] * 3


async def test_without_anybody_to_ask_the_ticket_is_blocked(tmp_path: Path) -> None:
    agent = Asking()
    context, ending = await followed(tmp_path, agent)
    assert ending == e.TicketBlocked(UNASKABLE.format("bash"))
    assert agent.was_closed and e.ResponseFinished not in context.kinds()


NEVER = e.ApprovalOption("never", "Never ask again", "reject_always")


async def test_a_lasting_refusal_is_given_only_if_it_was_chosen(tmp_path: Path) -> None:
    agent = Asking((NEVER, *OPTIONS))
    context, _ = await followed(tmp_path, agent, Decision("deny", option="never"))
    assert agent.answers == {"theirs0": NEVER}
    assert calls(context)[0].option == "Never ask again"


@pytest.mark.parametrize(
    ("decision", "plain"),
    [
        (Decision("approve", option="never"), OPTIONS[1]),
        (Decision("approve", option="unknown"), OPTIONS[1]),
        (Decision("deny", option="always"), OPTIONS[2]),
    ],
)
async def test_an_option_never_says_the_opposite_of_the_decision(
    tmp_path: Path, decision: Decision, plain: e.ApprovalOption
) -> None:
    agent = Asking((NEVER, *OPTIONS))
    context, _ = await followed(tmp_path, agent, decision)
    assert agent.answers == {"theirs0": plain}
    assert calls(context)[0].option == ""
