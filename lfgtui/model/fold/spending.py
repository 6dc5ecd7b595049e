"""The spending of a run's tickets so far, all attempts added up."""

from collections.abc import Iterable
from typing import NamedTuple

from lfgtui.model.fold.attempts import cost_of
from lfgtui.model.fold.metrics import Meter, covered
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.run_limits import RUN_LIMITS, RunLimit, RunLimits


class Spent(NamedTuple):
    """Cost in USD, None where no price is known; tokens sent and received; seconds at work.

    `is_estimate`: a part of `received` is estimated; `is_cost_estimate`: a part of the cost is.
    `seconds` is None before anything began. Time in which several tickets worked counts once, and
    time in which none did not at all.
    """

    cost: float | None
    is_cost_estimate: bool
    sent: int
    received: int
    is_estimate: bool
    seconds: float | None

    def of(self, limit: RunLimit) -> float:
        """Return the amount that counts towards a limit."""
        match limit:
            case "run_cost":
                return self.cost or 0.0
            case "run_tokens":
                return self.sent + self.received
            case "run_time":
                return self.seconds or 0.0

    def reached(self, limits: RunLimits) -> RunLimit | None:
        """Return the first limit that is reached, if any."""
        for limit in RUN_LIMITS:
            most = limits.of(limit)
            if most is not None and self.of(limit) >= most:
                return limit
        return None


def spent(folds: Iterable[tuple[Transcript, Meter]], now: float) -> Spent:
    """Return the spending until `now` of the tickets with these folds."""
    folds = list(folds)
    attempts = [attempt for transcript, _ in folds for attempt in transcript.attempts]
    cost, is_cost_estimate = cost_of(attempts)
    received = [meter.output_tokens() for _, meter in folds]
    worked = [span for _, meter in folds for span in meter.spans(now)]
    return Spent(
        cost,
        is_cost_estimate,
        sum(attempt.usage.input for attempt in attempts),
        sum(tokens for tokens, _ in received),
        any(is_estimate for _, is_estimate in received),
        covered(worked) if worked else None,
    )
