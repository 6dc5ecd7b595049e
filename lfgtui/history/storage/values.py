"""Converts values of columns to the types they should have, even in a damaged file.

SQLite stores any type in any column. One bad value must not prevent all other runs
from being listed, so it is replaced when it is read.
"""

from collections.abc import Collection
from typing import TypeVar

from lfgtui.errors import HistoryError
from lfgtui.model.clock import MOMENT

Word = TypeVar("Word", bound=str)


class DamagedError(HistoryError):
    """A pack that cannot be unpacked, or whose text is missing."""


def decode(raw: bytes) -> str:
    """Return the stored bytes as text, replacing what is not UTF-8."""
    return raw.decode(errors="replace")


def text(value: object) -> str:
    """Return the value as text; empty for NULL."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return decode(value)
    return "" if value is None else str(value)


def optional_text(value: object) -> str | None:
    """Return the value as text, or None for NULL."""
    return None if value is None else text(value)


def moment(value: object) -> float:
    """Return seconds since the epoch, within `MOMENT`; 0 for a value that is not a number."""
    return optional_moment(value) or 0.0


def optional_moment(value: object) -> float | None:
    """Return seconds since the epoch, within `MOMENT`; None for a value that is not a number."""
    earliest, latest = MOMENT
    return min(max(earliest, value), latest) if isinstance(value, int | float) else None


def amount(value: object) -> float | None:
    """Return the value if it is a number, else None."""
    return float(value) if isinstance(value, int | float) else None


def count(value: object) -> int:
    """Return the value as a whole number from 0 on; 0 for anything else."""
    return max(0, value) if isinstance(value, int) else 0


def one_of(value: object, known: Collection[Word], otherwise: Word) -> Word:
    """Return the value if it is one of the known words, else the default."""
    return next((word for word in known if word == value), otherwise)
