"""The table of keys: remapping, and what it refuses."""

import string
import unicodedata
from typing import get_args

import pytest
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from lfgtui.settings.keys import (
    BY_ACTION,
    FORBIDDEN,
    KEYS,
    Scope,
    actions_in,
    key_mistakes,
    key_name,
    keys_in_force,
)


def test_every_action_has_one_row_and_its_defaults_are_without_mistakes() -> None:
    assert len(BY_ACTION) == len(KEYS)
    assert {action for scope in get_args(Scope) for action in actions_in(scope)} == set(BY_ACTION)
    assert not FORBIDDEN.keys() & {key for keys in keys_in_force({}).values() for key in keys}
    assert not list(key_mistakes({}))


def test_in_a_replay_its_own_keys_come_before_those_that_move() -> None:
    assert not list(key_mistakes({"start": "home ,"}))


def test_a_key_has_the_name_that_textual_gives_it() -> None:
    for mark in string.punctuation:
        name = unicodedata.name(mark).lower().replace("-", "_").replace(" ", "_")
        assert key_name(mark) == KEY_NAME_REPLACEMENTS.get(name, name)
    names = {"F1": "f1", "esc": "escape", "Shift+Ctrl+PgUp": "ctrl+shift+pageup", "é": "é"}
    names |= {"ctrl+/": "ctrl+slash", "ctrl++": "ctrl+plus", "alt+A": "alt+a", "A": "A"}
    assert {key: key_name(key) for key in names} == names


def test_every_key_that_textual_names_can_be_used() -> None:
    odd = {"ctrl-at", "<any>", "<ignore>", "<scroll-up>", "<scroll-down>", *FORBIDDEN}
    for key in {one.value for one in Keys} - odd:
        assert not [why for _, why in key_mistakes({"copy": key}) if "cannot be used" in why]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("banana", ""),
        ("gg", ""),
        ("crtl+x", '; did you mean "ctrl+x"?'),
        ("ctrl-x", '; did you mean "ctrl+x"?'),
        ("pagup", '; did you mean "pageup"?'),
        ("\x07", ""),
    ],
)
def test_a_key_that_no_terminal_sends_is_refused(key: str, hint: str) -> None:
    refusal = f'copy = "{key}" cannot be used: no terminal sends such a key{hint}'
    assert list(key_mistakes({"copy": key})) == [("copy", refusal)]


@pytest.mark.parametrize("key", ["shift+a", "Shift+A", "shift+1", "shift+slash"])
def test_a_shifted_character_is_written_as_the_one_it_types(key: str) -> None:
    ((_, refusal),) = key_mistakes({"copy": key})
    assert refusal == f'copy = "{key}" cannot be used: write the character it types, as in "A"'


def test_a_character_of_any_script_is_a_key() -> None:
    assert not list(key_mistakes({"copy": "é ß 語 🍌 § alt+é ctrl+shift+x"}))


@pytest.mark.parametrize(
    ("configured", "action", "message"),
    [
        ({"cancle": "x"}, "cancle", 'unknown action "cancle"; did you mean "cancel"?'),
        ({"copy": "ctrl+b"}, "copy", 'copy = "ctrl+b" cannot be used: it is tmux\'s prefix key'),
        (
            {"copy": "x Ctrl+M"},
            "copy",
            'copy = "Ctrl+M" cannot be used: terminals cannot tell it from enter',
        ),
        ({"cancel": "r"}, "cancel", '"r" is assigned to both "cancel" and "retry"'),
        ({"retry": "c"}, "retry", '"c" is assigned to both "cancel" and "retry"'),
        ({"delete": "slash"}, "delete", '"slash" is assigned to both "find" and "delete"'),
        ({"slower": "c"}, "slower", '"c" is assigned to both "cancel" and "slower"'),
        ({"up": "q"}, "up", '"q" is assigned to both "up" and "quit"'),
    ],
)
def test_a_mistake_is_laid_to_the_action_that_is_configured(
    configured: dict[str, str], action: str, message: str
) -> None:
    assert list(key_mistakes(configured)) == [(action, message)]
