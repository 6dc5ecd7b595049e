"""A guard that keeps a bug in one part of the screen from ending the app.

Textual ends the app for an exception anywhere, and a widget's message loop ends
with the first one. But agents at work are worth more than a pane. So a
`GuardedApp` reports the bug, and a `Guarded` widget goes on with the next message
and the next frame.
"""

import asyncio
import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.worker import WorkerFailed

from lfgtui.ui.text.styled_line import fit, one_line

if TYPE_CHECKING:
    from textual.widget import Widget as _Widget
else:  # Textual takes a widget's style from its first base that is a widget: not this one
    _Widget = object

_PACKAGE = Path(__file__).parent.parent
_LONGEST = 300
"""Most characters of a bug's line."""


def cause(error: Exception) -> Exception:
    """Return the error, unwrapped if a worker has wrapped it."""
    return error.error if isinstance(error, WorkerFailed) else error  # type: ignore[return-value]  # an Exception: it was caught as one


def place_of(error: Exception) -> str:
    """Return the innermost line of lfg's code in the traceback, as `ui/widgets/pane.py:113`."""
    place = "?"
    for frame in traceback.extract_tb(cause(error).__traceback__):
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            place = f"{file.relative_to(_PACKAGE)}:{frame.lineno}"
    return place


def bug_line(error: Exception) -> str:
    """Return the line that a person sees for a bug."""
    bug = cause(error)
    message = f"a bug in lfg: {type(bug).__name__} at {place_of(error)}: {bug}"
    return one_line(message[:_LONGEST])


def log_bug(error: Exception) -> None:
    """Write the traceback to `LFG_LOG`, if it is set."""
    logging.getLogger(__name__).debug("%s", bug_line(error), exc_info=cause(error))


def bug_strips(error: Exception, crop: Region, style: Style) -> list[Strip]:
    """Return strips with the bug's line, to show instead of what could not be drawn."""
    blank = Strip.blank(crop.width, style)
    text = fit(bug_line(error), crop.width)
    first = Strip([Segment(text, style)], crop.width) if crop.y == 0 else blank
    return [first, *[blank] * (crop.height - 1)][: crop.height]


class Guarded(_Widget):
    """A mixin for widgets that go on after an exception in a handler or in drawing.

    Put it before the widget's class.
    """

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.app._handle_exception(error)
        if isinstance(self.app, GuardedApp):
            self.app.note_handled(message)

    def draw_lines(self, crop: Region) -> list[Strip]:
        """Return the strips of a region; a widget that draws itself overrides this."""
        return super().render_lines(crop)

    def break_off(self, bug: Exception) -> None:
        """Recover from a bug in drawing; a widget that keeps what it drew overrides this."""

    def render_lines(self, crop: Region) -> list[Strip]:
        try:
            return self.draw_lines(crop)
        except Exception as error:
            self.app._handle_exception(error)
            self.break_off(error)
            return bug_strips(error, crop, self.rich_style)


class GuardedApp(App[int], inherit_bindings=False):
    """An app that reports a bug and goes on, once it `survives_bugs`; in tests it does not."""

    survives_bugs = False
    """Set by the app before it runs."""
    has_theme = False
    """True once the first theme is set: until then there is nothing to style."""
    has_shown = False
    """True once the first frame is on the screen; set by the app."""
    bug: Exception | None = None
    """The first bug, which the command line reports at the end."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._bug_places: set[str] = set()

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self._handle_exception(error)

    def note_handled(self, message: Message) -> None:
        """React to a message that a guarded widget has handled, whatever it changed."""

    def _handle_exception(self, error: Exception) -> None:
        """Report a bug, once for each place; before anything is on the screen, end."""
        if not self.survives_bugs:
            super()._handle_exception(error)
            return
        place, self.bug = place_of(error), self.bug or error
        if place in self._bug_places:
            return
        self._bug_places.add(place)
        log_bug(error)
        if self.has_shown:
            self.notify(bug_line(error), severity="error")
        else:
            self._fatal_error()

    def _fatal_error(self) -> None:
        """End. Textual would print the traceback with all local variables, keys among them."""
        self._close_messages_no_wait()

    def handle_stray(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Treat an exception in a task or callback that nobody awaits as any other bug."""
        if isinstance(error := context.get("exception"), Exception):
            self._handle_exception(error)
