"""A question that is answered with yes or no."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label

from lfgtui.ui.screens.base import LfgScreen


class Question(ModalScreen[bool], LfgScreen[bool], inherit_bindings=False):
    """y or a second ctrl+c is yes; n, esc and q are no; enter is neither."""

    DEFAULT_CSS = """
    Question { align: center middle; background: $background 50%; }
    Question > Vertical {
        width: auto; max-width: 90%; height: auto; padding: 1 3;
        background: $panel; border: round $warning;
    }
    Question Label { width: auto; max-width: 100%; }
    Question .ask { text-style: bold; }
    Question .note { color: $text-muted; }
    Question .keys { margin-top: 1; color: $text-primary; }
    """

    def __init__(self, question: str, note: str = "") -> None:
        super().__init__()
        self._question = question
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(self._question, classes="ask", markup=False)
            if self._note:
                yield Label(self._note, classes="note", markup=False)
            keys = Content.assemble(("y", "bold"), " yes    ", ("n", "bold"), " no")
            yield Label(keys, classes="keys", markup=False)

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if self.app.screen is not self:  # a second key may come before it is gone
            return
        if event.key in ("y", "Y", "ctrl+c"):
            self.dismiss(True)
        elif event.key in ("n", "N", "escape", "q"):
            self.dismiss(False)
