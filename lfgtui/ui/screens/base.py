"""The base of lfg's screens: keys from lfg's own table, and a line of input at the bottom."""

from collections.abc import Callable, Mapping, Sequence
from inspect import isawaitable
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import msgspec
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Label

from lfgtui.model.events import Entry
from lfgtui.settings.keys import BY_ACTION, LINE_BREAKS
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.guard import Guarded
from lfgtui.ui.keymap import Keymap
from lfgtui.ui.painting.canvas import layout_of, repaint
from lfgtui.ui.toast import withdraw
from lfgtui.ui.widgets.frame_clock import FrameClock
from lfgtui.ui.widgets.pane import PaneSettings

if TYPE_CHECKING:
    from lfgtui.ui.widgets.composer import Composer

ResultT = TypeVar("ResultT")

_TOAST_SECONDS = 2.5


class ScreenContext(msgspec.Struct, frozen=True):
    """The frame clock, the keys and the settings of panes, which the app gives its screens.

    `keys` are those of each action, as in force. `host` is the machine that the run's files are
    on, "" for this one.
    """

    frames: FrameClock
    keys: Mapping[str, Sequence[str]]
    panes: PaneSettings
    host: str = ""


class ResumeRequested(Message):
    """A person wants to resume a stored run; the app handles it."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class EntriesCame(Message):
    """Entries came; the app posts it to the screen on top while that is no run's screen."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self.entries = entries


class OneLine(Input):
    """A line of input. Pasted lines are joined to one, where Textual takes only the first.

    Control characters are kept, and shown as symbols.
    """

    def on_mount(self) -> None:
        self.cursor_blink = False
        self.focus()

    @property
    def _value(self) -> Text:
        return Text(visible_line(self.value), no_wrap=True, overflow="ignore", end="")

    def _on_paste(self, event: events.Paste) -> None:
        super()._on_paste(events.Paste(" ".join(event.text.split("\n"))))
        event.stop()
        event.prevent_default()


class Prompt(Horizontal):
    """A label and a field for an answer, in place of the footer, so that nothing else moves."""

    DEFAULT_CSS = """
    Prompt { height: auto; background: $panel; }
    Prompt Label { width: auto; color: $secondary; background: $panel; text-style: reverse; }
    Prompt Input, Prompt Input:focus {
        width: 1fr; height: 1; border: none; padding: 0 1; background: $panel;
    }
    """

    def __init__(self, label: str, field: "OneLine | Composer") -> None:
        super().__init__()
        self._label = label
        self.field = field

    def compose(self) -> ComposeResult:
        yield Label(f" {self._label} ", markup=False)
        yield self.field


def _is_never_text(key: str, action: str) -> bool:
    """Return True for a key of the app that neither writes nor edits a line of input."""
    return key.startswith("ctrl+") and BY_ACTION[action].group == "lfg"


class LfgScreen(Guarded, Screen[ResultT], inherit_bindings=False):
    """Calls `action_NAME`, for the action of a pressed key, on the first actor that has it.

    While a line of input has the focus all keys are text, except keys of the app that are
    never text: `ctrl+...`. A subclass sets `keymap` and, if it asks for input, `footer`, which the
    prompt replaces.
    """

    AUTO_FOCUS = ""
    keymap: Keymap = MappingProxyType({})
    footer: Widget
    _prompt: Prompt | None = None  # the open one; the next three are `ask`'s arguments for it
    _answered: Callable[[str], object]
    _on_typed: Callable[[str], object] | None = None
    _escaped: Callable[[str], object]
    _painted: object = None  # the layout that is on the terminal
    _is_laying_out = False
    _to_repeat = ("", "")  # the action to be confirmed by a second press, and the toast

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self.stack_updates:  # the first time: widgets were styled when they were mounted
            event.refresh_styles = False  # Textual's own handler comes next

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        # Textual 8.2 compares a new layout with the one before, but for a scroll it looks only at
        # what that exposes; and a look-up of the widget under the pointer may lay out anew and
        # paint nothing. A toast removed meanwhile would stay on the terminal. So a new layout is
        # always painted in full.
        if layout_of(self) is not self._painted:
            repaint(self, size or self.outer_size)
        self._is_laying_out = True
        super()._refresh_layout(size)
        self._is_laying_out = False
        self._painted = layout_of(self)

    def _compositor_refresh(self) -> None:
        if self._is_laying_out:
            self.laid_out()
        super()._compositor_refresh()

    def laid_out(self) -> None:
        """Draw the widgets in view in a new layout, before it is painted."""

    # Keys

    @property
    def actors(self) -> Sequence[object]:
        """The objects on which actions are looked up, in this order; the app comes last."""
        return (self, self.app)

    def can(self, action: str) -> bool:
        """Return True if an actor has the action."""
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
        action = self.keymap.get(event.key)
        if action != self.to_repeat:
            self.ask_again("", "")
        if self._prompt is not None and await self._answer_with(event, self._prompt.field):
            action = None
        elif action is None or (self.is_typing and not _is_never_text(event.key, action)):
            return
        event.stop()
        event.prevent_default()
        if action is not None:
            await self.act(action)

    @property
    def is_typing(self) -> bool:
        """True while the focus is in a line of input."""
        in_prompt = self._prompt is not None and self.focused is self._prompt.field
        return in_prompt or isinstance(self.focused, Input)

    def leave(self) -> None:
        """Go back to the screen below, if there is one and this one is still on top."""
        if self.app.screen is self and len(self.app.screen_stack) > 1:
            self.dismiss()

    def toast(self, message: str) -> None:
        """Show a short message that goes away by itself."""
        self.notify(message, timeout=_TOAST_SECONDS)

    @property
    def to_repeat(self) -> str:
        """The action whose key, if pressed next, confirms it."""
        return self._to_repeat[0]

    def ask_again(self, action: str, message: str, seconds: float = 0.0) -> None:
        """Ask for a second press of the action's key; that replaces an earlier question."""
        if self._to_repeat[1]:
            withdraw(self.app, self._to_repeat[1])
        self._to_repeat = (action, message)
        if message:
            self.notify(message, timeout=seconds)

    # The line of input

    async def ask(
        self,
        label: str,
        answered: Callable[[str], object],
        *,
        placeholder: str = "",
        text: str = "",
        typed: Callable[[str], object] | None = None,
    ) -> None:
        """Ask for a line instead of the footer; `answered` gets it unless the person escapes.

        `typed` gets the line whenever it changes, and "" if the person escapes.
        """
        line = OneLine(text, placeholder=placeholder, select_on_focus=False)
        escaped = (lambda _: None) if typed is None else (lambda _: typed(""))
        await self.ask_in(Prompt(label, line), answered, escaped)
        self._on_typed = typed

    async def ask_in(
        self,
        prompt: Prompt,
        answered: Callable[[str], object],
        escaped: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Ask in the prompt; `escaped` gets a text that was not sent."""
        await self._close_prompt()
        self._prompt, self._answered, self._escaped = prompt, answered, escaped
        self.footer.display = False
        await self.mount(prompt)

    async def _answer_with(self, event: events.Key, field: "OneLine | Composer") -> bool:
        """Give a key to the prompt's field, even if typed before the field had the focus."""
        if event.key == "escape":
            await self._close_prompt()
            self._escaped(field.value)
        elif event.key == "enter":
            await self._close_prompt()
            self._answered(field.value)
        elif event.is_printable and event.character is not None:
            field.insert_text_at_cursor(event.character)
        elif event.key in LINE_BREAKS and not isinstance(field, OneLine):
            field.insert_text_at_cursor("\n")
        elif event.key == "backspace":
            field.action_delete_left()
        else:
            return False
        return True

    def realign(self) -> None:
        """Put widgets and focus back where they belong without a prompt."""

    async def _close_prompt(self) -> None:
        if (prompt := self._prompt) is not None:
            self._prompt = None
            self.set_focus(None)
            await prompt.remove()
            self.footer.display = True
            self.realign()

    @on(Input.Changed, "Prompt Input")
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._on_typed is not None and self._prompt is not None:
            self._on_typed(event.value)

    @on(Input.Submitted, "Prompt Input")
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        await self._close_prompt()
        self._answered(event.value)
