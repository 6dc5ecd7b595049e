"""The question whether to run all of a tickets file again, or only what changed in it."""

from pathlib import Path

from lfgtui.cli import launching
from lfgtui.errors import STDIN, HistoryError, UsageError, source_name
from lfgtui.history.started_files import last_started
from lfgtui.model.clock import now
from lfgtui.model.needs import select
from lfgtui.model.tickets_file import TicketsFile
from lfgtui.settings import paths
from lfgtui.settings.config import Config
from lfgtui.text.figures import age
from lfgtui.text.output import choose_letter


def offer_changed(path: Path, file: TicketsFile, config: Config) -> TicketsFile | None:
    """Ask whether to run only what changed since the file was last run; return what to run.

    None is to run nothing. If all tickets have changed, or none, or a run of the file is in
    progress, nothing is asked and all are returned.
    """
    started = last_started(paths.history_file(), path.resolve())
    if started is None:
        return file
    try:
        changed = launching.past_runs.changed_since(path, file, config)
    except (HistoryError, UsageError):  # it will be raised again when the run starts
        return file
    left = select(file, changed)
    if not 0 < len(left.tickets) < len(file.tickets):
        return file
    needed = len(left.tickets) - len(changed)
    also = f", with {needed} that they need" if needed else ""
    what = f"{len(changed)} of {len(file.tickets)} tickets are new, changed or not done"
    name = source_name(path) if path == STDIN else path.name
    when = f"{name} was run {age(now() - started)} ago"
    answer = choose_letter(f"{when}: {what}. Run only those{also}?", "ynq")
    return {"y": left, "n": file, "q": None}[answer]
