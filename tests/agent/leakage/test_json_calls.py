"""Calls as JSON objects, member by member."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.leakage.telling import Told, filtered, told

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.booleans(), st.integers(0, 9))
def test_arguments_arrive_as_they_were_written(
    arguments: dict[str, object], name_last: bool, cut: int
) -> None:
    written = json.dumps(arguments)
    members = ['"name": "f"', f'"arguments": {written}']
    body = ", ".join(reversed(members) if name_last else members)
    text = f"Now.\n<tool_call>\n{{{body}}}\n</tool_call>"
    assert filtered(text, cut) == Told("Now.\n", "", [("f", written)])


@pytest.mark.parametrize("key", ["arguments", "parameters", "input", "args"])
def test_arguments_have_many_names(key: str) -> None:
    text = f'<tool_call>{{"tool": "f", "{key}": {{"a": 1}}}}</tool_call>'
    assert told(text) == Told("", "", [("f", '{"a": 1}')])


def test_a_call_may_be_wrapped_as_its_wire_would() -> None:
    text = '<tool_call>{"type": "function", "function": {"name": "f", "arguments": {}}}</tool_call>'
    answer = told(text)
    assert answer.calls == [("f", "{}")]
    assert answer.visible == ""


def test_lists_of_calls() -> None:
    text = '[TOOL_CALLS][{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]'
    assert told(text) == Told("", "", [("f", '{"a": 1}'), ("g", "{}")])
    text = '<tool_call>\n{"name": "f"}\n{"name": "g", "arguments": {}}\n</tool_call>\nBye'
    assert told(text) == Told("Bye", "", [("f", ""), ("g", "{}")])


def test_a_brace_too_many_is_dropped() -> None:
    assert told('<tool_call>{"name": "f", "arguments": {}}}</tool_call>') == Told(
        "", "", [("f", "{}")]
    )


def test_other_members_are_shown_as_reasoning() -> None:
    text = '<tool_call>{"name": "f", "why": "to see", "arguments": {}}</tool_call>'
    assert told(text) == Told("", 'why: "to see"\n', [("f", "{}")])


def test_a_closing_tag_in_a_string_is_the_arguments_own() -> None:
    text = '<tool_call>{"name": "f", "arguments": {"a": "</tool_call>"}}</tool_call>b'
    assert told(text) == Told("b", "", [("f", '{"a": "</tool_call>"}')])


def test_broken_arguments_end_with_their_tag() -> None:
    text = '<tool_call>{"name": "f", "arguments": {"a": "b}\n</tool_call>\nStill here.'
    assert told(text) == Told("Still here.", "", [("f", '{"a": "b}')])


def test_the_rest_of_a_broken_call_is_reasoning() -> None:
    text = '<tool_call>{"name": "f", "arguments": {} or so}</tool_call>\nStill here.'
    assert told(text) == Told("Still here.", "or so}", [("f", "{}")])


def test_a_member_without_a_value_is_not_lost() -> None:
    text = '<tool_call>{"name": "f", "quickly"}</tool_call>'
    assert told(text) == Told("", "quickly}", [("f", "")])


def test_arguments_wait_for_the_name_only_so_long() -> None:
    long = "x" * 10_000
    text = f'<tool_call>{{"arguments": {{"a": "{long}"}}, "name": "f"}}</tool_call>'
    answer = told(text)
    assert answer == Told("", "f", [("tool_call", f'{{"a": "{long}"}}')])


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"foo": 1}</tool_call>\nis no call',
        '<tool_call>{"arguments": {}}</tool_call>',
        "<tool_call>{}</tool_call>",
        "<tool_call>{name: f}</tool_call>",
        '<tool_call>{"na',
        '<tool_call>{"arguments": {"a": 1',
        "<tool_call>[1, 2]</tool_call>",
    ],
)
def test_an_object_without_a_name_is_given_back(text: str) -> None:
    assert told(text) == Told(text)


def test_a_call_without_its_end_gives_what_follows_to_the_answer() -> None:
    assert told('<tool_call>{"name": "f", "arguments": {}}\n\nSo much for that.') == Told(
        "So much for that.", "", [("f", "{}")]
    )
