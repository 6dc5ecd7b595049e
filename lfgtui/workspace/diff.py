"""Changes of files as values, read from git's output or from an event's unified diff.

Names, sizes and texts come from agents and may be made to deceive: reading never raises, and a row
counts as a line of a file only if its hunk's head says that one follows.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

Status = Literal["added", "deleted", "modified", "renamed", "copied", "type", "unmerged"]

_STATUSES: dict[str, Status] = {
    "A": "added",
    "D": "deleted",
    "R": "renamed",
    "C": "copied",
    "T": "type",
    "U": "unmerged",
}
SIGNS: dict[Status, str] = {status: sign for sign, status in _STATUSES.items()} | {"modified": "M"}
"""Git's letters for statuses."""

_LINK, _SUBMODULE, _EXECUTABLE = "120000", "160000", "100755"
"""Git's file modes."""

_RAW = re.compile(r":(\d{6}) (\d{6}) ([0-9a-f]{4,64}) ([0-9a-f]{4,64}) ([A-Z])\d{0,3}$")
"""A file's field in `--raw`: `:100644 100755 OLDBLOB NEWBLOB R086`."""

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)
"""A hunk's head: `@@ -10,6 +10,7 @@ def main():`."""


class ChangedFile(msgspec.Struct, frozen=True):
    """A file and how much of it changed.

    `path` is relative to the folder; so is `old_path`, that of a renamed file before. `note` says
    in a few words what lines do not show: a mode, sizes; or why there are no lines. `old_blob` is
    git's hash of the old content. `is_patch` is False if it is not certain where in the file its
    lines are.
    """

    path: str
    status: Status = "modified"
    old_path: str = ""
    added: int = 0
    removed: int = 0
    is_binary: bool = False
    note: str = ""
    old_blob: str = ""
    is_patch: bool = True

    @property
    def paths(self) -> list[str]:
        """The names under which git shows the file's lines."""
        return [self.old_path, self.path] if self.old_path else [self.path]


class Hunk(NamedTuple):
    """Consecutive lines of a file's diff.

    `old` and `new` are the number of the first line before and after the change; both are 0 if that
    is not known. `context` is the rest of the head, e.g. `def main():`. Each row begins with a
    sign: ` `, `+`, `-`, or a backslash for git's remark on the row above.
    """

    old: int
    new: int
    context: str
    rows: tuple[str, ...]


class Changes(msgspec.Struct, frozen=True):
    """The changes in a folder. `remarks`: what is left out or uncertain, one line each."""

    files: tuple[ChangedFile, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed for file in self.files)


def read_summary(output: bytes) -> list[ChangedFile]:
    """Return the files in the output of `git diff --raw --numstat -z`, without damaged fields."""
    fields = iter(os.fsdecode(output).split("\0"))
    files: dict[str, ChangedFile] = {}
    for field in fields:
        if not (raw := _RAW.match(field)):
            _count(field, fields, files)
            continue
        old_mode, new_mode, old_blob, _, letter = raw.groups()
        old_path = next(fields, "") if letter in "RC" else ""
        path = next(fields, "")
        if letter == "U" and path in files:
            continue
        note = _mode_note(old_mode, new_mode)
        status = _STATUSES.get(letter, "modified")
        files[path] = ChangedFile(path, status, old_path, note=note, old_blob=old_blob)
    return [file for path, file in files.items() if path]


def _count(first: str, fields: Iterator[str], files: dict[str, ChangedFile]) -> None:
    """Set a file's counts in `files`; `first` has both numbers and the path, divided by tabs.

    A rename's two paths are in the next fields instead.
    """
    added, _, rest = first.partition("\t")
    removed, _, path = rest.partition("\t")
    if rest and not path:  # a rename: its two names follow
        next(fields, "")
        path = next(fields, "")
    if (file := files.get(path)) is None:
        return
    is_binary = added == removed == "-"
    numbers = (int(n) if n.isdecimal() and len(n) < 10 else 0 for n in (added, removed))
    counted = dict(zip(("added", "removed"), numbers, strict=True))
    files[path] = msgspec.structs.replace(file, is_binary=is_binary, **counted)


def _mode_note(old: str, new: str) -> str:
    """Return in words how the file's mode changed; "" if there is nothing to say."""
    if _SUBMODULE in (old, new):
        return "submodule"
    if "000000" in (old, new) or old == new:
        return {_LINK: "link", _EXECUTABLE: "executable"}.get(max(old, new), "") * (old != new)
    if _LINK in (old, new):
        return "became a link" if new == _LINK else "was a link"
    return "now executable" if new == _EXECUTABLE else "no longer executable"


def read_patch(files: Sequence[ChangedFile], patch: bytes) -> dict[str, list[Hunk]]:
    """Return the hunks of the files by path; the patch has the files in the same order."""
    hunks: dict[str, list[Hunk]] = {}
    sections = _sections(patch.decode("utf-8", "replace").split("\n"))
    for file in files:
        if file.status == "unmerged":
            continue
        own = list(next(sections, ()))
        if file.status == "type":  # in the patch it is removed, then created
            own += next(sections, ())
        hunks[file.path] = own
    return hunks


def _sections(rows: Iterable[str]) -> Iterator[list[Hunk]]:
    """Yield the hunks of each file of a patch."""
    section: list[Hunk] | None = None
    for part in _parts(iter(rows)):
        if isinstance(part, Hunk):
            if section is not None:
                section.append(part)
        elif part.startswith("diff --git "):
            if section is not None:
                yield section
            section = []
    if section is not None:
        yield section


def bounded(hunks: Sequence[Hunk], most: int) -> list[Hunk]:
    """Return at most the first `most` rows; if cut, a last row says how many more there are."""
    shown: list[Hunk] = []
    left = most
    for hunk in hunks:
        if len(hunk.rows) > left:
            more = sum(len(one.rows) for one in hunks) - most
            rows = (*hunk.rows[:left], f"\\ {more:,} more lines are not shown")
            return [*shown, hunk._replace(rows=rows)]
        left -= len(hunk.rows)
        shown.append(hunk)
    return shown


def read_hunks(diff: str) -> list[Hunk]:
    """Return the hunks of a unified diff of one file."""
    return [part for part in _parts(iter(diff.split("\n"))) if isinstance(part, Hunk)]


def _parts(rows: Iterator[str]) -> Iterator[Hunk | str]:
    """Yield the hunks, and the rows between them.

    A hunk has as many rows as its head says: one of them may look like a file's head.
    """
    row = next(rows, None)
    while row is not None:
        if not (head := _HUNK.match(row)):
            yield row
            row = next(rows, None)
            continue
        left = [int(head[2] or 1), int(head[4] or 1)]
        own: list[str] = []
        for row in rows:
            if row.startswith("\\"):
                own.append(row)
                continue
            row = row or (" " if all(left) else "")  # the blank of an empty line was stripped
            takes = [row.startswith((" ", "-")), row.startswith((" ", "+"))]
            if not any(takes) or any(t > n for t, n in zip(takes, left, strict=True)):
                break
            left = [n - t for n, t in zip(left, takes, strict=True)]
            own.append(row)
        else:
            row = None
        yield Hunk(int(head[1]), int(head[3]), head[5], tuple(own))


def numbered(hunk: Hunk) -> Iterator[tuple[int, int, str]]:
    """Yield each row with its line's numbers before and after the change; 0 where it has none."""
    old, new = hunk.old, hunk.new
    for row in hunk.rows:
        is_old, is_new = row.startswith((" ", "-")), row.startswith((" ", "+"))
        yield old * is_old, new * is_new, row
        if hunk.old or hunk.new:
            old, new = old + is_old, new + is_new
