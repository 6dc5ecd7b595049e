"""The base of lfg's screens: keys from lfg's own table, and a line of input at the bottom."""

from collections.abc import Callable, Coroutine, Sequence
from inspect import isawaitable
from types import MappingProxyType
from typing import TypeVar

from textual import events
from textual.css.query import NoMatches
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import WorkType

from lfgtui.ui.guard import Guarded
from lfgtui.ui.keymap import Keymap
from lfgtui.ui.painting.canvas import layout_of, repaint
from lfgtui.ui.widgets.line_input import Prompt

ResultT = TypeVar("ResultT")

_TOAST_SECONDS = 2.5


class ResumeRequested(Message):
    """Somebody wants to resume a stored run."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class LfgScreen(Guarded, Screen[ResultT], inherit_bindings=False):
    """Calls `action_NAME`, for the action of the key pressed, on the first actor that has it.

    While a line of input has the focus all keys are text, except those that no
    text contains: `ctrl+...`. A screen that asks for input sets `footer`.
    """

    AUTO_FOCUS = ""
    keymap: Keymap = MappingProxyType({})
    footer: Widget
    _answered: Callable[[str], object]
    _painted: object = None

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        # Textual 8.2 compares a new layout with the one before, but for a scroll it looks only at
        # what that exposes; and asked what is under the pointer it may lay out anew and paint
        # nothing. A toast that went meanwhile would stay on the terminal. So: always in full.
        if layout_of(self) is not self._painted:
            repaint(self, size or self.outer_size)
        super()._refresh_layout(size)
        self._painted = layout_of(self)

    # Keys

    @property
    def actors(self) -> Sequence[object]:
        """Those that actions are looked up on, in this order; the app comes last."""
        return (self, self.app)

    def can(self, action: str) -> bool:
        """Return True if somebody knows the action."""
        return any(hasattr(actor, f"action_{action}") for actor in self.actors)

    async def act(self, action: str) -> None:
        """Do what the action's name says."""
        for actor in self.actors:
            if (method := getattr(actor, f"action_{action}", None)) is not None:
                result = method()
                if isawaitable(result):
                    await result
                return

    async def on_key(self, event: events.Key) -> None:
        # What was typed before the line of input had the focus is meant for it all the same.
        if self.is_asking and await self.query_one(Prompt).take(event):
            event.stop()
            event.prevent_default()
            return
        action = self.keymap.get(event.key)
        if action is None or (self.is_typing and not event.key.startswith("ctrl+")):
            return
        event.stop()
        event.prevent_default()
        await self.act(action)

    @property
    def is_typing(self) -> bool:
        """True while the focus is in a line of input."""
        return isinstance(self.focused, Input)

    def leave(self) -> None:
        """Give way to the screen below, if there is one; a second key may come too late."""
        if self.app.screen is self and len(self.app.screen_stack) > 1:
            self.dismiss()

    def toast(self, message: str) -> None:
        """Show a short message that goes away by itself."""
        self.notify(message, timeout=_TOAST_SECONDS)

    def start(
        self,
        work: Callable[[], Coroutine[None, None, None]],
        group: str,
        *,
        exclusive: bool = False,
    ) -> None:
        """Do some work beside the keys; `exclusive`: instead of what its group still does."""
        typed: WorkType[None] = work
        self.run_worker(typed, group=group, exclusive=exclusive)

    # The line of input

    async def ask(
        self,
        label: str,
        answered: Callable[[str], object],
        *,
        placeholder: str = "",
        text: str = "",
    ) -> None:
        """Ask for a line in the footer's place; `answered` gets it unless it is escaped."""
        await self._close_prompt()
        self._answered = answered
        self.footer.display = False
        await self.mount(Prompt(label, placeholder=placeholder, text=text))

    @property
    def is_asking(self) -> bool:
        """True while the line of input is open."""
        return bool(self.query(Prompt))

    def realign(self) -> None:
        """Put widgets and focus where they belong when nothing is asked."""

    async def _close_prompt(self) -> None:
        try:
            prompt = self.query_one(Prompt)
        except NoMatches:
            return
        self.set_focus(None)
        await prompt.remove()
        self.footer.display = True
        self.realign()

    async def on_prompt_answered(self, event: Prompt.Answered) -> None:
        await self._close_prompt()
        self._answered(event.text)

    async def on_prompt_dropped(self) -> None:
        await self._close_prompt()
