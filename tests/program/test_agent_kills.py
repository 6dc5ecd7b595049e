"""Four kills in the suite; `make kills` does fifty."""

import random
from pathlib import Path

import pytest

from tests.program.agent_kills import killed_once, stage


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="nothing can be found without /proc")
@pytest.mark.parametrize(
    ("way", "sandbox"),
    [
        ("SIGKILL", "auto"),
        ("closed terminal", "none"),
        ("agent", "none"),
        ("lfg and supervisor", "auto"),
    ],
)
def test_nothing_of_a_run_is_left_after_a_kill_and_it_can_be_resumed(
    tmp_path: Path, way: str, sandbox: str
) -> None:
    outcome = killed_once(tmp_path, stage(tmp_path, sandbox), way, random.Random(way))
    assert outcome.is_well, outcome
