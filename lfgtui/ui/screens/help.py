"""All keys on one page, from the table that drives them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from lfgtui.model.badges import BADGES, STALLED
from lfgtui.ui.keymap import KEYS, Group, shown
from lfgtui.ui.screens.relaid import RelaidScreen

_KEYS_WIDTH = 16
_SIGNS = 4
"""States on a line."""


class Help(ModalScreen[None], RelaidScreen[None], inherit_bindings=False):
    """Any key that does not scroll closes it."""

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

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as scroll:
            scroll.border_title = "keys"
            scroll.border_subtitle = "esc closes"
            yield Static(help_text(self._keys), markup=False)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        scroll = self.query_one(VerticalScroll)
        match event.key:
            case "down" | "j":
                scroll.scroll_relative(y=1, animate=False)
            case "up" | "k":
                scroll.scroll_relative(y=-1, animate=False)
            case "pagedown" | "space":
                scroll.scroll_page_down(animate=False)
            case "pageup":
                scroll.scroll_page_up(animate=False)
            case "home":
                scroll.scroll_home(animate=False)
            case "end":
                scroll.scroll_end(animate=False)
            case _ if self.app.screen is self:  # a second key may come before it is gone
                self.dismiss()


def help_text(keys: Mapping[str, Sequence[str]]) -> Content:
    """The page: a heading and a line a key for each group, then the signs of the states."""
    lines: list[Content] = []
    for group in get_args(Group):
        lines.append(Content.styled(group, "bold $text-primary"))
        lines.extend(
            Content.assemble((f"  {said:<{_KEYS_WIDTH}}", "bold"), (what, "$text-muted"))
            for said, what in _rows(group, keys)
        )
        lines.append(Content(""))
    lines.append(Content.styled("States", "bold $text-primary"))
    signs = [badge for state, badge in BADGES.items() if state is not None] + [STALLED]
    for start in range(0, len(signs), _SIGNS):
        row = signs[start : start + _SIGNS]
        lines.append(
            Content.assemble(
                "  ",
                *(
                    part
                    for badge in row
                    for part in ((badge.sign, f"${badge.colour}"), (f" {badge.word:<12}", ""))
                ),
            )
        )
    return Content("\n").join(lines)


def _rows(group: Group, keys: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for key in KEYS:
        if key.group != group:
            continue
        if key.action == "jump_1":
            yield "1 … 9", "that pane"
        elif not key.action.startswith("jump_"):
            yield " ".join(map(shown, keys.get(key.action, ()))) or "–", key.help
