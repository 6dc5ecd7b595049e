"""Lines of styled text in the theme's colours, for widgets that draw themselves.

Text that wraps has a `Span` of its own: `wrapping.py`.
"""

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
    """A piece of a line. `colour` is a theme variable, as is `on`, a background of its own."""

    text: str
    colour: str = "foreground"
    bold: bool = False
    on: str | None = None

    @property
    def width(self) -> int:
        """The width of the text in cells."""
        return cell_len(self.text)


Line: TypeAlias = list[Span]
"""The spans of a line, from left to right."""

SELECTED = "›"
"""The sign of the selected row, in a column that is otherwise blank: a background colour alone may
not be seen."""


def line_width(line: Iterable[Span]) -> int:
    """Return the width of a line in cells."""
    return sum(span.width for span in line)


def one_line(text: str) -> str:
    """Return the text as a single line that is safe to draw."""
    return stream_safe(visible(" ".join(text.split())))


def fit(text: str, width: int) -> str:
    """Return the text in exactly `width` cells, padded, or cut with `…` at the end."""
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
    """Return the line on the background `ground` (a theme variable), cut or filled to `width`."""
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
    """Put `left` and `right` at the two ends of a line; without room for both, only `left`."""
    gap = width - line_width(left) - line_width(right)
    return [*left, Span(" " * gap), *right] if gap >= 1 else left


@cache
def rich_style(colour: str, ground: str, bold: bool = False) -> Style:
    """Return the style of text in a colour on a background, each as a theme has it.

    Where the background is one of the terminal's sixteen colours, the text takes the terminal's
    default background colour, by `reverse`: no theme colour is sure to be readable there.
    """
    if ground == "reverse":
        return Style(color="default", bgcolor="default", reverse=True, bold=bold)
    front, back = Color.parse(colour).rich_color, Color.parse(ground).rich_color
    if not (back.is_default or back.triplet):  # an ANSI colour: neither the default nor RGB
        return Style(color=back, bgcolor="default", reverse=True, bold=bold)
    return Style(color=front, bgcolor=back, bold=bold)
