"""Numbers as they are shown."""

from datetime import datetime

import pytest

from lfgtui.text import figures


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, ""), (0, "0:00"), (7.9, "0:07"), (750, "12:30"), (3723, "1:02:03")]
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
    assert figures.money(usd, is_estimate=True) == (f"~{said}" if said else "")


@pytest.mark.parametrize(
    ("provider", "model", "said"),
    [("xai", "grok", "xai/grok"), ("claude", "", "claude"), ("", "grok", "grok"), ("", "", "")],
)
def test_a_model_has_the_name_of_its_provider_and_an_agent_may_have_none(
    provider: str, model: str, said: str
) -> None:
    assert figures.model_name(provider, model) == said


def test_bars_stand_against_the_highest() -> None:
    assert figures.spark([9.0, 0.0, 4.0, 8.0], 3) == " ▄█"
    assert figures.spark([0.0, 0.0], 2) == "  "


@pytest.mark.parametrize(
    ("later", "said"),
    [(0.0, "12:00"), (2 * 3600 + 32 * 60, "14:32"), (12 * 3600, "2 Jan 00:00"), (1e18, "??:??")],
)
def test_a_time_of_day_names_its_day_unless_it_is_today(later: float, said: str) -> None:
    noon = datetime(2026, 1, 1, 12).timestamp()
    assert figures.clock_time(noon + later, noon) == said


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [figures.percentile(values, share) for share in (0.5, 0.9, 0.99)] == [50, 90, 99]
    assert [figures.percentile([3.0, 7.0], share) for share in (0.5, 0.51, 0.99)] == [3, 7, 7]
    assert figures.percentile([], 0.5) == 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("8 GB", 8_000_000_000),
        ("1.5GB", 1_500_000_000),
        ("500 MB", 500_000_000),
        ("1 TB", 1_000_000_000_000),
        ("80%", 3_200_000_000),
        ("100 %", 4_000_000_000),
    ],
)
def test_a_size_or_a_share_of_what_there_is(size: str, expected: int) -> None:
    assert figures.memory_bytes(size, 4_000_000_000) == expected
