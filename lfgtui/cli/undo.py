"""`lfg undo`: the files that a ticket changed, as they were before."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from lfgtui.cli.launching.past_runs import reader
from lfgtui.cli.options import yes_option
from lfgtui.errors import ToolError, UsageError, did_you_mean
from lfgtui.settings import paths
from lfgtui.settings.config import load_config
from lfgtui.text import output
from lfgtui.tools.undo import Step, carry_out, plan_undo
from lfgtui.workspace.kept import KeptFiles
from lfgtui.workspace.worktrees import find_worktree

_SHOWN = 10
"""Most names of files in the remark about those that commands changed."""


@click.command()
@click.argument("place", metavar="RUN/TICKET")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--redo", is_flag=True, help="Take back an undo.")
@click.option("--dry-run", is_flag=True, help="Only print what would be done.")
@yes_option
def undo(place: str, files: tuple[str, ...], redo: bool, dry_run: bool, yes: bool) -> int:
    """Restore the files that a ticket changed with its tools; all, or FILE and what is below it.

    It needs no git and works from any folder, even after lfg was killed. A file that anyone else
    has changed since is left alone. RUN may be a unique prefix or suffix, or 'last': the newest in
    this folder's repository. The exit code is 1 if a file could not be restored.
    """
    run, ticket = _ticket(place)
    policy = load_config(paths.config_file()).undo
    kept = KeptFiles.beside(paths.history_file(), policy.total_bytes, policy.file_bytes)
    steps = _named(plan_undo(kept, run, ticket, redo=redo), files, place)
    due = [step for step in steps if step.is_due and not step.refusal]
    refused = [step for step in steps if step.refusal]
    for step in (*due, *refused):
        output.print_line(f"{_verb(step)} {step.file}{_why(step)}")
    if commands := [step.path.given for step in steps if step.is_commands and not redo]:
        output.print_remark(f"not undone, since commands changed them: {_listed(commands)}")
    if not due:
        output.print_remark(f"nothing to {'redo' if redo else 'undo'}")
        return 1 if refused else 0
    if find_worktree(paths.worktrees_dir(), run, ticket):
        output.print_remark("your checkout is not touched; what `lfg apply` brought there stays")
    if dry_run:
        return 1 if refused else 0
    if not yes:
        count = f"{len(due)} file{'s' * (len(due) != 1)}"
        question = f"{'Redo' if redo else 'Undo'} the changes of {count}?"
        if not output.confirm(question, "nothing was changed"):
            return 1
    failed = 0
    for step in due:
        try:
            carry_out(kept, run, ticket, step, redo=redo)
        except ToolError as error:
            output.print_error(str(error))
            failed += 1
    return 1 if refused or failed else 0


def _ticket(place: str) -> tuple[str, str]:
    """Return the ids of run and ticket from RUN/TICKET, or from RUN if it has only one ticket."""
    name, _, ticket = place.partition("/")
    with reader() as stored:
        run = stored.find_run(name)
        known = [one.ticket.id for one in stored.tickets(run)]
    if not ticket and len(known) == 1:
        return run, known[0]
    if not ticket:
        raise UsageError(f'invalid ticket "{place}": expected RUN/TICKET')
    if ticket not in known:
        raise UsageError(f'run {run} has no ticket "{ticket}"{did_you_mean(ticket, known)}')
    return run, ticket


def _named(steps: Sequence[Step], files: Sequence[str], place: str) -> Sequence[Step]:
    """Return the steps for these files and what is below them; all steps if none is named.

    A name is relative to the workspace, as the ticket named the file, or to the current folder.
    """
    if not files:
        return steps
    chosen: dict[str, Step] = {}
    for name in files:
        absolute = os.path.normpath(Path.cwd() / name)
        named = [
            step
            for step in steps
            if any(
                known == given or known.startswith(f"{given.rstrip('/')}/")
                for known, given in ((step.file, absolute), (step.path.given, name))
            )
        ]
        if not named:
            near = did_you_mean(name, [step.path.given for step in steps])
            raise UsageError(f'{place} did not change "{name}" with its tools{near}')
        chosen |= {step.file: step for step in named}
    return list(chosen.values())


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _verb(step: Step) -> str:
    if step.refusal:
        return "leave"
    return "remove" if step.content is None else "restore"


def _why(step: Step) -> str:
    why = step.refusal or step.remark
    return f" ({why})" if why else ""
