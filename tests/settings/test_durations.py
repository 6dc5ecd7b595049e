"""Ages as they are written."""

import pytest

from lfgtui.settings.durations import seconds_of


@pytest.mark.parametrize(
    ("age", "seconds"), [("48h", 172_800), ("90d", 7_776_000), ("2w", 1_209_600)]
)
def test_ages(age: str, seconds: int) -> None:
    assert seconds_of(age) == seconds


@pytest.mark.parametrize("age", ["", "d", "90", "90 d", "1y", "-1d", "1.5d", "0d", "123456d", "٣d"])
def test_what_is_no_age(age: str) -> None:
    assert seconds_of(age) is None
