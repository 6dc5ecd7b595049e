"""What is read aloud of Markdown: words."""

import pytest

from lfgtui.ui.speech import is_code, speakable


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("It **is** _so_, ~~not~~ `now_it`.\n", "It is so, not now_it."),
        ("## A *heading*\n\n", "A heading."),
        ("> - [x] 1. Quoted\n>   on\n", "1. Quoted on."),
        ("1. One, 2 * 3 and snake_case\n", "One, 2 * 3 and snake_case."),
        ("See [the page](https://a.b/c_d?e=(f)) and <https://a.b/>.", "See the page and ."),
        ("![A picture](x.png) at www.example.com/a, today", "A picture at , today."),
        ("| a | b |\n", ", a , b ,"),
        ("| --- | --- |\n", ""),
        ("---\n\n", ""),
        (
            "\x1b[31mred\x1b[0m \x07bell\u202e, \ud800 and C:\\dir 1\\+1",
            "red bell, and C:\\dir 1+1.",
        ),
        ("!-!SET SELF RATE 100\n", "-!SET SELF RATE 100."),
        ("**!-!QUIT**", "-!QUIT."),
        ("[[volm 0]] [[inpt PHON]]", "volm 0 inpt PHON."),
        ("x" * 3000, "x" * 2000 + "."),
    ],
)
def test_words(markdown: str, words: str) -> None:
    assert speakable(markdown) == words


def test_code_is_known_by_its_fence() -> None:
    assert is_code("\n  ```py\nx\n```\n") and is_code("- ~~~\nopen")
    assert not is_code("Use ```x``` here") and not is_code("") and not is_code("```x``` it is")
