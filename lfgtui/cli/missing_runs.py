"""Messages about runs missing from the history, and about its file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lfgtui.errors import HistoryError
from lfgtui.settings import paths
from lfgtui.text.output import print_error, print_remark

if TYPE_CHECKING:
    from lfgtui.engine.journal import Journal


def tell_lost(runs: Sequence[str]) -> None:
    """Report on stderr the runs that should be in the history and are not."""
    for run in runs:
        rescued = paths.history_file().parent / "rescued" / run
        why = f"its write-ahead log ({paths.history_file()}-wal) is gone"
        if rescued.is_dir():
            why = f"it was saved in {rescued}; to see it: LFG_DATA_DIR={rescued} lfg history"
        print_remark(f"run {run} was started but is not in the history: {why}")


def tell_of_file(journal: "Journal", unsaved: list[str]) -> None:
    """Report on stderr changes to the history's file; add what is not saved to `unsaved`."""
    if isinstance(journal.failure, HistoryError):
        unsaved.append(str(journal.failure))
    for line in [*journal.remarks, *unsaved]:
        print_error(line)
