"""ReAct's labelled lines, where they are unmistakable."""

import pytest

from tests.agent.leakage.telling import Told, told

ROUND = """Thought: I should look it up.
Action: search
Action Input: {"query": "lfg"}
Observation: a control room
Thought: I know now.
Final Answer: A control room.

It is one."""


def test_a_whole_round() -> None:
    answer = told(ROUND)
    assert answer.visible == "A control room.\n\nIt is one."
    assert answer.calls == [("search", '{"query": "lfg"}')]
    thoughts = ["I should look it up.", "Observation: a control room", "I know now."]
    assert all(thought in answer.reasoning for thought in thoughts)
    assert "Thought:" not in answer.reasoning


def test_an_action_behind_prose() -> None:
    text = 'I will search.\n\nAction: search\nAction Input: lfg "tui"\n'
    assert told(text) == Told(
        "I will search.\n\n", "", [("search", '{"input": "lfg \\"tui\\"\\n"}')]
    )


def test_an_action_without_input() -> None:
    text = "Action: look\nAction Input:\nObservation: nothing\nFinal Answer: Nothing."
    assert told(text) == Told("Nothing.", "Observation: nothing\n", [("look", "")])


def test_text_behind_json_input_is_visible() -> None:
    text = 'Action: f\nAction Input: {"a": 1}\nThat was it.'
    assert told(text) == Told("That was it.", "", [("f", '{"a": 1}')])


@pytest.mark.parametrize(
    "text",
    [
        "Action: we must act now.\nAction Input: none",
        "Action: search\nthen read",
        "Action: search\n\nFinal Answer: 42",
        "The Action: search\nAction Input: x",
        "Thought: this is prose.\n\nAnd it goes on.",
        "Thought: prose.\nAction: two words\nAction Input: x",
        "Observation: the sky is blue.\nFinal Answer: blue",
        "Thought:",
        "Action: search",
        "Action: search\nAction Inp",
    ],
)
def test_prose_with_such_labels_stays(text: str) -> None:
    assert told(text) == Told(text)


def test_a_thought_is_not_waited_for_without_end() -> None:
    text = "Thought: " + "so " * 500 + "\nAction: f\nAction Input: {}"
    answer = told(text)
    assert answer.visible == text.partition("Action:")[0]
    assert answer.calls == [("f", "{}")]


def test_labels_in_code_stay() -> None:
    text = f"```\n{ROUND}\n```\n"
    assert told(text) == Told(text)
