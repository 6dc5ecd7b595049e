"""Commands and the wall: where there should be one and can be none, a person decides."""

from pathlib import Path

import pytest

from lfgtui.agent.context import Decision
from lfgtui.model import events as e
from lfgtui.model.tickets import NO_SANDBOX
from lfgtui.processes.limits import ProcessLimits
from lfgtui.processes.sandbox.walls import Confinement
from tests.agent.test_loop import Surroundings, answer, ending_of
from tests.agent.test_questions import Asking
from tests.agent.test_questions import followed as followed_agent

COMMAND = e.ToolCallRequested("1", "run_command", {"command": "echo hello"})
LIST = e.ToolCallRequested("1", "list_files", {})
MISSING = Confinement(missing="bubblewrap is not installed")
DECLINED = Confinement(limits=ProcessLimits(processes=1000))


async def run(
    folder: Path, held: Confinement, call: e.ToolCallRequested, decision: Decision | None = None
) -> tuple[Surroundings, e.Ending]:
    context = Surroundings(decision)
    context.confinement = held
    responses = (answer("tool_use", call), answer("end", e.TextDelta("Done.")))
    return context, await ending_of(folder, *responses, context=context, approve="auto")


def questions(context: Surroundings) -> list[e.ApprovalRequested]:
    return [event for event in context.seen if isinstance(event, e.ApprovalRequested)]


async def test_without_a_wall_a_command_is_asked_about_although_the_ticket_approves(
    tmp_path: Path,
) -> None:
    context, ending = await run(tmp_path, MISSING, COMMAND, Decision("approve"))
    assert [one.sandbox for one in questions(context)] == [NO_SANDBOX]
    assert ending == e.TicketDone("end")
    assert [one.output for one in context.finished()] == ["hello\nexit code 0"]


async def test_where_nobody_can_be_asked_the_ticket_says_why(tmp_path: Path) -> None:
    _, ending = await run(tmp_path, MISSING, COMMAND)
    assert isinstance(ending, e.TicketBlocked)
    assert "there is no sandbox: bubblewrap is not installed" in ending.reason


@pytest.mark.parametrize(("held", "call"), [(MISSING, LIST), (DECLINED, COMMAND)])
async def test_nothing_more_is_asked_than_commands_that_should_have_a_wall(
    tmp_path: Path, held: Confinement, call: e.ToolCallRequested
) -> None:
    context, ending = await run(tmp_path, held, call)
    assert questions(context) == [] and ending == e.TicketDone("end")


async def test_an_agent_is_not_given_everything_where_no_wall_holds_it(tmp_path: Path) -> None:
    no = Decision("deny")
    context, _ = await followed_agent(tmp_path, Asking(), no, held=MISSING, approve="auto")
    assert [one.sandbox for one in questions(context)] == [NO_SANDBOX]
    context, _ = await followed_agent(tmp_path, Asking(), no, approve="auto")
    assert questions(context) == []
