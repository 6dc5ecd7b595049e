"""Calls that go in circles, and calls that only look like it."""

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.agent.repetition import LONGEST, Made, calls_made, circle
from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript

PYTEST = e.ToolCallRequested("", "run_command", {"command": "pytest"})
READ = e.ToolCallRequested("", "read_file", {"path": "a"})


def edit(new: str) -> e.ToolCallRequested:
    return e.ToolCallRequested("", "edit_file", {"path": "a", "old": "x", "new": new})


def made(*calls: tuple[e.ToolCallRequested, str] | e.Event) -> list[Made]:
    """Calls with their results, as the fold has them."""
    fold, events = Transcript(), list[e.Event]()
    events += [e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go.")]
    for number, call in enumerate(calls):
        if isinstance(call, e.Event):
            events.append(call)
            continue
        name, arguments = call[0].name, call[0].arguments
        events += [
            e.RequestSent(1),
            e.ToolCallRequested(str(number), name, arguments),
            e.ResponseFinished(1, "tool_use"),
            e.ToolCallFinished(str(number), call[1], None, None, 0.0),
        ]
    for seq, event in enumerate(events, 1):
        assert fold.apply(e.Entry("r", "a", 1, seq, 0.0, event)) is None
    return calls_made(fold.attempts)


def found(*calls: tuple[e.ToolCallRequested, str] | e.Event, then: e.ToolCallRequested) -> str:
    return circle(made(*calls), then.name, then.arguments)


def test_the_same_call_is_a_circle_when_it_is_made_for_the_third_time() -> None:
    assert not found((READ, "x"), then=READ)
    assert found((READ, "x"), (READ, "x"), then=READ) == (
        "third identical call of read_file in a row, each with the same result"
    )
    assert not found((READ, "x"), (READ, "x"), then=PYTEST)


def test_another_result_begins_anew() -> None:
    assert not found((PYTEST, "1 failed"), (PYTEST, "1 passed"), then=PYTEST)
    assert found((PYTEST, "2"), (PYTEST, "1"), (PYTEST, "1"), then=PYTEST)


def test_how_long_it_took_is_no_other_result() -> None:
    took = [(PYTEST, f"3 failed in {seconds}s") for seconds in ("0.31", "12.0")]
    assert found(*took, then=PYTEST)


def test_a_command_after_each_edit_is_none() -> None:
    edits = [step for new in "bcdef" for step in ((edit(new), "edited"), (PYTEST, "1 failed"))]
    for end in range(len(edits)):
        assert not found(*edits[:end], then=edits[end][0])


def test_calls_that_take_turns_are_one() -> None:
    turns = [(READ, "x"), (PYTEST, "1 failed")] * 2
    assert "read_file and run_command repeated" in found(*turns, then=READ)
    assert not found(*turns, then=PYTEST)
    assert not found(*turns[:3], then=PYTEST)
    assert not found((READ, "y"), *turns[1:], then=READ)


def test_what_the_person_says_begins_anew() -> None:
    said = e.UserMessage("Try again.", origin="person")
    assert not found((READ, "x"), (READ, "x"), said, then=READ)


def test_what_the_person_allowed_begins_anew() -> None:
    calls = [(READ, "x"), (READ, "x")]
    asked = e.ApprovalRequested("2", "read_file", "read_file a", reason="the same call")
    allowed = [e.RequestSent(1), e.ToolCallRequested("2", "read_file", {"path": "a"})]
    allowed += [asked, e.ApprovalGiven("2"), e.ResponseFinished(1, "tool_use")]
    allowed += [e.ToolCallFinished("2", "x", None, None, 0.0)]
    assert not found(*calls, *allowed, then=READ)
    assert not found(*calls, *allowed, (READ, "x"), then=READ)
    assert found(*calls, *allowed, (READ, "x"), (READ, "x"), then=READ)


def test_what_the_person_denied_does_not() -> None:
    asked = e.ApprovalRequested("2", "read_file", "read_file a", reason="the same call")
    denied = [e.RequestSent(1), e.ToolCallRequested("2", "read_file", {"path": "a"})]
    denied += [asked, e.ApprovalDenied("2", ""), e.ResponseFinished(1, "tool_use")]
    denied += [e.ToolCallFinished("2", "denied", "denied", None, 0.0)]
    assert found((READ, "x"), (READ, "x"), *denied, then=READ)
    assert not found((READ, "x"), (READ, "x"), *denied, then=PYTEST)


CALLS = st.builds(Made, st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("12"))


@given(st.lists(CALLS, max_size=2 * LONGEST), st.sampled_from("ab"), st.sampled_from("xy"))
def test_a_circle_is_two_equal_rounds_and_the_begin_of_a_third(
    calls: list[Made], name: str, path: str
) -> None:
    calls = [Made(one.name, repr([("path", one.arguments)]), one.result) for one in calls]
    sizes = range(1, LONGEST + 1)
    rounds = [calls[-2 * n :] for n in sizes if len(calls) >= 2 * n]
    expected = any(
        one[: len(one) // 2] == one[len(one) // 2 :]
        and one[0][:2] == (name, repr([("path", path)]))
        for one in rounds
    )
    assert bool(circle(calls, name, {"path": path})) is expected
