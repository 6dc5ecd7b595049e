"""Numbers as they are shown."""

import pytest

from lfgtui.text import figures


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0, "0:00"), (7.9, "0:07"), (750, "12:30"), (3723, "1:02:03")],
)
def test_durations(seconds: float | None, said: str) -> None:
    assert figures.duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (940, "940"), (12_400, "12.4k"), (99_960, "100k"), (3_100_000, "3.1M")],
)
def test_counts(number: int, said: str) -> None:
    assert figures.count(number) == said


@pytest.mark.parametrize(
    ("usd", "said"),
    [(None, ""), (0.0, "$0.00"), (0.004, "$0.004"), (0.42, "$0.42"), (12, "$12.00")],
)
def test_money(usd: float | None, said: str) -> None:
    assert figures.money(usd) == said


def test_bars_stand_against_the_highest() -> None:
    assert figures.spark([9.0, 0.0, 4.0, 8.0], 3) == " ▄█"
    assert figures.spark([0.0, 0.0], 2) == "  "
