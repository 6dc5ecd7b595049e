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
    STDIN,
    ErrorKind,
    IllegalMoveError,
    LfgError,
    ProviderError,
    SourceError,
    UsageError,
    did_you_mean,
    shortened,
    source_name,
)

ALL_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_catching_the_root_catches_everything_drawn_in_the_tree(kind: type[BaseException]) -> None:
    assert issubclass(kind, LfgError)
    assert kind.__name__ in (errors.__doc__ or "")


def test_a_source_error_begins_with_file_and_line() -> None:
    error = SourceError(Path("x/tickets.toml"), 7, "no prompt")
    assert str(error) == "x/tickets.toml:7: no prompt"
    assert isinstance(error, UsageError)
    assert str(SourceError(Path("x.toml"), None, "no such file")) == "x.toml: no such file"


def test_standard_input_is_named_in_words() -> None:
    assert str(SourceError(STDIN, 7, "no prompt")) == "standard input, line 7: no prompt"
    assert str(SourceError(STDIN, None, "empty")) == "standard input: empty"
    assert source_name(Path("/a/-")) == "standard input, in /a"
    assert source_name(Path("/a/b-")) == "/a/b-"


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_whether_a_provider_error_is_retryable_follows_from_its_kind(kind: ErrorKind) -> None:
    assert ProviderError(kind, "no").retryable is (kind in RETRYABLE_KINDS)


def test_what_the_person_must_mend_is_never_retried() -> None:
    mend: set[ErrorKind] = {"auth", "not_found", "invalid_request", "context_overflow"}
    assert not mend & RETRYABLE_KINDS


def test_an_illegal_move_names_event_and_state() -> None:
    assert str(IllegalMoveError("done", "text_delta")) == "text_delta is not allowed in state done"
    assert str(IllegalMoveError(None, "paused")) == "paused is not allowed in state none"


def test_a_near_name_is_suggested_or_the_choices_are_listed() -> None:
    assert did_you_mean("modle", ["model", "tools"]) == '; did you mean "model"?'
    assert did_you_mean("xyz", ["tools", "model"]) == " (known: model, tools)"
    assert did_you_mean("xyz", []) == ""


def test_for_what_is_too_long_for_a_name_none_is_looked_for() -> None:
    known = ["model" * 50, "tools"]
    assert did_you_mean("model" * 50, known) == f" (known: {known[0]}, tools)"


def test_a_long_name_is_quoted_in_part() -> None:
    assert shortened("a" * 200) == "a" * 200
    assert shortened("a" * 201) == "a" * 199 + "…"


@given(st.text(), st.lists(st.text()))
def test_a_suggestion_is_always_one_of_the_choices(name: str, known: list[str]) -> None:
    said = did_you_mean(name, known)
    if said.startswith("; did you mean"):
        assert said.removeprefix('; did you mean "').removesuffix('"?') in known
