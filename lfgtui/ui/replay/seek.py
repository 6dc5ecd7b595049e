"""Positions of a replay as a person types them.

    90   90s   1:30   1:02:03     a time of the replay
    50%                           a part of it
    #17                           an event, counted as the screen counts them
    api 17   api#17               an event of a ticket, as `lfg search --json` numbers it
    @14:03   14:03:22             a time of day

`1:02:03` is a time of day if the replay is shorter than that. The screen of a replay and
`lfg replay --from` take these.
"""

import re
from datetime import datetime, timedelta

from lfgtui.errors import UsageError, did_you_mean
from lfgtui.text import figures
from lfgtui.ui.replay.run import ReplayedRun
from lfgtui.ui.replay.timeline import Timeline

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*s?", re.ASCII)
_CLOCK = re.compile(r"(@?)(?:(\d{1,4}):)?(\d{1,4}):(\d\d(?:\.\d+)?)", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_EVENT = re.compile(r"(?:([A-Za-z0-9._-]+)\s*)?(?:#|\s)\s*(\d{1,9})", re.ASCII)

EXPECTED = "1:30, 90s, 50%, #17, api 17 or 14:03:22"
"""Examples, for an error's text and the field's hint."""


def go_to(run: ReplayedRun, text: str, counted: str | None = None) -> None:
    """Go to the position that the text names.

    `counted` is the ticket whose events `#17` counts, None for all of them.
    Raises `UsageError` if there is no such position.
    """
    typed, timeline = text.strip(), run.timeline
    if match := _SECONDS.fullmatch(typed):
        run.seek(_within(timeline, float(match[1])))
    elif match := _SHARE.fullmatch(typed):
        if float(match[1]) > 100:
            raise UsageError("100% is the end of the replay")
        run.seek(timeline.length * float(match[1]) / 100)
    elif match := _CLOCK.fullmatch(typed):
        run.seek(_clock(timeline, match))
    elif match := _EVENT.fullmatch(typed):
        run.seek_entry(_entry(timeline, match[1] or counted, int(match[2])))
    else:
        raise UsageError(f'invalid position "{typed}": expected {EXPECTED}')


def _within(timeline: Timeline, seconds: float) -> float:
    """Return the seconds; raise `UsageError` if the replay is shorter."""
    if seconds > timeline.length:
        raise UsageError(f"the replay is only {figures.duration(timeline.length)} long")
    return seconds


def _clock(timeline: Timeline, match: re.Match[str]) -> float:
    """Return the moment of a time of the replay, or of a time of day."""
    is_of_day = bool(match[1])
    hours, minutes, seconds = int(match[2] or 0), int(match[3]), float(match[4])
    if is_of_day and not match[2]:  # @14:03
        hours, minutes, seconds = minutes, int(seconds), 0.0
    total = hours * 3600 + minutes * 60 + seconds
    if not is_of_day and not (match[2] and total > timeline.length):
        return _within(timeline, total)
    return _time_of_day(timeline, total)


def _time_of_day(timeline: Timeline, seconds: float) -> float:
    """Return the moment at which the run first had that time of day."""
    began = datetime.fromtimestamp(timeline.began_at)
    day = began.replace(hour=0, minute=0, second=0, microsecond=0)
    while (at := (day + timedelta(seconds=seconds)).timestamp()) < timeline.began_at - 1:
        day += timedelta(days=1)
    if seconds >= 86_400 or at > timeline.ended_at:
        ended = datetime.fromtimestamp(timeline.ended_at)
        raise UsageError(f"the run lasted from {began:%H:%M:%S} to {ended:%H:%M:%S}")
    return timeline.find_time(at)


def _entry(timeline: Timeline, ticket: str | None, number: int) -> int:
    """Return the position at entry `number`, of the ticket (its `seq`) or (None) of all."""
    if ticket is None:
        if not 0 <= number <= timeline.count:
            raise UsageError(f"the replay has only {timeline.count} events")
        return number
    if ticket not in timeline.of_ticket:
        known = timeline.of_ticket
        raise UsageError(f'the run has no ticket "{ticket}"{did_you_mean(ticket, known)}')
    count = timeline.find_entry(ticket, number) if number else 0
    if count is None:
        raise UsageError(f"{ticket} has only {len(timeline.of_ticket[ticket])} events")
    return count
