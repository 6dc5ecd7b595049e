"""The last lines of a run on the terminal: its outcome, and the commands to continue with."""

from collections import Counter
from typing import Protocol

from lfgtui.cli.launching.past_runs import reader
from lfgtui.errors import LfgError
from lfgtui.model.choices import Folds
from lfgtui.text.output import print_remark


class Run(Folds, Protocol):
    """A run's id, tickets and folds."""

    @property
    def run(self) -> str: ...


def print_outcome(run: Run, host: str = "") -> None:
    """Print how the run ended, and the commands to see or resume it, on the `host` where it ran."""
    states = Counter(run.transcript(ticket.id).state or "queued" for ticket in run.tickets)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    name = "last" if not host and _is_last(run.run) else run.run
    where = f"on {host}: " if host else ""
    resume = "" if set(states) == {"done"} else f", lfg resume {name}"
    print_remark(f"run {run.run}: {counts} · {where}lfg show {name}{resume}")


def print_worktrees(run: Run) -> None:
    """Print where the changes in worktrees are, if there are any, and what to do with them."""
    folds = {ticket.id: run.transcript(ticket.id) for ticket in run.tickets}
    counted = {name: fold.changes for name, fold in folds.items() if fold.worktree}
    changed = [name for name, changes in counted.items() if changes and changes.files]
    if not changed:
        return
    one = len(changed) == 1
    place = f"{run.run}/{changed[0] if one else 'TICKET'}"
    what = f"{changed[0]}: " if one else f"{len(changed)} tickets: lfg worktrees; "
    print_remark(f"changes of {what}lfg diff {place}, lfg apply {place}")


def _is_last(run: str) -> bool:
    """Return True if the run is what `last` means here, now."""
    try:
        with reader() as history:
            return history.find_run("last") == run
    except LfgError:
        return False
