"""Sizes of memory, as a person writes them."""

import pytest

from lfgtui.settings.memory import memory_bytes


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
    assert memory_bytes(size, 4_000_000_000) == expected
