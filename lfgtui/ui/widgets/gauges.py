"""The row of gauges: a ticket's progress in figures.

Every figure has a width of its own, so those that change move nothing beside
them. Which of them there is room for is known before any is drawn.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from rich.style import Style

from lfgtui.model.metrics import Meter
from lfgtui.model.states import ENDED
from lfgtui.model.transcript import Transcript
from lfgtui.text.figures import count, duration, money, spark
from lfgtui.ui.text.wrapping import Row, Span, fit

_SPARK = 10


class Limits(Protocol):
    """Seconds beyond which a figure is a warning."""

    @property
    def stall_after(self) -> float: ...

    @property
    def ttft_budget(self) -> float: ...


class Field(NamedTuple):
    """A figure, or a word, of fixed width. Those of the lowest `rank` are kept longest."""

    name: str
    rank: int
    width: int


_FIELDS = (
    Field("ttft", 3, 10),
    Field("rate", 1, 8),
    Field("spark", 4, _SPARK),
    Field("taken", 3, 7),
    Field("given", 5, 7),
    Field("cost", 6, 7),
)


class Gauges:
    """Draws the figures of one ticket; `style` knows the theme's colours by name."""

    def __init__(self, limits: Limits, style: Callable[[str], Style]) -> None:
        self._limits = limits
        self._style = style

    def row(self, transcript: Transcript, meter: Meter, now: float, room: int) -> Row:
        """Return the figures of the moment, in so many cells."""
        fields, gap = _fitting(_fields(transcript, duration(meter.elapsed(now))), room)
        drawn = [self._drawn(field, transcript, meter, now) for field in fields]
        right = drawn.pop()  # the time stands at the right edge
        between = (" " * gap, self._style("foreground"))
        left = [span for spans in drawn for span in (*spans, between)]
        return fit(left[:-1], right, room, self._style("foreground"))

    def _drawn(
        self, field: Field, transcript: Transcript, meter: Meter, now: float
    ) -> tuple[Span, ...]:
        plain = self._style("foreground")
        match field.name:
            case "ttft":
                return self._ttft(transcript, meter, now)
            case "rate":
                return self._rate(transcript, meter, now)
            case "spark":
                return ((spark(meter.history(now), _SPARK), self._style("primary")),)
            case "taken":
                taken, is_estimate = meter.output_tokens()
                tokens = f"{_tilde(is_estimate)}{count(taken)}".rjust(6)
                return ("↓", self._style("muted")), (tokens, plain)
            case "given":
                given = sum(attempt.usage.input for attempt in transcript.attempts)
                return ("↑", self._style("muted")), (count(given).rjust(6), plain)
            case "cost":
                costs = [a.usage.cost for a in transcript.attempts if a.usage.cost is not None]
                return ((money(sum(costs)).rjust(7) if costs else " " * 7, plain),)
            case "unsaved":
                return (("unsaved", self._style("error")),)
            case "attempt":
                number = transcript.attempt.number if transcript.attempt else 0
                return ((f"#{number}", self._style("warning")),)
            case _:
                return ((duration(meter.elapsed(now)).rjust(5), plain),)

    def _ttft(self, transcript: Transcript, meter: Meter, now: float) -> tuple[Span, ...]:
        """Time to first token; counting while there is none yet."""
        waits = transcript.state == "waiting" and meter.ttft is None
        value = meter.waiting_for(now) if waits else meter.ttft
        if value is None:
            return (("ttft     –", self._style("faint")),)
        late = value > self._limits.ttft_budget
        colour = "warning" if late else "primary" if waits else "foreground"
        digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
        seconds = f"{value:.{digits}f}s"
        return ("ttft ", self._style("muted")), (seconds.rjust(5), self._style(colour))

    def _rate(self, transcript: Transcript, meter: Meter, now: float) -> tuple[Span, ...]:
        """Tokens a second: now while it runs, over the attempt once it ended."""
        attempt = transcript.attempt
        if transcript.state in ENDED:
            rate = (attempt.tokens_per_second if attempt else None) or 0.0
        else:
            rate = meter.rate(now)
        colour = "foreground" if rate >= 0.5 else "faint"
        return (count(rate).rjust(4), self._style(colour)), (" t/s", self._style("muted"))


def _fields(transcript: Transcript, time: str) -> tuple[Field, ...]:
    fields = list(_FIELDS)
    if transcript.unsaved:
        fields.append(Field("unsaved", 0, 7))
    if (attempt := transcript.attempt) is not None and attempt.number > 1:
        fields.append(Field("attempt", 2, 1 + len(str(attempt.number))))
    return (*fields, Field("time", 0, max(5, len(time))))


@lru_cache(maxsize=64)
def _fitting(fields: tuple[Field, ...], room: int) -> tuple[tuple[Field, ...], int]:
    """Return the fields there is room for, and the cells between two."""
    kept = list(fields)
    while _taken(kept, 1) > room and len(kept) > 1:
        kept.remove(max(kept, key=lambda field: field.rank))
    return tuple(kept), 2 if _taken(kept, 2) <= room else 1


def _taken(fields: Sequence[Field], gap: int) -> int:
    return sum(field.width + gap for field in fields) - gap


def _tilde(is_estimate: bool) -> str:
    return "~" if is_estimate else ""
