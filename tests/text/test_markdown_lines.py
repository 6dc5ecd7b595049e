"""Texts that end in a question to the reader."""

import pytest

from lfgtui.text.markdown_lines import ends_in_question

FENCED = "```sh\nwhy?\n```"


@pytest.mark.parametrize(
    "text",
    [
        "Shall I go on?",
        "Done.\n\nShall I go on?\n\n  \n",
        "**Shall I go on?**",
        "_Shall I?_",
        'You wrote "shall I?"',
        "Sie fragten: „Soll ich?“",
        "進めますか？",
        "「進めますか？」",
        "هل أكمل؟",
        "(Or do you prefer the other one?)",
        f"{FENCED}\n\nIs that what you want?",
        "~~~\n```\n~~~\nIs it?",
        "````\n```\n````\nIs it?",
        "1. one\n\n   ```\n   code\n   ```\n\nWhich one?",
        "A `?` is a sign, isn't it?",
        "Write ```inline``` here?",
    ],
)
def test_a_question_to_the_reader_ends_the_text(text: str) -> None:
    assert ends_in_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "Done.",
        "Shall I? Never mind.",
        "Shall I?\n\nI went on without an answer.",
        FENCED,
        "```sh\nwhy?",
        "1. one\n   ```\n   why?",
        "> ```\n> why?",
        "````\n```\nwhy?",
        "~~~\nwhy?",
        "It prints `why?`",
        "?",
        "|\n?!",
    ],
)
def test_anything_else_does_not(text: str) -> None:
    assert not ends_in_question(text)
