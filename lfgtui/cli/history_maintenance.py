"""`lfg history path|size|prune|delete|pin|note|backup|vacuum|check|repair`."""

import shlex
import time
from pathlib import Path

import click

from lfgtui.errors import HistoryError, UsageError
from lfgtui.history.maintenance import annotations, deletion, housekeeping, recover
from lfgtui.history.reader import Reader
from lfgtui.settings import paths
from lfgtui.settings.durations import NO_AGE, seconds_of
from lfgtui.text import output


def add_to(group: click.Group) -> None:
    """Add the subcommands."""
    for command in (
        path,
        size,
        prune,
        delete,
        pin,
        note,
        backup,
        vacuum,
        check,
        repair,
    ):
        group.add_command(command)


@click.command()
def path() -> None:
    """Where the history is."""
    output.print_line(str(paths.history_file()))


@click.command()
def size() -> None:
    """How much it holds."""
    found = housekeeping.size(paths.history_file())
    since = (
        ""
        if found.oldest is None
        else time.strftime(", the oldest of %Y-%m-%d", time.localtime(found.oldest))
    )
    output.print_line(f"{found.file / 1e6:.1f} MB in {paths.history_file()}")
    output.print_line(f"runs: {found.runs}, tickets: {found.tickets}{since}")
    output.print_line(f"{found.text / 1e6:.1f} million characters of text")


@click.command()
@click.option(
    "--older-than", "age", metavar="AGE", help="As in 90d, 12w, 48h; by default the config's."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(age: str | None, dry_run: bool, yes: bool) -> None:
    """Delete the runs that ended longer ago than AGE. Pinned ones stay."""
    if age is None:
        from lfgtui.settings.config import load_config

        age = load_config(paths.config_file()).history.retention
    if age is None:
        raise UsageError("say how old with --older-than, or set retention in [history]")
    seconds = seconds_of(age)
    if seconds is None:
        raise UsageError(f'--older-than: "{age}" is {NO_AGE}')
    moment = time.time() - seconds
    runs = deletion.older_than(paths.history_file(), moment)
    for run in runs:
        output.print_line(run)
    count = _count(len(runs))
    if not runs:
        output.print_remark("no run ended that long ago")
    elif dry_run:
        output.print_remark(f"{count} would be deleted")
    else:
        if not yes:
            output.confirm(f"Delete {count} for good?", abort=True)
        gone = len(deletion.delete(paths.history_file(), runs, before=moment))
        output.print_remark(f"{_count(gone)} deleted; `lfg history vacuum` gives their room back")
        _tell_copies()


@click.command()
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(names: tuple[str, ...], yes: bool) -> None:
    """Delete runs; there is no way back."""
    with Reader(paths.history_file()) as reader:
        runs = list(dict.fromkeys(reader.find_run(name) for name in names))
    if not yes:
        output.confirm(f"Delete {', '.join(runs)} for good?", abort=True)
    deleted = deletion.delete(paths.history_file(), runs)
    for run in deleted:
        output.print_line(run)
    if deleted:
        _tell_copies()
    if left := [run for run in runs if run not in deleted]:
        raise UsageError(f"run {left[0]} is being run; end it first")


def _count(runs: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'}"


def _tell_copies() -> None:
    """What was deleted is still in the copies that a new schema was preceded by."""
    for copy in housekeeping.copies(paths.history_file()):
        output.print_remark(f"a copy from before an update still has all: {copy}")


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--off", is_flag=True, help="Take the pin away.")
def pin(name: str, off: bool) -> None:
    """Keep RUN when old runs are pruned."""
    with Reader(paths.history_file()) as reader:
        run = reader.find_run(name)
    annotations.pin(paths.history_file(), run, not off)
    output.print_line(run)


@click.command()
@click.argument("name", metavar="RUN")
@click.argument("words", metavar="[TEXT]...", nargs=-1)
def note(name: str, words: tuple[str, ...]) -> None:
    """Write a note beside RUN; without TEXT, take it away."""
    with Reader(paths.history_file()) as reader:
        run = reader.find_run(name)
    from lfgtui.cli.launching.redactors import redacted_for_writing
    from lfgtui.settings.config import load_config

    text = redacted_for_writing(load_config(paths.config_file()), " ".join(words))
    annotations.annotate(paths.history_file(), run, text)
    output.print_line(run)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the history into a new FILE, also while lfg runs."""
    housekeeping.back_up(paths.history_file(), file)
    output.print_line(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@click.command()
def vacuum() -> None:
    """Give the room of deleted runs back to the disk."""
    if not paths.history_file().exists():
        raise UsageError(f"{paths.history_file()}: there is no history yet")
    before, after = housekeeping.vacuum(paths.history_file())
    output.print_line(f"{before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now")


@click.command()
def check() -> int:
    """Look for damage; exit code 1 where there is some."""
    file = paths.history_file()
    if not file.exists():
        raise UsageError(f"{file}: there is no history yet")
    found = housekeeping.damage(file)
    for line in found:
        output.print_line(line)
    output.print_line(
        f"{file}: "
        + ("damaged; `lfg history repair NEW_FILE` saves what can be read" if found else "sound")
    )
    return 1 if found else 0


@click.command()
@click.argument("file", metavar="NEW_FILE", type=click.Path(path_type=Path))
def repair(file: Path) -> None:
    """Write what can be read of a damaged history into NEW_FILE."""
    source = paths.history_file()
    if not source.exists():
        raise HistoryError(f"{source}: there is no history yet")
    rescued = recover.recover(source, file)
    read = rescued.rows
    output.print_line(
        f"{file}: {read['runs']} runs, {read['tickets']} tickets, {read['segments']} texts"
    )
    if rescued.torn:
        output.print_remark(f"parts could not be read of: {', '.join(rescued.torn)}")
    if rescued.empty:
        output.print_remark(f"nothing but its name is left of: {', '.join(rescued.empty)}")
    # What is left of the damaged file's log would be played into the new one.
    log = " ".join(shlex.quote(f"{source}-{part}") for part in ("wal", "shm"))
    move = f"mv {shlex.quote(str(file))} {shlex.quote(str(source))}"
    output.print_remark(f"to use it, with no lfg running: rm -f {log} && {move}")
