"""`lfg diff`."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

import click

from lfgtui.cli.launching.past_runs import open_reader, report_gaps
from lfgtui.cli.options import RAW_HELP
from lfgtui.history.reader import Reader
from lfgtui.model.fold.transcript import Transcript
from lfgtui.settings import paths
from lfgtui.text import output
from lfgtui.text.output import BOLD, CYAN, GREEN, RED, Styled
from lfgtui.workspace.diff import SIGNS, ChangedFile, Changes, Hunk
from lfgtui.workspace.diff_events import KeptOf
from lfgtui.workspace.diff_reading import Source, base_of, read_changes, read_patch
from lfgtui.workspace.git import GitError
from lfgtui.workspace.kept import KeptFiles

_BAR = 40
"""Most `+` and `-` in a file's bar in `--stat`."""

_ANY = 1 << 30
"""Limit in bytes that no kept file reaches: reading needs none, and `KeptFiles` wants one."""


@click.command()
@click.argument("place", metavar="RUN[/TICKET]")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--stat", is_flag=True, help="Show only how many lines changed in each file.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are changes.")
@click.option("--raw", is_flag=True, help=RAW_HELP)
def diff(place: str, files: tuple[str, ...], stat: bool, exit_code: bool, raw: bool) -> int:
    """Show what a ticket changed, or with RUN alone all that changed in its folders.

    A folder in a git repository is compared with its state when the run began, whoever changed it
    since. Without git, or if the folder is gone, only changes by file tools are shown. FILE is
    relative to that folder, and may be a folder. RUN may be a unique prefix or suffix, or 'last':
    the newest in this folder's repository.

    \b
    lfg diff last
    lfg diff last/api --stat
    lfg diff last/api src > api.patch
    """
    if raw:
        output.check_raw()
    name, _, only = place.partition("/")
    names = tuple(file.removeprefix("./").rstrip("/") for file in files)
    with open_reader() as reader:
        folders = _folders(reader, reader.find_run(name), only)
        found = failed = False
        for folder in folders:
            if len(folders) > 1:
                output.print_line(Styled(f"# {', '.join(folder.names)}", BOLD))
            try:
                found |= _print(folder, names, is_stat=stat, is_raw=raw)
            except GitError as error:
                if len(folders) == 1:
                    raise
                failed = True
                output.print_error(f"{', '.join(folder.names)}: {error}")
        return report_gaps(reader) or int(failed or (exit_code and found))


class _Folder(NamedTuple):
    """A folder whose changes are printed: the one of some tickets, or the one of a run.

    `names` are the tickets, or the folder's path, for headings. `transcript` says with what the
    folder is compared, `source` which of its two folders it is (see `diff_reading`).
    """

    names: list[str]
    transcript: Transcript
    kept: KeptOf
    source: Source = "folder"


def _folders(reader: Reader, run: str, only: str) -> list[_Folder]:
    """Return the folders of the ticket `only`, or of all tickets if it is "".

    Of all tickets, the folders that worktrees were made from come first. Tickets that worked in
    the same folder from the same state share one, unless the folder is gone.
    """
    workspaces: dict[object, _Folder] = {}
    groups: dict[object, _Folder] = {}
    store = KeptFiles.beside(paths.history_file(), _ANY, _ANY)
    for stored in reader.tickets(run, only):
        ticket = stored.ticket
        transcript = Transcript(ticket.workspace)
        for entry in reader.entries(run, ticket.id):
            transcript.apply(entry)
        kept = KeptOf(store, run, ticket.id)
        if not only and (base := base_of(transcript, "workspace")) is not None:
            workspaces.setdefault(base, _Folder([base.folder], transcript, kept, "workspace"))
        base = transcript.base
        is_there = base is not None and Path(base.folder).is_dir()
        group = groups.setdefault(base if is_there else ticket.id, _Folder([], transcript, kept))
        group.names.append(ticket.id)
    return [*workspaces.values(), *groups.values()]


def _print(folder: _Folder, names: Sequence[str], *, is_stat: bool, is_raw: bool) -> bool:
    """Print the changes; return True if there are any."""
    _, transcript, kept, source = folder
    patch = None if is_stat else asyncio.run(read_patch(transcript, source, names))
    if patch is not None and not output.prints_on_terminal():
        _print_document(patch, is_raw=is_raw)
        return bool(patch)
    if patch is not None:
        _print_coloured(patch.decode("utf-8", "replace").removesuffix("\n").split("\n"))
        return bool(patch)
    has_lines = not is_stat
    reading = asyncio.run(read_changes(transcript, source, has_lines=has_lines, kept=kept))
    shown = [file for file in reading.changes.files if _is_named(file, names)]
    if is_stat:
        _print_stat(Changes(tuple(shown)))
    rows = [] if is_stat else [row for f in shown for row in _patch(f, reading.hunks[f.path])]
    if output.prints_on_terminal():
        _print_coloured(rows)
    else:
        _print_document("".join(f"{row}\n" for row in rows).encode(), is_raw=is_raw)
    for remark in reading.changes.remarks:
        output.print_remark(remark)
    return bool(shown)


def _print_document(text: bytes, *, is_raw: bool) -> None:
    document = output.Document(raw=is_raw)
    document.write_bytes(text)
    document.close()


def _is_named(file: ChangedFile, names: Sequence[str]) -> bool:
    return not names or any(f"{file.path}/".startswith(f"{name}/") for name in names)


def _patch(file: ChangedFile, hunks: Iterable[Hunk]) -> Iterator[str]:
    """Yield a file's patch as git would print it, or pieces that no program can apply."""
    if not file.is_patch:
        yield f"# {file.path}: pieces, not a patch"
        for hunk in hunks:
            yield f"@@ line {max(1, hunk.new)} @@" if hunk.old or hunk.new else "@@ @@"
            yield from hunk.rows
        return
    yield f"diff --git a/{file.path} b/{file.path}"
    if file.status == "added":
        yield "new file mode 100644"
    if not (hunks := list(hunks)):
        return
    yield "--- /dev/null" if file.status == "added" else f"--- a/{file.path}"
    yield f"+++ b/{file.path}"
    for hunk in hunks:
        signs = [row[:1] for row in hunk.rows]
        old, new = (signs.count(" ") + signs.count(sign) for sign in "-+")
        yield f"@@ -{hunk.old},{old} +{hunk.new},{new} @@"
        yield from hunk.rows


def _print_coloured(rows: Iterable[str]) -> None:
    is_in_hunk = False
    for row in rows:
        is_in_hunk = row.startswith("@@") or (is_in_hunk and row[:1] in ("+", "-", " ", "\\", ""))
        style = {"+": GREEN, "-": RED, "@": CYAN}.get(row[:1]) if is_in_hunk else BOLD
        output.print_line(Styled(row, style))


def _print_stat(changes: Changes) -> None:
    """Print a line per file, and the sums, as `git diff --stat` does."""
    most = max((file.added + file.removed for file in changes.files), default=0)
    part = min(1.0, _BAR / most) if most else 1.0
    names = [f"{one.old_path} => {one.path}" if one.old_path else one.path for one in changes.files]
    width = max(map(len, names), default=0)
    for name, file in zip(names, changes.files, strict=True):
        lines = f"{file.added + file.removed:>{len(str(most))}}"
        plus, minus = "+" * ceil(part * file.added), "-" * ceil(part * file.removed)
        note = f" ({file.note})" if file.note else ""
        parts = (Styled(plus, GREEN), Styled(minus, RED), note)
        output.print_line(f" {SIGNS[file.status]} {name:<{width}} | {lines} ", *parts)
    if changes.files:
        words = [f"{_counted(len(changes.files), 'file')} changed"]
        if changes.added:
            words.append(f"{_counted(changes.added, 'insertion')}(+)")
        if changes.removed:
            words.append(f"{_counted(changes.removed, 'deletion')}(-)")
        output.print_line(f" {', '.join(words)}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
