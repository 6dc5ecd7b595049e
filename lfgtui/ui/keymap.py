"""The keys, in one table: it drives the app, the footer, the help and the remapping.

Textual's own binding classes are not used for these. Its keymap is applied
anew on every key press and drops a binding whose new key another one had, so
swapping two keys loses one of them; and a footer that depends on the state of
a ticket needs more than a description.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import msgspec

from lfgtui.errors import UsageError, did_you_mean

Group = Literal["Move", "Read", "Work", "Approve", "Replay", "History", "lfg"]
Place = Literal["run", "history"]
"""Where keys are pressed: a key may mean one thing in each place."""

Keymap: TypeAlias = Mapping[str, str]
"""From a key to the name of its action."""

FORBIDDEN = {
    "ctrl+b": "tmux's own key",
    "ctrl+s": "it stops the output of many terminals",
    "ctrl+q": "it starts the output of many terminals",
    "ctrl+i": "terminals cannot tell it from tab",
    "ctrl+j": "terminals cannot tell it from enter",
    "ctrl+m": "terminals cannot tell it from enter",
    "ctrl+enter": "terminals cannot tell it from enter",
}


class Key(msgspec.Struct, frozen=True):
    """An action: its name in config, its keys, a word for the footer, a line for the help."""

    action: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: Group


KEYS: tuple[Key, ...] = (
    Key("left", ("left", "h"), "left", "the pane to the left", "Move"),
    Key("right", ("right", "l"), "right", "the pane to the right", "Move"),
    Key("up", ("up", "k"), "up", "the pane above; zoomed: scroll", "Move"),
    Key("down", ("down", "j"), "down", "the pane below; zoomed: scroll", "Move"),
    Key("next_pane", ("tab",), "next pane", "the next pane", "Move"),
    Key("previous_pane", ("shift+tab",), "previous", "the pane before", "Move"),
    *(
        Key(f"jump_{number}", (str(number),), str(number), f"pane {number}", "Move")
        for number in range(1, 10)
    ),
    Key("attention", ("n",), "next", "the next that needs attention; in find: hit", "Move"),
    Key("previous_hit", ("N",), "previous hit", "in find: the hit before", "Move"),
    Key("zoom", ("enter",), "zoom", "this pane alone on the screen", "Move"),
    Key("back", ("escape",), "back", "out of zoom, find or a past run", "Move"),
    Key("view", ("v",), "view", "grid, focus, table", "Move"),
    Key("page_up", ("pageup",), "page up", "a page up", "Read"),
    Key("page_down", ("pagedown",), "page down", "a page down", "Read"),
    Key("aside_left", ("<",), "aside left", "the left of what is too wide", "Read"),
    Key("aside_right", (">",), "aside right", "the right of what is too wide", "Read"),
    Key("start", ("home",), "start", "the beginning", "Read"),
    Key("finish", ("end",), "end", "the end", "Read"),
    Key("follow", ("f",), "follow", "follow the tail (scrolling up lets go)", "Read"),
    Key("find", ("/",), "find", "find in this pane", "Read"),
    Key("tools", ("t",), "tools", "show or hide what tools said", "Read"),
    Key("reasoning", ("m",), "reasoning", "show or hide the reasoning", "Read"),
    Key("urls", ("u",), "links", "show or hide where links lead", "Read"),
    Key("fold", ("space",), "fold", "fold or unfold one", "Read"),
    Key("copy", ("y",), "copy", "copy the answer", "Read"),
    Key("beside", ("b",), "attempts", "the attempts at this ticket side by side", "Read"),
    Key("cancel", ("c",), "cancel", "cancel this ticket, keep what it said", "Work"),
    Key("cancel_all", ("C",), "cancel all", "cancel all (asks)", "Work"),
    Key("retry", ("r",), "retry", "retry an ended ticket: a new attempt", "Work"),
    Key("pause", ("p",), "pause", "pause after this response; go on; hold a replay", "Work"),
    Key("approve", ("a",), "approve", "allow this call", "Approve"),
    Key("approve_always", ("A",), "always", "allow this tool for this ticket", "Approve"),
    Key("deny", ("d",), "deny", "refuse, with a reason for the model", "Approve"),
    Key("skip_back", ("[",), "-10 s", "back 10 seconds", "Replay"),
    Key("skip_forward", ("]",), "+10 s", "on 10 seconds", "Replay"),
    Key("slower", ("-",), "slower", "half the speed", "Replay"),
    Key("faster", ("+", "="), "faster", "twice the speed", "Replay"),
    Key("event_back", (",",), "event back", "hold, one event back (zoomed: its own)", "Replay"),
    Key("event_forward", (".",), "event on", "hold, one event on (zoomed: its own)", "Replay"),
    Key("go_to_moment", ("g",), "go to", "go to a time, a percentage, an event", "Replay"),
    Key("delete", ("x",), "delete", "delete the run (asks)", "History"),
    Key("pin", ("i",), "pin", "keep the run when old ones are pruned; let it go", "History"),
    Key("note", ("n",), "note", "write a note beside the run", "History"),
    Key("resume", ("r",), "resume", "go on with what the run did not finish", "History"),
    Key("replay", ("p",), "play", "play the run again, at its own pace", "History"),
    Key("history", ("H",), "history", "past runs, and search in them", "lfg"),
    Key("palette", ("ctrl+p",), "commands", "all commands by name", "lfg"),
    Key("help", ("?",), "help", "this page", "lfg"),
    Key("quit", ("q",), "quit", "quit (asks while work runs)", "lfg"),
    Key("copy_or_quit", ("ctrl+c",), "quit", "copy a selection, else quit", "lfg"),
)

BY_ACTION: Mapping[str, Key] = {key.action: key for key in KEYS}

_SHARED = frozenset(
    {"up", "down", "page_up", "page_down", "start", "finish"}
    | {"next_pane", "previous_pane", "zoom", "back", "find"}
)
"""What is done in the list of past runs by the keys that do it to panes."""

_LONG_NAMES = {
    "?": "question_mark",
    "/": "slash",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    " ": "space",
    ".": "full_stop",
    ",": "comma",
    "-": "minus",
    "+": "plus",
    "=": "equals_sign",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
}
_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "full_stop": ".",
    "comma": ",",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def keys_in_force(said: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Each action's keys, `said` (`[keys]` of the config) over the defaults.

    Several keys are separated by commas or blanks, a comma alone is that key; an
    empty string takes the action's keys away. Raises `UsageError` on an unknown
    action, on a key terminals cannot deliver and on a key that would mean two things.
    """
    for action in said:
        if action not in BY_ACTION:
            raise UsageError(f'[keys]: no action "{action}"{did_you_mean(action, BY_ACTION)}')
    in_force = {
        key.action: _parse(key.action, said[key.action]) if key.action in said else key.keys
        for key in KEYS
    }
    for place in get_args(Place):
        taken: dict[str, str] = {}
        for action in _actions(place):
            for key in map(long_name, in_force[action]):
                if (other := taken.setdefault(key, action)) != action:
                    raise UsageError(f'[keys]: "{shown(key)}" is both "{other}" and "{action}"')
    return in_force


def keymap(in_force: Mapping[str, Sequence[str]], place: Place = "run") -> Keymap:
    """From each key that means something there, in Textual's spelling, to its action."""
    return {long_name(key): action for action in _actions(place) for key in in_force[action]}


def _actions(place: Place) -> list[str]:
    if place == "run":
        return [key.action for key in KEYS if key.group != "History"]
    return [k.action for k in KEYS if k.group in ("History", "lfg") or k.action in _SHARED]


def long_name(key: str) -> str:
    """A key in Textual's spelling."""
    return _LONG_NAMES.get(key, key)


def shown(key: str) -> str:
    """A key as a person reads it."""
    return _SHOWN.get(long_name(key), key)


def _parse(action: str, text: str) -> tuple[str, ...]:
    keys = (",",) if text.strip() == "," else tuple(text.replace(",", " ").split())
    for key in keys:
        plain = key.lower() if "+" in key else key
        if (why := FORBIDDEN.get(plain)) is not None:
            raise UsageError(f'[keys]: {action} = "{key}" cannot be used: {why}')
    return keys
