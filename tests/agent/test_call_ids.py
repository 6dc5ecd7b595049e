"""Calls are told apart by lfg's own ids, whatever ids their provider chooses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui.agent.context import Decision
from lfgtui.model import events as e
from lfgtui.model.fold.call_ids import CallIds
from lfgtui.model.fold.conversation import ToolResult
from tests.agent.test_loop import Script, Surroundings, answer, worked
from tests.engine.harness import ticket

WRITE = e.ToolCallRequested("x", "write_file", {"path": "notes", "content": "1"})
COMMAND = e.ToolCallRequested("x", "run_command", {"command": "touch ran"})
CALL_EVENTS = (
    e.ToolCallStarted,
    e.ToolArgumentsDelta,
    e.ToolCallRequested,
    e.HostedTool,
    e.HostedOutputDelta,
)
SORRY = answer("end", e.TextDelta("Sorry."))


class Asking(Surroundings):
    """A context that notes which card was asked about, as the fold has it then."""

    def __init__(self, *decisions: Decision) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, str | None]] = []
        self._decisions = list(decisions)

    async def ask(self, call_id: str) -> Decision | None:
        await self.settle()
        (card,) = self.transcript.calls.waiting
        assert card.call_id == call_id
        self.asked.append((card.call_id, card.name, card.approval))
        return self._decisions.pop(0)


@pytest.mark.parametrize("in_one_response", [True, False])
async def test_what_is_approved_says_nothing_about_another_call_of_the_same_id(
    tmp_path: Path, in_one_response: bool
) -> None:
    context = Asking(Decision("approve"), Decision("deny"))
    responses = [[WRITE, COMMAND]] if in_one_response else [[WRITE], [COMMAND]]
    script = Script(*(answer("tool_use", *response) for response in responses), SORRY)
    await worked(ticket("a", tmp_path), script, context)
    assert [(name, question) for _, name, question in context.asked] == [
        ("write_file", "create notes (1 line)"),
        ("run_command", "$ touch ran"),
    ]
    assert len({call_id for call_id, *_ in context.asked}) == 2
    assert ((tmp_path / "notes").exists(), (tmp_path / "ran").exists()) == (True, False)
    cards = list(context.transcript.attempts[0].tools)
    assert [(card.state, card.denied) for card in cards] == [
        ("finished", False),
        ("finished", True),
    ]


async def test_the_provider_gets_ids_it_can_tell_apart(tmp_path: Path) -> None:
    script = Script(answer("tool_use", COMMAND, COMMAND), answer("tool_use", COMMAND), SORRY)
    await worked(ticket("a", tmp_path, approve="auto"), script, Surroundings(Decision("approve")))
    calls = [c.call_id for m in script.requests[-1].messages for c in getattr(m, "calls", ())]
    results = [m.call_id for m in script.requests[-1].messages if isinstance(m, ToolResult)]
    assert calls[0] == "x"
    assert len(set(calls)) == 3
    assert results == calls
    before = [c.call_id for m in script.requests[1].messages for c in getattr(m, "calls", ())]
    assert before == calls[:2]


async def test_calls_of_an_older_lfg_that_share_an_id_do_not_run_at_resume(tmp_path: Path) -> None:
    """Their cards cannot be told apart, so what is approved is not known."""
    stored = (
        *(e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go."), e.RequestSent(1)),
        *(WRITE, COMMAND, e.ResponseFinished(1, "tool_use")),
        e.ApprovalRequested("x", "write_file", "write_file notes · 1 line"),
        *(e.TicketInterrupted(), e.TicketQueued(), e.AttemptStarted("p", "m", continues=True)),
    )
    context = Surroundings(Decision("approve"), *stored)
    await worked(ticket("a", tmp_path), Script(SORRY), context)
    assert [f.error for f in context.finished()] == ["interrupted"]
    assert not (tmp_path / "notes").exists()
    assert not (tmp_path / "ran").exists()


async def test_a_hosted_call_does_not_touch_one_that_runs_here(tmp_path: Path) -> None:
    hosted = e.HostedTool("search", "query", "found", "x")
    script = Script(
        answer("tool_use", COMMAND, hosted, e.HostedOutputDelta("x", "live")), answer("end", hosted)
    )
    context = Surroundings()
    await worked(ticket("a", tmp_path, approve="auto"), script, context)
    (card,) = context.transcript.attempts[0].tools
    assert (card.state, str(card.live), card.error) == ("finished", "", None)
    ids = {event.call_id for event in context.seen if isinstance(event, e.HostedTool)}
    assert len(ids) == 1
    assert ids.isdisjoint({card.call_id, "x"})


async def test_ids_go_on_after_a_resume(tmp_path: Path) -> None:
    before = (
        *(e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go."), e.RequestSent(1)),
        e.ToolCallStarted("call00007", "run_command"),
        *(e.Retrying("cut", 0.0, 2, "cut"), e.AttemptStarted("p", "m", continues=True)),
    )
    context = Surroundings(None, *before)
    script = Script(answer("tool_use", COMMAND), SORRY)
    await worked(ticket("a", tmp_path, approve="auto"), script, context)
    assert [finished.call_id for finished in context.finished()] == ["call00008"]


ANY_ID = st.sampled_from(["", "x", "call00001", "call00002", "text_1_1"])
LOCAL: st.SearchStrategy[e.WireEvent] = st.one_of(
    st.builds(e.ToolCallStarted, ANY_ID, st.just("f")),
    st.builds(e.ToolArgumentsDelta, ANY_ID, st.just("{}")),
    st.builds(e.ToolCallRequested, ANY_ID, st.just("f"), st.just({})),
)
HOSTED: st.SearchStrategy[e.WireEvent] = st.one_of(
    st.builds(e.HostedTool, st.just("f"), call_id=ANY_ID),
    st.builds(e.HostedOutputDelta, ANY_ID, st.just("out")),
)


@given(st.lists(st.lists(LOCAL | HOSTED, max_size=12), max_size=4))
def test_whatever_ids_come_no_two_calls_have_one(responses: list[list[e.WireEvent]]) -> None:
    ids = CallIds(0)
    requested: list[str] = []
    local: set[str] = set()
    hosted: set[str] = set()
    for response in responses:
        ids.own(e.ResponseFinished(1, "end"))
        for event in response:
            told = ids.own(event)
            assert isinstance(told, CALL_EVENTS)
            assert isinstance(told.call_id, str)
            mine = hosted if isinstance(told, e.HostedTool | e.HostedOutputDelta) else local
            mine.add(told.call_id)
            if isinstance(told, e.ToolCallRequested):
                requested.append(told.call_id)
    assert len(set(requested)) == len(requested)
    assert not local & hosted
