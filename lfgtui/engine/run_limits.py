"""The limits of a run as a whole (`[run]` of a tickets file): compared with what tickets spend.

Spending is read off the tickets' folds, so spending before a resume counts. At a limit no ticket
sends another request: either the run is held until the person raises the limit, or it stops. A
response under way may finish, as it is paid for; that of an installed agent, which makes requests
by itself, is stopped, and so is everything at the limit of time.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from lfgtui.engine.alarm import Alarm
from lfgtui.engine.session import Session
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.fold.spending import spent
from lfgtui.model.ticket_keys.run_limits import RunLimit, RunLimits, amount

_SPENDING: tuple[type[e.Event], ...] = (
    *(e.Usage, e.ResponseFinished, e.AttemptStarted, e.Paused, e.Resumed, e.Parked),
    *e.Ending.__subclasses__(),
)
_SPEND = frozenset(_SPENDING)
"""Events after which more is spent, or time begins or stops to count."""

_AT_END = (e.Status, e.Heartbeat, e.ContextUsed)
"""Events that may still follow an agent's last report of cost in a turn, before the turn ends."""

_AT_WORK = ("starting", "waiting", "streaming", "running_tool")
"""States of tickets whose response or tool is under way and may finish."""

_GO_ON = "lfg stopped you at a limit of the run, which has been raised: go on with your work."


class RunLimiter:
    """Holds or ends the tickets of a run at its limits. `runs` are all of them, by id.

    `on_change` is called when a limit is reached or lifted; the engine then calls `enforce`. `take`
    is a sink of the run's entries. `reached` is the limit that is reached, None if none is.
    """

    def __init__(
        self, session: Session, runs: Mapping[str, TicketRun], on_change: Callable[[], None]
    ) -> None:
        self.reached: RunLimit | None = None
        self._limits = RunLimits()
        self._session = session
        self._runs = runs
        self._on_change = on_change
        self._held: set[str] = set()
        """Tickets that were paused because of a limit."""
        self._cut_short: set[str] = set()
        """Tickets of installed agents that were stopped within a turn."""
        self._unpriced: set[str] = set()
        """Routes whose unknown price was remarked on."""
        self._clock = session.limits.clock
        self.alarm = Alarm(self._look, self._clock)
        """Rings when the limit of time may be reached; the engine cancels it in the end."""

    @property
    def held_at(self) -> RunLimit | None:
        """The limit at which the run is held; None if it is not."""
        is_over = all(run.phase == "ended" for run in self._runs.values())
        return None if self._stops or is_over else self.reached

    @property
    def asks(self) -> bool:
        """True if the person is asked whether to raise the limit."""
        return self.held_at is not None and self._limits.at_limit != "hold"

    @property
    def _stops(self) -> bool:
        return self._session.headless or self._limits.at_limit == "stop"

    def start(self) -> None:
        """Set the limits that the run was given or, if it is resumed, had before."""
        known = (run.transcript.run_limits for run in self._runs.values())
        stored = next(filter(None, known), None)
        limits = self._session.run_limits.over(stored or self._session.config.run)
        if limits.is_limited and limits != stored:
            self.set(limits)
        else:
            self._limits = limits
            self._look()

    def set(self, limits: RunLimits) -> None:
        """Set the limits from now on, and store them in the run's first ticket."""
        self._limits = limits
        first = next(iter(self._runs.values()))
        values = {**msgspec.structs.asdict(limits), "at_limit": limits.at_limit or "ask"}
        first.emit(e.RunLimitsSet(**values))
        self._look(is_new=True)

    def take(self, entries: Sequence[e.Entry]) -> None:
        """Compare the spending with the limits after entries that may have changed it."""
        for entry in entries if self._limits.is_limited else ():
            event = entry.event
            if type(event) in _SPEND:
                if isinstance(event, e.Usage) and event.cost is None:
                    self._remark_unpriced(self._runs[entry.ticket])
                self._look()
            elif self.reached and isinstance(event, e.WireEvent) and not isinstance(event, _AT_END):
                self._end_turn(self._runs[entry.ticket])

    def is_held(self, run: TicketRun) -> bool:
        """Return True for a ticket that goes on only once the limit is raised."""
        return run.ticket.id in self._held

    def enforce(self, end: Callable[[TicketRun, e.Ending], None]) -> None:
        """Hold or end tickets while a limit is reached; let held ones go on once none is.

        `end` ends a ticket that waits for its turn.
        """
        self._session.run_limit = self.reached if self._stops else None
        if self.reached is None or self._stops:
            for run in (self._runs[ticket] for ticket in self._held):
                run.resume()
            self._held.clear()
            self._cut_short.clear()
        if self.reached is None:
            return
        for run in self._runs.values():
            if not self._stops:
                self._hold(run)
            elif run.phase == "pending":
                end(run, e.TicketBlocked(self._reason))
            elif self.reached == "run_time" or run.transcript.state not in _AT_WORK:
                run.stop(e.TicketLimited(self.reached))

    @property
    def _reason(self) -> str:
        assert self.reached is not None
        most = self._limits.of(self.reached) or 0.0
        return f"the run reached max_{self.reached} ({amount(self.reached, most)})"

    def _look(self, *, is_new: bool = False) -> None:
        """Compare the spending with the limits; look again when the time limit is due."""
        now = self._clock()
        folds = [(run.transcript, run.meter) for run in self._runs.values()]
        total = spent(folds, now)
        before, self.reached = self.reached, total.reached(self._limits)
        most, works = self._limits.max_run_time, any(meter.is_working for _, meter in folds)
        due = most is not None and works and self.reached is None
        self.alarm.set([now + most - total.of("run_time")] if due and most is not None else ())
        if self.reached is not None and before is None:
            self._say()
        if is_new or self.reached != before:
            self._on_change()

    def _say(self) -> None:
        """Emit that a limit is reached, for one ticket, if possible for one at work."""
        open_runs = [run for run in self._runs.values() if run.phase != "ended"]
        open_runs.sort(key=lambda run: run.phase != "running")
        if open_runs:
            what = "stops" if self._stops else "sends nothing more until you raise it"
            is_unasked = self._session.headless and self._limits.at_limit != "stop"
            why = ", since nobody can be asked" if is_unasked else ""
            option = f"--max-{self.reached}".replace("_", "-")
            fix = f"; to continue: lfg resume {self._session.run} {option} N" if self._stops else ""
            message = f"{self._reason} and {what}{why}{fix}"
            open_runs[0].emit(e.GuardTripped("limit", message))

    def _hold(self, run: TicketRun) -> None:
        if run.phase != "ended" and not run.hold.is_begun:
            self._held.add(run.ticket.id)
            run.pause()

    def _end_turn(self, run: TicketRun) -> None:
        """Stop an installed agent within its turn, which may last for hours."""
        is_installed = self._session.config.provider(run.recovery.route.provider).command
        if run.phase != "running" or not is_installed or run.ticket.id in self._cut_short:
            return
        self._cut_short.add(run.ticket.id)
        if self._stops and self.reached is not None:
            run.stop(e.TicketLimited(self.reached))
        else:
            run.tell(_GO_ON, stops=True)

    def _remark_unpriced(self, run: TicketRun) -> None:
        """Emit, once for each model, that its price is unknown, so `max_run_cost` leaves it out."""
        name = str(run.recovery.route)
        if self._limits.max_run_cost is None or name in self._unpriced or run.phase != "running":
            return
        self._unpriced.add(name)
        unknown = "its price is unknown; set `price` in the config"
        run.emit(e.Status(f"max_run_cost does not count {name}: {unknown}"))
