"""Undo: restores the files that a ticket changed with its tools (`lfg undo`).

A file is only restored if it is as the ticket's last change left it; that is checked again at the
moment it is replaced. Its path is walked as the tools do, through no link, and its present content
is kept as well, so an undo can be undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lfgtui.errors import ToolError
from lfgtui.tools import files
from lfgtui.tools.files import WorkspacePath
from lfgtui.workspace.kept import BY_COMMAND, Change, KeptFiles, Past, TicketFiles, pasts

CUT = "undoes only its changes made after another ticket changed the file"


@dataclass(frozen=True, slots=True)
class Step:
    """The plan for one file: it gets `content` and `mode`, or is removed (None).

    `version` is the one that the file must have. `refusal`: why it cannot be undone, "" if it can;
    `remark`: what else a person should know. `is_due` is False for a file that is as it should be,
    and for one that only commands changed (`is_commands`).
    """

    path: WorkspacePath
    content: bytes | None = None
    mode: int = 0o644
    version: str = ""
    refusal: str = ""
    remark: str = ""
    is_due: bool = True
    is_commands: bool = False

    @property
    def file(self) -> str:
        return str(self.path.absolute)


def plan_undo(kept: KeptFiles, run: str, ticket: str, *, redo: bool = False) -> Sequence[Step]:
    """Return the plan for each file that the ticket changed; with `redo`, for undoing an undo.

    It changes nothing; `carry_out` each step that is due and not refused.
    """
    found = pasts(kept.changes(run), ticket)
    return [_step(kept, (run, ticket), past, redo=redo) for past in found.values()]


def carry_out(kept: KeptFiles, run: str, ticket: str, step: Step, *, redo: bool = False) -> None:
    """Carry out a step; raises `ToolError` if that is impossible, as when the file has changed."""
    keeping = TicketFiles(kept, run, ticket, "redo" if redo else "undo")
    if step.content is None:
        files.remove(step.path, step.version, keeping)
    else:
        files.replace(step.path, step.content, step.version, keeping, step.mode)


def _step(kept: KeptFiles, whose: tuple[str, str], past: Past, *, redo: bool) -> Step:
    """Return the plan for one file: what it gets, or why nothing is to be done."""
    change = past.undone or past.done[-1]
    path = WorkspacePath(Path(change.root), tuple(change.path.split("/")), change.path)
    if change.why == BY_COMMAND and not past.is_cut:
        return Step(path, is_due=False, is_commands=True)
    try:
        now = files.digest(path)
    except ToolError as error:
        return Step(path, refusal=str(error))
    if past.undone is not None and past.undone.after != now == past.undone.before:
        past = past._replace(undone=None)  # noted, but lfg was killed before it undid anything
    if redo:
        return (
            Step(path, is_due=False)
            if past.undone is None
            else _restored(kept, whose, path, past.undone, past.undone, now)
        )
    done = past.done if past.undone is None else ()
    if done and done[-1].after != now == done[-1].before:
        done = done[:-1]  # noted, but lfg was killed before it changed the file
    if not done:
        return Step(path, is_due=False)
    return _restored(kept, whose, path, done[0], done[-1], now, CUT if past.is_cut else "")


def _restored(
    kept: KeptFiles,
    whose: tuple[str, str],
    path: WorkspacePath,
    first: Change,
    last: Change,
    now: str | None,
    remark: str = "",
) -> Step:
    """Return the step back from the state after `last` to the one before `first`."""
    if first.why:
        return Step(path, refusal=f"not kept: {first.why}")
    if last.after != now:
        if first.before == now:
            return Step(path, is_due=False)
        who = kept.who_left(str(path.absolute), now)
        by = f" by {'/'.join(who)}" if who and who != whose else ", by no tool of lfg"
        return Step(path, refusal=f"changed since{by}")
    version = files.version_of(path, now)
    if first.before is None:
        return Step(path, version=version, remark=remark, is_due=now is not None)
    content = kept.content(first.before)
    if content is None:
        return Step(path, refusal="the earlier version was removed to make room (undo.max_total)")
    return Step(path, content, first.mode, version, remark=remark)
