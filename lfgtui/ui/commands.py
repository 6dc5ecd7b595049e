"""lfg's commands by name, for the command palette."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Matcher, Provider
from textual.content import Content

from lfgtui.ui.guard import Guarded
from lfgtui.ui.keymap import BY_ACTION, KEYS, shown
from lfgtui.ui.screens.base import KeyedScreen
from lfgtui.ui.screens.live import LiveScreen
from lfgtui.ui.screens.replay import ReplayScreen
from lfgtui.ui.screens.run import RunScreen
from lfgtui.ui.text.styled_line import one_line

if TYPE_CHECKING:
    from textual.worker import Worker

_NAMES = {
    "view": "View: next of grid, focus, table",
    "zoom": "Zoom this ticket",
    "attention": "Next that needs attention",
    "find": "Find in this ticket",
    "tools": "Show or hide tool output",
    "reasoning": "Show or hide reasoning",
    "urls": "Show or hide where links lead",
    "follow": "Follow the tail",
    "copy": "Copy the answer",
    "beside": "The attempts side by side",
    "cancel": "Cancel this ticket",
    "cancel_all": "Cancel all tickets",
    "retry": "Retry this ticket",
    "pause": "Pause this ticket, or go on",
    "approve": "Approve the call",
    "approve_always": "Approve this tool always",
    "deny": "Deny the call",
    "delete": "Delete this run",
    "pin": "Pin this run, or let it go",
    "note": "Write a note beside this run",
    "resume": "Resume this run",
    "replay": "Play this run again",
    "history": "History: past runs and search",
    "help": "Help: all keys",
    "quit": "Quit",
}
_REPLAY_NAMES = {
    "pause": "Replay: hold, go on, play again",
    "skip_back": "Replay: back 10 seconds",
    "skip_forward": "Replay: on 10 seconds",
    "slower": "Replay: half the speed",
    "faster": "Replay: twice the speed",
    "event_back": "Replay: an event back",
    "event_forward": "Replay: an event on",
    "go_to_moment": "Replay: go to a time or an event",
}
_LIVE_ONLY = {"cancel", "cancel_all", "retry", "pause", "approve", "approve_always", "deny"}


class Palette(Guarded, CommandPalette):
    """The command palette, which searches no more once it is left.

    A key that comes while it closes would begin a search whose result is
    written into a list that is gone; Textual takes that for the app's end.
    """

    def _gather_commands(self, search_value: str) -> "Worker[None] | None":  # type: ignore[override]  # nobody uses the worker
        return super()._gather_commands(search_value) if self.is_current else None


class HasThemes(Protocol):
    """The app as the palette uses it."""

    keys_in_force: Mapping[str, Sequence[str]]

    @property
    def theme_names(self) -> list[str]: ...

    def use_theme(self, name: str) -> None: ...


class Entry(NamedTuple):
    """A line of the palette."""

    name: str
    help: str
    command: Callable[[], object]
    is_help_searched: bool = False


class PlainMatcher(Matcher):
    """Textual's fuzzy matcher for names that are no markup."""

    def highlight(self, candidate: str) -> Content:
        content = Content(candidate)
        _, offsets = self.fuzzy_search.match(self.query, candidate)
        for offset in offsets:
            content = content.stylize(self.match_style, offset, offset + 1)
        return content


class LfgCommands(Provider):
    """Actions of keys, tickets to jump to, themes to switch to.

    The palette parses every `str` it is given as markup: it is given none.
    """

    async def discover(self) -> Hits:
        for entry in self._entries():
            name, help_line = Content(entry.name), Content(entry.help)
            yield DiscoveryHit(name, entry.command, help=help_line)  # type: ignore[arg-type]  # typed str; a Content is taken as it is

    async def search(self, query: str) -> Hits:
        matcher = PlainMatcher(query, match_style=self.match_style)
        for entry in self._entries():
            score, help_line = matcher.match(entry.name), Content(entry.help)
            if entry.is_help_searched and (of_help := matcher.match(entry.help)) > score:
                score, help_line = of_help, matcher.highlight(entry.help)
            if score > 0:
                name = matcher.highlight(entry.name)
                yield Hit(score, name, entry.command, help=help_line)  # type: ignore[arg-type]  # as above

    def _entries(self) -> Iterator[Entry]:
        app: HasThemes = self.app  # type: ignore[assignment]  # the only app with this provider
        screen = self.screen
        if isinstance(screen, KeyedScreen):
            names = self._names()
            for key in KEYS:
                if key.action in names and self._applies(key.action):
                    said = " or ".join(map(shown, app.keys_in_force[key.action]))
                    line = f"key {said}" if said else "no key"
                    yield Entry(names[key.action], line, partial(screen.act, key.action))
        if isinstance(screen, RunScreen):
            for ticket in screen.run.tickets:
                name, title = f"Go to {ticket.id}", one_line(ticket.title)
                yield Entry(name, title, partial(screen.go_to, ticket.id), is_help_searched=True)
        for theme in app.theme_names:
            yield Entry(f"Theme: {theme}", "", partial(app.use_theme, theme))

    def _names(self) -> dict[str, str]:
        return _NAMES | _REPLAY_NAMES if isinstance(self.screen, ReplayScreen) else _NAMES

    def _applies(self, action: str) -> bool:
        if action in _REPLAY_NAMES and isinstance(self.screen, ReplayScreen):
            return True
        if BY_ACTION[action].group == "History":
            return hasattr(self.screen, f"action_{action}")
        if action in _LIVE_ONLY:
            return isinstance(self.screen, LiveScreen)
        return isinstance(self.screen, RunScreen) or action in ("help", "quit", "history")
