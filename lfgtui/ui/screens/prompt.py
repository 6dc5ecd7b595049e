"""A screen with a line of input that takes the footer's place while it is open."""

from abc import abstractmethod

from textual import events
from textual.css.query import NoMatches
from textual.widget import Widget

from lfgtui.ui.screens.base import KeyedScreen
from lfgtui.ui.widgets.line_input import Prompt


class AskingScreen(KeyedScreen):
    """Asks for a line: `ask` opens it, `answered` is told what was typed."""

    @property
    @abstractmethod
    def footer(self) -> Widget:
        """What gives way to the line."""

    @abstractmethod
    def answered(self, purpose: str, text: str) -> None:
        """What was typed, for what it was asked."""

    @abstractmethod
    def refocus(self) -> None:
        """Put the focus where it belongs when nothing is asked."""

    async def ask(self, purpose: str, label: str, *, placeholder: str = "", text: str = "") -> None:
        """Open the line."""
        await self._close_prompt()
        self.footer.display = False
        await self.mount(Prompt(purpose, label, placeholder=placeholder, text=text))

    @property
    def is_asking(self) -> bool:
        """Whether the line is open."""
        return bool(self.query(Prompt))

    async def _close_prompt(self) -> None:
        try:
            prompt = self.query_one(Prompt)
        except NoMatches:
            return
        self.set_focus(None)
        await prompt.remove()
        self.footer.display = True
        self.refocus()

    async def on_key(self, event: events.Key) -> None:
        """What was typed before the line had the focus is meant for it all the same."""
        if self.is_asking and await self.query_one(Prompt).take(event):
            event.stop()
            event.prevent_default()

    async def on_prompt_answered(self, event: Prompt.Answered) -> None:
        await self._close_prompt()
        self.answered(event.purpose, event.text)

    async def on_prompt_dropped(self) -> None:
        await self._close_prompt()
