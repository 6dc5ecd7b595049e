from lfgtui.history.storage.segments import OpenSegments
from lfgtui.model import events as e


def closed(*events: e.Event) -> list[tuple[str, int, int]]:
    """Kind and range of each segment, in the order they closed."""
    segments = OpenSegments()
    found: list[tuple[str, int, int]] = []
    for seq, event in enumerate(events, start=1):
        entry = e.Entry("r", "t", 1, seq, float(seq), event)
        found += [(s.kind, s.first_seq, s.last_seq) for s in segments.apply(entry)]
    return found


def test_a_run_of_text_reaches_from_its_first_delta_to_its_last() -> None:
    finish = e.ResponseFinished(1, "end")
    assert closed(e.TextDelta("a"), e.Heartbeat(), e.TextDelta("b"), finish) == [("text", 1, 3)]


def test_text_ends_where_reasoning_begins() -> None:
    story = (e.TextDelta("a"), e.ReasoningDelta("b"), e.TextDelta("c"), e.TicketCancelled())
    assert closed(*story) == [("text", 1, 1), ("reasoning", 2, 2), ("text", 3, 3)]


def test_open_text_is_no_segment_yet() -> None:
    assert closed(e.TextDelta("a"), e.Status("x")) == []


def test_a_complete_call_is_one_segment_and_its_pieces_none() -> None:
    story = (
        e.ToolCallStarted("c", "run"),
        e.ToolArgumentsDelta("c", "{}"),
        e.ToolCallRequested("c", "run", {}),
        e.ResponseFinished(1, "tool_use"),
    )
    assert closed(*story) == [("tool_call", 3, 3)]


def test_an_incomplete_call_is_one_segment_when_its_response_breaks() -> None:
    story = (
        e.ToolCallStarted("c", "run"),
        e.ToolArgumentsDelta("c", "{"),
        e.TicketFailed("cut", "gone", True),
    )
    assert closed(*story) == [("tool_call", 1, 2), ("error", 3, 3)]


def test_outputs_of_parallel_calls_are_kept_apart() -> None:
    story = (
        e.ToolOutputDelta("c", "stdout", "1"),
        e.ToolOutputDelta("d", "stdout", "2"),
        e.ToolCallFinished("c", "1", None, 0, 0.1),
        e.ToolCallFinished("d", "2", None, 0, 0.1),
    )
    assert closed(*story) == [("tool_output", 1, 3), ("tool_output", 2, 4)]


def test_a_new_attempt_closes_all_that_was_open() -> None:
    story = (e.TextDelta("a"), e.ToolOutputDelta("c", "stdout", "1"), e.AttemptStarted("p", "m"))
    assert closed(*story) == [("text", 1, 1), ("tool_output", 2, 2)]
