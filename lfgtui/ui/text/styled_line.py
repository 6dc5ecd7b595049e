"""Lines of styled text in the theme's colours, for widgets that draw themselves."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeAlias

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from lfgtui.text.terminal_safe import visible, visible_line
from lfgtui.ui.text.cell_width import stream_safe


class Span(msgspec.Struct, frozen=True):
    """A piece of a line: its text and its colour, a theme variable."""

    text: str
    colour: str = "foreground"
    bold: bool = False
    on: str | None = None

    @property
    def width(self) -> int:
        """Its width in cells."""
        return cell_len(self.text)


Line: TypeAlias = list[Span]

SELECTED = "›"
"""The sign of what is selected, in a cell that is blank elsewhere: its ground is no more than a
colour."""


def line_width(line: Iterable[Span]) -> int:
    """Return the width of a line in cells."""
    return sum(span.width for span in line)


def one_line(text: str) -> str:
    """Return the text as a single line that is safe to draw."""
    return stream_safe(visible(" ".join(text.split())))


def fit(text: str, width: int) -> str:
    """Return the text in exactly `width` cells, its end replaced by `…` if it is too long."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def shorten(text: str, width: int) -> str:
    """Return the text in at most `width` cells."""
    return text if cell_len(text) <= width else fit(text, width)


def _safe(text: str) -> str:
    """Return the text without control characters, in case its source forgot."""
    return text if text.isprintable() else visible_line(text)


def draw(line: Line, width: int, variables: Mapping[str, str], ground: str) -> Strip:
    """Return the line on the ground colour (a theme variable), cut or filled to `width`."""
    segments = [
        Segment(
            _safe(span.text),
            rich_style(variables[span.colour], variables[span.on or ground], span.bold),
        )
        for span in line
    ]
    fill = rich_style(variables["foreground"], variables[ground])
    return Strip(segments).adjust_cell_length(width, fill)


def between(left: Line, right: Line, width: int) -> Line:
    """Put `left` and `right` at the two ends of a line; `right` gives way."""
    gap = width - line_width(left) - line_width(right)
    return [*left, Span(" " * gap), *right] if gap >= 1 else left


@cache
def rich_style(colour: str, ground: str, bold: bool = False) -> Style:
    """Return the style of text in a colour on a ground, each as a theme has it.

    On a ground that is one of the terminal's own colours, text is in the colour of its
    background: nobody knows what else can be read there.
    """
    if ground == "reverse":
        return Style(color="default", bgcolor="default", reverse=True, bold=bold)
    over, under = Color.parse(colour).rich_color, Color.parse(ground).rich_color
    if not (under.is_default or under.triplet):
        return Style(color=under, bgcolor="default", reverse=True, bold=bold)
    return Style(color=over, bgcolor=under, bold=bold)
