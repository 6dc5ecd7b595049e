"""Themes: a TOML file of colours each, made into what Textual paints with.

A theme names few colours and all of them solid: text laid over a blend of
other colours is how contrast gets lost, and a test measures ours.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from textual.theme import Theme

from lfgtui import paths, tomlfile
from lfgtui.errors import UsageError, did_you_mean


class Colours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All as `#rrggbb`. `muted` is for what is secondary, `faint` for what may be overlooked.

    `line` draws borders, `selection` lies behind the chosen row.
    """

    background: str
    surface: str
    panel: str
    selection: str
    foreground: str
    muted: str
    faint: str
    line: str
    primary: str
    secondary: str
    accent: str
    success: str
    warning: str
    error: str


class ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `themes/*.toml`; `variables` are Textual's own CSS variables, for the rest."""

    name: str
    dark: bool
    colours: Colours
    variables: dict[str, str] = {}


def load_themes(config_dir: Path | None = None) -> dict[str, ThemeFile]:
    """Shipped themes and the person's own, by name; their own wins."""
    folders = [paths.shipped("themes")]
    if config_dir is not None:
        folders.append(config_dir / "themes")
    found: dict[str, ThemeFile] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            theme = tomlfile.read(path, ThemeFile)
            found[theme.name] = theme
    return found


def choose(themes: Mapping[str, ThemeFile], name: str) -> ThemeFile:
    """The theme of that name; raises `UsageError` with the nearest one."""
    if name not in themes:
        raise UsageError(f'no theme "{name}"{did_you_mean(name, themes)}')
    return themes[name]


def to_textual(theme: ThemeFile) -> Theme:
    """The theme as Textual takes it."""
    c = theme.colours
    return Theme(
        name=theme.name,
        dark=theme.dark,
        primary=c.primary,
        secondary=c.secondary,
        accent=c.accent,
        success=c.success,
        warning=c.warning,
        error=c.error,
        foreground=c.foreground,
        background=c.background,
        surface=c.surface,
        panel=c.panel,
        variables={**_variables(c), **theme.variables},
    )


def _variables(c: Colours) -> dict[str, str]:
    return {
        "muted": c.muted,
        "faint": c.faint,
        "line": c.line,
        "selection": c.selection,
        "text": c.foreground,
        "text-muted": c.muted,
        "text-disabled": c.faint,
        "text-primary": c.primary,
        "text-secondary": c.secondary,
        "text-accent": c.accent,
        "text-success": c.success,
        "text-warning": c.warning,
        "text-error": c.error,
        "foreground-muted": c.muted,
        "foreground-disabled": c.faint,
        "primary-muted": c.selection,
        "border": c.primary,
        "border-blurred": c.line,
        "block-cursor-foreground": c.foreground,
        "block-cursor-background": c.selection,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-foreground": c.foreground,
        "block-cursor-blurred-background": c.panel,
        "block-hover-background": c.panel,
        "input-cursor-background": c.foreground,
        "input-cursor-foreground": c.background,
        "input-selection-background": c.selection,
        "scrollbar": c.line,
        "scrollbar-hover": c.faint,
        "scrollbar-active": c.primary,
        "scrollbar-background": c.background,
        "scrollbar-background-hover": c.background,
        "scrollbar-background-active": c.background,
        "scrollbar-corner-color": c.background,
        "screen-selection-background": c.selection,
        "screen-selection-foreground": c.foreground,
    }
