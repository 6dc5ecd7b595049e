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


CASES = {
    "an empty block leaves nothing": ("<think>\n\n</think>\n\nHello", Filtered("Hello")),
    "an unclosed block is reasoning": ("<think>I wonder </thi", Filtered("", "I wonder </thi")),
    "blocks may stand at any line": (
        "One.\n<think>a</think>\nTwo.\n  <think>b</think>Three.",
        Filtered("One.\n\nTwo.\n  Three.", "ab"),
    ),
    "the model may think about the tag": (
        "<think>It wants `</think>` in code.</think>Here: `</think>`",
        Filtered("Here: `</think>`", "It wants `</think>` in code."),
    ),
    # The opening tag that the template ate.
    "a closing tag that begins the answer": ("\n</think>\n\nHello", Filtered("Hello")),
    "an answer that is reasoning only": (
        "Let me see.</think>",
        Filtered("Let me see.", remarks=[LATE]),
    ),
    "a surplus closing tag is dropped in silence": (
        "<think>a</think>\nb\n</think>\nc",
        Filtered("b\n\nc", "a"),
    ),
}


@pytest.mark.parametrize(("text", "filtered"), CASES.values(), ids=CASES)
def test_a_text_comes_to(text: str, filtered: Filtered) -> None:
    assert outcome(text) == filtered


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


@pytest.mark.parametrize("end", ["\n</think>\n\n", "</think>\n\n"])
def test_a_late_closing_tag_is_taken_out_and_the_person_told(end: str) -> None:
    answer = outcome(f"Let me see, 6 times 7.{end}42")
    assert "</think>" not in answer.visible
    assert answer.visible.split() == ["Let", "me", "see,", "6", "times", "7.", "42"]
    assert answer.remarks == [LATE]
