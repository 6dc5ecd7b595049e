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
from lfgtui.ui.keymap import KEYS, Group, displayed
from lfgtui.ui.screens.base import LfgScreen

_KEYS_WIDTH = 16
_STATES_A_LINE = 4


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

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as scroll:
            scroll.border_title = "keys"
            scroll.border_subtitle = "press esc to close"
            yield Static(help_text(self._keys), markup=False)

    async def on_key(self, event: events.Key) -> None:
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
            case _:
                self.leave()


def help_text(keys: Mapping[str, Sequence[str]]) -> Content:
    """Return a heading and a line a key for each group, then the signs of the states."""
    lines: list[Content] = []
    for group in get_args(Group):
        lines.append(Content.styled(group, "bold $text-primary"))
        lines.extend(
            Content.assemble((f"  {pressed:<{_KEYS_WIDTH}}", "bold"), (does, "$text-muted"))
            for pressed, does in _rows(group, keys)
        )
        lines.append(Content(""))
    lines.append(Content.styled("States", "bold $text-primary"))
    badges = [badge for state, badge in BADGES.items() if state is not None] + [STALLED]
    signs = [
        Content.assemble((badge.sign, f"${badge.colour}"), f" {badge.word:<12}") for badge in badges
    ]
    for start in range(0, len(signs), _STATES_A_LINE):
        lines.append(Content("").join([Content("  "), *signs[start : start + _STATES_A_LINE]]))
    return Content("\n").join(lines)


def _rows(group: Group, keys: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for key in KEYS:
        if key.group != group:
            continue
        if key.action == "jump_1":
            yield "1 … 9", "that pane"
        elif not key.action.startswith("jump_"):
            yield " ".join(map(displayed, keys.get(key.action, ()))) or "–", key.help
