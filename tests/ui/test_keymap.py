"""The table of keys: remapping, and what it refuses."""

from typing import get_args

import pytest

from lfgtui.errors import UsageError
from lfgtui.ui.keymap import BY_ACTION, FORBIDDEN, KEYS, Scope, displayed, keymap, keys_in_force


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


def test_a_remapped_action_answers_to_its_new_keys_only() -> None:
    keys = keymap(keys_in_force({"cancel": "x, ctrl+x"}))
    assert keys["x"] == keys["ctrl+x"] == "cancel"
    assert "c" not in keys


def test_two_actions_can_swap_their_keys() -> None:
    keys = keymap(keys_in_force({"approve": "d", "deny": "a"}))
    assert (keys["d"], keys["a"]) == ("approve", "deny")


def test_an_empty_string_takes_the_key_away() -> None:
    assert "cancel_all" not in keymap(keys_in_force({"cancel_all": ""})).values()


def test_keys_may_be_written_as_people_write_them() -> None:
    keys = keymap(keys_in_force({"help": "? ! F1", "back": "esc"}))
    assert keys["question_mark"] == keys["exclamation_mark"] == "help"
    assert keys["escape"] == "back"
    assert displayed("question_mark") == "?"


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
