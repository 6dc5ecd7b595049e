"""The row at the bottom of the history: the keys of where the focus is."""

from collections.abc import Mapping, Sequence

from textual.content import Content

from lfgtui.ui.keymap import BY_ACTION, shown

_TYPING = (("↑↓", "choose"), ("enter", "open"), ("tab", "keys"), ("esc", "back"))
_SYNTAX = '"phrases"  pre*  AND OR NOT  state:failed  after:7d'
_ACTIONS = ("zoom", "find", "delete", "pin", "note", "resume", "replay", "back", "help", "quit")
_WORDS = {"zoom": "open", "find": "search"}


def keys_line(keys: Mapping[str, Sequence[str]], width: int, *, is_typing: bool) -> Content:
    """What can be done, as far as there is room to say it."""
    pairs: Sequence[tuple[str, str]] = _TYPING
    if not is_typing:
        pairs = [
            (shown(keys[action][0]), _WORDS.get(action, BY_ACTION[action].label))
            for action in _ACTIONS
            if keys.get(action)
        ]
    parts: list[Content] = []
    for key, word in pairs:
        part = Content.assemble((f" {key}", "bold $primary"), (f" {word} ", "$text-muted"))
        if sum(each.cell_length for each in parts) + part.cell_length <= width:
            parts.append(part)
    line = Content("").join(parts)
    if is_typing and line.cell_length + len(_SYNTAX) + 3 <= width:
        line = Content.assemble(line, (f"  {_SYNTAX}", "$text-muted"))
    return line
