"""Judges whether an answer arrived as it was made, by the times at which its pieces came.

A model makes tokens one after the other, and the fastest known service makes
some 3,000 a second. What comes faster was made earlier and held back: by a
buffer on the way, or by a server that does not stream. So arrivals that follow
each other within `TOGETHER` are one burst, and a burst that brings several
pieces faster than `FASTEST` tokens a second, after a silence of `HELD` or more,
is a **lump**. (After a shorter silence nobody notices: radio links make such
bursts of any fast stream.) The share of the pieces that came in lumps decides:

- nearly all, at the end of the waiting: something collected the whole answer;
- most, spread over the time: a buffer that fills and is emptied, again and again;
- few: they arrive as they are made. Two tokens that arrive together are no lump.

Three kinds of answers cannot be judged: a short one; one that was complete
before anyone could notice (`INSTANT`), as from a small local model or a cache;
and one in a single piece. That was made so by the server, since buffers deliver
records together but do not join them.

A gap is the time spent *waiting* for a piece and not the distance of two
pieces: for a piece that was there already it is 0, however busy this machine was
in between. Bytes are counted but not judged: at its end the Responses wire
repeats the whole answer in a few large records.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

import msgspec

Verdict = Literal["streams", "lump", "bursts", "one_piece", "too_fast", "too_short", "nothing"]
"""The last three are no judgement. The names are in the JSON of `lfg doctor`."""

TOGETHER = 0.010
"""Seconds of waiting below which a piece belongs to the burst before it."""

HELD = 0.05
"""Least seconds of silence before a lump: nobody sees that a shorter one held anything back."""

FASTEST = 5000.0
"""Tokens per second that no model makes."""

INSTANT = 0.25
"""Seconds from request to end within which streaming makes no difference."""

_FEWEST_TOKENS = 12.0
"""Tokens below which an answer is too short to judge."""

_CHARACTERS_PER_TOKEN = 4.0  # an estimate


@dataclass(frozen=True, slots=True)
class Arrival:
    """One read, after `gap` seconds of waiting: since the read before, or since the request.

    `deltas` is the number of pieces of text, reasoning or arguments in it, `characters`
    their length, `size` that of the read in bytes.
    """

    gap: float
    deltas: int
    characters: int
    size: int = 0


class Arrivals(msgspec.Struct, frozen=True):
    """The arrival of an answer in figures.

    `pieces` are deltas. Gaps leave out pieces that were there already. `span_ms` is from the
    first content to the last, `lump_share` is 0..1. Part of the JSON of `lfg doctor`.
    """

    pieces: int
    bursts: int
    bytes: int
    characters: int
    span_ms: float
    median_gap_ms: float | None
    longest_gap_ms: float | None
    lump_share: float


def judge(arrivals: Sequence[Arrival], total: float) -> tuple[Verdict, Arrivals]:
    """Judge the arrivals of one answer that was complete `total` seconds after its request."""
    content = _content(arrivals)
    bursts = _bursts(content)
    deltas = _deltas(content)
    fewest = max(3, min(10, deltas // 5))
    lumped = sum(_deltas(burst) for burst in bursts if _is_lump(burst, fewest))
    share = lumped / deltas if deltas else 0.0
    span = math.fsum(arrival.gap for arrival in content[1:])
    waits = [arrival.gap for arrival in content[1:] if arrival.gap >= TOGETHER / 10]
    return _verdict(content, share, span, total), Arrivals(
        pieces=deltas,
        bursts=len(bursts),
        bytes=sum(arrival.size for arrival in arrivals),
        characters=sum(arrival.characters for arrival in arrivals),
        span_ms=round(span * 1000, 1),
        median_gap_ms=round(median(waits) * 1000, 2) if waits else None,
        longest_gap_ms=round(max(waits) * 1000, 2) if waits else None,
        lump_share=round(share, 3),
    )


def estimated_tokens(arrivals: Iterable[Arrival]) -> float:
    """Estimate the tokens that arrived: one per delta, or one per four characters if more."""
    return sum(
        max(float(arrival.deltas), arrival.characters / _CHARACTERS_PER_TOKEN)
        for arrival in arrivals
        if arrival.deltas
    )


def _verdict(content: Sequence[Arrival], share: float, span: float, total: float) -> Verdict:
    """Judge by the share of pieces in lumps, and the seconds from first to last and in total."""
    deltas = _deltas(content)
    if not deltas:
        return "nothing"
    if estimated_tokens(content) < _FEWEST_TOKENS:
        return "too_short"
    if deltas < 3:
        return "too_fast" if total < INSTANT else "one_piece"
    if share < 0.5:
        return "streams"
    if total < INSTANT:
        return "too_fast"
    # A large lump takes a few round trips, so its span is not 0.
    return "lump" if share >= 0.9 and span <= total / 10 else "bursts"


def _content(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the arrivals with content; their gaps include those of arrivals without."""
    content: list[Arrival] = []
    gap = 0.0
    for arrival in arrivals:
        gap += arrival.gap
        if arrival.deltas:
            content.append(replace(arrival, gap=gap))
            gap = 0.0
    return content


def _bursts(content: Sequence[Arrival]) -> list[list[Arrival]]:
    """Group arrivals that follow each other within `TOGETHER`."""
    bursts: list[list[Arrival]] = []
    for arrival in content:
        if not bursts or arrival.gap >= TOGETHER:
            bursts.append([])
        bursts[-1].append(arrival)
    return bursts


def _deltas(arrivals: Sequence[Arrival]) -> int:
    return sum(arrival.deltas for arrival in arrivals)


def _is_lump(burst: Sequence[Arrival], fewest: int) -> bool:
    """Return True if at least `fewest` pieces were held back and came together."""
    if _deltas(burst) < fewest or burst[0].gap < HELD:
        return False
    seconds = math.fsum(arrival.gap for arrival in burst[1:])
    return estimated_tokens(burst) > FASTEST * seconds
