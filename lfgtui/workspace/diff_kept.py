"""The changes of a file by a ticket, from the content kept for undo: exact, and without git."""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from lfgtui.text.diffs import patch
from lfgtui.workspace.diff import Hunk, read_hunks
from lfgtui.workspace.kept import KeptFiles, Past, pasts


class Edit(NamedTuple):
    """A call of a file tool: `new` replaced `old` or, if that is None, the whole file."""

    old: str | None
    new: str


class KeptOf(NamedTuple):
    """The store of kept files, for one ticket."""

    store: KeptFiles
    run: str
    ticket: str

    def pasts(self) -> dict[str, Past]:
        """Return the ticket's changes by file."""
        return pasts(self.store.changes(self.run), self.ticket)

    def hunks(self, past: Past, edits: Sequence[Edit]) -> tuple[bool, list[Hunk]] | None:
        """Return whether the file is new, and its changes; None if these are not known.

        Only the content before is kept. The content after is on the disk, or can be made again
        from the calls: either has to have the digest that was noted.
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
