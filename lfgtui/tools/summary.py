"""A call in one line, for the person who is asked to allow it."""

import os.path
from pathlib import Path

from lfgtui.errors import ToolError
from lfgtui.model.call_summary import members_of, members_summary
from lfgtui.model.events import ToolArguments
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools.arguments import Arguments, parse
from lfgtui.tools.files import locate

_WIDTH = 600
_BLANK = "\\x20"


def summary(name: str, arguments: ToolArguments, workspace: Path | None = None) -> str:
    """`edit_file README.md · -3 +5 lines`: one line, nothing in it hidden or silently cut.

    With the workspace it also names the target of links. Never raises: the line of a call
    that cannot run says so.
    """
    try:
        parsed = parse(name, arguments)
        given = {} if isinstance(arguments, str) else arguments
        present = {key: value for key, value in given.items() if value is not None}
        line = members_summary(members_of(present), _exact)
        line = line if line.startswith("$ ") else f"{name} {line}".rstrip()
        line += "" if workspace is None else _destination(parsed, workspace)
    except ToolError as error:
        line = f"cannot run: {error}"
    half = _WIDTH // 2
    if (over := len(line) - 4 * _WIDTH) > 0:  # escaping millions of characters takes seconds
        ends = escaped(line[: 2 * _WIDTH]), escaped(line[-2 * _WIDTH :])
        over += len(ends[0]) + len(ends[1]) - 2 * half
        return f"{ends[0][:half]} [... {over:,} more characters ...] {ends[1][-half:]}"
    line = escaped(line)
    if len(line) <= _WIDTH:
        return line
    return f"{line[:half]} [... {len(line) - 2 * half:,} more characters ...] {line[-half:]}"


def _destination(parsed: Arguments, workspace: Path) -> str:
    """Return where links lead the path, as the end of the line; empty if it has none."""
    relative = getattr(parsed, "path", None)
    if not isinstance(relative, str):
        return ""
    path = locate(workspace, relative)
    if os.path.normpath(path.root / relative) == str(path.absolute):
        return ""
    return f", through a link to {_exact(path.name)}"


def _exact(value: str) -> str:
    """Return the argument with whatever cannot be seen written out, blanks at its ends too."""
    inner = value.strip(" ")
    begin = value.index(inner) if inner else len(value)
    blanks = (_BLANK * begin, _BLANK * (len(value) - begin - len(inner)))
    return f"{blanks[0]}{escaped(inner, blanks=False)}{blanks[1]}"
