"""Themes as Textual takes them."""

from textual.theme import Theme

from lfgtui.settings.themes import Colours, ThemeFile


def to_textual(theme: ThemeFile) -> Theme:
    """Return the theme as Textual takes it."""
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
