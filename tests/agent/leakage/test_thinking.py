"""Reasoning between tags leaves the answer."""

import pytest

from lfgtui.agent.leakage.blocks import LATE
from tests.agent.leakage.filtering import Filtered, outcome


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("<THINKING>", "</THINKING>"),
        ("<reasoning>", "</reasoning>"),
        ("<thought>", "</thought>"),
        ("[THINK]", "[/THINK]"),
        ("<seed:think>", "</seed:think>"),
        ("<mm:think>", "</mm:think>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|channel>thought\n", "<channel|>"),
        ("<thinking>", "</think>"),  # models mix them up
    ],
)
def test_what_stands_between_the_tags_is_reasoning(begin: str, end: str) -> None:
    text = f"{begin}\nIs 1 < 2?\n\n- `yes`\n{end}\n\nYes: 1 < 2.\n"
    assert outcome(text, "think") == Filtered("Yes: 1 < 2.\n", "Is 1 < 2?\n\n- `yes`\n")


def test_an_empty_block_leaves_nothing() -> None:
    assert outcome("<think>\n\n</think>\n\nHello") == Filtered("Hello")


def test_an_unclosed_block_is_reasoning_to_the_end() -> None:
    assert outcome("<think>I wonder </thi") == Filtered("", "I wonder </thi")


def test_blocks_may_stand_at_any_line_of_the_answer() -> None:
    text = "One.\n<think>a</think>\nTwo.\n  <think>b</think>Three."
    assert outcome(text) == Filtered("One.\n\nTwo.\n  Three.", "ab")


@pytest.mark.parametrize(
    "text",
    [
        "The <think> tag opens a block and </think> closes it.",
        "- <think> is a tag",
        "Code:\n\n    <think>is indented so</think>",
        "The model writes <think>\nand then </think>\n",
        "<thinkers> unite, <think",
        "[think]: https://example.com",
        "a </think> b",
        "Is it `<think>`?",
    ],
)
def test_a_tag_that_is_spoken_about_stays(text: str) -> None:
    assert outcome(text) == Filtered(text)


def test_the_model_may_think_about_the_tag() -> None:
    text = "<think>It wants `</think>` in code.</think>Here: `</think>`"
    assert outcome(text) == Filtered("Here: `</think>`", "It wants `</think>` in code.")


# The opening tag that the template ate.


def test_a_closing_tag_that_begins_the_answer_is_dropped() -> None:
    assert outcome("\n</think>\n\nHello") == Filtered("Hello")


@pytest.mark.parametrize("end", ["\n</think>\n\n", "</think>\n\n"])
def test_a_late_closing_tag_is_taken_out_and_the_person_told(end: str) -> None:
    answer = outcome(f"Let me see, 6 times 7.{end}42")
    assert "</think>" not in answer.visible
    assert answer.visible.split() == ["Let", "me", "see,", "6", "times", "7.", "42"]
    assert answer.remarks == [LATE]


def test_an_answer_that_is_reasoning_only_loses_its_closing_tag_too() -> None:
    assert outcome("Let me see.</think>") == Filtered("Let me see.", remarks=[LATE])


def test_a_surplus_closing_tag_is_dropped_in_silence() -> None:
    assert outcome("<think>a</think>\nb\n</think>\nc") == Filtered("b\n\nc", "a")
