"""A call in one line, for the person who is asked to allow it."""

import os.path
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from msgspec import UnsetType

from lfgtui.errors import ToolError
from lfgtui.model.events import ToolArguments
from lfgtui.text.terminal_safe import escaped
from lfgtui.tools.arguments import (
    Arguments,
    EditFile,
    ListFiles,
    ReadFile,
    RunCommand,
    SearchFiles,
    WriteFile,
    parse,
)
from lfgtui.tools.file_tools import line_count
from lfgtui.tools.files import locate

_WIDTH = 600
_BLANK = "\\x20"


def summary(name: str, arguments: ToolArguments, workspace: Path | None = None) -> str:
    """`edit README.md: -3 +5 lines`: one line, nothing in it hidden or silently cut.

    With the workspace it also names the target of links. Never raises: the line of a call
    that cannot run says so.
    """
    try:
        parsed = parse(name, arguments)
        line = _describe(parsed) + ("" if workspace is None else _destination(parsed, workspace))
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


def _describe(parsed: Arguments) -> str:
    match parsed:
        case RunCommand(command):
            return f"$ {_exact(command)}"
        case WriteFile(path, content):
            return f"write {_exact(path)} ({_lines(line_count(content))})"
        case EditFile(path, old, new, repath_all):
            removed, added = changed_lines(old, new)
            everywhere = ", everywhere" if repath_all else ""
            return f"edit {_exact(path)}: -{removed} +{added} lines{everywhere}"
        case ReadFile(path, start_line, max_lines):
            return f"read {_exact(path)}{_range(start_line, max_lines)}"
        case ListFiles(path, pattern):
            return f"list {_exact(path)}{_only(pattern)}"
        case SearchFiles(pattern, path, glob):
            return f'search "{_exact(pattern)}" in {_exact(path)}{_only(glob)}'
        case _:
            raise AssertionError(f"no tool takes {type(parsed).__name__}")


def _destination(parsed: Arguments, workspace: Path) -> str:
    """Return where links lead the path, as the end of the line; empty if it has none."""
    if isinstance(parsed, RunCommand):
        return ""
    assert isinstance(parsed, ReadFile | ListFiles | SearchFiles | WriteFile | EditFile)
    path = locate(workspace, parsed.path)
    if os.path.normpath(path.root / parsed.path) == str(path.absolute):
        return ""
    return f", through a link to {_exact(path.name)}"


def _exact(value: str) -> str:
    """Return the argument with whatever cannot be seen written out, blanks at its ends too."""
    inner = value.strip(" ")
    begin = value.index(inner) if inner else len(value)
    blanks = (_BLANK * begin, _BLANK * (len(value) - begin - len(inner)))
    return f"{blanks[0]}{escaped(inner, blanks=False)}{blanks[1]}"


def changed_lines(old: str, new: str) -> tuple[int, int]:
    """Count the lines that go and come, without those that stay at either end."""
    before, after = old.splitlines(), new.splitlines()
    head = _same(before, after)
    tail = _same(before[head:][::-1], after[head:][::-1])
    return len(before) - head - tail, len(after) - head - tail


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _lines(count: int) -> str:
    return f"{count} line{'s' * (count != 1)}"


def _range(start_line: int, max_lines: int | UnsetType) -> str:
    if not isinstance(max_lines, UnsetType):
        return f", lines {start_line}-{start_line + max_lines - 1}"
    return f" from line {start_line}" if start_line > 1 else ""


def _only(pattern: str | UnsetType) -> str:
    return "" if isinstance(pattern, UnsetType) else f" ({_exact(pattern)})"
