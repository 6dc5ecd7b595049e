"""Themes: a TOML file of colours each.

A theme names few colours and all of them solid: text laid over a blend of
other colours is how contrast gets lost, and a test measures ours.
"""

from pathlib import Path

import msgspec

from lfgtui.settings import paths
from lfgtui.text import toml_file


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
    """Return the shipped themes and the person's own, by name; their own wins."""
    folders = [paths.shipped("themes")]
    if config_dir is not None:
        folders.append(config_dir / "themes")
    themes: dict[str, ThemeFile] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            theme = toml_file.read(path, ThemeFile)
            themes[theme.name] = theme
    return themes
