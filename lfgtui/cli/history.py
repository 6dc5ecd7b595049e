"""`lfg history`, which lists runs, and its subcommands, which maintain the history file."""

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import click

from lfgtui.cli import launching
from lfgtui.cli.launching.past_runs import open_reader, reader
from lfgtui.cli.options import json_option, print_value, yes_option
from lfgtui.errors import UsageError
from lfgtui.history import deletion, maintenance
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text import figures, output
from lfgtui.text.figures import age_seconds
from lfgtui.workspace.kept import KeptFiles

_UNTOUCHED = "nothing was deleted"


@click.group(invoke_without_command=True)
@json_option
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1, 10**9),  # SQLite refuses integers of more than 64 bits
    help="Show at most this many.",
)
@click.option("--ui", "on_screen", is_flag=True, help="Browse on screen: search, open, resume.")
@click.pass_context
def history(context: click.Context, as_json: bool, limit: int, on_screen: bool) -> int:
    """List past runs, newest first, or maintain the history file."""
    if context.invoked_subcommand is not None:
        if on_screen:
            raise UsageError("--ui cannot be combined with a subcommand")
        return 0
    if on_screen:
        return _browse(as_json)
    with open_reader() as stored:
        runs = stored.runs(limit)
    if as_json:
        print_value(runs)
        return 0
    if not runs:
        output.print_remark("no runs yet; try: lfg demo")
    for run in runs:
        cost = "" if run.cost is None else f"  ${run.cost:.4f}"
        done = f"{run.done}/{run.tickets} done"
        output.print_line(
            f"{run.run}  {figures.day_and_time(run.started_at)}  {run.state:<11}  {done:>10}  "
            f"{'pinned  ' if run.pinned else ''}{run.title}{cost}"
        )
        if run.note:
            output.print_line(f"    {run.note}")
    if len(runs) == limit:
        output.print_remark(f"showing the newest {limit}; use --limit for more")
    return 0


def _browse(as_json: bool) -> int:
    """Open past runs on the screen (`--ui`), then resume the run that was chosen there, if any."""
    if as_json:
        raise UsageError("--ui and --json cannot be combined")
    if not output.is_interactive():
        raise UsageError("--ui needs a terminal; without one: lfg history, lfg search")
    config = load_config(paths.config_file())
    code, resumes = launching.screen.browse(config)
    return max(code, launching.launch.resume(resumes, config))


@history.command("path")
def path_() -> None:
    """Print the path of the history file."""
    output.print_line(str(paths.history_file()))


@history.command()
def size() -> None:
    """Show how much is stored."""
    stored = maintenance.size(paths.history_file())
    oldest = stored.oldest
    since = "" if oldest is None else f", oldest from {figures.day_and_time(oldest)}"
    output.print_line(f"{stored.file / 1e6:.1f} MB in {paths.history_file()}")
    output.print_line(f"runs: {stored.runs}, tickets: {stored.tickets}{since}")
    output.print_line(f"{stored.text / 1e6:.1f} million characters of text")
    kept = KeptFiles.beside(paths.history_file()).size
    output.print_line(f"{kept / 1e6:.1f} MB of files kept for undo")


@history.command()
@click.option("--older-than", "age", metavar="AGE", help="E.g. 30d, 12w, 48h; default: retention.")
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
@yes_option
def prune(age: str | None, dry_run: bool, yes: bool) -> int:
    """Delete runs that ended longer ago than AGE, except pinned ones."""
    age = age or load_config(paths.config_file()).history.retention
    if age is None:
        raise UsageError("no age given: use --older-than AGE, or set retention in [history]")
    try:
        moment = time.time() - age_seconds(age)
    except ValueError as error:
        raise UsageError(f"--older-than: {error}") from None
    runs = deletion.older_than(paths.history_file(), moment)
    for run in runs:
        output.print_line(run)
    if not runs:
        output.print_remark(f"no runs ended more than {age} ago")
    elif dry_run:
        output.print_remark(f"would delete {_count(runs)}")
    else:
        if not (yes or output.confirm(f"Delete {_count(runs)} permanently?", _UNTOUCHED)):
            return 1
        deleted = _count(deletion.delete(paths.history_file(), runs, before=moment))
        output.print_remark(f"deleted {deleted}; run `lfg history vacuum` to free disk space")
        _warn_of_backups()
    return 0


@history.command()
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@yes_option
def delete(names: tuple[str, ...], yes: bool) -> int:
    """Delete runs permanently."""
    with reader() as stored:
        runs = list(dict.fromkeys(stored.find_run(name) for name in names))
    if not (yes or output.confirm(f"Delete {', '.join(runs)} permanently?", _UNTOUCHED)):
        return 1
    deleted = deletion.delete(paths.history_file(), runs)
    for run in deleted:
        output.print_line(run)
    if deleted:
        _warn_of_backups()
    if left := [run for run in runs if run not in deleted]:
        raise UsageError(f"run {left[0]} is still in progress; stop it first")
    return 0


def _count(runs: Sequence[str]) -> str:
    return f"{len(runs)} run{'' if len(runs) == 1 else 's'}"


def _warn_of_backups() -> None:
    """Print the copies that migrations made: they still hold what was deleted."""
    for copy in maintenance.copies(paths.history_file()):
        output.print_remark(f"a backup made before an update still has all runs: {copy}")


@history.command()
@click.argument("name", metavar="RUN")
@click.option("--off", is_flag=True, help="Unpin it.")
def pin(name: str, off: bool) -> None:
    """Keep RUN when old runs are pruned."""
    run = _find(name)
    maintenance.pin(paths.history_file(), run, not off)
    output.print_line(run)


@history.command()
@click.argument("name", metavar="RUN")
@click.argument("words", metavar="[TEXT]...", nargs=-1)
def note(name: str, words: tuple[str, ...]) -> None:
    """Set a note on RUN; without TEXT, remove it."""
    run = _find(name)
    redactor = launching.redactors.redactor_for_writing(load_config(paths.config_file()))
    maintenance.annotate(paths.history_file(), run, redactor.text(" ".join(words)))
    output.print_line(run)


def _find(name: str) -> str:
    with reader() as stored:
        return stored.find_run(name)


@history.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the history to a new FILE, even while lfg runs."""
    maintenance.back_up(paths.history_file(), file)
    output.print_line(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@history.command()
def vacuum() -> None:
    """Free the disk space of deleted runs."""
    before, after = maintenance.vacuum(_existing_file())
    output.print_line(f"{before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now")


@history.command()
def check() -> int:
    """Check for damage; the exit code is 1 if there is any."""
    file = _existing_file()
    damage = maintenance.damage(file)
    for line in damage:
        output.print_line(line)
    advice = "damaged; `lfg history repair NEW_FILE` saves what is readable"
    output.print_line(f"{file}: {advice if damage else 'no damage found'}")
    return 1 if damage else 0


@history.command()
@click.argument("file", metavar="NEW_FILE", type=click.Path(path_type=Path))
def repair(file: Path) -> None:
    """Write what is readable of a damaged history to NEW_FILE."""
    source = _existing_file()
    rescued = maintenance.recover(source, file)
    rows = rescued.rows
    output.print_line(
        f"{file}: {rows['runs']} runs, {rows['tickets']} tickets, {rows['segments']} texts"
    )
    if rescued.torn:
        output.print_remark(f"partly unreadable: {', '.join(rescued.torn)}")
    if rescued.empty:
        output.print_remark(f"unreadable except for the id: {', '.join(rescued.empty)}")
    # SQLite would apply what is left of the damaged file's log to the new file.
    log = " ".join(shlex.quote(f"{source}-{part}") for part in ("wal", "shm"))
    move = f"mv {shlex.quote(str(file))} {shlex.quote(str(source))}"
    output.print_remark(f"to use it, while no lfg is running: rm -f {log} && {move}")


def _existing_file() -> Path:
    file = paths.history_file()
    if not file.exists():
        raise UsageError(f"{file}: there is no history yet")
    return file
