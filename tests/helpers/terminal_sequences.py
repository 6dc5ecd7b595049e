"""The sequences in what a program wrote to a terminal that are not lfg's own.

The bytes, as they were before any emulator made sense of them, are cut into
characters and escape sequences, and every sequence has to be on the list of
those that lfg, or Textual for it, writes.
"""

import re

# A sequence as ECMA-48 has them, well formed or not, and the characters of which none may stand
# alone. In a text that is decoded, so that C1 is a character and not a byte of another one.
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)

STYLES = r"\x1b\[(?:0|1|2|3[0-7]|9[0-7]|39)?(?:;3[0-7])?m"
"""What a command that prints writes: one style, and its end."""

SCREEN = "|".join(
    (
        r"\x1b\[[0-9;]*m",  # styles, in true colour too
        r"\x1b\[\d+;\d+H",  # to a cell
        r"\x1b\[[0-9]*[ABCDGJK]",
        r"\x1b\[\?(?:25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]",
        r"\x1b\[\?(?:2026|2048)\$p",  # does the terminal have these two
        r"\x1b\[[<>]\d*u",  # keys of Kitty's protocol
        r"\x1b\]8;id=[0-9-]+;https?://[!-~]*\x1b\\",
        r"\x1b\]8;;\x1b\\",
        r"\x1b\]22;[a-z-]+\x07",  # the shape of the mouse pointer
        r"\x1b\]0;[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\)",
    )
)
"""What the screen writes besides."""


def foreign_sequences(raw: bytes | str, own: str = STYLES) -> list[str]:
    """The sequences and control characters that are none of our own; bytes that are no UTF-8."""
    try:
        text = raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError as error:
        return [repr(error)]
    text = text.replace("\r\n", "\n")  # the terminal's line discipline put it in
    allowed = re.compile(own)
    found = (match.group() for match in _SEQUENCE.finditer(text))
    return [repr(each) for each in dict.fromkeys(found) if not allowed.fullmatch(each)]
