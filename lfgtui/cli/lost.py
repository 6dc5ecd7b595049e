"""What is said of runs that the history should know and does not."""

import sys
from collections.abc import Sequence

from lfgtui import paths


def tell_lost(runs: Sequence[str]) -> None:
    """Say on stderr which runs the history should know and does not."""
    for run in runs:
        sys.stderr.write(
            f"run {run} was begun and is not in the history: its write-ahead log"
            f" ({paths.history_file()}-wal) is gone\n"
        )
