import pytest

from lfgtui.history.storage.segments import OpenSegments
from lfgtui.model import events as e

TEXT, THOUGHT = e.TextDelta("a"), e.ReasoningDelta("b")
STARTED, PIECE = e.ToolCallStarted("c", "run"), e.ToolArgumentsDelta("c", "{")
OUTPUT, OTHER_OUTPUT = (e.ToolOutputDelta(call, "stdout", "1") for call in "cd")
FINISHED, OTHER_FINISHED = (e.ToolCallFinished(call, "1", None, 0, 0.1) for call in "cd")
RESPONSE_OVER = e.ResponseFinished(1, "tool_use")


@pytest.mark.parametrize(
    ("events", "closed"),
    [
        ([TEXT, e.Heartbeat(), TEXT, RESPONSE_OVER], [("text", 1, 3)]),
        (
            [TEXT, THOUGHT, TEXT, e.TicketCancelled()],
            [("text", 1, 1), ("reasoning", 2, 2), ("text", 3, 3)],
        ),
        ([TEXT, e.Status("x")], []),
        (
            [STARTED, PIECE, e.ToolCallRequested("c", "run", {}), RESPONSE_OVER],
            [("tool_call", 3, 3)],
        ),
        (
            [STARTED, PIECE, e.TicketFailed("cut", "gone", True)],
            [("tool_call", 1, 2), ("error", 3, 3)],
        ),
        (
            [OUTPUT, OTHER_OUTPUT, FINISHED, OTHER_FINISHED],
            [("tool_output", 1, 3), ("tool_output", 2, 4)],
        ),
        ([TEXT, OUTPUT, e.AttemptStarted("p", "m")], [("text", 1, 1), ("tool_output", 2, 2)]),
    ],
    ids=[
        "from the first delta to the last",
        "text ends where reasoning begins",
        "open text is none yet",
        "a complete call is one and its pieces none",
        "an incomplete call is one when its response breaks",
        "outputs of parallel calls are kept apart",
        "a new attempt closes all that was open",
    ],
)
def test_kind_and_range_of_each_segment_in_the_order_they_close(
    events: list[e.Event], closed: list[tuple[str, int, int]]
) -> None:
    segments = OpenSegments()
    found = [
        (segment.kind, segment.first_seq, segment.last_seq)
        for seq, event in enumerate(events, start=1)
        for segment in segments.apply(e.Entry("r", "t", 1, seq, float(seq), event))
    ]
    assert found == closed
