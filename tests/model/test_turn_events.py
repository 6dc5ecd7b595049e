"""Commands from elsewhere, in words."""

from typing import get_args

import pytest

from lfgtui.engine.commands import TicketCommand, taken
from lfgtui.model.turn_events import _DONE, CommandTaken, LateEntries


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("approve", "approved by ann@laptop"),
        ("tell", "message sent by ann@laptop"),
        ("of_tomorrow", "of tomorrow by ann@laptop"),
    ],
)
def test_a_command_is_told_as_what_was_done(command: str, words: str) -> None:
    assert CommandTaken(command, "ann@laptop").in_words == words


def test_every_command_has_words() -> None:
    names = set()
    for kind in get_args(TicketCommand):
        fields = dict.fromkeys(kind.__struct_fields__, "")
        names.add(taken(kind(**fields), "ann").command)
    assert names == _DONE.keys()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], ""),
        ([{"type": "ticket_interrupted"}], ""),
        ([{"type": "text_delta", "text": "So."}], 'wrote "So."'),
        (
            [{"type": "text_delta", "text": "So."}, {"type": "tool_call_requested", "name": "ls"}],
            'wrote "So.", called ls',
        ),
    ],
)
def test_late_entries_are_told_as_what_the_worker_did(
    entries: list[dict[str, object]], words: str
) -> None:
    said = f"worker one, attempt 2, too late to count: {words}" if words else ""
    assert LateEntries("one", 2, entries).in_words == said
