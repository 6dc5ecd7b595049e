r"""read_file, write_file and edit_file.

Encoding, byte order mark and line endings survive an edit: the model reads and
writes `\n`, the file keeps its own endings. Bytes outside of an edit never change.
"""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import ToolError
from lfgtui.tools import files
from lfgtui.tools.arguments import EditFile, ReadFile, WriteFile
from lfgtui.tools.files import WorkspacePath, locate
from lfgtui.tools.limits import ToolLimits, closest, cut_middle, fitting
from lfgtui.workspace.kept import TicketFiles

_SHOWN_POSITIONS = 8
"""Most line numbers in a message."""

_MOST_PLANS = 20
"""Most times that an edit is made anew because another ticket wrote the file meanwhile."""

_MARKS = (  # byte order marks
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text with its own line endings, its encoding, and its byte order mark (`mark`)."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    def encode(self, name: str, text: str) -> bytes:
        """Encode a text like this file; raises `ToolError` for a character it cannot encode."""
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = text[error.start]
            raise ToolError(
                f'"{name}" is {self.encoding}, which cannot hold {character!r}; write it otherwise'
            ) from None


def decode(name: str, data: bytes) -> TextFile:
    """Decode the bytes; raises `ToolError` where they are not text at all.

    Bytes that are not UTF-8 and have no NUL are taken for Windows-1252, or if they
    cannot be that, for Latin-1: both are written back byte for byte.
    """
    plain = b"", "utf-8 cp1252 latin-1"
    mark, names = next((known for known in _MARKS if data.startswith(known[0])), plain)
    encodings = names.split()
    if b"\0" in data and not encodings[0].startswith("utf-16"):
        raise ToolError(f'"{name}" is a binary file of {len(data):,} bytes, not text')
    for encoding in encodings:
        try:
            return TextFile(data[len(mark) :].decode(encoding), encoding, mark)
        except UnicodeDecodeError:
            continue
    kind = encodings[0]
    raise ToolError(f'"{name}" starts with a {kind} byte order mark but is not valid {kind}')


def read_file(arguments: ReadFile, workspace: Path, limits: ToolLimits) -> str:
    """Return the text with `\\n` endings, then a note in brackets if it is cut."""
    path = locate(workspace, arguments.path)
    file = decode(path.given, files.read_bytes(path, limits.max_file_bytes))
    lines = file.text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    notes = [] if file.encoding == "utf-8" else [f"[the file is {file.encoding}, not utf-8]"]
    if not lines:
        return "\n".join(["[the file is empty]", *notes])
    first = arguments.start_line
    if first > len(lines):
        raise ToolError(
            f'"{path.given}" has {len(lines)} lines; start_line {first} is after the last'
        )
    wanted = arguments.max_lines or len(lines)
    shown = fitting(lines[first - 1 : first - 1 + wanted], limits.output_characters)
    last = first - 1 + len(shown)
    if last < len(lines):
        notes.append(f"[lines {first}-{last} of {len(lines)}; go on with start_line={last + 1}]")
    elif first > 1:
        notes.append(f"[lines {first}-{last} of {len(lines)}]")
    body = cut_middle("\n".join(shown), limits.output_characters)
    if not notes and file.text.endswith("\n"):
        return body + "\n"
    return "\n".join([body, *notes])


def line_count(content: str) -> int:
    """Count lines as an editor does: a last one without an ending counts, too."""
    return content.count("\n") + (not content.endswith("\n") and content != "")


def counted(lines: int) -> str:
    """Return `1 line`, `40 lines`."""
    return f"{lines:,} line{'s' * (lines != 1)}"


def write_file(
    arguments: WriteFile,
    workspace: Path,
    limits: ToolLimits,
    approved: str = "",
    kept: TicketFiles | None = None,
) -> str:
    """Write the content as UTF-8; return the result in words. Raises `ToolError`.

    Raises `UnicodeError` for a lone surrogate. For `approved` and `kept` see `run_tool`.
    """
    path, data = planned_write(arguments, workspace, limits)
    existed = files.replace(path, data, approved, kept)
    done = "overwritten" if existed else "created"
    return f"{done} {path.relative} ({counted(line_count(arguments.content))})"


def planned_write(
    arguments: WriteFile, workspace: Path, limits: ToolLimits
) -> tuple[WorkspacePath, bytes]:
    """Return the file and its bytes after the write; raises `ToolError`."""
    path = locate(workspace, arguments.path)
    files.require_writable(path)
    data = arguments.content.encode()
    _require_room(path, len(data), limits)
    return path, data


class Edit(NamedTuple):
    """An edit that can be made: `old` becomes `new` wherever it occurs in the file.

    `read` is the file as it is, `data` as it would be, with the text `after`.
    """

    path: WorkspacePath
    file: TextFile
    read: bytes
    old: str
    new: str
    after: str
    data: bytes


def edit_file(
    arguments: EditFile,
    workspace: Path,
    limits: ToolLimits,
    approved: str = "",
    kept: TicketFiles | None = None,
) -> str:
    """Replace `old` by `new`; return the result in words.

    Raises `ToolError` unless it is clear where. Tickets may share a workspace: if another one
    writes the file meanwhile, the edit is made anew.
    """
    for _ in range(_MOST_PLANS):
        path, file, read, old, _, _, data = planned_edit(arguments, workspace, limits)
        version = files.version(path, read)
        if approved not in ("", version):
            raise ToolError(files.CHANGED)
        with suppress(files.ChangedError):
            files.replace(path, data, version, kept)
            break
    else:
        raise ToolError(files.CHANGED_NOW.format(arguments.path))
    count = file.text.count(old)
    times = "" if count == 1 else f" ({count} replacements)"
    at = _positions(file.text, old, step=len(old))
    return f"edited {path.relative} at {_lines(file.text, at)}{times}"


def planned_edit(arguments: EditFile, workspace: Path, limits: ToolLimits) -> Edit:
    """Return the edit; raises `ToolError` unless it is clear where."""
    if not arguments.old:
        raise ToolError('edit_file: "old" is empty; to create a file use write_file')
    if arguments.old == arguments.new:
        raise ToolError('edit_file: "old" and "new" are the same, so nothing would change')
    path = locate(workspace, arguments.path)
    read = files.read_bytes(path, limits.max_file_bytes)
    files.require_writable(path)
    file = decode(path.given, read)
    old, new = _in_endings_of(file.text, arguments)
    at = _positions(file.text, old, step=1)
    if not at:
        raise ToolError(f'edit_file: "old" is not in {path.relative}{_hint(file.text, old)}')
    count = file.text.count(old)
    if len(at) > 1 and not arguments.replace_all:
        raise ToolError(
            f'edit_file: "old" is {max(2, count)} times in {path.relative},'
            f" at {_lines(file.text, at)}; give more of the lines around it, or set replace_all"
        )
    growth = (len(new) - len(old)) * count  # before there is a text of that size
    _require_room(path, len(file.text) + growth, limits)
    after = file.text.replace(old, new)
    data = file.encode(path.given, after)
    _require_room(path, len(data), limits)
    return Edit(path, file, read, old, new, after, data)


def _in_endings_of(text: str, arguments: EditFile) -> tuple[str, str]:
    """Return `old` and `new` with the file's line endings, or as given if it mixes them.

    In such a file `old` counts as given only if it occurs so.
    """
    old, new = arguments.old, arguments.new
    pairs = text.count("\r\n")
    if not pairs or (pairs < text.count("\n") and old in text):
        return old, new
    return re.sub("\r?\n", "\r\n", old), re.sub("\r?\n", "\r\n", new)


def _positions(content: str, wanted: str, *, step: int) -> list[int]:
    """Return the first few positions of `wanted`; with a step of 1 they may overlap."""
    positions: list[int] = []
    at = content.find(wanted)
    while at >= 0 and len(positions) <= _SHOWN_POSITIONS:
        positions.append(at)
        at = content.find(wanted, at + step)
    return positions


def _lines(content: str, positions: list[int]) -> str:
    shown = positions[:_SHOWN_POSITIONS]
    numbers = list(dict.fromkeys(content.count("\n", 0, at) + 1 for at in shown))
    more = " and more" if len(positions) > len(shown) else ""
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}{more}"


def _hint(content: str, wanted: str) -> str:
    """Return a hint at what the model meant: the lines with other spacing, or a similar line."""
    numbered = [(n, line.strip()) for n, line in enumerate(content.split("\n"), 1) if line.strip()]
    have = [line for _, line in numbered]
    want = [line.strip() for line in wanted.split("\n") if line.strip()]
    if not want:
        return "; read the file again"
    text = "\n".join(("", *have, ""))
    if (start := text.find("\n".join(("", *want, "")))) >= 0:  # linear, whatever repeats
        first = numbered[text.count("\n", 0, start)][0]
        return f"; line {first} onwards differs only in spaces: copy it exactly"
    close = closest(want[0], have)
    if close is None:
        return "; read the file again"
    number = numbered[have.index(close)][0]
    return f"; the nearest to its first line is line {number}: {close}"


def _require_room(path: WorkspacePath, size: int, limits: ToolLimits) -> None:
    if size > limits.max_file_bytes:
        raise ToolError(
            f'"{path.given}" would have {size:,} bytes,'
            f" more than the {limits.max_file_bytes:,} that can be written"
        )
