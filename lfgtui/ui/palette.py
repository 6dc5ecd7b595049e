"""The stream's colours: each a component class in CSS, so that themes switch live."""

from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

from rich.style import Style
from textual.widget import Widget

EM = Style(italic=True)
STRONG = Style(bold=True)
STRIKE = Style(strike=True)
UNDERLINE = Style(underline=True)


@dataclass(frozen=True, slots=True)
class Palette:
    """A style for each role. Roles name meaning; CSS says what they look like."""

    PREFIX: ClassVar[str] = "stream--"
    CSS: ClassVar[str] = """
        & > .stream--text { color: $foreground; }
        & > .stream--muted { color: $text-muted; }
        & > .stream--faint { color: $foreground 35%; }
        & > .stream--heading { color: $text-primary; text-style: bold; }
        & > .stream--code { color: $text-accent; }
        & > .stream--block { color: $foreground; background: $surface; }
        & > .stream--link { color: $text-secondary; text-style: underline; }
        & > .stream--marker { color: $primary; }
        & > .stream--tool { color: $foreground; text-style: bold; }
        & > .stream--thought { color: $text-muted; text-style: italic; }
        & > .stream--busy { color: $text-primary; }
        & > .stream--good { color: $text-success; }
        & > .stream--warn { color: $text-warning; }
        & > .stream--bad { color: $text-error; }
        & > .stream--keyword { color: $text-primary; background: $surface; }
        & > .stream--string { color: $text-success; background: $surface; }
        & > .stream--comment { color: $text-muted; background: $surface; text-style: italic; }
        & > .stream--number { color: $text-warning; background: $surface; }
        & > .stream--name { color: $text-secondary; background: $surface; }
        & > .stream--removed { color: $text-error; background: $surface; }
        & > .stream--match { color: $background; background: $warning; }
        & > .stream--current { color: $background; background: $accent; text-style: bold; }
        & > .stream--hint { color: $text-primary; background: $primary-muted; }
    """

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

    @classmethod
    def classes(cls) -> set[str]:
        """The component classes a widget must declare to have a palette."""
        return {cls.PREFIX + field.name for field in fields(cls)}

    @classmethod
    def of(cls, widget: Widget) -> Self:
        """The widget's colours under the theme in force."""
        style = widget.get_component_rich_style
        return cls(**{field.name: style(cls.PREFIX + field.name) for field in fields(cls)})

    def faded(self) -> Self:
        """The same, in the quiet of what was superseded: text of a broken attempt."""
        quiet = Style(color=self.muted.color)
        names = [f.name for f in fields(self) if f.name not in ("match", "current", "hint")]
        return replace(self, **{name: getattr(self, name) + quiet for name in names})
