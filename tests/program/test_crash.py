"""One kill in the suite; `make crash` does two hundred."""

import random
from pathlib import Path

from tests.program.crash import killed_once, stage


def test_what_was_on_the_terminal_is_in_the_history_after_a_kill(tmp_path: Path) -> None:
    with stage(tmp_path) as environment:
        outcome = killed_once(tmp_path, environment, random.Random(1))
    assert outcome.is_well, outcome
    assert max(outcome.shown.values()) >= 0
