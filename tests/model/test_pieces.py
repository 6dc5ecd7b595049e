from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model import events as e
from lfgtui.model.pieces import joined, merge

WIRE_EVENTS = st.lists(
    st.builds(e.TextDelta, st.text(max_size=3))
    | st.builds(e.ReasoningDelta, st.text(max_size=3))
    | st.builds(e.ToolArgumentsDelta, st.sampled_from(["a", "b"]), st.text(max_size=3))
    | st.just(e.Heartbeat())
    | st.just(e.Status("a remark"))
    | st.just(e.Usage(1, 2)),
    max_size=12,
)


def merged_one_by_one(events: list[e.Event]) -> list[e.Event]:
    merged: list[e.Event] = []
    for event in events:
        both = merge(merged[-1], event) if merged else None
        merged[-1:] = [both] if both is not None else [*merged[-1:], event]
    return merged


@given(WIRE_EVENTS)
def test_joined_events_are_those_that_merge_one_by_one(events: list[e.Event]) -> None:
    assert list(joined(events)) == merged_one_by_one(events)
