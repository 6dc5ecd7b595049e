"""Commands from elsewhere, in words."""

from typing import get_args

import pytest

from lfgtui.engine.commands import TicketCommand, taken
from lfgtui.model.turn_events import _DONE, CommandTaken


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
