"""Questions to the reader."""

from lfgtui.text.fences import open_fence

_MARKS = ("?", "？", "؟")
_CLOSING = "\"'”’“»)）」』*_ \t"
"""May follow the mark. A backtick may not: `why?` is code."""


def ends_in_question(markdown: str) -> bool:
    """Return True if the last line that is not blank ends in a question and is no code."""
    text = markdown.rstrip()
    sentence = text[text.rfind("\n") + 1 :].rstrip(_CLOSING)
    is_question = sentence.endswith(_MARKS) and any(map(str.isalnum, sentence))
    return is_question and not _ends_in_fence(text)


def _ends_in_fence(text: str) -> bool:
    opened = ""
    for line in text.splitlines():
        opened = open_fence(line, opened)
    return bool(opened)
