"""The keys of the screen, in one table: the app, the footer, the help and `[keys]` use it.

`[keys]` in the config is checked here when the config is read, so any command reports a mistake
with its line. An action's name is a key of the config, so it cannot be renamed.
"""

import string
import unicodedata
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Literal, get_args

import msgspec

from lfgtui.errors import did_you_mean

Group = Literal["Move", "View", "Work", "Approve", "Changes", "Replay", "History", "lfg"]
Scope = Literal["run", "diff", "replay", "history"]
"""Screens with keys of their own: a key has at most one meaning in each.

The exception is a replay, whose own keys win against those of the group "Move".
"""

FORBIDDEN = {
    "ctrl+b": "it is tmux's prefix key",
    "ctrl+s": "many terminals stop their output on it",
    "ctrl+q": "many terminals resume their output on it",
    "ctrl+i": "terminals cannot tell it from tab",
    "ctrl+j": "terminals cannot tell it from enter",
    "ctrl+m": "terminals cannot tell it from enter",
    "ctrl+enter": "terminals cannot tell it from enter",
}
"""Keys that `[keys]` may not use, and why."""

LINE_BREAKS = ("alt+enter", "shift+enter")
"""Keys that begin a new line in a message; enter alone sends it."""


class Key(msgspec.Struct, frozen=True):
    """An action: its name in the config, its default keys, its label in the footer, and its line in
    the help and the command palette."""

    action: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: Group


KEYS: tuple[Key, ...] = (
    Key("left", ("left", "h"), "left", "pane on the left", "Move"),
    Key("right", ("right", "l"), "right", "pane on the right", "Move"),
    Key("up", ("up", "k"), "up", "pane above; scroll up when zoomed", "Move"),
    Key("down", ("down", "j"), "down", "pane below; scroll down when zoomed", "Move"),
    Key("next_pane", ("tab",), "next pane", "next pane", "Move"),
    Key("previous_pane", ("shift+tab",), "previous", "previous pane", "Move"),
    *(
        Key(f"jump_{number}", (str(number),), str(number), f"pane {number}", "Move")
        for number in range(1, 10)
    ),
    Key("previous_page", ("{",), "page back", "previous page of panes", "Move"),
    Key("next_page", ("}",), "next page", "next page of panes", "Move"),
    Key("page_up", ("pageup",), "page up", "scroll up a page", "Move"),
    Key("page_down", ("pagedown",), "page down", "scroll down a page", "Move"),
    Key("aside_left", ("<",), "scroll left", "scroll wide text left; sort the table", "Move"),
    Key("aside_right", (">",), "scroll right", "scroll wide text right; sort the table", "Move"),
    Key("half_page_up", ("ctrl+u",), "half up", "scroll up half a page", "Move"),
    Key("half_page_down", ("ctrl+d",), "half down", "scroll down half a page", "Move"),
    Key("start", ("home",), "top", "scroll to the top", "Move"),
    Key("finish", ("end", "G"), "end", "scroll to the end", "Move"),
    Key("follow", ("f",), "follow", "follow new output (scrolling up stops it)", "View"),
    Key("attention", ("n",), "next", "most urgent pane, then the next; or next match", "View"),
    Key("previous_hit", ("N",), "previous match", "previous match", "View"),
    Key("find", ("/",), "find", "find in this pane, or filter the table", "View"),
    Key("zoom", ("enter",), "zoom", "zoom this pane", "View"),
    Key("back", ("escape",), "back", "leave find, zoom or a past run", "View"),
    Key("view", ("v",), "view", "switch between grid, focus and table", "View"),
    Key("pin_pane", ("P",), "pin", "pin this pane first, on every page; or unpin it", "View"),
    Key("group", ("o",), "group", "group the table by state, by provider or not", "View"),
    Key("reverse", ("~",), "reverse", "reverse the order of the table", "View"),
    Key("tools", ("t",), "tools", "show or hide tool output", "View"),
    Key("reasoning", ("m",), "reasoning", "show or hide reasoning", "View"),
    Key("urls", ("u",), "links", "show or hide link addresses", "View"),
    Key("fold", ("space",), "fold", "fold or unfold one item", "View"),
    Key("beside", ("b",), "compare", "compare copies and choose one; or compare attempts", "View"),
    Key("together", ("w",), "together", "scroll copies together, or alone", "View"),
    Key("diff", ("g",), "changes", "files changed, and their lines", "View"),
    Key("copy", ("y",), "copy", "copy the answer", "View"),
    Key("cancel", ("c",), "cancel", "cancel this ticket (press twice); output is saved", "Work"),
    Key("cancel_all", ("C",), "cancel all", "cancel all tickets (asks first)", "Work"),
    Key("retry", ("r",), "retry", "retry an ended ticket, or a parked one now", "Work"),
    Key("tell", ("s",), "say", "message this agent; after its end, a follow-up", "Work"),
    Key("stop_and_tell", ("S",), "stop and say", "stop its response and message it", "Work"),
    Key("edit", ("E",), "edit prompt", "edit the prompt and start over", "Work"),
    Key("add", ("+",), "add", "add a ticket to this run", "Work"),
    Key("pause", ("p",), "pause", "pause after this response, or continue", "Work"),
    Key("more_slots", (), "more slots", "more slots: one more ticket works at once", "Work"),
    Key("fewer_slots", (), "fewer slots", "fewer slots: one ticket fewer works at once", "Work"),
    Key("inbox", ("i",), "inbox", "answer all requests and questions, one by one", "Approve"),
    Key("approve", ("a",), "approve", "approve this call", "Approve"),
    Key(
        "approve_always",
        ("A",),
        "rules…",
        "always allow calls like it; agent's own options",
        "Approve",
    ),
    Key("deny", ("d",), "deny", "deny this call, with a reason for the model", "Approve"),
    Key("next_hunk", ("n",), "next change", "next change", "Changes"),
    Key("previous_hunk", ("N",), "previous change", "previous change", "Changes"),
    Key("next_file", ("]",), "next file", "next file", "Changes"),
    Key("previous_file", ("[",), "previous file", "previous file", "Changes"),
    Key("fold_all", ("Z",), "fold all", "fold or unfold all files", "Changes"),
    Key(
        "other_changes",
        ("w",),
        "source",
        "switch between the folder's and the calls' changes",
        "Changes",
    ),
    Key("apply", ("a",), "apply", "apply a worktree to your checkout (asks)", "Changes"),
    Key("discard", ("x",), "discard", "discard a worktree and its branch (asks)", "Changes"),
    Key("skip_back", ("[",), "-10 s", "back 10 seconds", "Replay"),
    Key("skip_forward", ("]",), "+10 s", "forward 10 seconds", "Replay"),
    Key("slower", ("-",), "slower", "half the speed", "Replay"),
    Key("faster", ("+", "="), "faster", "twice the speed", "Replay"),
    Key("event_back", (",",), "event back", "pause, one event back", "Replay"),
    Key("event_forward", (".",), "event on", "pause, one event forward", "Replay"),
    Key("go_to_moment", ("g",), "go to", "go to a time, a percentage or an event", "Replay"),
    Key("first", ("g",), "first", "go to the first run", "History"),
    Key("delete", ("x",), "delete", "delete this run (asks first)", "History"),
    Key("pin", ("i",), "pin", "pin or unpin this run", "History"),
    Key("note", ("n",), "note", "edit the note on this run", "History"),
    Key("resume", ("r",), "resume", "resume this run", "History"),
    Key("replay", ("p",), "replay", "replay this run", "History"),
    Key("history", ("H",), "history", "past runs and search", "lfg"),
    Key("palette", ("ctrl+p",), "commands", "all commands by name", "lfg"),
    Key("help", ("?",), "help", "all keys", "lfg"),
    Key("quit", ("q",), "quit", "quit (asks first while tickets run)", "lfg"),
    Key(
        "detach",
        ("D",),
        "detach",
        "leave; the run goes on (`lfg attach` to return)",
        "lfg",
    ),
    Key("suspend", ("ctrl+z",), "suspend", "to the shell until `fg`; agents may go on", "lfg"),
    Key("repaint", ("ctrl+l",), "repaint", "redraw the whole screen", "lfg"),
    Key("copy_or_quit", ("ctrl+c",), "quit", "copy the selection, or quit", "lfg"),
)

BY_ACTION: Mapping[str, Key] = {key.action: key for key in KEYS}

_SHARED = frozenset(
    {"up", "down", "page_up", "page_down", "half_page_up", "half_page_down", "start", "finish"}
    | {"next_pane", "previous_pane", "zoom", "back", "find"}
)
"""Actions that work in the list of past runs and in a diff as they do on panes."""

# Actions of a run that work in a diff, too.
_IN_DIFF = _SHARED - {"find"} | {"diff", "fold", "aside_left", "aside_right", "left", "right"}

_NAMES = (
    *("escape", "enter", "tab", "space", "backspace", "insert", "delete"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *(f"f{number}" for number in range(1, 25)),
)
"""Textual's names of the keys that are not written as the character they type."""

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "ctrl+at": "ctrl+@",
}
_SHORT_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Textual's names of characters, by Unicode's, where the two differ."""


def keys_in_force(configured: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return each action's keys: those of `[keys]` in the config, or else the defaults.

    Several keys are separated by commas or blanks; a comma alone is the comma key;
    an empty string leaves the action without a key.
    """
    return {
        key.action: _parse(configured[key.action]) if key.action in configured else key.keys
        for key in KEYS
    }


def key_mistakes(configured: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the mistakes in `[keys]`: the action, and the reason.

    It is unknown, or its key cannot come from a terminal, or means something else already.
    """
    for action, text in configured.items():
        if action not in BY_ACTION:
            yield action, f'unknown action "{action}"{did_you_mean(action, BY_ACTION)}'
        for key in _parse(text):
            if (reason := _fault(key)) is not None:
                yield action, f'{action} = "{key}" cannot be used: {reason}'
    in_force = keys_in_force(configured)
    clashes: dict[tuple[str, str], str] = {}
    for scope in get_args(Scope):
        taken: dict[str, str] = {}
        for action in actions_in(scope):
            for key in in_force[action]:
                if (other := taken.setdefault(key_name(key), action)) != action:
                    if BY_ACTION[action].group == "Replay" and BY_ACTION[other].group == "Move":
                        continue
                    clashes.setdefault((other, action), key)
    for (other, action), key in clashes.items():
        changed = action if action in configured else other
        yield changed, f'"{key}" is assigned to both "{other}" and "{action}"'


def actions_in(scope: Scope) -> list[str]:
    """Return the actions that have keys on those screens.

    In a replay, a later action wins if two have the same key.
    """
    if scope == "history":
        return [k.action for k in KEYS if k.group in ("History", "lfg") or k.action in _SHARED]
    if scope == "diff":
        return [k.action for k in KEYS if k.group in ("Changes", "lfg") or k.action in _IN_DIFF]
    runs = [key for key in KEYS if key.group not in ("History", "Changes")]
    if scope == "replay":  # `+` and `g` mean something else there
        return [key.action for key in runs if key.action not in ("add", "diff")]
    return [key.action for key in runs if key.group != "Replay"]


def key_name(key: str) -> str:
    """Return Textual's name of a key: `question_mark` for `?`, `f1` for `F1`, `tab` for `TAB`."""
    if len(key) == 1 and not key.isalnum():
        name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
        return _SHORT_NAMES.get(name, name)
    if len(key) == 1:
        return key
    head, _, base = key[:-1].lower().rpartition("+")
    base += key[-1].lower()
    base = key_name(base) if len(base) == 1 else _ALIASES.get(base, base)
    name = "+".join([*sorted({*head.split("+")}), base]) if head else base
    return _ALIASES.get(name, name)


def _fault(key: str) -> str | None:
    """Return the reason why a key cannot be used; None if a terminal can send it."""
    *modifiers, base = key_name(key).split("+")
    if (reason := FORBIDDEN.get(key_name(key))) is not None:
        return reason
    is_character = len(base) == 1 or base in map(key_name, string.punctuation)
    if is_character and modifiers == ["shift"]:
        return 'write the character it types, as in "A"'
    is_known = len(key) == 1 or is_character or base in _NAMES
    if is_known and key.isprintable() and set(modifiers) <= set(_MODIFIERS):
        return None
    bases = (*_NAMES, *string.ascii_lowercase)
    known = [*_NAMES, *(f"{modifier}+{base}" for modifier in _MODIFIERS for base in bases)]
    near = get_close_matches(key_name(key), known, n=1)
    return f"no terminal sends such a key{did_you_mean(key_name(key), near)}"


def _parse(text: str) -> tuple[str, ...]:
    """Return the keys in a value of `[keys]`; see `keys_in_force`."""
    return (",",) if text.strip() == "," else tuple(text.replace(",", " ").split())
