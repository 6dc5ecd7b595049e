"""Themes, each a TOML file of colours.

A theme names few colours, all of them solid: text over a blend of colours
loses contrast. A test measures the contrast of the shipped themes.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from lfgtui.errors import SourceError
from lfgtui.settings import paths
from lfgtui.text import toml_file

# Values of theme files, and the line with a file's name, as in: name = "dark"
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_TERMINAL_COLOUR = re.compile(
    "reverse|ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))"
)
_WORD = re.compile(r"[A-Za-z0-9_-]+")
_CSS_VALUE = re.compile(r"[\w#%. -]+")
_NAME = r"""(?m)^[ \t]*name[ \t]*=[ \t]*["']([^"'\n]*)"""  # compiled only for a broken file


class Colours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of a theme, as `#rrggbb`.

    `muted` is for secondary text, `faint` for text that may be overlooked, `line` for borders,
    `selection` for the background of the chosen row. If the background is `ansi_default`, all are
    the terminal's own, as `ansi_red` or `ansi_bright_red`, and a selection may be `reverse`.
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
    """One `themes/*.toml`; `variables` sets further CSS variables of Textual."""

    name: str
    dark: bool
    colours: Colours
    variables: dict[str, str] = {}

    @property
    def is_terminals(self) -> bool:
        """True if its colours are the terminal's own."""
        return self.colours.background == "ansi_default"


class BrokenTheme(NamedTuple):
    """A theme file that cannot be used; `name` is the one in the file, or else the file's own."""

    name: str
    error: SourceError


def load_themes(config_dir: Path | None = None) -> dict[str, ThemeFile]:
    """Return the usable themes by name: the shipped ones, and the person's own, which win."""
    return read_themes(config_dir)[0]


def read_themes(config_dir: Path | None) -> tuple[dict[str, ThemeFile], list[BrokenTheme]]:
    """Return the usable themes, as `load_themes` does, and the theme files that cannot be used."""
    folders = [paths.shipped("themes")]
    if config_dir is not None:
        folders.append(config_dir / "themes")
    themes: dict[str, ThemeFile] = {}
    broken: list[BrokenTheme] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            text = ""
            try:
                text = toml_file.read_text(path)
                theme = _read(path, text)
            except SourceError as error:
                name = re.search(_NAME, text)
                broken.append(BrokenTheme(name[1] if name else path.stem, error))
            else:
                themes[theme.name] = theme
    return themes, broken


@cache  # the config has a look at all themes before the screen does
def _read(path: Path, text: str) -> ThemeFile:
    """Return the theme in a file; raise `SourceError` for what Textual would not accept."""
    theme = toml_file.convert(path, text, toml_file.parse(path, text), ThemeFile)

    def check(pattern: re.Pattern[str], value: str, message: str, *key: str) -> None:
        if not pattern.fullmatch(value):
            raise SourceError(path, toml_file.line_of(text, key), message)

    check(_WORD, theme.name, f'name "{theme.name}": only letters, digits, "_" and "-"', "name")
    for name, colour in msgspec.structs.asdict(theme.colours).items():
        message = f'{name} = "{colour}" is not a colour such as "#7fb2f0"'
        pattern = _TERMINAL_COLOUR if theme.is_terminals else _COLOUR
        check(pattern, colour, message, "colours", name)
    for name, value in theme.variables.items():
        message = f'"{name}" is not the name of a variable'
        check(_WORD, name, message, "variables", name)
        message = f'{name} = "{value}" is not a value such as "#7fb2f0" or "bold"'
        check(_CSS_VALUE, value, message, "variables", name)
    return theme
