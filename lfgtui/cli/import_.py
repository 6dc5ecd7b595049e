"""`lfg import`."""

import sys
import time
from pathlib import Path

import click

from lfgtui.errors import UsageError
from lfgtui.history.maintenance import annotations, deletion
from lfgtui.history.transfer import import_run, lines_in
from lfgtui.settings import paths
from lfgtui.settings.config import age_seconds, load_config
from lfgtui.text import output


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> None:
    """Import a run that `lfg export --format jsonl` wrote; '-' reads it from stdin."""
    history = paths.history_file()
    if str(file) == "-":
        run = import_run(history, lines_in(sys.stdin.buffer, "stdin"), "stdin")
    else:
        try:
            with file.open("rb") as opened:
                run = import_run(history, lines_in(opened, str(file)), str(file))
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from None
    output.print_line(run)
    age = load_config(paths.config_file()).history.retention
    if age is not None and run in deletion.older_than(history, time.time() - age_seconds(age)):
        annotations.pin(history, run, True)
        output.print_remark(f"pinned, since it is older than retention keeps runs ({age})")
