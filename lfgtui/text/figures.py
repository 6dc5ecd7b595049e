"""Figures and names for people, in as few cells as possible; and sizes and ages that people write.

The examples in the docstrings are the formats; many tests and pictures of the screen have them.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from math import ceil

_AGE = r"([1-9][0-9]{0,4})([hdw])"
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_MEMORY = r"(\d{1,6}(?:\.\d{1,3})?) ?([MGT])B"
_SHARE = r"([1-9]\d?|100) ?%"
_BYTES = {"M": 10**6, "G": 10**9, "T": 10**12}
_SPARKS = "▁▂▃▄▅▆▇█"


def duration(seconds: float | None) -> str:
    """Return `0:07`, `12:30` or `1:02:03`; nothing for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def age(seconds: float) -> str:
    """Return a time span as `<1m`, `5m`, `2h 05m`, `3d 4h` or `120d`."""
    minutes = int(seconds) // 60
    hours, days = minutes // 60, minutes // 1440
    if hours < 1:
        return f"{minutes}m" if minutes else "<1m"
    if days < 1:
        return f"{hours}h {minutes % 60:02}m"
    return f"{days}d {hours % 24}h" if days < 100 else f"{days}d"


def age_seconds(age: str) -> int:
    """Return the seconds of an age such as `30d`; raise `ValueError` if it is invalid."""
    match = re.fullmatch(_AGE, age)
    if match is None:
        raise ValueError(f'invalid duration "{age}": expected e.g. 30d, 12w or 48h')
    return int(match[1]) * _SECONDS[match[2]]


def count(number: float) -> str:
    """Return a number, of tokens for example, as `940`, `12.4k` or `3.1M`."""
    if number < 1000:
        return f"{number:.0f}"
    if number < 99_950:
        return f"{number / 1000:.1f}k"
    if number < 999_500:
        return f"{number / 1000:.0f}k"
    return f"{number / 1_000_000:.1f}M"


def plural(number: int, noun: str) -> str:
    """Return a number of things in words, as in "1,200 files"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def memory(size: int) -> str:
    """Return a size in bytes as `940 MB` or `1.2 GB`."""
    return f"{size / 1e6:.0f} MB" if size < 999_500_000 else f"{size / 1e9:.1f} GB"


def memory_bytes(size: str, available: int) -> int:
    """Return the bytes of a size such as `8 GB`, or of a share of what is available, `80%`.

    Raises `ValueError` if it is neither.
    """
    if (share := re.fullmatch(_SHARE, size)) is not None:
        return available * int(share[1]) // 100
    match = re.fullmatch(_MEMORY, size)
    if match is None:
        raise ValueError(f'invalid size "{size}": expected e.g. "8 GB", "500 MB" or "80%"')
    return int(float(match[1]) * _BYTES[match[2]])


def size(number: int) -> str:
    """Return the size of a file as `940 bytes`, `12 kB` or `1.2 MB`."""
    if number < 1000:
        return f"{number} byte{'' if number == 1 else 's'}"
    return f"{number / 1e3:.0f} kB" if number < 999_500 else f"{number / 1e6:.1f} MB"


def money(usd: float | None, is_estimate: bool = False) -> str:
    """Return `$0.42`, or `~$0.42` for an estimate; nothing for None."""
    if usd is None:
        return ""
    digits = 2 if usd >= 0.1 or usd == 0 else 3
    return f"{'~' if is_estimate else ''}${usd:.{digits}f}"


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that the share (0 to 1) of the values do not exceed; 0 for none."""
    ranked = sorted(values)
    return ranked[max(0, ceil(share * len(ranked)) - 1)] if ranked else 0.0


def spark(values: list[float], width: int) -> str:
    """Return the last `width` values as a row of bars, relative to the highest."""
    shown = values[-width:]
    top = max(shown, default=0.0)
    if top <= 0:
        return " " * len(shown)
    return "".join(
        " " if value <= 0 else _SPARKS[min(7, int(value / top * 7.999))] for value in shown
    )


def day_and_time(at: float) -> str:
    """Return local time as `2026-03-04 17:05`; with question marks if `at` is out of range."""
    try:
        return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "????-??-?? ??:??"


def clock_time(at: float, now: float) -> str:
    """Return local time as `14:32`, or `23 Nov 14:32` on another day than `now`."""
    try:
        then = datetime.fromtimestamp(at)
        is_today = then.date() == datetime.fromtimestamp(now).date()
    except (OverflowError, ValueError, OSError):
        return "??:??"
    return then.strftime("%H:%M" if is_today else "%-d %b %H:%M")


def model_name(provider: str, model: str) -> str:
    """Return `provider/model`, or only one if the other is "": agents choose their own model."""
    return f"{provider}/{model}".strip("/")
