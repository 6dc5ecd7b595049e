"""Changes made by a ticket's file tools, from its events: all that is known without git."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from lfgtui.errors import ToolError
from lfgtui.model.call_summary import NEW, OLD, seen_from
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.diffs import diff
from lfgtui.workspace.diff import ChangedFile, Changes, Hunk, Status, read_hunks
from lfgtui.workspace.diff_kept import Edit, KeptOf

_NEW = NEW | {"content"}
_REMARK = "changes by its own calls; commands may have changed more"


class Recorded(NamedTuple):
    """The changes of a file by calls: a hunk for each, and the calls as edits if all are."""

    hunks: list[Hunk]
    edits: list[Edit]


def recorded_calls(transcript: Transcript) -> dict[str, Recorded]:
    """Return the changes by the ticket's calls, by the file's path from its workspace."""
    found: dict[str, Recorded] = {}
    for attempt in transcript.attempts:
        for call in attempt.tools:
            if call.state == "finished" and call.error is None:
                for path, hunks, edits in _of_call(call):
                    own = found.setdefault(seen_from(transcript.workspace, path), Recorded([], []))
                    own.hunks.extend(hunks)
                    own.edits.extend(edits)
    return found


def recorded_changes(
    workspace: str, calls: Mapping[str, Recorded], kept: KeptOf | None = None
) -> tuple[Changes, dict[str, list[Hunk]]]:
    """Return the ticket's changes: exact ones for a `kept` file, otherwise call by call.

    Call by call, a line that was changed twice appears twice.
    """
    files, hunks = list[ChangedFile](), dict[str, list[Hunk]]()
    pasts = kept.pasts() if kept and calls else {}
    for path, recorded in sorted(calls.items()):
        past = pasts.get(os.path.realpath(Path(workspace, path)))
        if kept and past and (whole := kept.hunks(past, recorded.edits)) is not None:
            is_new, hunks[path] = whole
            if is_new or hunks[path]:
                status: Status = "added" if is_new else "modified"
                files.append(
                    _file(path, status, hunks[path], is_patch=not PurePath(path).is_absolute())
                )
        elif recorded.hunks:
            hunks[path] = recorded.hunks
            files.append(_file(path, _status(recorded.hunks), recorded.hunks, is_patch=False))
    return Changes(tuple(files), (_REMARK,) if files else ()), hunks


def _file(path: str, status: Status, hunks: list[Hunk], *, is_patch: bool) -> ChangedFile:
    rows = [row[:1] for hunk in hunks for row in hunk.rows]
    added, removed = rows.count("+"), rows.count("-")
    return ChangedFile(path, status, added=added, removed=removed, is_patch=is_patch)


def _status(hunks: list[Hunk]) -> Status:
    first = hunks[0]
    begins = first.old == 0 < first.new and all(row.startswith("+") for row in first.rows)
    return "added" if begins else "modified"


def _of_call(call: ToolItem) -> Iterator[tuple[str, list[Hunk], list[Edit]]]:
    given = {} if isinstance(call.given, str) else call.given
    path = str(given.get("path", ""))
    old, new = (next((given[n] for n in names if n in given), None) for names in (OLD, _NEW))
    edits = list[Edit]()
    if isinstance(new, str) and (old is None or isinstance(old, str)):
        edits.append(Edit(old, new))
    if call.diffs:
        yield from ((name or path, read_hunks(text), edits) for name, text in call.diffs)
    elif path and edits:
        yield path, _piece(edits[0]), edits


def _piece(edit: Edit) -> list[Hunk]:
    """Return an edit without a request for approval; its position in the file is unknown."""
    try:
        found = read_hunks(diff(edit.old or "", edit.new).text)
    except ToolError:
        return [Hunk(0, 0, "", (f"\\ {len(edit.new):,} characters, too many to show",))]
    # The end of a piece need not be the end of its file.
    return [Hunk(0, 0, "", tuple(r for r in one.rows if r[0] != "\\")) for one in found]
