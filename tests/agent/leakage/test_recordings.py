"""Recorded streams lose what leaked into them, and nothing else."""

from collections.abc import Sequence

import pytest

from lfgtui.agent.leakage import LeakageFilter
from lfgtui.model import events as e
from lfgtui.settings.providers import ALL_DIALECTS
from tests.providers.published import DECODERS, decode
from tests.providers.recordings import FOLDER, WHY_SKIPPED, Recording, recordings

ALL = [(wire, recording) for wire in DECODERS for recording in recordings(wire)]

pytestmark = pytest.mark.skipif(FOLDER is None, reason=WHY_SKIPPED)


def texts(events: Sequence[e.WireEvent]) -> tuple[str, str]:
    """Visible and withheld."""
    visible = [event.text for event in events if isinstance(event, e.TextDelta)]
    withheld = [event.text for event in events if isinstance(event, e.ReasoningDelta)]
    return "".join(visible), "".join(withheld)


@pytest.mark.parametrize(
    ("wire", "recording"), ALL, ids=[f"{wire}/{recording.name}" for wire, recording in ALL]
)
def test_only_think_tags_leave_the_text(wire: str, recording: Recording) -> None:
    decoded = decode(wire, recording.body, "random").events
    leaks = LeakageFilter(ALL_DIALECTS)
    events = [outcome for event in decoded for outcome in leaks.feed(event)] + [*leaks.finish()]
    visible, withheld = texts(events)
    if recording.expected.get("think_tags_in_text"):
        text = str(recording.expected["text"])
        thought, _, answer = text.removeprefix("<think>").partition("</think>")
        assert (visible, withheld) == (answer.lstrip(), thought.lstrip())
    else:
        assert (visible, withheld) == texts(decoded)
    others = [event for event in events if not isinstance(event, e.TextDelta | e.ReasoningDelta)]
    assert others == [d for d in decoded if not isinstance(d, e.TextDelta | e.ReasoningDelta)]
