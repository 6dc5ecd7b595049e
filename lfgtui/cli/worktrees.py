"""`lfg worktrees`, `apply` and `discard`: list, prune, merge and delete tickets' worktrees."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from lfgtui.cli.launching.past_runs import open_reader
from lfgtui.cli.options import json_option, print_value, yes_option
from lfgtui.engine.commands import NoteDiscard
from lfgtui.errors import HistoryError, LfgError, UsageError
from lfgtui.history.recording.late_entries import add_late
from lfgtui.history.storage import leases
from lfgtui.model.events import WorktreeDiscarded
from lfgtui.model.fold.states import ENDED
from lfgtui.server.control.client import ask
from lfgtui.settings import paths
from lfgtui.text import output
from lfgtui.text.figures import plural, size
from lfgtui.workspace.applying import NotAppliedError, apply_worktree
from lfgtui.workspace.git import GitError
from lfgtui.workspace.repository import repository_of
from lfgtui.workspace.upkeep import WorktreeState, prune_worktrees, state_of
from lfgtui.workspace.worktrees import Worktree, discard_worktree, find_worktree, find_worktrees

_PLACE = click.argument("place", metavar="RUN/TICKET")


@click.command()
@_PLACE
def apply(place: str) -> int:
    """Bring the work of a ticket's worktree into the checkout that it was made from.

    Its commits and its uncommitted changes are merged with your branch and written to your files
    as uncommitted changes: review and commit them yourself. Where they conflict, or a file that
    would change has changes of your own, nothing is changed. For the ticket's own commits, merge
    its branch: git merge lfg/RUN/TICKET. RUN may be a unique prefix or suffix, or 'last': the
    newest in this folder's repository.
    """
    worktree = _find(place)
    if worktree.phase != "ready":
        raise UsageError(f"the worktree of {_name(worktree)} is unfinished; resume or discard it")
    if _is_at_work(worktree):
        output.print_remark(f"{worktree.ticket} is still running: this is what it has so far")
    try:
        files = asyncio.run(apply_worktree(worktree))
    except NotAppliedError as error:
        output.print_error(f"nothing was changed: {error.why}:")
        for file in error.files:
            output.print_line(file)
        return 1
    for file in files:
        output.print_line(file)
    if files:
        output.print_remark(f"changed {plural(len(files), 'file')} in {worktree.checkout}")
    else:
        output.print_remark(f"nothing to apply: {worktree.checkout} has all of it")
    return 0


@click.command()
@_PLACE
@yes_option
def discard(place: str, yes: bool) -> int:
    """Delete a ticket's worktree and its branch, with all that was not merged.

    RUN may be a unique prefix or suffix, or 'last': the newest in this folder's repository.
    """
    worktree = _find(place)
    if not yes:
        found = asyncio.run(state_of(worktree))
        is_work = found.state in ("dirty", "unmerged", "ignored")
        lost = f", although {found.why}" if is_work else ""
        question = f"Delete {worktree.path} and branch {worktree.branch}{lost}?"
        if not output.confirm(question, "nothing was deleted"):
            return 1
    with _unclaimed(worktree.run) as is_free:
        if not is_free and _is_at_work(worktree):
            cancelling = f"lfg cancel {_name(worktree)}"
            raise UsageError(f"{_name(worktree)} is still running; cancel it first: {cancelling}")
        asyncio.run(discard_worktree(worktree))
        _note_discard(worktree, is_over=is_free)
    output.print_line(_name(worktree))
    return 0


def _note_discard(worktree: Worktree, *, is_over: bool) -> None:
    """Add the event to the history: here if the run `is_over`, otherwise the run's process does.

    The history may no longer have the run; then a remark is printed.
    """
    try:
        if is_over:
            event = WorktreeDiscarded(worktree.branch)
            add_late(paths.history_file(), worktree.run, worktree.ticket, event)
        else:
            ask(worktree.run, NoteDiscard(worktree.ticket))
    except LfgError as error:
        output.print_remark(f"discarded, but the history does not say so: {error}")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def worktrees(context: click.Context, as_json: bool) -> None:
    """List the worktrees of tickets, by the checkout they were made from, or prune them.

    \b
    clean       HEAD has all of it
    dirty       it has uncommitted changes
    unmerged    it has commits that HEAD does not have
    ignored     its agent made files that git ignores, and nothing else
    missing     its folder was deleted, but its branch exists
    unfinished  lfg was killed while creating or deleting it
    unknown     git cannot tell; a line says why
    """
    if context.invoked_subcommand is not None:
        return
    found = asyncio.run(_states(find_worktrees(paths.worktrees_dir())))
    if as_json:
        print_value([_as_value(one) for one in found])
        return
    if not found:
        output.print_remark("no worktrees; a ticket with worktree = true gets one")
    width = max((len(_name(one.worktree)) for one in found), default=0)
    checkout = ""
    for one in sorted(found, key=lambda one: one.worktree.checkout):
        if one.worktree.checkout != checkout:
            checkout = one.worktree.checkout
            output.print_line(f"{checkout}:")
        name, branch = _name(one.worktree), one.worktree.branch
        output.print_line(f"{name:<{width}}  {one.state:<10}  {size(one.size):>8}  {branch}")
        if one.ignored or one.fault:
            output.print_remark(f"{name}: {one.why}")


@worktrees.command()
@click.option(
    "--all", "of_all", is_flag=True, help="Prune those of all repositories, not only this folder's."
)
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
def prune(of_all: bool, dry_run: bool) -> None:
    """Delete this repository's worktrees that hold nothing, with their branches.

    A worktree is kept if it has uncommitted changes, commits that HEAD does not have or files of
    the agent that git ignores, or if its run is in progress. One that lfg was killed while
    creating is deleted.
    """
    taken, kept = list[WorktreeState](), list[WorktreeState]()
    common = "" if of_all else _common()
    for run in dict.fromkeys(one.run for one in _of(common)):
        with _unclaimed(run) as is_free:
            those = _of(common, run)
            gone, left = asyncio.run(prune_worktrees(those, may=is_free, dry_run=dry_run))
        taken += gone
        kept += left
    for one in taken:
        output.print_line(_name(one.worktree))
    for one in kept:
        output.print_remark(f"kept {_name(one.worktree)}: {one.why or 'its run is in progress'}")
    verb, freed = "would delete" if dry_run else "deleted", size(sum(one.size for one in taken))
    output.print_remark(f"{verb} {plural(len(taken), 'worktree')}, {freed}")


def _common() -> str:
    """Return git's common directory of the current folder's repository, which tells it apart."""
    try:
        return asyncio.run(repository_of(Path.cwd())).common
    except GitError as error:
        raise UsageError(f"{error}; --all prunes the worktrees of all repositories") from None


def _of(common: str, run: str = "*") -> list[Worktree]:
    """Return the worktrees of a repository, all if `common` is "", and of a run, all if "*"."""
    found = find_worktrees(paths.worktrees_dir(), run)
    return [one for one in found if common in ("", one.common)]


def _name(worktree: Worktree) -> str:
    return f"{worktree.run}/{worktree.ticket}"


def _find(place: str) -> Worktree:
    """Return the worktree of RUN/TICKET, also of a run that the history no longer has."""
    name, _, ticket = place.partition("/")
    if not ticket:
        raise UsageError(f'invalid ticket "{place}": expected RUN/TICKET')
    try:
        with open_reader() as reader:
            run = reader.find_run(name)
    except (UsageError, HistoryError):
        runs = {
            one.run for one in find_worktrees(paths.worktrees_dir()) if one.run.startswith(name)
        }
        if not name or len(runs) != 1:
            raise
        (run,) = runs
    found = find_worktree(paths.worktrees_dir(), run, ticket)
    if found is None:
        raise UsageError(f"{run}/{ticket} has no worktree; `lfg worktrees` lists them")
    return found


def _is_at_work(worktree: Worktree) -> bool:
    """Return True if, by the history, the run is in progress and the ticket has not ended."""
    try:
        with open_reader() as reader:
            is_running = reader.run(worktree.run).state == "running"
            (stored,) = reader.tickets(worktree.run, worktree.ticket)
    except (UsageError, HistoryError):
        return False
    return is_running and stored.state not in ENDED


@contextmanager
def _unclaimed(run: str) -> Iterator[bool]:
    """Keep other processes from resuming the run meanwhile; yield False if one is running it."""
    with leases.held(paths.data_dir() / "locks", run) as is_free:
        yield is_free


async def _states(worktrees: Sequence[Worktree]) -> list[WorktreeState]:
    return [await state_of(one) for one in worktrees]


def _as_value(found: WorktreeState) -> dict[str, object]:
    """Return what `--json` prints of a worktree; scripts read the keys, so they stay."""
    one = found.worktree
    return {
        "run": one.run,
        "ticket": one.ticket,
        "state": found.state,
        "size": found.size,
        "branch": one.branch,
        "path": str(one.path),
        "base": one.base,
        "checkout": one.checkout,
        "ignored": found.ignored,
        "fault": found.fault or None,
    }
