"""The table of keys: remapping, and what it refuses."""

from typing import get_args

import pytest

from lfgtui.errors import UsageError
from lfgtui.ui.keymap import BY_ACTION, FORBIDDEN, KEYS, Scope, keymap, keys_in_force


def test_every_action_has_one_row_and_every_key_one_action_in_a_place() -> None:
    assert len(BY_ACTION) == len(KEYS)
    keys = keys_in_force({})
    run, history = keymap(keys), keymap(keys, "history")
    assert {*run.values(), *history.values()} == BY_ACTION.keys()
    assert len(run) == sum(len(key.keys) for key in KEYS if key.group != "History")


def test_a_key_may_mean_one_thing_in_a_run_and_another_in_the_history() -> None:
    keys = keys_in_force({})
    assert (keymap(keys)["n"], keymap(keys, "history")["n"]) == ("attention", "note")
    assert (keymap(keys)["enter"], keymap(keys, "history")["enter"]) == ("zoom", "zoom")
    assert "c" not in keymap(keys, "history")


@pytest.mark.parametrize("scope", get_args(Scope))
def test_no_default_is_a_key_that_terminals_cannot_deliver(scope: Scope) -> None:
    assert not FORBIDDEN.keys() & keymap(keys_in_force({}), scope).keys()


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
    keys = keymap(keys_in_force(configured))
    assert {key: keys.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"cancle": "x"}, r'unknown action "cancle"; did you mean "cancel"\?'),
        ({"cancel": "ctrl+b"}, "ctrl\\+b.* cannot be used: it is tmux"),
        ({"cancel": "Ctrl+Enter"}, "cannot be used: terminals cannot tell"),
        ({"cancel": "r"}, '"r" is assigned to both "cancel" and "retry"'),
        ({"delete": "slash"}, '"/" is assigned to both "find" and "delete"'),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(said: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        keys_in_force(said)
