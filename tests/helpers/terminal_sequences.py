"""The sequences in what a program wrote to a terminal that are not lfg's own.

The bytes, as they were before any emulator made sense of them, are cut into
characters and the escape sequences of ECMA-48, and every sequence has to be on
the list of those that lfg, or Textual for it, writes.
"""

import re

_WHOLE = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"

# What a terminal that stopped reading never got the rest of; a terminator makes it harmless.
_CUT = r"(?:\x1b(?:\[[0-?]*)?|[\udcc2-\udcf4][\udc80-\udcbf]{0,2})?\x1b\\"

# Sequences begun, and characters of which none may stand alone: all that a terminal could act
# on, or reorder text with, and bytes that are no UTF-8.
_REST = (
    r"\x1b[ -/]*[0-~]?"
    r"|[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f\ud800-\udfff]"
)
_SEQUENCE = re.compile(f"{_WHOLE}|{_REST}")
_SEQUENCE_OR_CUT = re.compile(f"{_WHOLE}|{_CUT}|{_REST}")

TEXT = r"[\n\t]"
"""What a pipe may get besides text."""

STYLES = TEXT + r"|\x1b\[(?:[0-4]|9|3[0-79]|9[0-7])?(?:;(?:[1-4]|9|3[0-7]))*m"
"""What a command that prints writes: one style, and its end."""

SCREEN = "|".join(
    (
        r"\x1b\[[0-9;]{0,80}m",  # styles, in true colour too
        r"\x1b\[[0-9]{1,4};[0-9]{1,4}H",  # to a cell
        r"\x1b\[\?(?:25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]",
        r"\x1b\[\?(?:2026|2048)\$p",  # does the terminal have these two
        r"\x1b\[>25u|\x1b\[<u",  # keys of Kitty's protocol
        r"\x1b\]8;(?:id=[A-Za-z0-9_.-]+;https?://[!-~]*|;)(?:\x1b\\|\x07)",  # a link
        r"\x1b\]0;(?:(?:(?:[0-9]{1,4} (?:waiting|running)|all done|finished) · )*lfg)?\x07",
        r"\x1b\[2[23];0t",  # the terminal's own title: keep it, and show it again
        r"\x1b\]22;[a-z-]+\x07",  # the shape of the mouse pointer
    )
)
"""What the screen writes besides."""


def foreign_sequences(raw: bytes | str, own: str = STYLES, *, is_cut: bool = False) -> list[str]:
    """Return the sequences, control characters and stray bytes that are none of our own.

    `is_cut` is for a terminal that stopped reading, and was never sent the rest.
    """
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "surrogateescape")
    text = text.replace("\r\n", "")  # the terminal's line discipline put it in
    sequence, allowed = _SEQUENCE, re.compile(own)
    if is_cut:
        sequence, allowed = _SEQUENCE_OR_CUT, re.compile(f"{own}|{_CUT}")
    found = (match.group() for match in sequence.finditer(text))
    return [repr(each) for each in dict.fromkeys(found) if not allowed.fullmatch(each)]
