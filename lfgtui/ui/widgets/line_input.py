"""One line of input that takes the footer's place, so nothing else moves."""

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from lfgtui.text.terminal_safe import visible_line


class OneLine(Input):
    """A line of input. Lines are pasted as one (Textual pastes only the first).

    Control characters are kept, and shown as symbols.
    """

    @property
    def _value(self) -> Text:
        return Text(visible_line(self.value), no_wrap=True, overflow="ignore", end="")

    def _on_paste(self, event: events.Paste) -> None:
        super()._on_paste(events.Paste(" ".join(event.text.split("\n"))))
        event.stop()
        event.prevent_default()


class Prompt(Horizontal):
    """A question with a line to answer on: enter sends it, esc does not."""

    DEFAULT_CSS = """
    Prompt { height: 1; background: $panel; }
    Prompt Label { width: auto; padding: 0 1; color: $background; background: $secondary; }
    Prompt Input, Prompt Input:focus {
        width: 1fr; height: 1; border: none; padding: 0 1; background: $panel;
    }
    """

    class Answered(Message):
        """Enter was pressed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Dropped(Message):
        """Esc was pressed."""

    def __init__(self, label: str, *, placeholder: str = "", text: str = "") -> None:
        super().__init__()
        self._label = label
        self._placeholder = placeholder
        self._text = text

    def compose(self) -> ComposeResult:
        yield Label(self._label, markup=False)
        yield OneLine(self._text, placeholder=self._placeholder, select_on_focus=False)

    def on_mount(self) -> None:
        line = self.query_one(Input)
        line.cursor_blink = False
        line.focus()

    async def take(self, event: events.Key) -> bool:
        """Handle a key typed before the line had the focus; return whether it is one for it."""
        line = self.query_one(OneLine)
        if event.key == "enter":
            await line.action_submit()
        elif event.key == "escape":
            self.post_message(self.Dropped())
        elif event.is_printable and event.character is not None:
            line.insert_text_at_cursor(event.character)
        else:
            return False
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Answered(event.value))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Dropped())
