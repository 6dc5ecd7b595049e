"""What a call would do, in one line, for the person who is asked to allow it."""

from collections.abc import Sequence
from itertools import takewhile

from msgspec import UnsetType

from lfgtui.errors import ToolError
from lfgtui.events import ToolArguments
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
from lfgtui.tools.writing import line_count
from lfgtui.visible import escaped

_WIDTH = 600


def summary(name: str, arguments: ToolArguments) -> str:
    """`edit README.md: -3 +5 lines`: one line, nothing in it hidden or silently cut.

    Never raises: what cannot run says so.
    """
    try:
        line = _said(parse(name, arguments))
    except ToolError as error:
        line = f"cannot run: {error}"
    line = escaped(line)
    if len(line) <= _WIDTH:
        return line
    half = _WIDTH // 2
    return f"{line[:half]} [... {len(line) - 2 * half:,} more characters ...] {line[-half:]}"


def _said(parsed: Arguments) -> str:
    match parsed:
        case RunCommand(command):
            return f"$ {command}"
        case WriteFile(path, content):
            return f"write {path} ({_lines(line_count(content))})"
        case EditFile(path, old, new, replace_all):
            removed, added = changed_lines(old, new)
            everywhere = ", everywhere" if replace_all else ""
            return f"edit {path}: -{removed} +{added} lines{everywhere}"
        case ReadFile(path, start_line, max_lines):
            return f"read {path}{_range(start_line, max_lines)}"
        case ListFiles(path, pattern):
            return f"list {path}{_only(pattern)}"
        case SearchFiles(pattern, path, glob):
            return f'search "{pattern}" in {path}{_only(glob)}'
        case _:
            raise AssertionError(f"no tool takes {type(parsed).__name__}")


def changed_lines(old: str, new: str) -> tuple[int, int]:
    """How many lines go and come, those that stay at either end not counted."""
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
    return "" if isinstance(pattern, UnsetType) else f" ({pattern})"
