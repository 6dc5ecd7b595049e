"""The styles of streams, previews and diffs: roles that name a meaning, in the theme's colours.

Roles are not Textual's component classes: Textual makes a node for each of those in every
widget that declares it, and a screen of panes would begin with styling four hundred nodes.
"""

from collections.abc import Callable
from functools import reduce
from typing import NamedTuple, Self

import msgspec
from rich.style import Style
from textual.filter import ANSIToTruecolor
from textual.strip import Strip
from textual.widget import Widget

from lfgtui.ui.text.styled_line import rich_style

EM = Style(italic=True)
STRONG = Style(bold=True)
STRIKE = Style(strike=True)
UNDERLINE = Style(underline=True)


class Role(NamedTuple):
    """Theme variables for a role's text and background (`on`), and a Rich style on top of them."""

    colour: str
    on: str | None = None
    extra: Style = Style.null()


# Each role is a field of `Palette` of the same name.
ROLES = {
    "text": Role("foreground"),
    "muted": Role("text-muted"),
    "faint": Role("faint"),
    "heading": Role("text-primary", extra=STRONG),
    "code": Role("text-accent"),
    "block": Role("foreground", on="surface"),
    "link": Role("text-secondary", extra=UNDERLINE),
    "marker": Role("primary"),
    "tool": Role("foreground", extra=STRONG),
    "thought": Role("text-muted", extra=EM),
    "busy": Role("text-primary"),
    "good": Role("text-success"),
    "warn": Role("text-warning"),
    "bad": Role("text-error"),
    "keyword": Role("text-primary", on="surface"),
    "string": Role("text-success", on="surface"),
    "comment": Role("text-muted", on="surface", extra=EM),
    "number": Role("text-warning", on="surface"),
    "name": Role("text-secondary", on="surface"),
    "removed": Role("text-error", on="surface"),
    "match": Role("background", on="warning"),
    "current": Role("background", on="accent", extra=STRONG + UNDERLINE),
    "hint": Role("text-primary", on="selection"),
    "selected": Role("foreground", on="selection"),
}


class Palette(msgspec.Struct, frozen=True):
    """A style for each role. Roles name a meaning; the theme has its colours."""

    text: Style
    muted: Style
    faint: Style
    heading: Style
    code: Style
    block: Style
    link: Style
    marker: Style
    tool: Style
    thought: Style
    busy: Style
    good: Style
    warn: Style
    bad: Style
    keyword: Style
    string: Style
    comment: Style
    number: Style
    name: Style
    removed: Style
    match: Style
    current: Style
    hint: Style
    selected: Style

    @classmethod
    def of(cls, widget: Widget) -> Self:
        """Return the widget's colours under the theme in force."""
        ground = widget.background_colors[1].hex  # once: every one above the widget is asked
        return cls(**{name: _styled(widget, role, ground) for name, role in ROLES.items()})

    def faded(self) -> Self:
        """Return the muted palette for superseded text, such as a failed attempt's."""
        quiet = Style(color=self.muted.color)
        names = ROLES.keys() - {"match", "current", "hint", "selected"}
        quieter = {name: getattr(self, name) + quiet for name in names}
        return msgspec.structs.replace(self, **quieter)


def line_filter(widget: Widget) -> Callable[[Strip], Strip]:
    """Return the filters that strips go through before painting, such as for NO_COLOR.

    Textual's filter that turns the terminal's sixteen colours into true ones is left
    out: it is only on under themes without them, and would only cost time.
    """
    filters = [each for each in widget.get_line_filters() if not isinstance(each, ANSIToTruecolor)]
    if not filters:
        return _as_it_is
    ground = widget.background_colors[1]
    return lambda strip: reduce(lambda done, by: done.apply_filter(by, ground), filters, strip)


def _as_it_is(strip: Strip) -> Strip:
    return strip


def themed(widget: Widget, role: Role) -> Style:
    """Return the role as a Rich style, on the widget's background if it has none of its own."""
    return _styled(widget, role, widget.background_colors[1].hex)


def _styled(widget: Widget, role: Role, ground: str) -> Style:
    """Return the role as a Rich style; `ground` is the widget's background."""
    variables = widget.app.theme_variables
    style = rich_style(variables[role.colour], variables[role.on] if role.on else ground)
    return style + role.extra
