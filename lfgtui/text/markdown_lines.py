"""Markdown judged line by line, without a parser: open fences, questions, the words alone."""

import re

MARKS = r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*"
"""Pattern of the indents and marks that a line in quotes and list items begins with: `> 1. `."""

# Text, so that it is compiled with the first answer and not before the first frame.
_FENCE = rf"{MARKS}(?P<fence>`{{3,}}(?=[^`]*$)|~{{3,}})(?P<rest>.*)"

# Marks that `without_marks` removes: "> ## ", "- [x] "; links; emphasis, code, escapes.
_BEGINNING = rf"(?m)^{MARKS}(?:#{{1,6}}[ \t]+|\[[ xX]\][ \t]+)?"
_LINK = r"!?\[([^\[\]]*)\]\((?:[^()\n]|\([^()\n]*\))*\)"  # "[text](address)"
_MARKUP = r"(?<!\w)[*_]+(?=\S)|(?<=\S)[*_]+(?!\w)|~~|`+|\\(?=[^\w\s])"

_QUESTION_MARKS = ("?", "？", "؟")
_CLOSING = "\"'”’“»)）」』*_ \t"
"""Characters that may follow a question mark. A backtick may not: `why?` is code."""


def open_fence(line: str, opened: str) -> str:
    """Return the opening marks of the fence that is open after the line; "" if none is.

    `opened` are those of the fence that was open before it.
    """
    if ("```" in line or "~~~" in line) and (match := re.match(_FENCE, line)):
        fence = match["fence"]
        if not opened:
            return fence
        if fence.startswith(opened) and not match["rest"].strip():
            return ""
    return opened


def without_marks(markdown: str) -> str:
    """Return the words alone, without marks of blocks and emphasis, links as their texts."""
    unmarked = re.sub(_LINK, r"\1", re.sub(_BEGINNING, "", markdown))
    return re.sub(_MARKUP, "", unmarked)


def ends_in_question(markdown: str) -> bool:
    """Return True if the last line that is not blank ends in a question and is not code."""
    text = markdown.rstrip()
    sentence = text[text.rfind("\n") + 1 :].rstrip(_CLOSING)
    if not (sentence.endswith(_QUESTION_MARKS) and any(map(str.isalnum, sentence))):
        return False
    opened = ""
    for line in text.splitlines():
        opened = open_fence(line, opened)
    return not opened
