"""A call of lfg's own tools before it runs: the line and the diff that a person approves."""

import os
from pathlib import Path
from typing import NamedTuple

from lfgtui.errors import ToolError
from lfgtui.model.call_summary import members_of, members_summary
from lfgtui.model.events import ToolArguments
from lfgtui.text.diffs import Diff, diff, replaced_spans
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools import files
from lfgtui.tools.arguments import EditFile, WriteFile, parse
from lfgtui.tools.file_tools import (
    TextFile,
    counted,
    decode,
    line_count,
    planned_edit,
    planned_write,
)
from lfgtui.tools.files import WorkspacePath, locate
from lfgtui.tools.limits import ToolLimits, one_line

_WIDTH = 600
"""Most characters of a call's line, besides the note in a long one's middle."""

_BLANK = "\\x20"
"""A blank at either end of an argument, where nobody would see it."""


class Preview(NamedTuple):
    """A call that is not run yet: in a line, and as a diff of the file that it would change.

    `version` (`files.version`) identifies the file that the diff was made from; "" for other calls.
    `path` is the absolute path, without links, of the file or folder that the call is about; rules
    of approval go by it. `definition` is the digest of an MCP server's tool, "" for lfg's own.
    """

    summary: str
    diff: str = ""
    version: str = ""
    path: str = ""
    definition: str = ""


def preview(name: str, arguments: ToolArguments, workspace: Path, limits: ToolLimits) -> Preview:
    """Return the preview; raises `ToolError`, on one line, if the call cannot run or be shown.

    It reads the files of the call: call it in a thread.
    """
    try:
        match parse(name, arguments):
            case WriteFile() as write:
                return _write(write, workspace, limits)
            case EditFile() as edit:
                return _edit(edit, workspace, limits)
            case parsed:
                line, given = _summary(name, arguments), getattr(parsed, "path", None)
                if not isinstance(given, str):
                    return Preview(_line(line))
                path = locate(workspace, given)
                return Preview(_line(line + _link(path)), path=str(path.absolute))
    except ToolError as error:
        raise ToolError(one_line(str(error))) from None


def _write(arguments: WriteFile, workspace: Path, limits: ToolLimits) -> Preview:
    path, data = planned_write(arguments, workspace, limits)
    read = files.read_present(path, limits.max_file_bytes)
    if read is None:
        change = diff("", arguments.content)
        lines = counted(line_count(arguments.content))
        return _preview("create", path, lines, change, None)
    try:
        file = decode(path.given, read)
    except ToolError as error:
        raise ToolError(f"{error}, so nobody could see what would be lost; move it first") from None
    change = diff(file.text, arguments.content)
    kept = file.encoding == "utf-8" and not file.mark
    encoding = "" if kept or data == read else f", {_encoding(file)} becomes utf-8"
    return _preview("overwrite", path, f"{change}{encoding}", change, read)


def _edit(arguments: EditFile, workspace: Path, limits: ToolLimits) -> Preview:
    edit = planned_edit(arguments, workspace, limits)
    text = edit.file.text
    change = diff(text, edit.after, replaced_spans(text, edit.old, edit.new))
    return _preview("edit", edit.path, str(change), change, edit.read)


def _preview(
    verb: str, path: WorkspacePath, extent: str, change: Diff, read: bytes | None
) -> Preview:
    line = f"{verb} {_exact(path.given)} ({extent}){_link(path)}"
    return Preview(_line(line), change.text, files.version(path, read), str(path.absolute))


def _summary(name: str, arguments: ToolArguments) -> str:
    given = {} if isinstance(arguments, str) else arguments
    present = {key: value for key, value in given.items() if value is not None}
    line = members_summary(members_of(present), _exact)
    return line if line.startswith("$ ") else f"{name} {line}".rstrip()


def _line(line: str) -> str:
    """Return the line escaped; of a long one, both ends and how much is between them."""
    half = _WIDTH // 2
    if (over := len(line) - 4 * _WIDTH) > 0:  # escaping millions of characters takes seconds
        ends = escaped(line[: 2 * _WIDTH]), escaped(line[-2 * _WIDTH :])
        over += len(ends[0]) + len(ends[1]) - 2 * half
        return f"{ends[0][:half]} [... {over:,} more characters ...] {ends[1][-half:]}"
    line = escaped(line)
    if len(line) <= _WIDTH:
        return line
    return f"{line[:half]} [... {len(line) - 2 * half:,} more characters ...] {line[-half:]}"


def _link(path: WorkspacePath) -> str:
    """Return where the path's links lead, as the end of the line; "" without links."""
    if os.path.normpath(path.root / path.given) == str(path.absolute):
        return ""
    return f", through a link to {_exact(path.relative)}"


def _encoding(file: TextFile) -> str:
    return f"{file.encoding} with a byte order mark" if file.encoding == "utf-8" else file.encoding


def _exact(value: str) -> str:
    """Return the argument with invisible characters escaped, and blanks at its ends."""
    inner = value.strip(" ")
    begin = value.index(inner) if inner else len(value)
    blanks = (_BLANK * begin, _BLANK * (len(value) - begin - len(inner)))
    return f"{blanks[0]}{escaped(inner, blanks=False)}{blanks[1]}"
