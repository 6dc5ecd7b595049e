"""Fences: the lines around a block of code in Markdown."""

import re

MARKS = r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*"
"""Indents, and the marks of the quotes and list items that a line stands in."""

_FENCE = re.compile(rf"{MARKS}(?P<fence>`{{3,}}(?=[^`]*$)|~{{3,}})(?P<rest>.*)")


def open_fence(line: str, opened: str) -> str:
    """Return the fence that is open behind the line, "" for none; `opened` was open before it."""
    if ("```" in line or "~~~" in line) and (match := _FENCE.match(line)):
        fence = match["fence"]
        if not opened:
            return fence
        if fence.startswith(opened) and not match["rest"].strip():
            return ""
    return opened
