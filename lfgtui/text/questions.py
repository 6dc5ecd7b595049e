"""Questions to the reader."""

import re

_MARKS = ("?", "？", "؟")
_CLOSING = "\"'”’“»)）」』*_ \t"
"""May follow the mark. A backtick may not: `why?` is code."""

_FENCE = re.compile(r"(?:[\s>]|[-*+] |\d+[.)] )*(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<rest>.*)")


def ends_in_question(markdown: str) -> bool:
    """Return True if the last line that is not blank ends in a question and is no code."""
    text = markdown.rstrip()
    sentence = text[text.rfind("\n") + 1 :].rstrip(_CLOSING)
    is_question = sentence.endswith(_MARKS) and any(map(str.isalnum, sentence))
    return is_question and not _ends_in_fence(text)


def _ends_in_fence(text: str) -> bool:
    """Return True if a fence is open at the end of the text."""
    opened = ""
    for line in text.splitlines():
        if ("```" in line or "~~~" in line) and (match := _FENCE.match(line)):
            fence = match["fence"]
            if not opened:
                opened = fence
            elif fence.startswith(opened) and not match["rest"].strip():
                opened = ""
    return bool(opened)
