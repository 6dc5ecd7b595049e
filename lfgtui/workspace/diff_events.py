"""Changes made by a ticket's file tools: all that is known without git.

They come from its events, exactly where the content was kept for undo.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePath
from typing import NamedTuple

from lfgtui.errors import ToolError
from lfgtui.model.call_summary import NEW, OLD, seen_from
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.diffs import diff, patch
from lfgtui.workspace.diff import ChangedFile, Changes, Hunk, Status, read_hunks
from lfgtui.workspace.kept import KeptFiles, Past, pasts

_NEW = NEW | {"content"}
"""Names of the argument with the new text, of lfg's and other agents' tools."""

_REMARK = "changes by its own calls; commands may have changed more"


class Edit(NamedTuple):
    """A call of a file tool: `new` replaced `old` or, if that is None, the whole content."""

    old: str | None
    new: str


class KeptOf(NamedTuple):
    """The store of kept files, for one ticket."""

    store: KeptFiles
    run: str
    ticket: str

    def pasts(self) -> dict[str, Past]:
        """Return the ticket's changes, by the file's absolute path."""
        return pasts(self.store.changes(self.run), self.ticket)

    def hunks(self, past: Past, edits: Sequence[Edit]) -> tuple[bool, list[Hunk]] | None:
        """Return True if the file is new, and its changes; None if these are not known.

        Only the content before is kept. The content after is on the disk, or can be made again
        from the calls; it counts only if it has the digest that was noted.
        """
        if past.is_cut or not past.done:
            return None
        first, last = past.done[0].before, past.done[-1].after
        before = b"" if first is None else self.store.content(first)
        if before is None or not last:
            return None
        for after in (_on_disk(past.done[-1].file, self.store.most_per_file), _made(before, edits)):
            if after is not None and sha256(after).hexdigest() == last:
                with suppress(UnicodeDecodeError):
                    return first is None, read_hunks(patch(before.decode(), after.decode()))
        return None


def _on_disk(file: str, most: int) -> bytes | None:
    with suppress(OSError):
        path = Path(file)
        if path.is_file() and path.stat().st_size <= most:
            return path.read_bytes()
    return None


def _made(content: bytes, edits: Sequence[Edit]) -> bytes | None:
    """Return the content after these calls; None if one of them does not fit it."""
    for edit in edits:
        new = edit.new.encode("utf-8", "replace")
        if edit.old is None:
            content = new
            continue
        old = edit.old.encode("utf-8", "replace")
        if b"\r\n" in content and old not in content:
            old, new = (part.replace(b"\n", b"\r\n") for part in (old, new))
        if not old or old not in content:
            return None
        content = content.replace(old, new)
    return content


class Recorded(NamedTuple):
    """The changes of a file by calls: their hunks, and the calls that are edits, in their order."""

    hunks: list[Hunk]
    edits: list[Edit]


def recorded_calls(transcript: Transcript) -> dict[str, Recorded]:
    """Return the changes by the ticket's calls, by the file's path as seen from its workspace."""
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
    """Yield the files that a call changed: path, hunks, and the call as an edit if it is one."""
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
    """Return the hunks of an edit that has no diff; its position in the file is unknown."""
    try:
        found = read_hunks(diff(edit.old or "", edit.new).text)
    except ToolError:
        return [Hunk(0, 0, "", (f"\\ {len(edit.new):,} characters, too many to show",))]
    # The end of a piece need not be the end of its file.
    return [Hunk(0, 0, "", tuple(r for r in one.rows if r[0] != "\\")) for one in found]
