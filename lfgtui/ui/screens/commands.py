"""lfg's commands by name, for the command palette."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, get_args

import msgspec
from textual.app import App
from textual.command import Command, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.theme import Theme
from textual.widgets import OptionList

from lfgtui.engine.commands import WithdrawRule
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.settings import paths
from lfgtui.settings.config import Speak
from lfgtui.settings.keys import KEYS
from lfgtui.ui.guard import Guarded
from lfgtui.ui.keymap import displayed
from lfgtui.ui.run_view import LiveRun
from lfgtui.ui.screens.base import LfgScreen
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.speech import Speech
from lfgtui.ui.text.styled_line import one_line

if TYPE_CHECKING:
    from textual.worker import Worker

_KEYS_ONLY = {"back", "previous_hit", "fold", "palette", "copy_or_quit"}
"""Actions that the palette leaves out, besides the group `Move`: they make sense as keys only."""

_NO_THEMES = "NO_COLOR is set, or the terminal has too few colours"


class HasThemes(Protocol):
    """The parts of `LfgApp` that the palette uses: `app.py` imports this module, not vice versa."""

    speech: Speech
    keys_in_force: Mapping[str, Sequence[str]]
    theme: str
    theme_names: Sequence[str]

    def notify(self, message: str) -> None: ...


class ThemeChoice(msgspec.Struct, frozen=True):
    """A theme to switch to; the palette shows it while it is highlighted."""

    app: HasThemes
    theme: str

    def __call__(self) -> None:
        """Switch, and say how to keep the theme."""
        self.app.theme = self.theme
        self.app.notify(f'to keep it: theme = "{self.theme}" in {paths.config_file()}')


class Palette(Guarded, CommandPalette):
    """The command palette, which stops searching and showing themes once it is left.

    A key that comes while it closes would begin a search whose result goes into a
    list that is gone, which ends Textual's app. A key that comes before there is a list
    was pressed before the palette was opened, and is ignored.
    """

    def on_mount(self) -> None:
        self._theme = self.app.theme
        self.app.theme_changed_signal.subscribe(self, self._restyle)

    def _restyle(self, _: Theme) -> None:
        """Take the colours of another theme; Textual updates only the other screens."""
        self.app.stylesheet.update(self)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if self.is_current:
            choice = event.option.hit.command if isinstance(event.option, Command) else None
            self.app.theme = choice.theme if isinstance(choice, ThemeChoice) else self._theme

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(action, parameters) if self.is_mounted else False

    def _action_escape(self) -> None:
        self.app.theme = self._theme
        super()._action_escape()

    def _gather_commands(self, search_value: str) -> "Worker[None] | None":  # type: ignore[override]  # nobody uses the worker
        return super()._gather_commands(search_value) if self.is_current else None


class PaletteLine(NamedTuple):
    """A line of the palette, found by its name or its `words`; `help` stands below the name."""

    name: str
    help: str
    command: Callable[[], object]
    words: str = ""


class LfgCommands(Provider):
    """Actions of keys, tickets to jump to, themes to switch to.

    The palette parses every `str` it is given as markup: it is given none.
    """

    async def discover(self) -> Hits:
        for line in self._lines():
            name, help_line = Content(line.name), Content(line.help)
            yield DiscoveryHit(name, line.command, help=help_line)  # type: ignore[arg-type]  # typed str; a Content is taken as it is

    async def search(self, query: str) -> Hits:
        words = [re.compile(re.escape(word), re.IGNORECASE) for word in query.split()]
        for line in self._lines():
            text = f"{line.name}\n{line.words}"
            if all(word.search(text) for word in words):  # Textual's matches any scattered letters
                begun = sum(bool(re.search(rf"\b{w.pattern}", text, re.IGNORECASE)) for w in words)
                name = self._highlighted(line.name, words)
                in_help = words if line.words == line.help else ()
                help_line = self._highlighted(line.help, in_help)
                yield Hit(1 + begun, name, line.command, help=help_line)  # type: ignore[arg-type]  # as above

    def _highlighted(self, text: str, words: Iterable[re.Pattern[str]]) -> Content:
        """Return the text with the first match of each word highlighted."""
        content, style = Content(text), self.match_style or "reverse"
        for match in filter(None, (word.search(text) for word in words)):
            content = content.stylize(style, *match.span())
        return content

    def _lines(self) -> Iterator[PaletteLine]:
        app: HasThemes = self.app  # type: ignore[assignment]  # the only app with this provider
        screen = self.screen
        if isinstance(screen, LfgScreen):
            yield from self._actions(screen, app.keys_in_force)
        if isinstance(screen, RunScreen):
            for ticket in screen.run.tickets:
                name, title = f"Go to “{ticket.id}”", one_line(ticket.title)
                yield PaletteLine(name, title, partial(screen.go_to, ticket.id), title)
            if isinstance(screen.run, LiveRun):
                yield from _withdrawals(screen.run)
            for mode in get_args(Speak) if screen.mode.is_live else ():
                help_line = "current" if mode == app.speech.mode else ""
                yield PaletteLine(f"Speak: {mode}", help_line, partial(app.speech.switch, mode))
        for theme in app.theme_names:
            yield PaletteLine(f"Theme: {theme}", "", ThemeChoice(app, theme))
        if not app.theme_names:
            yield PaletteLine("Themes: none here", _NO_THEMES, partial(app.notify, _NO_THEMES))

    def _actions(
        self, screen: LfgScreen[None], keys: Mapping[str, Sequence[str]]
    ) -> Iterator[PaletteLine]:
        """Yield a line for each action of a key that the screen has; `keys` are those in force."""
        is_run = isinstance(screen, RunScreen)
        here: Mapping[str, str] = screen.mode.help if isinstance(screen, RunScreen) else {}
        of_runs = ("View", "Work", "Approve", "Replay", "lfg")
        groups = of_runs if is_run else ("History", "Changes", "lfg")
        for key in KEYS:
            if key.group in groups and key.action not in _KEYS_ONLY and screen.can(key.action):
                prefix = "replay: " if key.group == "Replay" else ""
                name = here.get(key.action, prefix + key.help)
                pressed = " or ".join(map(displayed, keys[key.action]))
                help_line = f"key {pressed}" if pressed else "no key"
                command = partial(screen.act, key.action)
                yield PaletteLine(name[0].upper() + name[1:], help_line, command, key.label)


def _withdrawals(live: LiveRun) -> Iterator[PaletteLine]:
    """Yield a line for each rule of approval in force."""
    listed = set[ApprovalRule]()
    for ticket in live.tickets:
        for rule in live.transcript(ticket.id).rules:
            if rule in listed:
                continue
            if rule.scope == "run":  # withdrawn from all of its tickets at once
                listed.add(rule)
            name = f"Withdraw approval of {one_line(rule.description)}"
            where = "the whole run" if rule.scope == "run" else ticket.id
            withdraw = partial(live.send, WithdrawRule(ticket.id, rule))
            yield PaletteLine(name, f"given for {where}", withdraw)


async def open_palette(app: App[Any]) -> None:
    """Show the palette, unless it is shown."""
    if not isinstance(app.screen, Palette):
        await app.push_screen(Palette([LfgCommands], placeholder="search commands …"))
