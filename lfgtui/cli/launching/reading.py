"""The history opened to be read, and reports on stderr about what is missing in it."""

from collections.abc import Sequence
from contextlib import suppress

from lfgtui.errors import HistoryError
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.settings import paths
from lfgtui.text.output import print_error, print_remark


def open_reader() -> Reader:
    """Open the history, after marking runs of processes that died as interrupted."""
    path = paths.history_file()
    with suppress(HistoryError, OSError):  # it may be readable all the same; Reader says why not
        if path.exists():
            with Recorder(path) as opened:
                report_missing(opened.lost)
    return Reader(path)


def report_missing(runs: Sequence[str]) -> None:
    """Report runs that should be in the history and are not."""
    for run in runs:
        rescued = paths.history_file().parent / "rescued" / run
        why = f"its write-ahead log ({paths.history_file()}-wal) is gone"
        if rescued.is_dir():
            why = f"it was saved in {rescued}; to see it: LFG_DATA_DIR={rescued} lfg history"
        print_remark(f"run {run} was started but is not in the history: {why}")


def report_gaps(reader: Reader) -> int:
    """Report what could not be read, once each; return the exit code."""
    for gap in dict.fromkeys(reader.gaps):
        print_error(gap)
    return 1 if reader.gaps else 0
