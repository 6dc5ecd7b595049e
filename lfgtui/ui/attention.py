"""Why a ticket needs a person.

The key for the next such ticket, the header and the terminal's title share one
order of urgency.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from lfgtui.model.call_summary import program
from lfgtui.model.choices import choices, copies_of, due_choices
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import HostedItem, ToolItem
from lfgtui.model.fold.metrics import Meter
from lfgtui.model.fold.states import CONFLICT, ENDED, State
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.figures import clock_time, duration
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import one_line

Reason = Literal[
    "approval",
    "held",
    "question",
    "choice",
    "run_limit",
    "failed",
    "stalled",
    "guard",
    "conflict",
    "limit",
    "blocked",
    "interrupted",
]
"""The reasons, most urgent first. `held`: a guard stopped the ticket; `limit`: it is parked until
a limit ends, or has ended at one; `run_limit`: the run asks how to go on. A new reason also needs
words in `notifications.py`."""

_RANKS: Mapping[Reason, int] = {reason: rank for rank, reason in enumerate(get_args(Reason))}

REASONS: Mapping[State | None, Reason] = {
    "needs_approval": "approval",
    "failed": "failed",
    "limit": "limit",
    "blocked": "blocked",
    "interrupted": "interrupted",
}
"""The reason of each state in which a ticket needs a person."""


class Attention(NamedTuple):
    """A reason why a ticket needs a person, and since when, by the clock of entries.

    `missing`: what a stalled ticket waits for, e.g. `output from pytest`; `conflict`: the
    conflict's file and tickets, e.g. `a.py · docs`.
    """

    reason: Reason
    since: float
    missing: str = ""
    conflict: str = ""

    @property
    def rank(self) -> tuple[int, float]:
        """A key that sorts the most urgent first, then the one that has waited longest."""
        return _RANKS[self.reason], self.since

    def note(self, now: float) -> str:
        """Return the reason in words if it is easily overlooked, else ""."""
        match self.reason:
            case "question" | "guard":
                return self.reason
            case "held":
                return "stopped by a guard"
            case "run_limit":
                return "the run is at a limit"
            case "conflict":
                return f"conflict: {self.conflict} {clock_time(self.since, now)}"
            case "choice":
                return "choose one of the copies"
            case "stalled":
                return f"no {self.missing} for {duration(now - self.since)}"
            case _:
                return ""


def needing_attention(
    run: RunView, tickets: Iterable[str], now: float, stall_after: float
) -> Mapping[str, Sequence[Attention]]:
    """Return the tickets that need a person, with all reasons, most urgent first.

    Once all copies of a ticket have ended, the choice is a reason of the first one that is done,
    and no question is; after the choice, copies that have ended need nothing. A run that asks at
    a limit does so in the first ticket that it holds.
    """
    found = {
        ticket: reasons(run.transcript(ticket), run.meter(ticket), now, stall_after)
        for ticket in tickets
    }
    chosen = choices(run)
    for one in run.tickets:
        if one.copy_of in chosen and run.transcript(one.id).state in ENDED:
            found.pop(one.id, None)
    for name, copies in due_choices(run).items():
        for copy in found.keys() & copies:
            found[copy] = [one for one in found[copy] if one.reason != "question"]
        if ticket := next((copy for copy in copies if copy in found), ""):
            since = max(run.transcript(copy).since for copy in copies_of(run, name))
            found[ticket] = _ranked([*found[ticket], Attention("choice", since)])
    held = (one for one in found if run.transcript(one).state == "paused")
    if run.health.asks_at_limit and (ticket := next(held, "")):
        since = run.transcript(ticket).since
        found[ticket] = _ranked([*found[ticket], Attention("run_limit", since)])
    return {ticket: why for ticket, why in found.items() if why}


def reasons(
    transcript: Transcript, meter: Meter, now: float, stall_after: float
) -> Sequence[Attention]:
    """Return why the ticket needs a person, most urgent first."""
    return _ranked(_reasons(transcript, meter, now, stall_after))


def stall(transcript: Transcript, meter: Meter, now: float, stall_after: float) -> Attention | None:
    """Return what the ticket waits for if it is stalled: a token, or output of a running tool."""
    attempt, state, is_tool = transcript.attempt, transcript.state, meter.tool_since is not None
    may_stall = state in ("waiting", "streaming") or (state == "running_tool" and is_tool)
    if attempt is None or not (may_stall and meter.is_stalled(now, stall_after)):
        return None
    what = "output" if is_tool else "token" if state == "streaming" else "answer"
    source = tool_name(attempt) if is_tool else one_line(attempt.model or attempt.provider)
    missing = f"{what} from {source}" if source else what
    return Attention("stalled", meter.waiting_since or now, missing)


def conflict_words(transcript: Transcript, now: float) -> str:
    """Return the ticket's last conflict: the file, the other tickets, the time; "" if none."""
    if transcript.conflict is None:
        return ""
    time = clock_time(transcript.conflict_at, now)
    return one_line(f"{CONFLICT.sign} {transcript.conflict.in_brief} {time}")


def tool_name(attempt: Attempt) -> str:
    """Return the program or the tool that the attempt's newest call runs."""
    for item in reversed(attempt.items):
        match item:
            case ToolItem(is_at_work=True):
                return one_line(program(item.arguments) or item.name)
            case HostedItem(closed=False):
                return one_line(item.name)
            case _:
                pass
    return ""


def _ranked(found: Iterable[Attention]) -> Sequence[Attention]:
    return sorted(found, key=lambda each: each.rank)


def _reasons(
    transcript: Transcript, meter: Meter, now: float, stall_after: float
) -> Iterator[Attention]:
    """Yield all reasons that the ticket alone gives: those of copies and of the run come later."""
    if reason := REASONS.get(transcript.state):
        yield Attention(reason, transcript.since)
    if transcript.asks:
        yield Attention("question", transcript.since)
    if transcript.parked_until is not None:
        yield Attention("limit", transcript.parked_at)
    if transcript.guard_at is not None:
        is_held = transcript.state == "paused"
        yield Attention("held" if is_held else "guard", transcript.guard_at)
    if (conflict := transcript.conflict) is not None:
        yield Attention("conflict", transcript.conflict_at, conflict=one_line(conflict.in_brief))
    if stalled := stall(transcript, meter, now, stall_after):
        yield stalled


class Rounds:
    """Goes round the tickets that need a person, for the key that goes to the next one."""

    def __init__(self) -> None:
        self._visited: set[tuple[str, Attention]] = set()

    def next(self, needs: Mapping[str, Sequence[Attention]], current: str) -> str | None:
        """Return the most urgent ticket not visited yet; None if at most `current` needs a person.

        After all were visited it begins again; a ticket with a new reason counts as not visited.
        """
        urgent = [(ticket, why[0]) for ticket, why in needs.items()]
        order = sorted(urgent, key=lambda item: item[1].rank)
        self._visited.intersection_update(order)
        self._visited.update(item for item in order if item[0] == current)
        others = [item for item in order if item[0] != current]
        if not others:
            return None
        if self._visited.issuperset(others):
            self._visited.clear()
        visited = next(item for item in others if item not in self._visited)
        self._visited.add(visited)
        return visited[0]
