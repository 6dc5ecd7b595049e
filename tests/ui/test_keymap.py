"""The keys of each screen, also when they are remapped."""

from typing import get_args

import pytest

from lfgtui.settings.keys import KEYS, Scope, key_mistakes, keys_in_force
from lfgtui.ui.keymap import keymap


def test_every_key_has_one_action_in_a_place() -> None:
    keys = keys_in_force({})
    maps = [keymap(keys, scope) for scope in get_args(Scope)]
    with_keys = {key.action for key in KEYS if key.keys}
    assert {action for one in maps for action in one.values()} == with_keys
    in_runs = [key for key in KEYS if key.group not in ("Replay", "History", "Changes")]
    assert len(keymap(keys)) == sum(len(key.keys) for key in in_runs)


def test_a_key_may_mean_one_thing_in_a_run_and_another_in_the_history() -> None:
    keys = keys_in_force({})
    assert (keymap(keys)["n"], keymap(keys, "history")["n"]) == ("attention", "note")
    assert (keymap(keys)["enter"], keymap(keys, "history")["enter"]) == ("zoom", "zoom")
    assert "c" not in keymap(keys, "history")
    assert (keymap(keys)["g"], keymap(keys, "replay")["g"]) == ("diff", "go_to_moment")
    assert (keymap(keys, "diff")["n"], keymap(keys, "history")["g"]) == ("next_hunk", "first")


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ({"cancel": "x, ctrl+x"}, {"x": "cancel", "ctrl+x": "cancel", "c": None}),
        ({"approve": "d", "deny": "a"}, {"d": "approve", "a": "deny"}),
        ({"cancel_all": ""}, {"C": None}),
        ({"help": "? ! F1"}, {"question_mark": "help", "exclamation_mark": "help"}),
        ({"back": "esc"}, {"escape": "back"}),
    ],
)
def test_a_remapped_action_has_its_new_keys_only_as_people_write_them(
    configured: dict[str, str], expected: dict[str, str | None]
) -> None:
    assert not list(key_mistakes(configured))
    keys = keymap(keys_in_force(configured))
    assert {key: keys.get(key) for key in expected} == expected
