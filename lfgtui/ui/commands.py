"""lfg's commands by name, for the command palette."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from lfgtui.ui.bindings import BY_ACTION, KEYS, shown
from lfgtui.ui.ink import one_line
from lfgtui.ui.screens.keyed import KeyedScreen
from lfgtui.ui.screens.live import LiveScreen
from lfgtui.ui.screens.replay import ReplayScreen
from lfgtui.ui.screens.run import RunScreen

if TYPE_CHECKING:
    from lfgtui.ui.app import LfgApp

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


class Entry(NamedTuple):
    """A line of the palette."""

    name: str
    help: str
    command: Callable[[], object]


class LfgCommands(Provider):
    """What keys do, tickets to jump to, themes to switch to."""

    async def discover(self) -> Hits:
        for entry in self._entries():
            yield DiscoveryHit(Content(entry.name), entry.command, help=escape(entry.help))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry in self._entries():
            if (score := matcher.match(entry.name)) > 0:
                yield Hit(
                    score,
                    matcher.highlight(entry.name),
                    entry.command,
                    help=escape(entry.help),
                )

    def _entries(self) -> Iterator[Entry]:
        app: LfgApp = self.app  # type: ignore[assignment]  # the only app with this provider
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
                name = f"Go to {ticket.id}"
                yield Entry(name, one_line(ticket.title), partial(screen.go_to, ticket.id))
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
