"""A call's arguments below its line, while they arrive and afterwards."""

from collections.abc import Iterable, Iterator, Sequence

from rich.style import Style

from lfgtui.model.call_summary import HEAD, NEW, OLD, Member
from lfgtui.text.terminal_safe import exposed
from lfgtui.ui.items.clipping import clipped, last_rows, shortened
from lfgtui.ui.text.palette import Palette
from lfgtui.ui.text.wrapping import Row, Span, wrap

_LONGEST = 24
"""Most rows of one argument."""

_LONGEST_TO_APPROVE = 1000
"""Most rows of one argument in a request for approval, which is to be read."""

_GROWING = 12
"""Last rows that are shown of an argument that still arrives."""


def argument_rows(
    members: Iterable[Member],
    palette: Palette,
    width: int,
    *,
    is_asking: bool = False,
    is_arriving: bool = False,
) -> Iterator[Row]:
    """Yield each argument on a line, a long one below its name; in a request for approval, in full.

    Of an argument that still arrives the end is shown, so that one sees it grow.
    """
    for member in members:
        if not _is_long(member) or (is_asking and not member.breaks):
            value = str(member.text).strip("\n") if _is_sure(member) else ""
            value = exposed(value) if is_asking else shortened(value)
            name = shortened(member.name)
            yield from wrap([(f"{name}: ", palette.marker), (value, palette.text)], width)
            continue
        yield from wrap([(f"{shortened(member.name)}:", palette.marker)], width)
        margin = _margin(member, palette)
        room = width - len(margin[0])
        text, style = member.text, palette.text
        if is_arriving and not member.is_complete:
            rows = last_rows(text, member.breaks, style, palette, room, _GROWING)
        else:
            rows = _rows(str(text), style, palette, room, is_asking=is_asking)
        for row in rows:
            yield row.indented((margin,))


def raw_rows(text: str, palette: Palette, width: int, *, is_asking: bool = False) -> Sequence[Row]:
    """Return arguments that are not a JSON object, as they came."""
    return _rows(text, palette.muted, palette, width, is_asking=is_asking)


def _rows(
    text: str, style: Style, palette: Palette, width: int, *, is_asking: bool
) -> Sequence[Row]:
    if not is_asking:
        return clipped(text, style, palette, width, _LONGEST, 0)
    most = _LONGEST_TO_APPROVE
    return clipped(exposed(text), style, palette, width, most, 0, longest=most)


def _margin(member: Member, palette: Palette) -> Span:
    """Return the margin: removed and added text are marked as in a diff."""
    if member.name in OLD:
        return "- ", palette.bad
    if member.name in NEW:
        return "+ ", palette.good
    return "  ", palette.text


def _is_long(member: Member) -> bool:
    return "\n" in member.head.strip("\n") or len(member.text) > HEAD


def _is_sure(member: Member) -> bool:
    """Return True if the text so far will stay as it is; an unfinished number may change."""
    return member.is_string or member.is_complete or member.head.startswith(("{", "["))
