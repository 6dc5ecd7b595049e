"""The row at the top: the run's title, states, speed and cost."""

from collections import Counter
from collections.abc import Iterator, Mapping

from rich.cells import cell_len

from lfgtui.model.metrics import Health, OpenCircuit, covered
from lfgtui.model.states import BADGES, ENDED, RUNNING, State
from lfgtui.text import figures
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import Line, Span, line_width, one_line, shorten

_WITH_PERSONS = frozenset({"needs_approval", "paused"})
_HELD: tuple[State, ...] = ("paused", "queued")
_ENDS: tuple[State, ...] = ("done", "failed", "limit", "blocked", "cancelled", "interrupted")

_TITLE = 10  # cells that alarms leave to it, with its margins
_SHORTEST_NOTE = 10
_SHORTEST_NAME = 8
_NAME = 20  # cells of a name that are shown rather than why it fails

_MEGABYTE = 1024 * 1024
_NOTABLE_QUEUE = _MEGABYTE  # less is on its way for a moment and says nothing


def compose_header(
    run: RunView,
    width: int,
    now: float,
    *,
    label: str = "",
    is_simulated: bool = False,
    notice: str = "",
    note: str = "",
) -> Line:
    """Return alarms at the right, the title, figures as long as there is room, then the note.

    `label`: the kind of a run that is only looked at. `notice` stands instead of the states.
    """
    labels = []
    if label:
        labels.append(_label(label, "secondary"))
    if is_simulated:
        labels.append(_label("SIMULATED MODELS", "warning"))
    alarms = [*_alarms(run.health, width - line_width(labels) - _TITLE), *labels]
    room = width - line_width(alarms) - 1
    line = [Span(f" {shorten(one_line(run.title), max(_TITLE - 2, room // 3))}", bold=True)]
    standing = [Span(notice, "warning", True)] if notice else list(_standing(run, bool(label)))
    for part in (standing, *([figure] for figure in _figures(run, now))):
        if part and line_width(line) + line_width(part) + 2 <= room:
            line += [Span("  "), *part]
    left = room - line_width(line) - 2
    if note and left >= _SHORTEST_NOTE:
        line.append(Span(f"  {shorten(one_line(note), left)}", "secondary"))
    gap = width - line_width(line) - line_width(alarms)
    return [*line, Span(" " * max(0, gap)), *alarms]


def _label(text: str, on: str) -> Span:
    return Span(f" {text} ", "background", True, on)


def _alarms(health: Health, room: int) -> Iterator[Span]:
    """Yield what should not be so, in at most `room` cells."""
    if health.behind is not None:
        text = one_line(f"history not saved: {health.behind}")
        alarm = _label(shorten(text, room - 2), "error")
        room -= alarm.width
        yield alarm
    if health.open_circuits and (text := _failing(health.open_circuits, room - 2)):
        yield _label(text, "warning")


def _failing(circuits: Mapping[str, OpenCircuit], room: int) -> str:
    """Return the first that keeps failing and how many more do, in what detail there is room."""
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


def _standing(run: RunView, is_past: bool) -> Iterator[Span]:
    """Yield how many tickets are in each state; of a run that ended, how to leave it."""
    transcripts = [run.transcript(ticket.id) for ticket in run.tickets]
    states = Counter(transcript.state for transcript in transcripts)
    is_over = states.keys() <= ENDED
    counts: list[tuple[str, str, int, str]] = []
    if not is_over:
        parked = sum(transcript.parked_until is not None for transcript in transcripts)
        running = sum(states[state] for state in RUNNING - _WITH_PERSONS) - parked
        waiting = min(running, len(run.health.waiting_for_slot))
        running, states["queued"] = running - waiting, states["queued"] + waiting
        counts.append(("●", "primary", running, " running"))
        counts.append(("?", "warning", states["needs_approval"], " to approve"))
        counts.append((BADGES["retrying"].sign, "warning", parked, " parked"))
    for state in _ENDS if is_over else (*_HELD, *_ENDS):
        counts.append((BADGES[state].sign, BADGES[state].colour, states[state], ""))
    gap = ""
    for sign, colour, number, word in counts:
        if number:
            yield Span(f"{gap}{sign} {number}{word}", colour)
            gap = " "
    if is_over and not is_past:
        is_done = states.keys() == {"done"}
        word = "all done – q to quit" if is_done else "finished – q to quit"
        yield Span(f"  {word}", "success" if is_done else "warning", True)


def _figures(run: RunView, now: float) -> Iterator[Span]:
    """Yield the bytes to save, and sums over all attempts: time, speed, tokens, cost."""
    if (size := run.health.queued_bytes) >= _NOTABLE_QUEUE:
        yield Span(f"{size / _MEGABYTE:.1f} MB to save", "warning")
    folds = [(run.transcript(ticket.id), run.meter(ticket.id)) for ticket in run.tickets]
    attempts = [attempt for transcript, _ in folds for attempt in transcript.attempts]
    if worked := [span for _, meter in folds for span in meter.spans(now)]:
        yield Span(figures.duration(covered(worked)), "muted")
    if any(transcript.state not in ENDED for transcript, _ in folds):
        rate = sum(meter.rate(now) for transcript, meter in folds if transcript.state in RUNNING)
        yield Span(f"{rate:>4.0f} tok/s")
    given = sum(attempt.usage.input for attempt in attempts)
    counts = [meter.output_tokens() for _, meter in folds]
    taken = sum(count for count, _ in counts)
    if given or taken:
        about = "~" if any(is_estimate for _, is_estimate in counts) else ""
        yield Span(f"↑{figures.count(given)} ↓{about}{figures.count(taken)}", "muted")
    costs = [attempt.usage.cost for attempt in attempts if attempt.usage.cost is not None]
    if costs:
        yield Span(figures.money(sum(costs)), "muted")
