"""The field in which a person writes a message to an agent, or a prompt."""

from collections.abc import Sequence

from textual import events
from textual.widgets import TextArea

from lfgtui.settings.keys import LINE_BREAKS


class Composer(TextArea):
    """A field of some lines: enter sends, alt+enter begins a line, up brings earlier messages.

    Enter is left to the screen, as are keys that `TextArea` neither types nor binds. `earlier` are
    the messages that up and down go through, the oldest first.
    """

    DEFAULT_CSS = """
    Composer, Composer:focus {
        height: auto; max-height: 8; border: none; background: $panel;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, text: str, placeholder: str, earlier: Sequence[str] = ()) -> None:
        super().__init__(text, soft_wrap=True, placeholder=placeholder, highlight_cursor_line=False)
        self.cursor_blink = False
        self._earlier = [*earlier, text]  # the draft is last
        self._shown = len(earlier)  # the index there of the text in the field

    def on_mount(self) -> None:
        self.move_cursor(self.document.end)
        self.focus()

    @property
    def value(self) -> str:
        """The message as it is written so far."""
        return self.text

    def insert_text_at_cursor(self, text: str) -> None:
        """Insert text that was typed before the field had the focus."""
        self.insert(text)

    async def _on_key(self, event: events.Key) -> None:
        if event.key in LINE_BREAKS:
            self.insert("\n")
            event.stop()
        elif event.key != "enter":
            return
        event.prevent_default()  # or `TextArea._on_key` would run, too

    def action_cursor_up(self, select: bool = False) -> None:
        if select or self.cursor_location[0] > 0 or not self._show_earlier(self._shown - 1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        last = self.cursor_location[0] == self.document.line_count - 1
        if select or not last or not self._show_earlier(self._shown + 1):
            super().action_cursor_down(select)

    def _show_earlier(self, number: int) -> bool:
        """Show an earlier message, or the draft after the last one; False if there is none."""
        if not 0 <= number < len(self._earlier):
            return False
        self._earlier[self._shown], self._shown = self.text, number
        self.load_text(self._earlier[number])
        self.move_cursor(self.document.end)
        return True
