"""Themes: readable, and refused with a hint where there is none of that name."""

from itertools import product
from pathlib import Path

import msgspec
import pytest
from textual.color import Color

from lfgtui.settings.themes import ThemeFile, load_themes, read_themes
from lfgtui.ui.themes import to_textual

THEMES = load_themes()
GROUNDS = ("background", "surface", "panel", "selection")
ALARMS = ("warning", "error", "secondary")
TEXTS = ("foreground", "muted", "primary", "secondary", "accent", "success", "warning", "error")


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in Color.parse(colour).normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: ThemeFile, text: str, ground: str) -> float:
    colours = msgspec.structs.asdict(theme.colours)
    low, high = sorted((luminance(colours[text]), luminance(colours[ground])))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", sorted(THEMES))
def test_text_has_contrast_of_at_least_four_and_a_half(name: str) -> None:
    theme = THEMES[name]
    pairs = [*product(TEXTS, GROUNDS), *product(["background"], ALARMS)]
    poor = {pair for pair in pairs if contrast(theme, *pair) < 4.5}
    assert not poor


def test_textual_is_given_the_theme_s_own_colours() -> None:
    assert (THEMES["dark"].dark, THEMES["light"].dark) == (True, False)
    theme = to_textual(THEMES["dark"])
    assert theme.background == THEMES["dark"].colours.background
    assert theme.variables["text-muted"] == THEMES["dark"].colours.muted


def write_theme(folder: Path, name: str, old: str, new: str) -> None:
    """A theme of the person's own: the dark one with something else in it."""
    text = (Path(__file__).parents[2] / "themes" / "dark.toml").read_text()
    (folder / "themes").mkdir(exist_ok=True)
    (folder / "themes" / f"{name}.toml").write_text(text.replace(old, new))


def test_the_person_s_own_themes_are_found_and_win(tmp_path: Path) -> None:
    write_theme(tmp_path, "mine", '"dark"', '"mine"')
    write_theme(tmp_path, "dark", "#11151b", "#000000")
    themes = load_themes(tmp_path)
    assert set(themes) == {"dark", "light", "mine"}
    assert themes["dark"].colours.background == "#000000"


@pytest.mark.parametrize(
    ("old", "new", "name", "refusal"),
    [
        ("muted =", "mutted =", "dark", '11: unknown key "mutted"; did you mean "muted"?'),
        ('"dark"', '"my theme"', "my theme", '2: name "my theme": only letters, digits,'),
        ("#7fb2f0", "banana", "dark", '14: primary = "banana" is not a colour such as "#7fb2f0"'),
        ("[colours]", "[colours", "dark", "5: not valid TOML"),
        ('name = "dark"', "", "file", 'None: missing key "name"'),
        ("[colours]", '[variables]\nborder = "{"\n[colours]', "dark", '6: border = "{" is not a'),
        ("[colours]", '[variables]\n"a;b" = "c"\n[colours]', "dark", '6: "a;b" is not the name'),
    ],
)
def test_a_broken_theme_is_left_out_and_told_with_its_line(
    tmp_path: Path, old: str, new: str, name: str, refusal: str
) -> None:
    write_theme(tmp_path, "file", old, new)
    assert load_themes(tmp_path) == THEMES
    themes, ((found, error),) = read_themes(tmp_path)
    assert (themes, found, error.path.name) == (THEMES, name, "file.toml")
    assert f"{error.line}: {error.message}".startswith(refusal)
