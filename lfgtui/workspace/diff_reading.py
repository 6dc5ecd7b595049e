"""The changes of a ticket, from the best source: git or, where git knows nothing, its events."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from lfgtui.model.events import BaseRecorded
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.terminal_safe import visible_line
from lfgtui.workspace import diff_git
from lfgtui.workspace.diff import ChangedFile, Changes, Hunk
from lfgtui.workspace.diff_events import KeptOf, recorded_calls, recorded_changes
from lfgtui.workspace.git import GitError

Source = Literal["folder", "calls", "workspace"]
"""The source of the changes: git in the ticket's folder, the events of its calls or, for a ticket
with a worktree, git in the folder that the worktree was made from."""


def sources(transcript: Transcript) -> Sequence[Source]:
    """Return the sources from which a ticket's changes can be read, the best first."""
    known: Sequence[Source] = ("folder", "calls") if transcript.base is not None else ("calls",)
    return (*known, "workspace") if len(transcript.bases) > 1 else known


def base_of(transcript: Transcript, source: Source) -> BaseRecorded | None:
    """Return the base that git compares with; None if the events are the source."""
    if source == "calls" or transcript.base is None:
        return None
    if source == "folder":
        return transcript.base
    others = (base for base in transcript.bases.values() if base != transcript.base)
    return next(others, None)


class Reading(msgspec.Struct, frozen=True):
    """A ticket's changes in a folder, with the changed lines (`hunks`) of some of its files.

    `with_lines` reads those of another file. `tree` is what git compared with, "" if the events
    were the source.
    """

    folder: str
    changes: Changes = Changes()
    hunks: Mapping[str, Sequence[Hunk]] = {}
    tree: str = ""

    def is_unread(self, file: ChangedFile) -> bool:
        """Return True for a file whose lines are not read yet."""
        return file.path not in self.hunks and diff_git.has_lines(file)

    async def with_lines(self, file: ChangedFile) -> "Reading":
        """Return the reading with the lines of this file, too; raises `GitError`.

        Only for a file that `is_unread`: without a `tree` there is none, as events have all lines.
        """
        more = await diff_git.hunks(self.folder, self.tree, [file])
        return msgspec.structs.replace(self, hunks={**self.hunks, **more})


async def read_changes(
    transcript: Transcript,
    source: Source = "folder",
    *,
    has_lines: bool = True,
    kept: KeptOf | None = None,
) -> Reading:
    """Return a ticket's changes; raises `GitError` if git knew them and now cannot tell.

    Without `has_lines` only files and counts are read. If the folder is gone, the calls are the
    source; for files in `kept` they give exact changes.
    """
    base = base_of(transcript, source)
    if base is None or (source == "folder" and await _is_gone(base)):
        calls, folder = recorded_calls(transcript), transcript.workspace
        changes, lines = await asyncio.to_thread(recorded_changes, folder, calls, kept)
        if base is not None:
            remarks = (_gone(base), *changes.remarks)
            changes = msgspec.structs.replace(changes, remarks=remarks)
        return Reading(folder, changes, lines)
    tree, remark = await _tree(base)
    changes = await diff_git.changes(base.folder, tree, since=transcript.began_at)
    if remark:
        changes = msgspec.structs.replace(changes, remarks=(*changes.remarks, remark))
    chosen = diff_git.readable(changes.files) if has_lines else ()
    hunks = await diff_git.hunks(base.folder, tree, chosen)
    return Reading(base.folder, changes, hunks, tree)


async def read_patch(transcript: Transcript, source: Source, paths: Sequence[str]) -> bytes | None:
    """Return git's own patch of the paths, or of all; None if git is not the source."""
    base = base_of(transcript, source)
    if base is None or (source == "folder" and await _is_gone(base)):
        return None
    tree, _ = await _tree(base)
    return await diff_git.patch(base.folder, tree, paths)


async def _tree(base: BaseRecorded) -> tuple[str, str]:
    """Return the tree to compare with, and a remark on it."""
    if await _is_gone(base):
        raise GitError(_gone(base))
    return await diff_git.base_tree(base.folder, diff_git.Base(base.tree, base.commit))


async def _is_gone(base: BaseRecorded) -> bool:
    return not await asyncio.to_thread(Path(base.folder).is_dir)


def _gone(base: BaseRecorded) -> str:
    return f"its folder is gone: {visible_line(base.folder)}"
