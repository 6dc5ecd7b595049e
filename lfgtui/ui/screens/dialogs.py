"""Screens on top of another: a yes-or-no question, a list to choose from, a page of keys."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from lfgtui.model.fold.states import BADGES, CHOSEN, CONFLICT, GUARD, QUESTION, STALLED
from lfgtui.settings.keys import KEYS, Group
from lfgtui.ui.keymap import displayed
from lfgtui.ui.screens.base import LfgScreen

_KEYS_WIDTH = 16
"""Cells of the column of keys in the help."""

_STATES_A_LINE = 4
"""States in each line of the help."""

_OF_RUNS = ("quit", "detach")
"""Actions of the group `lfg` that mean something else, or nothing, on a screen without a run."""

_FIGURES = (
    ("ttft", "time to the first text, thought or call"),
    ("╍━━━━─────", "ttft against its budget: connect, first byte, rest"),
    ("paint", "from a token's arrival to the frame that shows it"),
    ("tok/s", "tokens per second: last 2 s, then the whole attempt"),
    ("↓", "tokens received, all attempts; ~ means estimated"),
    ("↑", "tokens sent: the whole context with each request"),
    ("cached", "share of sent tokens found in the provider's cache"),
    ("reused", "answers from the history: nothing was sent for them"),
    ("ctx", "share of the context used; ctx! from 80%"),
    ("$", "price of the tokens, if known; ~ by lfg's own table"),
    ("±", "files changed in its folder, lines added, removed"),
    ("Σ", "the same, for all tickets in that folder"),
    ("0:00", "time at work, without pauses and parking"),
    ("MB to save", "received but not yet saved in the history"),
)
"""Figures and signs in the headers, with their definitions."""


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
        keys = Content.assemble(("y", "bold"), " yes    ", ("n", "bold"), " no")
        with Vertical():
            yield Label(self._question, classes="ask", markup=False)
            if self._note:
                yield Label(self._note, classes="note", markup=False)
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


class Choice(ModalScreen[int], LfgScreen[int], inherit_bindings=False):
    """A list with a heading for each group; returns the index of the chosen line, over all groups.

    While `refusal` gives a reason, keys choose nothing and the reason is shown. A key chooses only
    a line that is on the screen, whole; otherwise it brings it there.
    """

    DEFAULT_CSS = """
    Choice { align: center middle; background: $background 50%; }
    Choice > VerticalScroll {
        width: auto; min-width: 44; max-width: 90%; height: auto; max-height: 100%; padding: 0 1;
        background: $panel; border: round $warning; scrollbar-size-vertical: 1;
        border-title-color: $text-warning; border-subtitle-color: $text-muted;
    }
    Choice Label { width: auto; max-width: 100%; }
    Choice .group { color: $text-muted; }
    Choice .chosen {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
    }
    """

    def __init__(
        self,
        title: str,
        groups: Mapping[str, Sequence[str]],
        refusal: Callable[[], str],
    ) -> None:
        super().__init__()
        self._title = title
        self._groups = groups
        self._refusal = refusal
        self._lines: list[Label] = []
        self._cursor = 0

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as scroll:
            scroll.border_title = Content(self._title)
            scroll.border_subtitle = "enter or digit: choose · esc: leave"
            for group, choices in self._groups.items():
                yield Label(group, classes="group", markup=False)
                for choice in choices:
                    number = len(self._lines) + 1
                    self._lines.append(Label(f"{number} {choice}", markup=False))
                    yield self._lines[-1]
        self._move(0)

    def _move(self, step: int) -> None:
        self._lines[self._cursor].remove_class("chosen")
        self._cursor = (self._cursor + step) % len(self._lines)
        self._lines[self._cursor].add_class("chosen").scroll_visible(animate=False)

    def _is_on_screen(self, line: Label) -> bool:
        place = self.find_widget(line)
        whole = min(place.region.height, place.container_size.height)
        return place.visible_region.height >= whole

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if self.app.screen is not self:
            return
        chosen = self._cursor if event.key == "enter" else "123456789".find(event.key)
        if event.key in ("escape", "q"):
            self.leave()
        elif event.key in ("down", "j", "up", "k"):
            self._move(1 if event.key in ("down", "j") else -1)
        elif 0 <= chosen < len(self._lines):
            if refusal := self._refusal():
                self.toast(refusal)
            elif not self._is_on_screen(self._lines[chosen]):
                self._move(chosen - self._cursor)
            else:
                self.dismiss(chosen)


class Help(ModalScreen[None], LfgScreen[None], inherit_bindings=False):
    """The page of keys; any key that does not scroll closes it."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 50%; }
    Help > VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 2; background: $panel; border: round $primary;
        border-title-color: $text-primary; border-subtitle-color: $text-muted;
        scrollbar-size-vertical: 1;
    }
    Help Static { height: auto; }
    """

    def __init__(self, text: Content) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as scroll:
            scroll.border_title = "keys"
            scroll.border_subtitle = "press esc to close"
            yield Static(self._text, markup=False)

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        for page in self.query(VerticalScroll):
            match event.key:
                case "down" | "j":
                    page.scroll_relative(y=1, animate=False)
                case "up" | "k":
                    page.scroll_relative(y=-1, animate=False)
                case "pagedown" | "space":
                    page.scroll_page_down(animate=False)
                case "pageup":
                    page.scroll_page_up(animate=False)
                case "ctrl+d":
                    page.scroll_relative(y=page.size.height // 2, animate=False)
                case "ctrl+u":
                    page.scroll_relative(y=-(page.size.height // 2), animate=False)
                case "home" | "g":
                    page.scroll_home(animate=False)
                case "end" | "G":
                    page.scroll_end(animate=False)
                case _:
                    break
            return
        self.leave()


def help_page(keys: Mapping[str, Sequence[str]]) -> Help:
    """Return the page of all keys."""
    return Help(help_text(keys))


def help_text(keys: Mapping[str, Sequence[str]]) -> Content:
    """Return each group's heading, with a line for each key, then the states and the figures."""
    lines: list[Content] = []
    for group in get_args(Group):
        lines += [*_section(group, _rows(group, keys)), Content("")]
    lines.append(Content.styled("States", "bold $text-primary"))
    states = [badge for state, badge in BADGES.items() if state is not None]
    badges = [*states, CHOSEN, STALLED, QUESTION, GUARD, CONFLICT]
    signs = [
        Content.assemble((badge.sign, f"${badge.colour}"), f" {badge.word:<12}") for badge in badges
    ]
    for start in range(0, len(signs), _STATES_A_LINE):
        lines.append(Content("").join([Content("  "), *signs[start : start + _STATES_A_LINE]]))
    return Content("\n").join([*lines, Content(""), *_section("Figures", _FIGURES)])


def help_on(here: Mapping[str, str], heading: str, keys: Mapping[str, Sequence[str]]) -> Content:
    """Return a line for each action `here`, on a screen without a run, then those of the app."""
    rows = [(_pressed(action, keys), meaning) for action, meaning in here.items()]
    others = _rows("lfg", keys, without=_OF_RUNS)
    return Content("\n").join([*_section(heading, rows), Content(""), *_section("lfg", others)])


def _section(heading: str, rows: Iterable[tuple[str, str]]) -> Iterator[Content]:
    yield Content.styled(heading, "bold $text-primary")
    for name, meaning in rows:
        yield Content.assemble((f"  {name:<{_KEYS_WIDTH}}", "bold"), (meaning, "$text-muted"))


def _rows(
    group: Group, keys: Mapping[str, Sequence[str]], without: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    for key in KEYS:
        if key.group != group or key.action in without:
            continue
        if key.action == "jump_1":
            yield "1 … 9", "pane with that number"
        elif not key.action.startswith("jump_"):
            yield _pressed(key.action, keys), key.help


def _pressed(action: str, keys: Mapping[str, Sequence[str]]) -> str:
    return " ".join(map(displayed, keys.get(action, ()))) or "–"
