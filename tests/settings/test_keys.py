"""The table of keys: remapping, and what it refuses."""

import string
import unicodedata
from typing import get_args

import pytest
from textual.keys import KEY_NAME_REPLACEMENTS

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
    assert not list(key_mistakes({"start": "home g ["}))


def test_a_key_has_the_name_that_textual_gives_it() -> None:
    for mark in string.punctuation:
        name = unicodedata.name(mark).lower().replace("-", "_").replace(" ", "_")
        assert key_name(mark) == KEY_NAME_REPLACEMENTS.get(name, name)
    assert (key_name("F1"), key_name("ctrl+x"), key_name("esc")) == ("F1", "ctrl+x", "escape")


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
