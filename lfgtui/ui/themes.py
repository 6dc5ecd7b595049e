"""lfg's themes (`settings/themes.py`) as Textual's."""

from typing import Any

from textual.app import App
from textual.theme import Theme

from lfgtui.settings.themes import ThemeFile

_COLOURS = "primary secondary accent success warning error foreground background surface panel"
"""Colours that have the same name in Textual."""

_VARIABLES = {
    "foreground": (
        "text block-cursor-foreground block-cursor-blurred-foreground input-cursor-background"
        " screen-selection-foreground ansi-foreground"
    ),
    "muted": "muted text-muted foreground-muted",
    "faint": "faint text-disabled foreground-disabled scrollbar-hover",
    "line": "line border-blurred scrollbar",
    "primary": "text-primary border scrollbar-active",
    "secondary": "text-secondary",
    "accent": "text-accent",
    "success": "text-success",
    "warning": "text-warning",
    "error": "text-error",
    "selection": (
        "selection primary-muted block-cursor-background input-selection-background"
        " screen-selection-background block-cursor-blurred-background"
    ),
    "panel": "block-hover-background",
    "background": (
        "input-cursor-foreground scrollbar-background scrollbar-background-hover"
        " scrollbar-background-active scrollbar-corner-color ansi-background"
    ),
}
"""Textual's variables, and our own, by the colour of the theme that they get."""

_ON_TERMINALS = {
    "ansi_default": "primary-muted",
    "ansi_cyan": (
        "block-cursor-background block-cursor-blurred-background input-selection-background"
        " screen-selection-background"
    ),
    "ansi_black": (
        "block-cursor-foreground block-cursor-blurred-foreground input-selection-foreground"
        " screen-selection-foreground"
    ),
}
"""Textual's variables that get these values instead under a theme of the terminal's own colours."""


def to_textual(theme: ThemeFile) -> Theme:
    """Return the theme as Textual's `Theme`."""
    colours = {name: getattr(theme.colours, name) for name in _COLOURS.split()}
    variables = {
        name: getattr(theme.colours, colour)
        for colour, names in _VARIABLES.items()
        for name in names.split()
    }
    variables["block-cursor-text-style"] = "none"
    if theme.is_terminals:
        for value, names in _ON_TERMINALS.items():
            variables |= dict.fromkeys(names.split(), value)
    return Theme(
        name=theme.name,
        dark=theme.dark,
        ansi=theme.is_terminals,
        variables={**colours, **variables, **theme.variables},
        **colours,
    )


def begin_with(app: App[Any], name: str) -> None:
    """Set an app's first theme as Textual sets a later one, except that nothing is styled yet.

    For a change of theme, Textual parses all CSS once more and styles every widget anew.
    """
    app.set_reactive(App.theme, name)
    theme = app.current_theme
    classes = {
        f"-theme-{theme.name}": True,
        "-dark-mode": theme.dark,
        "-light-mode": not theme.dark,
    }
    app.update_classes(classes, update=False)
    app._refresh_truecolor_filter(app.ansi_theme)
    app.stylesheet.set_variables(app.get_css_variables())
