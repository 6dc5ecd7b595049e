"""A run's totals, for the header and the exit code."""

from collections import Counter

import msgspec

from lfgtui.model.states import ENDED, RUNNING, State
from lfgtui.ui.run_view import RunView


class Totals(msgspec.Struct, frozen=True):
    """Sums over a run's tickets. `rate` in tokens a second, `elapsed` in seconds, `cost` in USD.

    `estimated`: `output` is not all the provider's own count.
    """

    states: Counter[State | None]
    elapsed: float | None
    rate: float
    input: int
    output: int
    estimated: bool
    cost: float | None

    @property
    def running(self) -> int:
        """Number of tickets an agent works on; those that wait for a person do not count."""
        return sum(self.states[state] for state in RUNNING - {"needs_approval", "paused"})

    @property
    def unfinished(self) -> int:
        """Number of tickets that have not ended."""
        return self.states.total() - sum(self.states[state] for state in ENDED)

    @property
    def exit_code(self) -> int:
        """0 when every ticket is done, else 1."""
        return 0 if self.states["done"] == self.states.total() else 1


def totals(run: RunView, now: float) -> Totals:
    """Return the run's totals at a moment."""
    states: Counter[State | None] = Counter()
    rate, tokens_in, tokens_out, estimated = 0.0, 0, 0, False
    costs: list[float] = []
    worked: list[tuple[float, float]] = []
    for ticket in run.tickets:
        transcript, meter = run.transcript(ticket.id), run.meter(ticket.id)
        states[transcript.state] += 1
        if transcript.state in RUNNING:
            rate += meter.rate(now)
        output, is_estimate = meter.output_tokens()
        tokens_out += output
        estimated = estimated or is_estimate
        for attempt in transcript.attempts:
            usage = attempt.usage
            tokens_in += usage.input
            if usage.cost is not None:
                costs.append(usage.cost)
            worked.append((attempt.started_at, attempt.ended_at or now))
    return Totals(
        states=states,
        elapsed=_covered(worked) if worked else None,
        rate=rate,
        input=tokens_in,
        output=tokens_out,
        estimated=estimated,
        cost=sum(costs) if costs else None,
    )


def _covered(spans: list[tuple[float, float]]) -> float:
    """Return the seconds covered by the spans: the days before a resume do not count."""
    total, until = 0.0, float("-inf")
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total
