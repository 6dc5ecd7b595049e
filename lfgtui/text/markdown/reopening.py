"""Lines that put a parser back to where it stood.

To read on inside `> 1. ...` without reading again what came before, the
containers are opened anew, each by a line of its own that holds an empty
heading: a block that is closed at once, whatever follows.

    > #
    > 1. #

What is read after these lines is what it would have been after the real
ones: where an item's content begins is all that they hand on, and the item's
marker is padded to that column.
"""

from collections.abc import Sequence

from lfgtui.text.markdown.leaves import Place, Quote

_MOST_AFTER = 4
"""Columns between marker and content; more would make the content indented code."""


def reopening(path: Sequence[Place]) -> str:
    """One line for each place of the path, outermost first."""
    return "".join(_lines(path)[0])


def reopened_with(path: Sequence[Place], line: str) -> str:
    """The line as it is written inside the path, which is open."""
    return _lines(path)[1] + line


def _lines(path: Sequence[Place]) -> tuple[list[str], str]:
    """The lines, and what stands before a line that goes on inside all places."""
    lines = []
    prefix, column = "", 0
    for place in path:
        if isinstance(place, Quote):
            lines.append(f"{prefix}> #\n")
            prefix, column = prefix + "> ", 0
            continue
        least = column + len(place.marker) + 1
        indent = place.indent or least
        after = min(_MOST_AFTER, indent - least + 1)
        before = indent - column - len(place.marker) - after
        lines.append(f"{prefix}{' ' * before}{place.marker}{' ' * after}#\n")
        prefix, column = prefix + " " * (indent - column), indent
    return lines, prefix
