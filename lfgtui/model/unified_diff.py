"""Unified diffs as events have them, without the names of files: their size, and what they show.

The lines of a diff that a person approves are escaped (`terminal_safe`), those of a call's
arguments are not. So both are escaped, and stripped of blanks at their ends, before they are
compared.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lfgtui.model.call_summary import BULK
from lfgtui.text.terminal_safe import exposed

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,\d{1,9})? \+(\d{1,9})(?:,\d{1,9})? @@")  # "@@ -1,4 +1,5 @@"
_END = re.compile(r"(?:\\x20|\\t|[ \t\r])+$")  # blanks at the end of a line, also escaped


def change_in_words(diffs: Iterable[str]) -> str:
    """Return the lines added and removed by all diffs, as `+3 −1`; "" without any."""
    rows = "\n" + "\n".join(diff for diff in diffs if _HUNK.search(diff))
    added, removed = (rows.count(f"\n{sign}") for sign in "+-")
    return f"+{added:,} −{removed:,}" if len(rows) > 1 else ""


def beside(diffs: Sequence[str], arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments of a call to show beside its diffs: those that the diffs do not show."""

    def is_shown(name: str, value: object) -> bool:
        is_text = name in BULK and isinstance(value, str)
        return is_text and any(_shows(diff, str(value)) for diff in diffs)

    return {name: value for name, value in arguments.items() if not is_shown(name, value)}


def is_before(diff: str, text: str | None) -> bool:
    """Return True if `text` (None: no file) is surely the file before the change.

    It then has all that the diff shows of the file before, and not all that it shows of it after.
    """
    old, new = (["\n".join(hunk) for _, hunk in _side(diff, sign)] for sign in "-+")
    if text is None or old == new:  # or only the end of the last line changes
        return text is None and not any(old)
    whole = "\n".join(_line(line) for line in text.split("\n"))
    has_old, has_new = (all(piece in whole for piece in side) for side in (old, new))
    return (has_old or not any(old)) and not has_new


def _shows(diff: str, text: str) -> bool:
    """Return True if the diff shows all of the text.

    The text may be a part of the file before or after the change; or the whole file, of which the
    diff leaves out only unchanged lines; or itself a diff of the same change.
    """
    if _HUNK.search(text):
        return list(_changes(text)) == list(_changes(diff))
    wanted = [_line(line) for line in text.removesuffix("\n").split("\n")]
    piece = "\n".join(wanted)
    for sign in "-+":
        hunks = list(_side(diff, sign))
        if any(piece in "\n".join(lines) for _, lines in hunks):
            return True
        if all(lines and wanted[at : at + len(lines)] == lines for at, lines in hunks):
            return bool(hunks)
    return False


def _side(diff: str, sign: str) -> Iterator[tuple[int, list[str]]]:
    """Yield, for the file before ("-") or after ("+"), each hunk's lines and where they begin.

    The line where a hunk begins is counted from 0.
    """
    hunk: tuple[int, list[str]] | None = None
    for row in diff.split("\n"):
        if head := _HUNK.match(row):
            if hunk is not None:
                yield hunk
            hunk = max(0, int(head[1 if sign == "-" else 2]) - 1), []
        elif hunk is not None and row[:1] in (sign, " "):
            hunk[1].append(_line(row[1:]))
    if hunk is not None:
        yield hunk


def _changes(diff: str) -> Iterator[str]:
    """Yield the lines removed and added, each after its sign."""
    is_in_hunk = False
    for row in diff.split("\n"):
        is_in_hunk = is_in_hunk or _HUNK.match(row) is not None
        if is_in_hunk and row[:1] in ("-", "+"):
            yield row[0] + _line(row[1:])


def _line(text: str) -> str:
    return _END.sub("", exposed(text))
