"""The row at the top: the run's title, states, speed and cost."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from rich.cells import cell_len

from lfgtui.model.choices import choices, due_choices
from lfgtui.model.fold.metrics import Health, OpenCircuit
from lfgtui.model.fold.spending import Spent, spent
from lfgtui.model.fold.states import BADGES, CONFLICT, ENDED, GUARD, QUESTION, RUNNING, STALLED
from lfgtui.model.ticket_keys.run_limits import WARNED, RunLimit, RunLimits, amount
from lfgtui.text import figures
from lfgtui.ui.attention import Attention, stall
from lfgtui.ui.run_view import RunView, limits_of
from lfgtui.ui.text.styled_line import Line, Span, line_width, one_line, shorten

_AT_WORK = RUNNING - {"needs_approval", "retrying", "paused"}

KINDS: dict[str, tuple[str, str]] = {
    "needs_approval": ("to approve", "warning"),
    "question": ("question", QUESTION.colour),
    "choice": ("to choose", "warning"),
    "failed": ("failed", "error"),
    "running": ("running", "primary"),
    "stalled": ("stalled", STALLED.colour),
    "guard": ("flagged", GUARD.colour),
    "conflict": (CONFLICT.word, CONFLICT.colour),
    "limit": ("at limit", "error"),
    "parked": ("parked", "warning"),
    **{
        state: (BADGES[state].word, BADGES[state].colour)
        for state in ("blocked", "interrupted", "retrying", "paused", "queued", "done", "cancelled")
    },
}
"""Kinds of tickets, their words and colours, most urgent first; a narrow header drops the last."""

_PLURALS = frozenset({"question", "conflict"})
"""Kinds whose words are nouns, with a plural."""

_DOT = " · "

_ALL_DONE = "all done"

_TITLE = 10  # cells that alarms leave free for the title and its margins
_SHORTEST_TITLE = 4
_SHORTEST_NOTE = 10
_SHORTEST_NAME = 8
_NAME = 20  # cells that a failing provider's name gets before its cause is shown

_MEGABYTE = 1024 * 1024
_NOTABLE_QUEUE = _MEGABYTE  # a smaller queue is normal and is not shown


def compose_header(
    run: RunView,
    stall_after: float,
    width: int,
    now: float,
    *,
    label: str = "",
    is_live: bool = False,
    is_simulated: bool = False,
    notice: str = "",
    note: str = "",
) -> Line:
    """Return the title, the counts and figures that fit, the note, and alarms at the right.

    `label`: the kind of a run that is past or elsewhere; if it `is_live` the outcome is shown
    all the same. `notice` replaces the states.
    """
    labels = []
    if label:
        labels.append(_label(label, "secondary"))
    if is_simulated:
        labels.append(_label("SIMULATED MODELS", "warning"))
    if number := run.health.without_sandbox:
        some = "NO" if number == len(run.tickets) else f"{number} WITHOUT"
        labels.append(_label(f"{some} SANDBOX", "warning"))
    counted = count_tickets(run, now, stall_after)
    counts = [Span(notice, "warning", True)] if notice else _counts(counted)
    least = max(_TITLE, counts[0].width + 3) if counted["needs_approval"] else _TITLE
    alarms = [*_alarms(run.health, width - line_width(labels) - least), *labels]
    room = width - line_width(alarms) - 1
    outcome = "" if notice or (label and not is_live) else _outcome(run)
    line: Line = []
    cells = min(max(_TITLE - 2, room // 3), room - line_width(counts[:1]) - 3)
    if cells >= _SHORTEST_TITLE:
        line.append(Span(f" {shorten(one_line(run.title), cells)}", bold=True))
    line += _standing(counts, outcome, room - line_width(line))
    for _, figure in sorted(_figures(run, now), key=lambda ranked: ranked[0]):
        if line_width(line) + figure.width + 2 <= room:
            line += [Span("  "), figure]
    left = room - line_width(line) - 2
    if note and left >= _SHORTEST_NOTE:
        line.append(Span(f"  {shorten(one_line(note), left)}", "secondary"))
    gap = width - line_width(line) - line_width(alarms)
    return [*line, Span(" " * max(0, gap)), *alarms]


def _label(text: str, on: str) -> Span:
    return Span(f" {text} ", "background", True, on)


def _alarms(health: Health, room: int) -> Iterator[Span]:
    """Yield the run's troubles, in at most `room` cells."""
    if health.lost:
        alarm = _label(shorten(one_line(health.lost), room - 2), "error")
        room -= alarm.width
        yield alarm
    if health.behind is not None:
        text = one_line(f"history {health.behind.in_words}")
        alarm = _label(shorten(text, room - 2), "error")
        room -= alarm.width
        yield alarm
    if health.held_at is not None:
        text = shorten(f"held: max_{health.held_at} reached", room - 2)
        alarm = _label(text, "warning")
        room -= alarm.width
        yield alarm
    if health.open_circuits and (text := _failing(health.open_circuits, room - 2)):
        yield _label(text, "warning")


def _failing(circuits: Mapping[str, OpenCircuit], room: int) -> str:
    """Return the first failing provider or model and the number of others, as it fits."""
    name, (seconds, cause) = next(iter(circuits.items()))
    name = one_line(name)
    next_try = f", next try in {seconds:.0f} s" if seconds >= 0.5 else ", trying again"
    more = f" (+{len(circuits) - 1} more)" if len(circuits) > 1 else ""
    size = cell_len(name)
    for detail in (f" ({cause}){next_try}", next_try, ""):
        text = f" keeps failing{detail}{more}"
        left = room - cell_len(text)
        if left >= min(_NAME, size):
            break
    return shorten(name, left) + text if left >= min(_SHORTEST_NAME, size) else ""


def _standing(counts: Line, outcome: str, room: int) -> Line:
    """Return the counts that fit, then the outcome; all counts but the first make room for it."""
    colour = "success" if outcome == _ALL_DONE else "warning"
    ending = [Span(f"{outcome} – q to quit", colour, True)] if outcome else []
    kept: Line = []
    left = room + 1  # the gap before the first is a cell less
    for part in (*counts[:1], *ending, *counts[1:]):
        if (left := left - part.width - len(_DOT)) < 0:
            break
        kept.append(part)
    line: Line = []
    for part in (part for part in (*counts, *ending) if part in kept):
        line += [Span(_DOT, "muted") if line and part not in ending else Span("  "), part]
    return line


def compose_title(
    run: RunView, needs: Mapping[str, Sequence[Attention]], stall_after: float, now: float
) -> str:
    """Return how many tickets need a person and how many run, or how the run ended.

    A done ticket that only has a conflict or a guard's flag does not need a person.
    """
    running = count_tickets(run, now, stall_after)["running"]
    waiting = sum(
        why[0].reason not in ("guard", "conflict") or run.transcript(ticket).state != "done"
        for ticket, why in needs.items()
    )
    counts = [f"{n} {word}" for n, word in ((waiting, "waiting"), (running, "running")) if n]
    return _DOT.join([*counts, *filter(None, [_outcome(run)]), "lfg"])


def _outcome(run: RunView) -> str:
    """Return how the run ended; "" while it goes on."""
    if any(run.transcript(ticket.id).state not in ENDED for ticket in run.tickets):
        return ""
    chosen = choices(run)
    wanted = [one.id for one in run.tickets if chosen.get(one.copy_of, one.id) == one.id]
    folds = [run.transcript(ticket) for ticket in wanted]
    is_done = all(one.state == "done" and (one.is_chosen or not one.asks) for one in folds)
    return _ALL_DONE if is_done and not due_choices(run) else "finished"


def count_tickets(run: RunView, now: float, stall_after: float) -> Counter[str]:
    """Return how many tickets there are of each kind, and how many choices are due."""
    waiting = run.health.waiting_for_slot
    counted = Counter(kind_of(run, one.id, waiting, now, stall_after) for one in run.tickets)
    return counted + Counter(choice=len(due_choices(run)))


def kind_of(
    run: RunView, ticket: str, waiting: Collection[str], now: float, stall_after: float
) -> str:
    """Return the kind that the ticket counts as; `waiting` are tickets without a slot."""
    transcript = run.transcript(ticket)
    if transcript.asks:
        return "question"
    if transcript.parked_until is not None:
        return "parked"
    if stall(transcript, run.meter(ticket), now, stall_after):
        return "stalled"
    if transcript.state in _AT_WORK:
        return "queued" if ticket in waiting else "running"
    if transcript.state in ("done", "paused") and transcript.guard_at is not None:
        return "guard"
    is_conflict = transcript.state == "done" and transcript.conflict is not None
    return "conflict" if is_conflict else str(transcript.state)


def _counts(counted: Counter[str]) -> Line:
    return [
        Span(f"{number} {word}{'s' * (kind in _PLURALS and number > 1)}", colour)
        for kind, (word, colour) in KINDS.items()
        if (number := counted[kind])
    ]


def _figures(run: RunView, now: float) -> Iterator[tuple[int, Span]]:
    """Yield the unsaved bytes, the speed, and the time, tokens and cost of all attempts.

    Each has a rank: 0 for a figure near its limit, 1 for one that has a limit, 2 for the rest.
    The header adds them in this order, as long as they fit.
    """
    if (size := run.health.queued_bytes) >= _NOTABLE_QUEUE:
        yield 2, Span(f"{size / _MEGABYTE:.1f} MB to save", "warning")
    folds = [(run.transcript(ticket.id), run.meter(ticket.id)) for ticket in run.tickets]
    total, limits = spent(folds, now), limits_of(run)
    if total.seconds is not None:
        yield _limited(figures.duration(total.seconds), "run_time", total, limits)
    if any(transcript.state not in ENDED for transcript, _ in folds):
        rate = sum(meter.rate(now) for transcript, meter in folds if transcript.state in RUNNING)
        yield 2, Span(f"{rate:>4.0f} tok/s")
    if total.sent or total.received:
        about = "~" if total.is_estimate else ""
        counts = f"↑{figures.count(total.sent)} ↓{about}{figures.count(total.received)}"
        if limits.max_run_tokens is not None:
            counts += f" = {figures.count(total.sent + total.received)}"
        yield _limited(counts, "run_tokens", total, limits)
    if total.cost is not None or limits.max_run_cost is not None:
        cost = figures.money(total.cost or 0.0, total.is_cost_estimate)
        yield _limited(cost, "run_cost", total, limits)


def _limited(text: str, limit: RunLimit, total: Spent, limits: RunLimits) -> tuple[int, Span]:
    """Return a figure with the run's limit for it, if any, and its rank."""
    if not (most := limits.of(limit)):
        return 2, Span(text, "muted")
    share = total.of(limit) / most
    colour = "error" if share >= 1 else "warning" if share >= WARNED else "muted"
    is_near = share >= WARNED
    return 1 - is_near, Span(f"{text} of {amount(limit, most)}", colour, is_near)
