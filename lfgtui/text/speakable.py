"""Markdown as it is read aloud: words alone."""

import re

from lfgtui.text.fences import MARKS, open_fence
from lfgtui.text.terminal_safe import without_controls

_LONGEST = 2_000
"""Characters of a line; some programs break longer ones and look for commands where they do."""

_BEGINNING = re.compile(rf"^{MARKS}(?:#{{1,6}}[ \t]+|\[[ xX]\][ \t]+)?", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\n]|\([^()\n]*\))*\)")
_ADDRESS = re.compile(r"<?\b(?:[a-z]{2,9}://|www\.)[^\s<>()\[\]]*[^\s<>()\[\].,;:!?'\"*_`]>?")
_MARKUP = re.compile(r"(?<!\w)[*_]+(?=\S)|(?<=\S)[*_]+(?!\w)|~~|[`\[\]]+|\\(?=[^\w\s])")


def is_code(unit: str) -> bool:
    """Return True if the unit is a code block."""
    return open_fence(unit.lstrip().partition("\n")[0], "") != ""


def speakable(markdown: str) -> str:
    """Return the words on one line; "" if there are none.

    It begins with no `!` and has no `[[`, which mean something to spd-say, espeak-ng and say.
    It ends in a mark, which has them pause also where the text has none, as behind a heading.
    """
    text = _BEGINNING.sub("", without_controls(markdown))
    text = _ADDRESS.sub("", _LINK.sub(r"\1", text))
    text = _MARKUP.sub("", text).replace("|", ", ")
    line = " ".join(text.split())[:_LONGEST].lstrip("!")
    if not any(map(str.isalnum, line)):
        return ""
    return f"{line}." if line[-1].isalnum() else line
