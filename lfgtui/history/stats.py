"""Figures of past requests: how they ended, how fast they were, what they cost, how tickets waited.

`requests_of` finds the requests in a ticket's entries, `summarize` adds them up for `lfg stats`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Self, TypeAlias

import msgspec

from lfgtui.model import events as e
from lfgtui.model.fold.tokens import CHARACTERS_PER_TOKEN
from lfgtui.model.pieces import text_of
from lfgtui.text.figures import model_name, percentile

LEAST_STREAMED = 0.5
"""Seconds of streaming below which a response has no speed: they are too few to measure one."""

Outcome: TypeAlias = Literal["open", "completed", "failed", "stopped"]
"""`stopped`: by a person, a limit or the end of lfg; neither a success nor a failure."""


class Request(msgspec.Struct):
    """A request to a model and its outcome. Times in seconds, since the epoch if `_at`.

    `connect` is the time to open a connection, if one was opened. From `sent_at` on, `first_byte`,
    `ttft` and `taken` are the times until the response began, until its first token, and until its
    end. `commit` and `paint` are the times from the first content to the history and the screen.
    `is_drop`: the response broke off; `error` is the kind of its failure. `is_reused`: an answer
    from the history, for which no request was sent. `tools` is the time that its calls ran,
    `people` the time that they waited for approval.
    """

    provider: str
    model: str
    sent_at: float
    connect: float | None = None
    first_byte: float | None = None
    ttft: float | None = None
    taken: float | None = None
    commit: float | None = None
    paint: float | None = None
    outcome: Outcome = "open"
    is_drop: bool = False
    is_retried: bool = False
    is_reused: bool = False
    usage: e.Usage = e.Usage(0, 0)
    tools: float = 0.0
    people: float = 0.0
    attempt: int = 1
    turn: int = 1
    ended_at: float | None = None
    stop_reason: e.StopReason = ""
    error: str = ""
    _characters: int = 0
    _waited: float = 0.0
    _asked_at: dict[str, float] = {}

    @property
    def output(self) -> int:
        """Output tokens, as `TokenCount` has them: estimated if the provider did not count."""
        estimate = round(self._characters / CHARACTERS_PER_TOKEN)
        counted = self.usage.output
        return counted if counted and self.outcome == "completed" else max(counted, estimate)

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens over streaming time, of a completed response that was long enough."""
        if self.ttft is None or self.taken is None or self.outcome != "completed":
            return None
        seconds = self.taken - self.ttft
        return self.output / seconds if seconds >= LEAST_STREAMED else None

    def apply(self, at: float, event: e.Event) -> None:
        """Take account of an event of the ticket that came `at` after the request was sent."""
        if event.facets.is_generated:
            self.ttft = at - self.sent_at if self.ttft is None else self.ttft
            self._characters += len(text_of(event))
            return
        match event:
            case e.ResponseStarted(connect) if self.first_byte is None:
                self.connect, self.first_byte = connect, at - self.sent_at
            case e.Usage():
                self.usage = event
            case e.ResponseFinished(_, reason, commit, paint):
                self.commit = None if commit is msgspec.UNSET else commit
                self.paint = None if paint is msgspec.UNSET else paint
                self.stop_reason = reason
                self._end(at, "stopped" if reason == e.STOPPED else "completed")
            case e.Retrying() | e.Parked() | e.TicketFailed():
                self.is_retried = self.is_retried or isinstance(event, e.Retrying)
                has_begun = self.ttft is not None or event.kind == "cut"
                self.is_drop = self.is_drop or (self.outcome == "open" and has_begun)
                self.error = event.kind if self.outcome == "open" else self.error
                self._end(at, "failed")
            case e.ApprovalRequested(call_id):
                self._asked_at[call_id] = at
            case (
                e.ApprovalGiven(call_id) | e.ApprovalDenied(call_id) | e.ApprovalWithdrawn(call_id)
            ):
                seconds = at - self._asked_at.pop(call_id, at)
                self.people += seconds
                self._leave_out(seconds)
            case e.ToolCallFinished():
                self.tools += event.seconds
                self._leave_out(event.seconds)
            case e.Ending():
                self._end(at, "stopped")
            case _:
                pass

    def _leave_out(self, seconds: float) -> None:
        """Subtract a wait from the response's time if it is still open: an agent runs its tools
        meanwhile."""
        if self.outcome == "open":
            self._waited += seconds

    def _end(self, at: float, outcome: Outcome) -> None:
        if self.outcome == "open":
            self.outcome, self.taken = outcome, max(0.0, at - self.sent_at - self._waited)
            self.ended_at = at


def requests_of(entries: Iterable[e.Entry]) -> Iterator[Request]:
    """Yield the requests of one ticket, from its entries in their order."""
    provider = model = ""
    request: Request | None = None
    for entry in entries:
        event = entry.event
        if isinstance(event, e.AttemptStarted):
            provider, model = event.provider, event.model
        elif isinstance(event, e.TurnBegun):
            if request is not None:
                yield request
            request = Request(provider, model, entry.at, attempt=entry.attempt, turn=event.turn)
            request.is_reused = isinstance(event, e.AnswerReused)
        elif request is not None:
            request.apply(entry.at, event)
    if request is not None:
        yield request


class Percentiles(msgspec.Struct, frozen=True):
    """The values that 50, 90 and 99 % of the requests do not exceed; part of `--json`."""

    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, figures: Iterable[float | None], scale: int = 1) -> Self | None:
        """Return percentiles of the known figures, scaled and rounded; None if none is known."""
        known = [figure * scale for figure in figures if figure is not None]
        shares = (0.5, 0.9, 0.99)
        return cls(*(round(percentile(known, share), 1) for share in shares)) if known else None


class Waited(msgspec.Struct, frozen=True):
    """Seconds that tickets waited for each, added up."""

    models: float
    tools: float
    people: float


class Statistics(msgspec.Struct, frozen=True):
    """Figures of many requests; `lfg stats --json` prints the fields under these names.

    `open` requests have not ended. `reused` answers came from the history: they count only in the
    time of tools and people. `completion_rate`: completed / (completed + failed).
    `input`, `cached` and `output` are tokens; `input` includes `cached`. `cost` is in USD, None if
    no price is known; it leaves out the models in `unpriced`, and estimates use lfg's price tables
    of `price_dates`.
    """

    requests: int
    reused: int
    completed: int
    failed: int
    stopped: int
    open: int
    completion_rate: float | None
    drops: int
    retries: int
    connect_ms: Percentiles | None
    first_byte_ms: Percentiles | None
    ttft_ms: Percentiles | None
    tokens_per_s: Percentiles | None
    commit_ms: Percentiles | None
    paint_ms: Percentiles | None
    input: int
    cached: int
    output: int
    cost: float | None
    cost_estimated: bool
    price_dates: tuple[str, ...]
    unpriced: tuple[str, ...]
    waited_s: Waited


def summarize(requests: Sequence[Request]) -> Statistics:
    """Return the figures of these requests."""
    sent = [request for request in requests if not request.is_reused]
    outcomes = [request.outcome for request in sent]
    completed, failed = outcomes.count("completed"), outcomes.count("failed")
    costs = [one.usage.cost for one in sent if one.usage.cost is not None]
    dates = {one.usage.price_date for one in sent if one.usage.price_date}
    unpriced = {
        model_name(one.provider, one.model)
        for one in sent
        if one.usage.cost is None and one.usage.input
    }
    waits = (
        (one.taken or 0.0 for one in sent),
        (one.tools for one in requests),
        (one.people for one in requests),
    )
    return Statistics(
        requests=len(sent),
        reused=len(requests) - len(sent),
        completed=completed,
        failed=failed,
        stopped=outcomes.count("stopped"),
        open=outcomes.count("open"),
        completion_rate=round(completed / (completed + failed), 4) if completed + failed else None,
        drops=sum(one.is_drop for one in sent),
        retries=sum(one.is_retried for one in sent),
        connect_ms=Percentiles.of((one.connect for one in sent), 1000),
        first_byte_ms=Percentiles.of((one.first_byte for one in sent), 1000),
        ttft_ms=Percentiles.of((one.ttft for one in sent), 1000),
        tokens_per_s=Percentiles.of(one.tokens_per_second for one in sent),
        commit_ms=Percentiles.of((one.commit for one in sent), 1000),
        paint_ms=Percentiles.of((one.paint for one in sent), 1000),
        input=sum(one.usage.input for one in sent),
        cached=sum(one.usage.cached for one in sent),
        output=sum(one.output for one in sent),
        cost_estimated=bool(dates),
        price_dates=tuple(sorted(dates)),
        unpriced=tuple(sorted(unpriced)),
        cost=round(math.fsum(costs), 6) if costs else None,
        waited_s=Waited(*(round(math.fsum(seconds), 1) for seconds in waits)),
    )
