"""`[run]`: limits on what all tickets of a run may cost and how long they may take together.

`model/fold/spending.py` adds up what counts towards them; `engine/run_limits.py` enforces them.
"""

from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from lfgtui.model.bounds import Bounded
from lfgtui.model.wire_events import Event
from lfgtui.text import figures

RunLimit: TypeAlias = Literal["run_cost", "run_tokens", "run_time"]
"""One of the limits, as `TicketLimited` names it; its key is the same with `max_` before it."""

RUN_LIMITS: tuple[RunLimit, ...] = get_args(RunLimit)

AtLimit: TypeAlias = Literal["stop", "hold", "ask"]

WARNED = 0.8
"""Share of a limit from which the person is warned."""


class RunLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits in USD, in tokens sent and received, and in seconds at work; None: no limit.

    At a limit the run stops (`stop`), or sends nothing more and waits (`hold`); `ask`, the default,
    also asks the person. `at_limit` is None where not given.
    """

    max_run_cost: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None = None
    max_run_tokens: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    max_run_time: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    at_limit: AtLimit | None = None

    def of(self, limit: RunLimit) -> float | None:
        """Return the value of one limit."""
        value: float | None = getattr(self, f"max_{limit}")
        return value

    @property
    def is_limited(self) -> bool:
        """True if there is any limit."""
        return any(self.of(limit) is not None for limit in RUN_LIMITS)

    def over(self, base: "RunLimits") -> "RunLimits":
        """Return these limits; where one is None, that of `base`."""
        own = {k: v for k, v in msgspec.structs.asdict(self).items() if v is not None}
        return msgspec.structs.replace(base, **own)

    def within(self, base: "RunLimits") -> "RunLimits":
        """Return the lower of each limit here and in `base`: a file cannot raise the person's."""
        lower = {
            f"max_{limit}": min(filter(None, (self.of(limit), base.of(limit))), default=None)
            for limit in RUN_LIMITS
        }
        return RunLimits(**lower, at_limit=self.at_limit or base.at_limit)  # type: ignore[arg-type]  # each has the type of its own field


NO_LIMITS = RunLimits()


class RunLimitsSet(Event, Bounded, frozen=True):
    """The limits of the run from here on, in the units of `RunLimits`.

    The run's first ticket has the event, since a run has no events of its own.
    """

    max_run_cost: float | None = None
    max_run_tokens: int | None = None
    max_run_time: float | None = None
    at_limit: AtLimit = "ask"

    @property
    def limits(self) -> RunLimits:
        """The limits as a value."""
        return RunLimits(self.max_run_cost, self.max_run_tokens, self.max_run_time, self.at_limit)


def amount(limit: RunLimit, value: float) -> str:
    """Return an amount in the limit's unit, for a person: `$1.50`, `12.4k tokens`, `5:00`."""
    match limit:
        case "run_cost":
            return figures.money(value)
        case "run_tokens":
            return f"{figures.count(value)} tokens"
        case "run_time":
            return figures.duration(value)
