"""A screen whose keys come from lfg's own table."""

from textual import events
from textual.message import Message
from textual.widgets import Input

from lfgtui.ui.keymap import Keymap
from lfgtui.ui.screens.relaid import RelaidScreen


class ResumeWanted(Message):
    """Somebody wants to go on with a stored run."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class KeyedScreen(RelaidScreen[None], inherit_bindings=False):
    """Sends each key's action to the screen, or else to the app.

    While a line of input has the focus all keys are text, except those that
    no text contains: `ctrl+...`.
    """

    AUTO_FOCUS = ""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    async def on_key(self, event: events.Key) -> None:
        action = self._keymap.get(event.key)
        if action is None or (self.is_typing and not event.key.startswith("ctrl+")):
            return
        event.stop()
        event.prevent_default()
        await self.act(action)

    @property
    def is_typing(self) -> bool:
        """Whether the focus is in a line of input."""
        return isinstance(self.focused, Input)

    def leave(self) -> None:
        """Give way to the screen below, if there is one; a second key may come too late."""
        if self.app.screen is self and len(self.app.screen_stack) > 1:
            self.dismiss()

    async def act(self, action: str) -> None:
        """Do what the action's name says; screens say what they cannot do."""
        namespace = self if hasattr(self, f"action_{action}") else self.app
        if hasattr(namespace, f"action_{action}"):
            await namespace.run_action(action)
