"""The tree of errors, and the ends of refusals."""

import inspect
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfgtui import errors
from lfgtui.errors import (
    RETRYABLE_KINDS,
    ErrorKind,
    IllegalMoveError,
    LfgError,
    ProviderError,
    SourceError,
    UsageError,
    did_you_mean,
)

ALL_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_catching_the_root_catches_everything(kind: type[BaseException]) -> None:
    assert issubclass(kind, LfgError)


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_the_drawn_tree_has_every_error(kind: type[BaseException]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


def test_a_source_error_begins_with_file_and_line() -> None:
    error = SourceError(Path("x/tickets.toml"), 7, "no prompt")
    assert str(error) == "x/tickets.toml:7: no prompt"
    assert isinstance(error, UsageError)


def test_a_source_error_of_a_whole_file_has_no_line() -> None:
    assert str(SourceError(Path("tickets.toml"), None, "no such file")) == (
        "tickets.toml: no such file"
    )


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_whether_a_provider_error_is_retryable_follows_from_its_kind(kind: ErrorKind) -> None:
    assert ProviderError(kind, "no").retryable is (kind in RETRYABLE_KINDS)


def test_what_the_person_must_mend_is_never_retried() -> None:
    mend: set[ErrorKind] = {"auth", "not_found", "invalid_request", "context_overflow"}
    assert not mend & RETRYABLE_KINDS


def test_an_illegal_move_names_event_and_state() -> None:
    assert str(IllegalMoveError("done", "text_delta")) == "text_delta is not allowed in state done"
    assert str(IllegalMoveError(None, "paused")) == "paused is not allowed in state none"


def test_a_near_name_is_suggested() -> None:
    assert did_you_mean("modle", ["model", "tools"]) == '; did you mean "model"?'


def test_without_a_near_name_the_choices_are_listed_in_order() -> None:
    assert did_you_mean("xyz", ["tools", "model"]) == " (known: model, tools)"


def test_without_choices_nothing_is_said() -> None:
    assert did_you_mean("xyz", []) == ""


@given(st.text(), st.lists(st.text()))
def test_a_suggestion_is_always_one_of_the_choices(name: str, known: list[str]) -> None:
    said = did_you_mean(name, known)
    if said.startswith("; did you mean"):
        assert said.removeprefix('; did you mean "').removesuffix('"?') in known
