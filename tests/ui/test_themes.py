"""Themes: readable, and refused with a hint where there is none of that name."""

from itertools import combinations, product
from math import dist
from operator import mul
from pathlib import Path

import pytest
from textual.color import Color, Lab, rgb_to_lab

from lfgtui.settings.themes import load_themes, read_themes
from lfgtui.ui.text.palette import ROLES
from lfgtui.ui.themes import to_textual

THEMES = load_themes()
GROUNDS = ("background", "surface", "panel", "selection")
LABELS = ("warning", "error", "secondary")
COLOURS = ("primary", "secondary", "accent", "success", "warning", "error")
TEXTS = ("foreground", "muted", *COLOURS)
VISION = {
    "protanopia": "0.152 1.053 -0.205 0.115 0.786 0.099 -0.004 -0.048 1.052",
    "deuteranopia": "0.367 0.861 -0.228 0.280 0.673 0.047 -0.012 0.043 0.969",
    "tritanopia": "1.256 -0.077 -0.179 -0.078 0.931 0.148 0.005 0.691 0.304",
}
"""Linear RGB as it is seen: Machado, Oliveira and Fernandes (2009), all of the deficiency."""


def linear(colour: str) -> list[float]:
    return [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in Color.parse(colour).normalized
    ]


def luminance(red: float, green: float, blue: float) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(*linear(one)), luminance(*linear(other))))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("name", "least", "least_faint"),
    [("dark", 4.5, 3), ("light", 4.5, 3), ("okabe-ito", 4.5, 4.5), ("high-contrast", 7, 7)],
)
def test_text_has_contrast_on_each_ground_it_has(
    name: str, least: float, least_faint: float
) -> None:
    variables = to_textual(THEMES[name]).variables
    pairs = {*product(("faint", *TEXTS), GROUNDS), *product(["background"], LABELS)}
    pairs |= {(role.colour, role.on or "background") for role in ROLES.values()}
    poor = {
        (text, ground, ratio)
        for text, ground in pairs
        if (ratio := contrast(variables[text], variables[ground]))
        < (least_faint if text == "faint" else least)
    }
    assert not poor


@pytest.mark.parametrize("vision", VISION)
def test_the_colours_of_states_differ_for_every_kind_of_vision(vision: str) -> None:
    matrix = [*map(float, VISION[vision].split())]

    def seen(name: str) -> Lab:
        rgb = linear(getattr(THEMES["okabe-ito"].colours, name))
        rows = (matrix[:3], matrix[3:6], matrix[6:])
        parts = [min(1, max(0, sum(map(mul, row, rgb)))) for row in rows]
        return rgb_to_lab(Color(*(round(255 * part ** (1 / 2.2)) for part in parts)))

    distances = {(a, b): dist(seen(a), seen(b)) for a, b in combinations(COLOURS, 2)}
    assert min(distances.values()) > 15, distances


def test_textual_is_given_the_theme_s_own_colours() -> None:
    assert (THEMES["dark"].dark, THEMES["light"].dark) == (True, False)
    theme = to_textual(THEMES["dark"])
    assert theme.background == THEMES["dark"].colours.background
    assert theme.variables["text-muted"] == THEMES["dark"].colours.muted
    system = THEMES["system"].colours  # legible on any ground, and known by more than a colour
    assert (
        {system.foreground, system.muted, system.faint} == {system.background} == {"ansi_default"}
    )
    assert system.selection == "reverse"


def write_theme(folder: Path, name: str, old: str, new: str) -> None:
    """A theme of the person's own: the dark one with something else in it."""
    text = (Path(__file__).parents[2] / "themes" / "dark.toml").read_text()
    (folder / "themes").mkdir(exist_ok=True)
    (folder / "themes" / f"{name}.toml").write_text(text.replace(old, new))


def test_the_person_s_own_themes_are_found_and_win(tmp_path: Path) -> None:
    write_theme(tmp_path, "mine", '"dark"', '"mine"')
    write_theme(tmp_path, "dark", "#11151b", "#000000")
    themes = load_themes(tmp_path)
    assert set(themes) == {*THEMES, "mine"}
    assert themes["dark"].colours.background == "#000000"


@pytest.mark.parametrize(
    ("old", "new", "name", "refusal"),
    [
        ("muted =", "mutted =", "dark", '11: unknown key "mutted"; did you mean "muted"?'),
        ('"dark"', '"my theme"', "my theme", '2: name "my theme": only letters, digits,'),
        ("#7fb2f0", "banana", "dark", '14: primary = "banana" is not a colour such as "#7fb2f0"'),
        ("#7fb2f0", "ansi_red", "dark", '14: primary = "ansi_red" is not a colour such as'),
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
