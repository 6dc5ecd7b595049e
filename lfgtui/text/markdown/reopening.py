"""Lines that put a parser back to where it stood.

To read on inside `> 1. ...` without reading again what came before, the
containers are opened anew, each by a line of its own that holds an empty
heading: a block that is closed at once, whatever follows.

    > #
    > 1. #

Text read behind these lines means the same as behind the real ones: all that
they hand on is the column of an item's content, and the item's marker is padded
to that column.
"""

from collections.abc import Sequence

from lfgtui.text.markdown.leaves import Container, Quote

_MOST_AFTER = 4
"""Columns between marker and content; more would make the content indented code."""


def reopening(path: Sequence[Container]) -> str:
    """Return one line for each container of the path, outermost first."""
    return "".join(_lines(path)[0])


def reopened_with(path: Sequence[Container], line: str) -> str:
    """Return the line as written inside the open path."""
    return _lines(path)[1] + line


def _lines(path: Sequence[Container]) -> tuple[list[str], str]:
    """Return the lines, and the prefix of a line that goes on inside all containers."""
    lines = []
    prefix, column = "", 0
    for container in path:
        if isinstance(container, Quote):
            lines.append(f"{prefix}> #\n")
            prefix, column = prefix + "> ", 0
            continue
        least = column + len(container.marker) + 1
        indent = container.indent or least
        after = min(_MOST_AFTER, indent - least + 1)
        before = indent - column - len(container.marker) - after
        lines.append(f"{prefix}{' ' * before}{container.marker}{' ' * after}#\n")
        prefix, column = prefix + " " * (indent - column), indent
    return lines, prefix
