"""The keys in force, as the screens look them up and show them.

Textual's own binding classes are not used for these. Its keymap is applied
anew on every key press and drops a binding whose new key another one had, so
swapping two keys loses one of them; and a footer that depends on the state of
a ticket needs more than a description.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from textual.keys import format_key

from lfgtui.settings.keys import Scope, actions_in, key_name

Keymap: TypeAlias = Mapping[str, str]
"""The name of the action of each key, e.g. `zoom` of `enter`; screens call `action_NAME`."""

_DISPLAYED = {
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "enter": "enter",
    "backspace": "backspace",
}
"""Keys whose names Textual would display differently."""


def keymap(in_force: Mapping[str, Sequence[str]], scope: Scope = "run") -> Keymap:
    """Return the action of each key in the scope, keys in Textual's spelling."""
    return {key_name(key): action for action in actions_in(scope) for key in in_force[action]}


def displayed(key: str) -> str:
    """Return a key as a person reads it."""
    name = key_name(key)
    return _DISPLAYED.get(name) or format_key(name)
